package rehearsal

import (
	"bytes"
	"encoding/json"
	"slices"
)

// VersionProfile describes how a version serves its requests.
type VersionProfile struct {
	// ErrorRate is the share of the invocations that fail, in [0, 1].
	ErrorRate float64 `json:"error-rate"`
	// Duration is the mean duration of an invocation, failed or not, in seconds, in
	// [0, 900]. Durations are lognormal, on 32 fixed values. With the usual Spread these
	// are 0.4 to 4.4 times the mean: one in twenty is longer than about twice the mean,
	// and one in a hundred longer than about 2.8 times.
	Duration float64 `json:"duration"`
	// Spread is σ of the durations' lognormal distribution, in [0, 2]; 0.5 if it is left
	// out. 0 means that all are the same.
	Spread *float64 `json:"spread,omitempty"`
	// Environments are nil if the first invocations take no longer than later ones.
	Environments *Environments `json:"environments,omitempty"`
	// Cluster is the mean size of the clusters in which errors occur, in [1, 1e6]. 1,
	// the default, means independent errors. The sizes are geometrically distributed.
	// A cluster models an unhealthy execution environment: consecutive invocations of
	// this version within one minute. The mean error rate stays the same.
	Cluster float64 `json:"cluster"`
	// Throttled is the share of the requests that are throttled, in [0, 1]. These
	// are no invocations: the other shares are of the remaining requests.
	Throttled float64 `json:"throttled"`
	// LateSuccesses is how many seconds later than failed invocations the metrics
	// have the successful ones.
	LateSuccesses float64 `json:"late-successes"`
	// Inactive means that the version was idle for weeks until the rollout starts: it is
	// Inactive. Its first request fails and makes it Pending, and it serves requests from
	// a minute later on; those until then are in no metric. An Inactive baseline has no
	// History. A change can't have it.
	Inactive bool `json:"inactive,omitempty"`
	// Version is the number of the baseline, for a scenario's Baseline alone; empty for
	// the version before the new one, or the next one if there is none before.
	Version string `json:"version,omitempty"`
}

// usual is the default profile.
var usual = VersionProfile{Duration: 0.1, Cluster: 1}

// UnmarshalJSON reads a profile; fields that it leaves out have the default values,
// and unknown ones are errors.
func (b *VersionProfile) UnmarshalJSON(data []byte) error {
	type plain VersionProfile // without this method
	p := plain(usual)
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&p); err != nil {
		return err
	}
	*b = VersionProfile(p)
	return nil
}

// spread returns the spread, also if it is left out.
func (b VersionProfile) spread() float64 {
	if b.Spread == nil {
		return sigma
	}
	return *b.Spread
}

// profiles returns the profiles of both versions, and those in changes.
func (s Scenario) profiles() []VersionProfile {
	all := []VersionProfile{s.Baseline, s.NewVersion}
	changes := s.Changes
	for _, m := range s.Members {
		for _, b := range []*VersionProfile{m.Baseline, m.NewVersion} {
			if b != nil {
				all = append(all, *b)
			}
		}
		for _, c := range m.Changes {
			changes = append(slices.Clip(changes), c.change())
		}
	}
	for _, c := range changes {
		for _, b := range []*VersionProfile{c.Baseline, c.NewVersion} {
			if b != nil {
				all = append(all, *b)
			}
		}
	}
	return all
}

// check passes the profile's numbers and their bounds to within.
func (b VersionProfile) check(path string, within func(path string, value, low, high float64)) {
	within(path+".error-rate", b.ErrorRate, 0, 1)
	within(path+".duration", b.Duration, 0, 900)
	if b.Spread != nil {
		within(path+".spread", *b.Spread, 0, maxSpread)
	}
	b.Environments.check(path+".environments", within)
	within(path+".cluster", b.Cluster, 1, maxCluster)
	within(path+".throttled", b.Throttled, 0, 1)
	within(path+".late-successes", b.LateSuccesses, 0, MaxSeconds)
}
