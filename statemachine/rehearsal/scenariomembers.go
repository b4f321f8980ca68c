package rehearsal

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal/strictjson"
)

// MemberScenario is how one member of a release differs from the others. What it leaves
// out is as the scenario has it.
type MemberScenario struct {
	RequestsPerSecond *float64 `json:"requests-per-second,omitempty"`
	Timeout           int      `json:"timeout,omitempty"`
	// Baseline and NewVersion replace the scenario's; what they leave out has the
	// default.
	Baseline   *VersionProfile `json:"baseline,omitempty"`
	NewVersion *VersionProfile `json:"new-version,omitempty"`
	// Changes take place during the member's rollout, besides those of the scenario.
	Changes []MemberChange `json:"changes,omitempty"`
}

// MemberChange is a [Change] of one member of a release. Its times are those since the
// start of the member's rollout, and shares of its plan.
type MemberChange struct {
	After             float64         `json:"after,omitempty"`
	AfterShare        float64         `json:"after-share,omitempty"`
	RequestsPerSecond *float64        `json:"requests-per-second,omitempty"`
	Baseline          *VersionProfile `json:"baseline,omitempty"`
	NewVersion        *VersionProfile `json:"new-version,omitempty"`
	// Stop means that a user stops the member's execution, and Alias that one changes
	// the alias.
	Stop  bool         `json:"stop,omitempty"`
	Alias *AliasChange `json:"alias,omitempty"`
}

const (
	wantMember         = "must be the name of one of the release's rollouts"
	wantOfMember       = "must be left out for a release: write it in a member's changes"
	wantSharedVersion  = "must be left out: the baseline.version of the scenario is that of all members"
	wantSharedInactive = "must be false or left out: only the versions of all members can be inactive"
	wantNoMembers      = "must be left out: only a release has members"
)

// change returns the change as that of a scenario.
func (c MemberChange) change() Change {
	return Change{After: c.After, AfterShare: c.AfterShare, RequestsPerSecond: c.RequestsPerSecond,
		Baseline: c.Baseline, NewVersion: c.NewVersion, Stop: c.Stop, Alias: c.Alias}
}

// check passes the numbers and their bounds to within, and returns an error that joins
// what else is wrong with a member's scenario, within the scenario s.
func (m MemberScenario) check(at string, s Scenario, within func(path string, value, low, high float64)) error {
	var problems []error
	refuse := func(path, want string, given any) { problems = append(problems, problemAt(path, want, given)) }
	if m.RequestsPerSecond != nil {
		within(at+".requests-per-second", *m.RequestsPerSecond, 0, maxRate)
	}
	if m.Timeout != 0 {
		within(at+".timeout", float64(m.Timeout), 1, maxTimeout)
	}
	for name, p := range map[string]*VersionProfile{"baseline": m.Baseline, "new-version": m.NewVersion} {
		if p == nil {
			continue
		}
		path := at + "." + name
		p.check(path, within)
		if p.Version != "" {
			refuse(path+".version", wantSharedVersion, p.Version)
		}
		if p.Inactive {
			refuse(path+".inactive", wantSharedInactive, true)
		}
	}
	for i, c := range m.Changes {
		problems = append(problems, c.change().check(fmt.Sprintf("%s.changes[%d]", at, i), s, within))
	}
	return errors.Join(problems...)
}

// member returns the scenario of a member's traffic: without what is of the whole account.
func (s Scenario) member(name string) Scenario {
	own := s.Members[name]
	if own.RequestsPerSecond != nil {
		s.RequestsPerSecond = *own.RequestsPerSecond
	}
	if own.Timeout != 0 {
		s.Timeout = own.Timeout
	}
	if own.Baseline != nil {
		s.Baseline = *own.Baseline
	}
	if own.NewVersion != nil {
		s.NewVersion = *own.NewVersion
	}
	changes := s.Changes
	s.Changes = nil
	for _, c := range changes {
		of := Change{After: c.After, AfterShare: c.AfterShare, RequestsPerSecond: c.RequestsPerSecond, Baseline: c.Baseline, NewVersion: c.NewVersion, Metrics: c.Metrics}
		if !of.nothing() {
			s.Changes = append(s.Changes, of)
		}
	}
	for _, c := range own.Changes {
		s.Changes = append(s.Changes, c.change())
	}
	return s
}

// account returns the part of a release's scenario that is of the whole account. Nothing
// invokes it.
func (s Scenario) account() Scenario {
	s.RequestsPerSecond, s.Metrics = 0, nil
	changes := s.Changes
	s.Changes = nil
	for _, c := range changes {
		c.RequestsPerSecond, c.Baseline, c.NewVersion, c.Metrics = nil, nil, nil, nil
		if !c.nothing() {
			s.Changes = append(s.Changes, c)
		}
	}
	return s
}

// checkRelease returns a *[ScenarioError] for a scenario that a release with these
// members can't have.
func (s Scenario) checkRelease(members []string) error {
	var problems []rollout.Problem
	for _, name := range slices.Sorted(maps.Keys(s.Members)) {
		if !slices.Contains(members, name) {
			problems = append(problems, problemAt(strictjson.Path("members", name), wantMember+rollout.DidYouMean(name, members), nil))
		}
	}
	for i, c := range s.Changes {
		if c.Alias != nil {
			problems = append(problems, problemAt(fmt.Sprintf("changes[%d].alias", i), wantOfMember, nil))
		}
	}
	if problems != nil {
		return &ScenarioError{problems}
	}
	return nil
}
