package rehearsal

import (
	"encoding/json"
	"fmt"
	"iter"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// releasesSuffix ends the name of the releases' state machine, after the rollouts'.
const releasesSuffix = "-releases"

// machines are the state machines of an account, on one clock: at least one. It
// routes Step Functions' operations to the machine that each is about.
type machines []*machine

// The local AWS looks for these.
var (
	_ localaws.Runner      = machines{}
	_ localaws.Redriver    = machines{}
	_ localaws.Catalog     = machines{}
	_ localaws.StateTester = machines{}
)

// machines returns the state machines of the rehearsal: the rollouts', and the
// releases' if there is one.
func (r *run) machines() machines {
	if r.releases == nil {
		return machines{r.machine}
	}
	return machines{r.machine, r.releases}
}

// of returns the state machine with that ARN; nil if there is none.
func (all machines) of(arn string) *machine {
	for _, m := range all {
		if m.arn == arn {
			return m
		}
	}
	return nil
}

// running returns the state machine of an execution; nil if there is none.
func (all machines) running(execution string) *machine {
	for _, m := range all {
		if strings.HasPrefix(execution, m.executionARN("")) {
			return m
		}
	}
	return nil
}

// Executions implements [localaws.Executions].
func (all machines) Executions(arn string) (iter.Seq[localaws.Execution], bool) {
	if m := all.of(arn); m != nil {
		return m.Executions(arn)
	}
	return nil, false
}

// Execution implements [localaws.Executions].
func (all machines) Execution(arn string) (localaws.Execution, bool) {
	if m := all.running(arn); m != nil {
		return m.Execution(arn)
	}
	return localaws.Execution{}, false
}

// StartExecution implements [localaws.Runner].
func (all machines) StartExecution(arn, name string, input json.RawMessage) (localaws.Execution, error) {
	if m := all.of(arn); m != nil {
		return m.StartExecution(arn, name, input)
	}
	return localaws.Execution{}, fmt.Errorf("there is no state machine %s", arn)
}

// StopExecution implements [localaws.Runner].
func (all machines) StopExecution(arn, errorName, cause string) {
	if m := all.running(arn); m != nil {
		m.StopExecution(arn, errorName, cause)
	}
}

// Redrive implements [localaws.Redriver].
func (all machines) Redrive(arn string) error {
	if m := all.running(arn); m != nil {
		return m.Redrive(arn)
	}
	return fmt.Errorf("there is no execution %s", arn)
}

// StateMachines implements [localaws.Catalog].
func (all machines) StateMachines() (list []localaws.StateMachine) {
	for _, m := range all {
		list = append(list, m.StateMachines()...)
	}
	return list
}

// TestState implements [localaws.StateTester]. It is the same for all machines.
func (all machines) TestState(in *sfn.TestStateInput) (*sfn.TestStateOutput, error) {
	return all[0].TestState(in)
}

// deploy gives the machine the ARN and the role that a template has for it.
func (m *machine) deploy(as *deployedMachine) { m.deployed, m.arn = as, as.machineARN }

// sweep calls the cleanup of each state machine, as the schedule does.
func (r *run) sweep() (busy bool) {
	for _, m := range r.machines() {
		busy = m.sweep() || busy
	}
	return busy
}
