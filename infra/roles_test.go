package main

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRolesHaveOnlyTheirTasksPermissions(t *testing.T) {
	tmpl, _ := deployed(t)
	if diff := cmp.Diff(mayDo, permissions(tmpl)); diff != "" {
		t.Errorf("permissions (-want +got):\n%s", diff)
	}
	for action, want := range map[string][]string{
		"lambda:UpdateAlias": {"Finalize", "RevertRelease", "Rollback", "UpdateAlias"},
		// Whoever writes these decides of all rollouts of a release.
		"ssm:PutParameter":     {"CheckRelease"},
		"ssm:DeleteParameters": {"CheckRelease"},
	} {
		if got := whoMay(permissions(tmpl), action); !slices.Equal(got, want) {
			t.Errorf("%v have %s, want only %v", got, action, want)
		}
	}
}

func TestFunctionsByNameRestrictTheRoles(t *testing.T) {
	const (
		orders  = "arn:${AWS::Partition}:lambda:" + local + "function:orders"
		billing = "arn:aws:lambda:eu-west-1:123456789012:function:billing"
		update  = "Allow lambda:GetAlias, lambda:UpdateAlias on " + orders + ", " + billing
	)
	want := mayDoByDefault()
	want["CalculateWeights"][2] = "Allow lambda:GetAlias on " + orders + ", " + billing
	want["CalculateWeights"][3] = "Allow lambda:GetFunctionConfiguration, lambda:GetProvisionedConcurrencyConfig on " +
		orders + ", " + orders + ":*, " + billing + ", " + billing + ":*"
	want["PlanRelease"][2], want["PlanRelease"][3] = want["CalculateWeights"][2], want["CalculateWeights"][3]
	want["UpdateAlias"][2], want["Rollback"][2], want["Finalize"][2], want["RevertRelease"][2] = update, update, update, update
	want["Finalize"][3] = "Allow lambda:GetProvisionedConcurrencyConfig on " + orders + ", " + orders + ":*, " + billing + ", " + billing + ":*"

	for name, functions := range map[string]any{
		"as the command line gives them": "orders, " + billing,
		"as a list in cdk.json":          []any{"orders", billing},
	} {
		t.Run(name, func(t *testing.T) {
			tmpl := synthesize(t, map[string]any{functionsContext: functions, withoutBuilding: []any{}})
			if diff := cmp.Diff(want, permissions(tmpl)); diff != "" {
				t.Errorf("permissions (-want +got):\n%s", diff)
			}
			if got, want := tmpl.Outputs["OptIn"].Value, "functions by name: orders, "+billing; got != want {
				t.Errorf("output OptIn is %q, want %q", got, want)
			}
		})
	}
}

// permissions returns the permissions of each resource that has a role, and whom the
// role trusts; what each rule may call; and the policies of queues and topics. A role
// that no resource or more than one uses, a policy that does not belong to one role,
// and anything else that grants, has its own entry.
func permissions(tmpl template) map[string][]string {
	may := map[string][]string{}
	names := slices.Sorted(maps.Keys(tmpl.Resources))
	owner := map[string]string{}
	for _, name := range names {
		for _, property := range []string{"Role", "RoleArn"} {
			if role, ok := tmpl.Resources[name].Properties[property]; ok {
				role := bare(role)
				owner[role] = strings.TrimPrefix(owner[role]+" and "+name, " and ")
			}
		}
	}
	add := func(role string, statements ...string) {
		name := owner[role]
		if name == "" {
			name = role
		}
		may[name] = append(may[name], statements...)
	}
	for _, name := range tmpl.ofType("AWS::IAM::Role") {
		role := tmpl.Resources[name].Properties
		add(name, statements(role["AssumeRolePolicyDocument"])...)
		if managed, ok := role["ManagedPolicyArns"]; ok {
			add(name, "managed "+render(managed))
		}
		policies, _ := role["Policies"].([]any)
		for _, policy := range policies {
			add(name, statements(policy.(map[string]any)["PolicyDocument"])...)
		}
	}
	for _, name := range names {
		resource := tmpl.Resources[name]
		switch resource.Type {
		case "AWS::IAM::Role", "AWS::Lambda::Function", "AWS::Lambda::EventInvokeConfig", "AWS::Logs::LogGroup", "AWS::Logs::MetricFilter",
			"AWS::StepFunctions::StateMachine", "AWS::Events::Rule", "AWS::SQS::Queue", "AWS::SNS::Topic", "AWS::CloudWatch::Alarm",
			"AWS::CloudWatch::Dashboard", "AWS::Logs::QueryDefinition", "AWS::Lambda::EventSourceMapping":
		case "AWS::IAM::Policy":
			for _, role := range resource.Properties["Roles"].([]any) {
				add(bare(role), statements(resource.Properties["PolicyDocument"])...)
			}
		case "AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy":
			for _, list := range []string{"Queues", "Topics"} {
				of, _ := resource.Properties[list].([]any)
				for _, name := range of {
					add(bare(name), statements(resource.Properties["PolicyDocument"])...)
				}
			}
		case "AWS::Lambda::Permission":
			add(calls(resource.Properties))
		default:
			may[name] = append(may[name], "a "+resource.Type)
		}
	}
	return may
}

// calls returns the caller that a statement of a function's policy allows, "null" if it
// names none, and the statement.
func calls(permission map[string]any) (caller, statement string) {
	more := maps.Clone(permission)
	statement = fmt.Sprintf("Allow %s on %s by %s", render(more["Action"]), render(more["FunctionName"]), render(more["Principal"]))
	caller = bare(more["SourceArn"])
	for _, known := range []string{"Action", "FunctionName", "Principal", "SourceArn"} {
		delete(more, known)
	}
	if len(more) > 0 {
		statement += " if " + render(more)
	}
	return caller, statement
}

// bare returns the name of the resource that a value refers to, by Ref or by ARN.
func bare(value any) string {
	return strings.TrimSuffix(strings.Trim(render(value), "${}"), ".Arn")
}

// statements renders a policy document, one line for each statement.
func statements(document any) []string {
	var lines []string
	for _, statement := range document.(map[string]any)["Statement"].([]any) {
		statement := statement.(map[string]any)
		line := render(statement["Effect"]) + " " + render(statement["Action"]) + " on " + render(statement["Resource"])
		principal, ok := statement["Principal"].(map[string]any)
		service := render(principal["Service"])
		switch {
		case ok && line == "Allow sts:AssumeRole on null" && len(principal) == 1 && principal["Service"] != nil:
			line = "trusts " + service
		case ok && len(principal) == 1 && principal["Service"] != nil:
			line += " by " + service
		case statement["Principal"] != nil:
			line += " by " + render(statement["Principal"])
		}
		if condition, ok := statement["Condition"]; ok {
			line += " if " + render(condition)
		}
		lines = append(lines, line)
	}
	return lines
}

// whoMay returns those that have a statement that allows the action, by name or by
// wildcard.
func whoMay(may map[string][]string, action string) []string {
	var names []string
	for name, statements := range may {
		if slices.ContainsFunc(statements, func(statement string) bool {
			actions, _, _ := strings.Cut(strings.TrimPrefix(statement, "Allow "), " on ")
			return slices.ContainsFunc(strings.Split(actions, ", "), func(pattern string) bool {
				ok, _ := path.Match(pattern, action)
				return ok
			})
		}) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
