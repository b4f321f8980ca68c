package rehearsal

import (
	"encoding/json"

	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// StartExecution implements [localaws.Runner]: it starts an execution of the machine.
func (m *machine) StartExecution(_, name string, input json.RawMessage) (localaws.Execution, error) {
	e, err := m.start(name, input)
	if err != nil {
		return localaws.Execution{}, err
	}
	return m.described(e), nil
}

// StopExecution implements [localaws.Runner].
func (m *machine) StopExecution(arn, errorName, cause string) {
	if e, ok := m.find(arn); ok {
		e.Stop(errorName, cause)
	}
}
