package main

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	trustsLambda = "trusts lambda.amazonaws.com"
	trustsStates = `trusts states.amazonaws.com if {"StringEquals":{"aws:SourceAccount":{"Ref":"AWS::AccountId"}}}`

	everyFunction = "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:*"
	ifTagged      = ` if {"StringEquals":{"aws:ResourceTag/lambda-rollout":"enabled"}}`

	mayLog = "Allow logs:CreateLogStream, logs:PutLogEvents on ${%sLogs.Arn}"
)

// mayDo is all that each function and the state machine may do, by default.
var mayDo = map[string][]string{
	"CalculateWeights": {
		trustsLambda,
		fmt.Sprintf(mayLog, "CalculateWeights"),
		"Allow lambda:GetAlias on " + everyFunction + ifTagged,
		"Allow lambda:GetFunctionConfiguration on " + everyFunction + ifTagged,
	},
	"UpdateAlias": {
		trustsLambda,
		fmt.Sprintf(mayLog, "UpdateAlias"),
		"Allow lambda:GetAlias, lambda:UpdateAlias on " + everyFunction + ifTagged,
	},
	"HealthCheck": {
		trustsLambda,
		fmt.Sprintf(mayLog, "HealthCheck"),
		"Allow cloudwatch:GetMetricData on *",
	},
	"Rollback": {
		trustsLambda,
		fmt.Sprintf(mayLog, "Rollback"),
		"Allow lambda:GetAlias, lambda:UpdateAlias on " + everyFunction + ifTagged,
	},
	"Finalize": {
		trustsLambda,
		fmt.Sprintf(mayLog, "Finalize"),
		"Allow lambda:GetAlias, lambda:UpdateAlias on " + everyFunction + ifTagged,
	},
	"StateMachine": {
		trustsStates,
		"Allow lambda:InvokeFunction on ${CalculateWeights.Arn}, ${UpdateAlias.Arn}, ${HealthCheck.Arn}, ${Rollback.Arn}, ${Finalize.Arn}",
		"Allow logs:CreateLogDelivery, logs:GetLogDelivery, logs:UpdateLogDelivery, logs:DeleteLogDelivery, logs:ListLogDeliveries, logs:PutResourcePolicy, logs:DescribeResourcePolicies, logs:DescribeLogGroups on *",
	},
}

func TestRolesCanDoNoMoreThanTheirTask(t *testing.T) {
	tmpl, _ := deployed(t)
	if diff := cmp.Diff(mayDo, permissions(tmpl)); diff != "" {
		t.Errorf("what each may do (-want +got):\n%s", diff)
	}
	want := []string{"Finalize", "Rollback", "UpdateAlias"}
	if got := whoMay(permissions(tmpl), "lambda:UpdateAlias"); !slices.Equal(got, want) {
		t.Errorf("%v may update aliases, want %v alone", got, want)
	}
}

func TestFunctionsByNameNarrowTheRoles(t *testing.T) {
	const (
		local   = "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:"
		billing = "arn:aws:lambda:eu-west-1:123456789012:function:billing"
		update  = "Allow lambda:GetAlias, lambda:UpdateAlias on " + local + "orders, " + billing
	)
	want := map[string][]string{}
	for name, may := range mayDo {
		want[name] = slices.Clone(may)
	}
	want["CalculateWeights"][2] = "Allow lambda:GetAlias on " + local + "orders, " + billing
	want["CalculateWeights"][3] = "Allow lambda:GetFunctionConfiguration on " + local + "orders:*, " + billing + ":*"
	want["UpdateAlias"][2], want["Rollback"][2], want["Finalize"][2] = update, update, update

	for name, functions := range map[string]any{
		"as the command line gives them": "orders, " + billing,
		"as a list in cdk.json":          []any{"orders", billing},
	} {
		t.Run(name, func(t *testing.T) {
			tmpl := synthesize(t, map[string]any{functionsContext: functions, withoutBuilding: []any{}})
			if diff := cmp.Diff(want, permissions(tmpl)); diff != "" {
				t.Errorf("what each may do (-want +got):\n%s", diff)
			}
			if got, want := tmpl.Outputs["OptIn"].Value, "functions by name: orders, "+billing; got != want {
				t.Errorf("output OptIn is %q, want %q", got, want)
			}
		})
	}
}

// permissions returns all that each resource with a role may do, and whom the
// role trusts. A role that no resource or more than one has, a policy that is
// not a role's own, and anything else that grants, is an entry of its own.
func permissions(tmpl template) map[string][]string {
	may := map[string][]string{}
	owner := map[string]string{}
	for name, resource := range tmpl.Resources {
		for _, property := range []string{"Role", "RoleArn"} {
			if role, ok := resource.Properties[property]; ok {
				role := render(role)
				owner[role] = strings.TrimPrefix(owner[role]+" and "+name, " and ")
			}
		}
	}
	add := func(role string, statements ...string) {
		name := owner["${"+role+".Arn}"]
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
	for name, resource := range tmpl.Resources {
		switch resource.Type {
		case "AWS::IAM::Role", "AWS::Lambda::Function", "AWS::Logs::LogGroup", "AWS::StepFunctions::StateMachine", "AWS::CloudWatch::Alarm":
		case "AWS::IAM::Policy":
			for _, role := range resource.Properties["Roles"].([]any) {
				add(strings.Trim(render(role), "${}"), statements(resource.Properties["PolicyDocument"])...)
			}
		default:
			may[name] = append(may[name], "a "+resource.Type)
		}
	}
	return may
}

// statements renders a policy document, one line a statement.
func statements(document any) []string {
	var lines []string
	for _, statement := range document.(map[string]any)["Statement"].([]any) {
		statement := statement.(map[string]any)
		line := render(statement["Effect"]) + " " + render(statement["Action"]) + " on " + render(statement["Resource"])
		if principal, ok := statement["Principal"].(map[string]any); ok && line == "Allow sts:AssumeRole on null" && len(principal) == 1 {
			line = "trusts " + render(principal["Service"])
		}
		if condition, ok := statement["Condition"]; ok {
			line += " if " + render(condition)
		}
		lines = append(lines, line)
	}
	return lines
}

// whoMay returns who has a statement that allows the action, by name or by wildcard.
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
