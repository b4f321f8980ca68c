package rehearsal

import (
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
	"github.com/lambda-rollout/lambda-rollout/statemachine/teststate"
)

var _ localaws.StateTester = (*machine)(nil) // the local AWS looks for it

// TestState implements [localaws.StateTester] with the interpreter that runs the
// machine's executions.
func (m *machine) TestState(in *sfn.TestStateInput) (*sfn.TestStateOutput, error) {
	return teststate.Run(in, m.clock.Now())
}
