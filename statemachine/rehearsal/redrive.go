package rehearsal

import (
	"errors"
	"fmt"
	"time"

	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
)

// Redrive redrives an execution as Step Functions' RedriveExecution does. It returns
// an error if there is no such execution or it can't be redriven.
func (m *machine) Redrive(arn string) error {
	e, ok := m.find(arn)
	if !ok {
		return fmt.Errorf("there is no execution %s", arn)
	}
	if reason := e.NotRedrivable(); reason != "" {
		return errors.New(reason)
	}
	return e.Redrive()
}

// allEnded waits until no execution is running, and reports whether any ended
// badly.
func (m *machine) allEnded() (bad bool) {
	for i := 0; i < len(m.executions); i++ { // more may be started meanwhile
		for e := m.executions[i]; e.Status() == asl.Running; {
			m.clock.Wait(time.Time{}, e.Ended())
		}
		bad = bad || m.executions[i].endedBadly()
	}
	return bad
}

// redrive redrives the rollout as a user does, and waits for its end and the
// cleanup.
func (r *run) redrive(redrive func() error) {
	if err := redrive(); err != nil {
		r.timeline.add(r.clock.Now(), Entry{State: "by hand", Text: "the rollout can't be redriven: " + err.Error()})
		return
	}
	r.machine.settle()
}
