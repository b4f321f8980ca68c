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

const (
	trustsLambda = "trusts lambda.amazonaws.com"
	trustsStates = `trusts states.amazonaws.com if {"StringEquals":{"aws:SourceAccount":{"Ref":"AWS::AccountId"}}}`

	everyFunction = "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:*"
	ifTagged      = ` if {"StringEquals":{"aws:ResourceTag/lambda-rollout":"enabled"}}`

	// machine is the state machine's name, which policies have before it exists.
	machine    = "LambdaRollout731340B9"
	local      = "${AWS::Region}:${AWS::AccountId}:"
	theMachine = "arn:${AWS::Partition}:states:" + local + "stateMachine:" + machine
	executions = "arn:${AWS::Partition}:states:" + local + "execution:" + machine + ":*"

	mayLog     = "Allow logs:CreateLogStream, logs:PutLogEvents on ${%sLogs.Arn}"
	orders     = "Allow ssm:GetParameterHistory on arn:${AWS::Partition}:ssm:" + local + "parameter/lambda-rollout/*"
	mayPublish = "Allow sns:Publish on ${Topic}"
	mayPut     = "Allow events:PutEvents on arn:${AWS::Partition}:events:" + local + "event-bus/default"

	mayTrace = "Allow xray:PutTraceSegments, xray:PutTelemetryRecords on *"

	mayInvoke = "Allow lambda:InvokeFunction on ${Rollback.Arn} by events.amazonaws.com"
	maySend   = `Allow sqs:SendMessage on ${UndeliveredCleanups.Arn} by events.amazonaws.com if {"ArnEquals":{"aws:SourceArn":{"Fn::GetAtt":["%s","Arn"]}}}`
)

// mayDo has all permissions by default: of each function, of the state machine and of
// the rules, and those in the policies of the queue and the topic.
var mayDo = map[string][]string{
	"CalculateWeights": {
		trustsLambda,
		fmt.Sprintf(mayLog, "CalculateWeights"),
		"Allow lambda:GetAlias on " + everyFunction + ifTagged,
		"Allow lambda:GetFunctionConfiguration, lambda:GetProvisionedConcurrencyConfig on " + everyFunction + ifTagged,
		"Allow cloudwatch:DescribeAlarms on *",
		"Allow states:GetExecutionHistory on " + executions,
		mayTrace,
	},
	"UpdateAlias": {
		trustsLambda,
		fmt.Sprintf(mayLog, "UpdateAlias"),
		"Allow lambda:GetAlias, lambda:UpdateAlias on " + everyFunction + ifTagged,
		mayPublish,
		mayPut,
		mayTrace,
	},
	"HealthCheck": {
		trustsLambda,
		fmt.Sprintf(mayLog, "HealthCheck"),
		"Allow cloudwatch:GetMetricData, cloudwatch:DescribeAlarms on *",
		orders,
		mayPublish,
		mayPut,
		mayTrace,
	},
	"Rollback": {
		trustsLambda,
		fmt.Sprintf(mayLog, "Rollback"),
		"Allow lambda:GetAlias, lambda:UpdateAlias on " + everyFunction + ifTagged,
		"Allow states:ListExecutions on " + theMachine,
		"Allow states:DescribeExecution, states:GetExecutionHistory on " + executions,
		"Allow sqs:SendMessage on ${UndeliveredCleanups.Arn}",
		mayPublish,
		mayPut,
		mayTrace,
	},
	"Finalize": {
		trustsLambda,
		fmt.Sprintf(mayLog, "Finalize"),
		"Allow lambda:GetAlias, lambda:UpdateAlias on " + everyFunction + ifTagged,
		"Allow lambda:GetProvisionedConcurrencyConfig on " + everyFunction + ifTagged,
		mayTrace,
	},
	"StateMachine": {
		trustsStates,
		"Allow lambda:InvokeFunction on ${CalculateWeights.Arn}, ${UpdateAlias.Arn}, ${HealthCheck.Arn}, ${Rollback.Arn}, ${Finalize.Arn}",
		"Allow states:StartExecution on " + theMachine,
		"Allow states:DescribeExecution, states:StopExecution on " + executions,
		"Allow events:PutTargets, events:PutRule, events:DescribeRule on arn:${AWS::Partition}:events:" + local + "rule/StepFunctionsGetEventsForStepFunctionsExecutionRule",
		"Allow logs:CreateLogDelivery, logs:GetLogDelivery, logs:UpdateLogDelivery, logs:DeleteLogDelivery, logs:ListLogDeliveries, logs:PutResourcePolicy, logs:DescribeResourcePolicies, logs:DescribeLogGroups on *",
		"Allow xray:PutTraceSegments, xray:PutTelemetryRecords, xray:GetSamplingRules, xray:GetSamplingTargets on *",
	},
	"Ended": {mayInvoke},
	"Sweep": {mayInvoke},
	"Topic": {`Deny sns:Publish on ${Topic} by * if {"Bool":{"aws:SecureTransport":"false"}}`},
	"UndeliveredCleanups": {
		`Deny sqs:* on ${UndeliveredCleanups.Arn} by {"AWS":"*"} if {"Bool":{"aws:SecureTransport":"false"}}`,
		fmt.Sprintf(maySend, "Ended"),
		fmt.Sprintf(maySend, "Sweep"),
	},
}

// mayDoByDefault returns a copy of mayDo, which the caller may change.
func mayDoByDefault() map[string][]string {
	may := maps.Clone(mayDo)
	for name, statements := range may {
		may[name] = slices.Clone(statements)
	}
	return may
}

func TestRolesHaveOnlyTheirTasksPermissions(t *testing.T) {
	tmpl, _ := deployed(t)
	if diff := cmp.Diff(mayDo, permissions(tmpl)); diff != "" {
		t.Errorf("permissions (-want +got):\n%s", diff)
	}
	want := []string{"Finalize", "Rollback", "UpdateAlias"}
	if got := whoMay(permissions(tmpl), "lambda:UpdateAlias"); !slices.Equal(got, want) {
		t.Errorf("%v may update aliases, want only %v", got, want)
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
	want["UpdateAlias"][2], want["Rollback"][2], want["Finalize"][2] = update, update, update
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
		case ok && line == "Allow sts:AssumeRole on null" && len(principal) == 1:
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
