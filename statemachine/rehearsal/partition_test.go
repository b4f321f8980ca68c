package rehearsal

import (
	"strings"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/statemachine"
	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
)

// TestALongRolloutInAnotherPartition rehearses rollouts that go on in other
// executions where AWS's ARNs begin otherwise: they end as everywhere. With the
// partition written into the workflow, they end in a failure that nothing catches.
func TestALongRolloutInAnotherPartition(t *testing.T) {
	gov := strings.NewReplacer("arn:aws:", "arn:aws-us-gov:", "eu-central-1", "us-gov-west-1").Replace
	try := func(s subject, workflow string) (*observed, error) {
		text, err := asl.Substitute(workflow, statemachine.Substitutions("aws-us-gov", func(f statemachine.Function) string { return gov(functionARN(f.Name)) }))
		if err != nil {
			t.Fatal(err)
		}
		definition, err := asl.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		trial := trial{subject: s, deliveries: 1, workflow: definition, harmless: true, disturb: func(o *observed) {
			o.machine.arn = gov(machineARN)
			for arn, function := range o.machine.functions {
				o.machine.functions[gov(arn)] = function
			}
		}}
		return trial.try()
	}
	for _, name := range []string{"long", "long and bad"} {
		o, err := try(subjectNamed(t, name), statemachine.Definition)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if len(o.machine.executions) < 2 || !strings.HasPrefix(o.machine.executions[1].ARN(), "arn:aws-us-gov:states:us-gov-west-1:") {
			t.Errorf("%s: %d executions", name, len(o.machine.executions))
		}
		literal := strings.Replace(statemachine.Definition, "arn:${Partition}:states", "arn:aws:states", 1)
		literal = strings.Replace(literal, `"Comment": "`, `"Comment": "${Partition}: `, 1) // each value has its placeholder
		o, err = try(subjectNamed(t, name), literal)
		if end := o.machine.executions[0].Result(); err == nil || end.Error != "States.Runtime" || !strings.HasSuffix(end.Cause, "The resource belongs to a different partition from the running execution.") {
			t.Errorf("%s, with the partition in the workflow: %v, %s: %s", name, err, end.Error, end.Cause)
		}
	}
}
