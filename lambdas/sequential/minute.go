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
}

// NewMinute returns the minute with two counts. The error names all that is wrong
// with them. (In metrics, an error may be known before its request: see that there
// are at least as many requests.)
func NewMinute(baseline, newVersion Count) (Minute, error) {
	if err := errors.Join(baseline.check("baseline"), newVersion.check("new version")); err != nil {
		return Minute{}, err
	}
	return Minute{baseline, newVersion}, nil
}

// compares reports whether both versions had requests, and so can be compared.
func (m Minute) compares() bool {
	return m.baseline.Requests > 0 && m.newVersion.Requests > 0
}

// errors returns the number of errors of both versions.
func (m Minute) errors() int64 {
	return m.baseline.Errors + m.newVersion.Errors
}
