package rehearsal

import (
	"errors"
	"fmt"
	"time"

	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
)

// Redrive is Step Functions' RedriveExecution. Its error says why the execution
// can't be redriven.
func (m *machine) Redrive(arn string) error {
	for _, e := range m.executions {
		if e.ARN() != arn {
			continue
		}
		if reason := e.NotRedrivable(); reason != "" {
			return errors.New(reason)
		}
		return e.Redrive()
	}
	return fmt.Errorf("there is no execution %s", arn)
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

// redrive does what a person does who redrives the rollout, and waits until what
// comes of it is settled.
func (r *run) redrive(redrive func() error) {
	if err := redrive(); err != nil {
		r.timeline.add(r.clock.Now(), Entry{State: "by hand", Text: "the rollout is redriven, in vain: " + err.Error()})
		return
	}
	r.machine.settle()
}
