package rehearsal

import (
	"context"
	"encoding/json"
	"time"
)

// The occasions of a cleanup. The stack has an EventBridge rule for each.
const (
	ended = iota
	swept
)

// How long an event takes to arrive, how often the stack sweeps, and how many
// sweeps are waited for: those of a day.
const (
	eventDelay    = time.Second
	sweepInterval = 5 * time.Minute
	mostSweeps    = 24 * 12
)

// cleanupCalls stand between an occasion and the call of the cleanup.
type cleanupCalls interface {
	// enabled reports whether the rule of an occasion is enabled.
	enabled(occasion int) bool
	// called notes that a rule called the function, or was not allowed to.
	called(occasion int, allowed bool)
	// dropped notes that all retries of a call have failed. The queue, if it is not
	// "", is the ARN of the one that received the event.
	dropped(queue string)
}

// watch calls the cleanup after an execution's end, as the stack's rule does; an
// execution that is redriven ends more than once. EventBridge guarantees neither
// that an event arrives nor that it arrives only once: events is how often it does.
func (m *machine) watch(e *execution) {
	m.followed(e)
	for range m.events {
		m.clock.Sleep(eventDelay)
		m.deliverEnd(e)
	}
}

// deliverEnd delivers the event of an execution's end.
func (m *machine) deliverEnd(e *execution) {
	event := map[string]any{
		"source":      "aws.states",
		"detail-type": "Step Functions Execution Status Change",
		"time":        m.clock.Now(),
		"detail":      map[string]any{"executionArn": e.ARN(), "stateMachineArn": m.arn, "name": e.name, "status": ends[e.end.Type]},
	}
	if m.onEnd != nil {
		input, err := json.Marshal(event)
		if err != nil {
			panic(err) // it is made of texts and times
		}
		m.clock.Go(func() { m.onEnd(input) })
	}
	m.cleanup(ended, event)
}

// sweep calls the cleanup as the stack's schedule does, and reports whether it had
// something to do.
func (m *machine) sweep() (busy bool) {
	return m.cleanup(swept, map[string]any{"sweep": m.arn, "time": m.clock.Now()})
}

// settle waits for the end of all executions, and sweeps until there is nothing more to do,
// for at most a day.
func (m *machine) settle() {
	if m.settling {
		return // the call under way waits for redriven executions, too
	}
	m.settling = true
	defer func() { m.settling = false }()
	sweepUntilQuiet(mostSweeps, m.allEnded, func() int { return len(m.executions) }, func() bool {
		m.clock.Sleep(sweepInterval)
		return m.sweep()
	})
}

// sweepUntilQuiet sweeps as long as an execution ended badly, until two sweeps in a row find
// nothing to do and no execution has started meanwhile, and at most so often. Bad waits for
// the end of all executions.
func sweepUntilQuiet(most int, bad func() bool, executions func() int, sweep func() (busy bool)) {
	for sweeps, quiet, known := 0, 0, 0; bad() && sweeps < most; sweeps++ {
		if n := executions(); n > known {
			quiet, known = 0, n
		} else if quiet == 2 {
			return
		}
		if sweep() {
			quiet = 0
		} else {
			quiet++
		}
	}
}

// cleanup calls the workflow's cleanup as EventBridge does: asynchronously, with two
// retries. It reports whether the function put an alias back or failed.
func (m *machine) cleanup(occasion int, event any) (busy bool) {
	if m.calls != nil && !m.calls.enabled(occasion) {
		return false
	}
	allowed := m.mayCleanUp(occasion)
	if m.calls != nil {
		m.calls.called(occasion, allowed)
	}
	if !allowed {
		return false
	}
	input, err := json.Marshal(event)
	if err != nil {
		panic(err) // it is made of texts and times
	}
	for try := range 3 {
		m.clock.Sleep(time.Duration(try) * time.Minute) // as Lambda waits before a retry
		answer, err := m.invoke()(context.Background(), functionARN(m.workflow.cleanup), input)
		if busy = m.onCleanup(answer, err); err == nil {
			return busy
		}
	}
	queue := m.permits.givenUp(m.workflow.cleanup)
	if m.calls != nil {
		m.calls.dropped(queue)
	}
	return busy
}
