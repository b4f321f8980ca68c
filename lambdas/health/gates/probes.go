package gates

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// probe is the gate that invokes the new version and judges its answers.
type probe struct {
	rollout.Probe
	facts    rollout.Facts
	invoker  Invoker
	together Parallel
}

// NewProbe returns the gate of a probe of the facts' new version. It passes if all
// invocations pass, fails as soon as one fails, and is inconclusive if one got no
// answer. Read returns no errors: the next check asks again anyway, and the other
// gates' readings are kept.
func NewProbe(p rollout.Probe, f rollout.Facts, by Invoker, together Parallel) Gate {
	return probe{Probe: p, facts: f, invoker: by, together: together}
}

// Name implements Gate.
func (p probe) Name() string { return "probes." + p.Probe.Name }

// probed is the result of a probe's invocations so far.
type probed struct {
	begun, passed    int
	failed, unknown  string // the first reasons; empty for none
	slowest          time.Duration
	isTimed, stopped bool
}

// Read implements Gate.
func (p probe) Read(ctx context.Context) (rollout.Reading, error) {
	var results Pending[probed]
	next := func() (number int, more bool) {
		results.Update(func(seen *probed) {
			if more = !seen.stopped && seen.begun < p.Count; more {
				seen.begun++
				number = seen.begun
			}
		})
		return number, more
	}
	worker := func(ctx context.Context) {
		for ctx.Err() == nil {
			number, more := next()
			if !more {
				return
			}
			invoked, err := p.invoker.Invoke(ctx, Invocation{
				Function: p.facts.Function, Qualifier: p.facts.NewVersion, Payload: p.Payload, Timed: p.MaxDuration > 0})
			if err != nil && ctx.Err() != nil {
				return // it was given up
			}
			sign, reason := rollout.Inconclusive, noAnswer(err)
			if err == nil {
				sign, reason = p.judge(invoked)
			}
			results.Update(func(seen *probed) { p.note(seen, number, sign, reason, invoked) })
		}
	}
	limit := time.Duration(p.Timeout) * time.Second
	p.together(ctx, limit, slices.Repeat([]func(context.Context){worker}, p.Concurrency))
	results.Update(func(seen *probed) { seen.stopped = true })
	seen, _ := results.Get()
	return p.reading(seen, limit), nil
}

// note adds an invocation to the result. No invocation begins after one that does
// not pass.
func (p probe) note(seen *probed, number int, sign rollout.Status, reason string, invoked Invoked) {
	if p.Count > 1 {
		reason = fmt.Sprintf("invocation %d of %d %s", number, p.Count, reason)
	}
	switch {
	case sign == rollout.Pass:
		seen.passed++
		seen.slowest, seen.isTimed = max(seen.slowest, invoked.Duration), invoked.Timed
		return
	case sign == rollout.Fail && seen.failed == "":
		seen.failed = reason
	case sign == rollout.Inconclusive && seen.unknown == "":
		seen.unknown = reason
	}
	seen.stopped = true
}

func (p probe) reading(seen probed, limit time.Duration) rollout.Reading {
	reading := rollout.Reading{Gate: p.Name(), Status: rollout.Inconclusive}
	switch {
	case seen.failed != "":
		reading.Status, reading.Reason = rollout.Fail, seen.failed
	case seen.unknown != "":
		reading.Reason = seen.unknown
	case seen.passed == p.Count:
		reading.Status, reading.Reason = rollout.Pass, asExpected
		if len(p.Expect) == 0 && len(p.Equals) == 0 {
			reading.Reason = withoutError
		}
		if p.Count > 1 {
			reading.Reason = fmt.Sprintf("all %d %s", p.Count, reading.Reason)
		}
		if seen.isTimed {
			reading.Reason += " within " + inMilliseconds(seen.slowest)
		}
	default:
		reading.Reason = late(limit)
		if p.Count > 1 {
			reading.Reason = fmt.Sprintf("%d of %d answered within %v s", seen.passed, p.Count, limit.Seconds())
		}
	}
	return reading
}

// judge returns the status of one answer, with the reason.
func (p probe) judge(invoked Invoked) (rollout.Status, string) {
	if invoked.FunctionError != "" {
		if p.Secret {
			return rollout.Fail, "ended with an error (" + strings.ToLower(oneLine(invoked.FunctionError, 20)) + ")"
		}
		return rollout.Fail, functionError(invoked.Answer)
	}
	wrong, err := p.unlike(invoked.Answer)
	limit := time.Duration(p.MaxDuration) * time.Millisecond
	switch {
	case err != nil: // the probe is broken, not the version
		return rollout.Inconclusive, noExpectation
	case wrong != "" && p.Secret:
		return rollout.Fail, notAsExpected
	case wrong != "":
		return rollout.Fail, "answered " + quote(invoked.Answer) + ", which " + wrong
	case limit > 0 && !invoked.Timed:
		return rollout.Inconclusive, noDuration
	case limit > 0 && invoked.Duration > limit:
		return rollout.Fail, fmt.Sprintf("took %s, more than %s", inMilliseconds(invoked.Duration), inMilliseconds(limit))
	}
	return rollout.Pass, ""
}

// unlike says how an answer differs from what is expected; empty if it does not.
func (p probe) unlike(answer []byte) (string, error) {
	if len(p.Expect) == 0 && len(p.Equals) == 0 {
		return "", nil
	}
	got, err := document(answer)
	if err != nil {
		return "is not JSON", nil
	}
	if len(p.Expect) > 0 {
		want, err := document(p.Expect)
		if err != nil {
			return "", err
		}
		if wrong := differ(want, got, "$", true); wrong != "" {
			return wrong, nil
		}
	}
	for _, path := range slices.Sorted(maps.Keys(p.Equals)) {
		steps, ok := rollout.ParsePath(path)
		want, err := document(p.Equals[path])
		if err == nil && !ok {
			err = fmt.Errorf("%s is not a path", path)
		}
		if err != nil {
			return "", err
		}
		there, ok := walk(got, steps)
		if !ok {
			return "has no " + oneLine(path, 80), nil
		}
		if wrong := differ(want, there, oneLine(path, 80), false); wrong != "" {
			return wrong, nil
		}
	}
	return "", nil
}
