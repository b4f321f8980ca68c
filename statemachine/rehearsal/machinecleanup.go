package rehearsal

import (
	"context"
	"encoding/json"
	"time"
)

// The occasions of a cleanup, each with a rule of its own.
const (
	ended = iota
	swept
)

// The stack's cleanup: how long an event takes, and how often it sweeps.
const (
	eventDelay    = time.Second
	sweepInterval = 5 * time.Minute
	mostSweeps    = 24 * 12
)

// watch has the cleanup called after an execution's end, as the stack's rule
// does; one that is redriven ends more than once. EventBridge promises neither
// that an event comes, nor that it comes only once: events is how often.
func (m *machine) watch(e *execution) {
	m.followed(e)
	for range m.events {
		m.clock.Sleep(eventDelay)
		m.tellEnd(e)
	}
}

// tellEnd delivers the event of an execution's end.
func (m *machine) tellEnd(e *execution) {
	m.cleanup(ended, map[string]any{
		"source":      "aws.states",
		"detail-type": "Step Functions Execution Status Change",
		"time":        m.clock.Now(),
		"detail":      map[string]any{"executionArn": e.ARN(), "stateMachineArn": m.arn, "name": e.name, "status": ends[e.end.Type]},
	})
}

// sweep is what the stack's schedule does; it tells whether anything came of it.
func (m *machine) sweep() (busy bool) {
	return m.cleanup(swept, map[string]any{"sweep": m.arn, "time": m.clock.Now()})
}

// settle waits for the end of all executions and, if any ended badly, sweeps
// until two sweeps in a row find nothing to do, but not for longer than a day.
func (m *machine) settle() {
	if m.settling {
		return // which sees what is redriven meanwhile
	}
	m.settling = true
	defer func() { m.settling = false }()
	for sweeps, quiet := 0, 0; m.allEnded() && quiet < 2 && sweeps < mostSweeps; sweeps++ {
		m.clock.Sleep(sweepInterval)
		if m.sweep() {
			quiet = 0
		} else {
			quiet++
		}
	}
}

// cleanup calls the Rollback function as EventBridge does: in an invocation of
// its own that no one waits for, and again if it fails. It tells whether
// anything came of it: an alias put back, or a failure.
func (m *machine) cleanup(occasion int, event any) (busy bool) {
	if !m.permits.mayCleanUp(occasion) {
		return false
	}
	input, err := json.Marshal(event)
	if err != nil {
		panic(err) // it is made of texts and times
	}
	for try := range 3 {
		m.clock.Sleep(time.Duration(try) * time.Minute) // as Lambda waits between asynchronous tries
		answer, err := m.invoke()(context.Background(), functionARN("Rollback"), input)
		if busy = m.onCleanup(answer, err); err == nil {
			return busy
		}
	}
	m.permits.givenUp("Rollback")
	return busy
}
