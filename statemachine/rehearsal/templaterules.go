package rehearsal

import (
	"errors"
	"slices"

	"github.com/lambda-rollout/lambda-rollout/statemachine/iam"
)

// readRules finds EventBridge's grants, and the rules that call the provider of stacks.
func (t *Template) readRules(source *iam.Template) error {
	var err, rulesErr error
	t.grants, err = source.Grants(eventBridge)
	t.stackEnded, t.stackSweep, rulesErr = rulesFor(source, stackProvider)
	return errors.Join(err, rulesErr)
}

// readRules finds the rules that call the cleanup, a task.
func (m *deployedMachine) readRules(source *iam.Template, cleanup string) error {
	var err error
	if m.ended, m.sweep, err = rulesFor(source, cleanup); err == nil && (m.ended == "" || m.sweep == "") {
		err = errors.New("there must be a rule with an event pattern and one with a schedule that call " + cleanup)
	}
	return err
}

// rulesFor returns the ARNs of the rules with an event pattern and with a schedule that
// call a task's function; empty if there is none.
func rulesFor(source *iam.Template, task string) (pattern, schedule string, err error) {
	for _, id := range source.OfType("AWS::Events::Rule") {
		targets, targetsErr := source.Property(id, "Targets")
		arn, arnErr := source.ARN(id)
		expression, expressionErr := source.Property(id, "ScheduleExpression")
		err = errors.Join(err, targetsErr, arnErr, expressionErr)
		list, _ := targets.([]any)
		calls := slices.ContainsFunc(list, func(target any) bool {
			fields, _ := target.(map[string]any)
			return fields["Arn"] == functionARN(task)
		})
		switch {
		case calls && expression != nil:
			schedule = arn
		case calls:
			pattern = arn
		}
	}
	return pattern, schedule, err
}
