package asl

import (
	"math"
	"slices"
	"time"
)

// errorNames is an ErrorEquals.
type errorNames []string

func (n errorNames) has(name string) bool { return slices.Contains(n, name) }

// match reports whether an error matches one of the names. No name matches
// States.Runtime, not even its own. States.TaskFailed does not match
// States.Timeout. The wildcards match States.DataLimitExceeded unless
// Options.UncaughtDataLimit is set.
func (n errorNames) match(name string, o *Options) bool {
	switch {
	case name == errorRuntime:
		return false
	case name == errorDataLimit && o.UncaughtDataLimit:
		return n.has(name)
	case name == errorTimeout:
		return n.has(name) || n.has(errorAll)
	}
	return n.has(name) || n.has(errorTaskFailed) || n.has(errorAll)
}

// isReserved reports whether the language defines an error of that name.
func isReserved(name string) bool {
	return slices.Contains([]string{errorAll, errorTaskFailed, errorTimeout, errorRuntime, errorDataLimit, errorNoChoice,
		errorIntrinsic, errorResultPathFail, "States.ParameterPathFailure", "States.Permissions", "States.BranchFailed",
		"States.HeartbeatTimeout", "States.ExceedToleratedFailureThreshold", "States.ItemReaderFailed",
		"States.ResultWriterFailed", "States.Http.Socket", "States.QueryEvaluationError"}, name)
}

// retrier is one element of Retry.
type retrier struct {
	errors     errorNames
	interval   time.Duration
	backoff    float64
	attempts   int64
	maxDelay   time.Duration
	fullJitter bool
}

// delay returns how long to wait before the retry that follows n others:
// interval·backoffⁿ, at most maxDelay; with full jitter, a random part of that
// (random returns numbers in [0, 1)). It is rounded down to the millisecond.
func (r retrier) delay(n int64, random func() float64) time.Duration {
	seconds := min(r.interval.Seconds()*math.Pow(r.backoff, float64(n)), r.maxDelay.Seconds())
	if r.fullJitter {
		seconds *= random()
	}
	return time.Duration(seconds*1000) * time.Millisecond
}

// catcher is one element of Catch.
type catcher struct {
	errors     errorNames
	resultPath filter
	next       *state
}
