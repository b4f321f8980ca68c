package main

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/statemachine"
)

// TestChecksCanFail shows each check a template broken where it looks.
func TestChecksCanFail(t *testing.T) {
	permissionsDiffer := func(tmpl template) error {
		if diff := cmp.Diff(mayDo, permissions(tmpl)); diff != "" {
			return fmt.Errorf("%s", diff)
		}
		return nil
	}
	statement := func(tmpl template, role string, policy int) map[string]any {
		policies := tmpl.Resources[role].Properties["Policies"].([]any)
		return policies[policy].(map[string]any)["PolicyDocument"].(map[string]any)["Statement"].([]any)[0].(map[string]any)
	}
	set := func(name, property string, value any) func(template) {
		return func(tmpl template) { tmpl.Resources[name].Properties[property] = value }
	}
	substitutions := func(tmpl template) map[string]any {
		return tmpl.Resources["StateMachine"].Properties["DefinitionSubstitutions"].(map[string]any)
	}
	for name, test := range map[string]struct {
		check  func(template) error
		damage func(template)
	}{
		"definition: one byte more":     {checkDefinition, set("StateMachine", "DefinitionString", statemachine.Definition+"\n")},
		"substitutions: one is missing": {checkSubstitutions, func(tmpl template) { delete(substitutions(tmpl), "RollbackArn") }},
		"substitutions: two are swapped": {checkSubstitutions, func(tmpl template) {
			s := substitutions(tmpl)
			s["RollbackArn"], s["FinalizeArn"] = s["FinalizeArn"], s["RollbackArn"]
		}},
		"substitutions: a function more":  {checkSubstitutions, func(tmpl template) { tmpl.Resources["Extra"] = resource{Type: "AWS::Lambda::Function"} }},
		"functions: another architecture": {checkFunctions, set("Rollback", "Architectures", []any{"x86_64"})},
		"functions: an environment":       {checkFunctions, set("Rollback", "Environment", map[string]any{"Variables": map[string]any{"A": "b"}})},
		"logs: kept for ever":             {checkLogs, func(tmpl template) { delete(tmpl.Resources["RollbackLogs"].Properties, "RetentionInDays") }},
		"logs: a group is missing":        {checkLogs, func(tmpl template) { delete(tmpl.Resources, "RollbackLogs") }},
		"logs: the machine's are off":     {checkLogs, func(tmpl template) { delete(tmpl.Resources["StateMachine"].Properties, "LoggingConfiguration") }},
		"alarm: missing":                  {checkAlarm, func(tmpl template) { delete(tmpl.Resources, "ExecutionsFailed") }},
		"alarm: another metric":           {checkAlarm, set("ExecutionsFailed", "MetricName", "ExecutionsSucceeded")},
		"role: an action more":            {permissionsDiffer, func(tmpl template) { statement(tmpl, "RollbackRole", 1)["Action"] = "lambda:*" }},
		"role: an action less":            {permissionsDiffer, func(tmpl template) { statement(tmpl, "RollbackRole", 1)["Action"] = "lambda:GetAlias" }},
		"role: no condition":              {permissionsDiffer, func(tmpl template) { delete(statement(tmpl, "RollbackRole", 1), "Condition") }},
		"role: another's log":             {permissionsDiffer, func(tmpl template) { statement(tmpl, "RollbackRole", 0)["Resource"] = "*" }},
		"role: a managed policy":          {permissionsDiffer, set("RollbackRole", "ManagedPolicyArns", []any{"arn:aws:iam::aws:policy/AWSLambda_FullAccess"})},
		"role: shared":                    {permissionsDiffer, func(tmpl template) { set("HealthCheck", "Role", tmpl.Resources["Rollback"].Properties["Role"])(tmpl) }},
		"role: one more":                  {permissionsDiffer, func(tmpl template) { tmpl.Resources["Extra"] = tmpl.Resources["RollbackRole"] }},
		"role: a grant of another kind":   {permissionsDiffer, func(tmpl template) { tmpl.Resources["Extra"] = resource{Type: "AWS::Lambda::Permission"} }},
		"role: the machine invokes all":   {permissionsDiffer, func(tmpl template) { statement(tmpl, "StateMachineRole", 0)["Resource"] = "*" }},
	} {
		t.Run(name, func(t *testing.T) {
			tmpl, _ := deployed(t)
			if err := test.check(tmpl); err != nil {
				t.Fatalf("before the change: %v", err)
			}
			test.damage(tmpl)
			if test.check(tmpl) == nil {
				t.Error("the check did not see it")
			}
		})
	}
	if got := whoMay(map[string][]string{"a": {"Allow lambda:Update* on *"}, "b": {"Allow *, s3:* on *"}, "c": {"Allow lambda:Get* on *"}}, "lambda:UpdateAlias"); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("%v may update aliases by wildcard", got)
	}
}
