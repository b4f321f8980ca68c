package rehearsal

import (
	"bytes"
	"encoding/json"
)

// VersionProfile is how a version serves its requests.
type VersionProfile struct {
	// ErrorRate is the share of the invocations that end in an error, in [0, 1].
	ErrorRate float64 `json:"error-rate"`
	// Duration is the mean duration of an invocation, failed or not, in [0, 900].
	// Single ones are lognormal with σ = 0.5, on 32 fixed values from 0.4 to 4.4
	// times the mean: one in twenty takes longer than about twice the mean, and
	// one in a hundred longer than about 2.8 times.
	Duration float64 `json:"duration"`
	// Cluster is the mean size of the clusters that the errors come in, from 1 on:
	// 1, the usual, is each error for itself. The sizes are geometric. A cluster is
	// the work of a sick execution environment: invocations of this version one
	// after the other, all within one minute. The mean error rate stays the same.
	Cluster float64 `json:"cluster"`
	// Throttled is the share of the requests that are throttled, in [0, 1]. These
	// are no invocations: the other shares are of those that are left.
	Throttled float64 `json:"throttled"`
	// LateSuccesses is how much later than errors the successful invocations show
	// in the metrics.
	LateSuccesses float64 `json:"late-successes"`
}

// usual is how a version behaves unless a scenario says otherwise.
var usual = VersionProfile{Duration: 0.1, Cluster: 1}

// UnmarshalJSON reads a behaviour; what it leaves out is as usual.
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

// check holds the behaviour's numbers against their bounds.
func (b VersionProfile) check(path string, within func(path string, value, low, high float64)) {
	within(path+".error-rate", b.ErrorRate, 0, 1)
	within(path+".duration", b.Duration, 0, 900)
	within(path+".cluster", b.Cluster, 1, maxCluster)
	within(path+".throttled", b.Throttled, 0, 1)
	within(path+".late-successes", b.LateSuccesses, 0, MaxSeconds)
}
