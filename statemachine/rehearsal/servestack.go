package rehearsal

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
	"github.com/lambda-rollout/lambda-rollout/statemachine/stacktemplate"
)

// deploy creates the template's stack with its resources, and its alarms.
func (s *ServedAWS) deploy() error {
	if _, err := s.server.AddStack(stacktemplate.Name); err != nil {
		return err
	}
	kinds := s.options.Template.source.Types()
	var resources []localaws.StackResource
	var problems []error
	for _, id := range slices.Sorted(maps.Keys(kinds)) {
		physical := s.physicalID(id)
		resources = append(resources, localaws.StackResource{LogicalID: id, PhysicalID: physical, Type: kinds[id]})
		if kinds[id] == "AWS::CloudWatch::Alarm" {
			problems = append(problems, s.addAlarm(id, physical))
		}
	}
	// The stack has swept before, or its alarm would say that it does not.
	for at := s.clock.Now().Truncate(sweepInterval); s.clock.Now().Sub(at) < time.Hour; at = at.Add(-sweepInterval) {
		for _, m := range s.options.Template.machines() {
			for _, metric := range []string{"TriggeredRules", "Invocations"} {
				s.record(at, "AWS/Events", metric, "RuleName", ruleName(m.sweep), 1)
			}
		}
	}
	return errors.Join(append(problems,
		s.server.AddStackResources(stacktemplate.Name, resources), s.addOutputs(), s.server.SetStackStatus(stacktemplate.Name, types.StackStatusCreateComplete, ""))...)
}

// addOutputs adds the template's outputs to the stack, by which clients find what it has.
func (s *ServedAWS) addOutputs() error {
	found, _ := s.options.Template.source.Outputs() // without those that only AWS can resolve
	outputs := make([]localaws.StackOutput, len(found))
	for i, o := range found {
		outputs[i] = localaws.StackOutput{Key: o.Key, Value: o.Value, Description: o.Description, Export: o.Export}
	}
	return s.server.SetStackOutputs(stacktemplate.Name, outputs)
}

// physicalID returns the physical id of a resource: what Ref returns, as far as the
// rehearsals know the type.
func (s *ServedAWS) physicalID(id string) string {
	if value, err := s.options.Template.source.Resolve(map[string]any{"Ref": id}); err == nil {
		if text, ok := value.(string); ok {
			return text
		}
	}
	return stacktemplate.Name + "-" + id
}

// addAlarm adds the template's alarm with a logical id.
func (s *ServedAWS) addAlarm(id, name string) error {
	properties, err := s.options.Template.source.Property(id)
	if err != nil {
		return err
	}
	text, err := json.Marshal(properties)
	if err != nil {
		return fmt.Errorf("alarm %s: %w", id, err)
	}
	return s.server.AddAlarmProperties(name, text)
}

// StateMachines implements [localaws.Catalog].
func (m *machine) StateMachines() []localaws.StateMachine {
	if m.permits == nil {
		return nil
	}
	text, err := m.workflow.substituted()
	if err != nil {
		return nil // the definition has been parsed
	}
	role := strings.Split(m.deployed.machine.principal, "/")[1] // of its session's ARN
	return []localaws.StateMachine{{
		ARN: m.arn, Name: arn.Name(m.arn), Definition: text,
		RoleARN: "arn:aws:iam::" + account + ":role/" + role, Created: m.created,
		Logging: m.logging, Tracing: m.deployed.tracing,
	}}
}
