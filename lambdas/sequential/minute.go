package sequential

import (
	"errors"
	"fmt"
)

// MaxCount is the largest number of requests that a [Count] may hold. Below it
// no sum over a million minutes overflows.
const MaxCount = 1_000_000_000_000

// Count holds how many requests one version served in some time, and how many of them
// were errors (or slow, or whatever is counted): 0 ≤ Errors ≤ Requests ≤ [MaxCount].
type Count struct {
	Requests int64 `json:"requests"`
	Errors   int64 `json:"errors"`
}

// check returns all that is wrong with the count of the named side.
func (c Count) check(side string) error {
	var problems []error
	if c.Requests < 0 || c.Requests > MaxCount {
		problems = append(problems, fmt.Errorf("%s: %d requests: must be from 0 to %d", side, c.Requests, int64(MaxCount)))
	}
	if c.Errors < 0 {
		problems = append(problems, fmt.Errorf("%s: %d errors: must not be negative", side, c.Errors))
	}
	if c.Requests >= 0 && c.Errors > c.Requests {
		problems = append(problems, fmt.Errorf("%s: %d errors: must be at most the %d requests", side, c.Errors, c.Requests))
	}
	return errors.Join(problems...)
}

// Minute counts what both versions served in one minute. Its zero value is a minute
// without traffic.
type Minute struct {
	baseline, newVersion Count
	rate, weight         float64 // see Expecting and Routed
}

// NewMinute returns the minute with two counts. The error names all that is wrong
// with them. (In metrics, an error may be known before its request: see that there
// are at least as many requests.)
func NewMinute(baseline, newVersion Count) (Minute, error) {
	if err := errors.Join(baseline.check("baseline"), newVersion.check("new version")); err != nil {
		return Minute{}, err
	}
	return Minute{baseline: baseline, newVersion: newVersion}, nil
}

// compares reports whether both versions had requests, and so can be compared.
func (m *Minute) compares() bool {
	if m.weight > 0 {
		return m.baseline.Requests+m.newVersion.Requests > 0
	}
	return m.baseline.Requests > 0 && m.newVersion.Requests > 0
}

// errors returns the number of errors of both versions.
func (m *Minute) errors() int64 {
	return m.baseline.Errors + m.newVersion.Errors
}

// Expecting returns the minute with the baseline's rate of errors, in [0, 1], that
// was expected of it by what came before.
func (m Minute) Expecting(rate float64) Minute {
	m.rate = rate
	return m
}

// fewRequests is how many requests a minute must be expected to have of either
// version for both to be compared within it.
const fewRequests = 3

// Routed returns the minute with the new version's share of the traffic in it: if it
// has fewer than fewRequests to expect of either version, each of its requests is taken
// to have gone to the new version with that chance. That follows from how many requests
// there were of both, and neither from which version served them nor from their errors.
// weight is in (0, 1); in a minute in which it was changed, the highest it had.
func (m Minute) Routed(weight float64) Minute {
	if Few(m.requests(), weight) {
		m.weight = weight
	}
	return m
}

// Few reports whether a minute of so many requests, of which either version has its
// share, has too few of one to compare both within it.
func Few(requests int64, weight float64) bool {
	return weight > 0 && weight < 1 && float64(requests)*min(weight, 1-weight) < fewRequests
}

func (m *Minute) requests() int64 { return m.baseline.Requests + m.newVersion.Requests }

// share is what moves back to the prior after the minute: less where there were
// few requests to learn from.
func (m *Minute) share() float64 {
	if m.weight == 0 {
		return share
	}
	return share * float64(m.requests()) * min(m.weight, 1-m.weight) / fewRequests
}
