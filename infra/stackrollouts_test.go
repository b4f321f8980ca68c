package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/lambdas/wire"
)

const (
	stackRecords = "arn:${AWS::Partition}:ssm:" + local + "parameter/lambda-rollout-stacks/" + machine
	mayCallStack = "Allow lambda:InvokeFunction on ${StackRollout.Arn} by events.amazonaws.com"
)

// mayCarryOut has the permissions that rollouts of stacks add.
var mayCarryOut = map[string][]string{
	"StackRollout": {
		trustsLambda,
		fmt.Sprintf(mayLog, "StackRollout"),
		"Allow lambda:GetAlias, lambda:CreateAlias, lambda:DeleteAlias on " + everyFunction + ifTagged,
		"Allow states:StartExecution on " + theMachine,
		"Allow states:DescribeExecution, states:StopExecution on " + executions,
		"Allow ssm:PutParameter, ssm:GetParameter, ssm:DeleteParameter on " + stackRecords + "/*",
		"Allow ssm:GetParametersByPath on " + stackRecords + ", " + stackRecords + "/*",
		"Allow cloudformation:DescribeStacks on arn:${AWS::Partition}:cloudformation:" + local + "stack/*",
		"Allow sqs:SendMessage, sqs:ReceiveMessage, sqs:DeleteMessage, sqs:GetQueueAttributes on ${GivenUpRequests.Arn}",
		mayTrace,
	},
	"StackEnded":      {mayCallStack},
	"StackSweep":      {mayCallStack},
	"GivenUpRequests": {`Deny sqs:* on ${GivenUpRequests.Arn} by {"AWS":"*"} if {"Bool":{"aws:SecureTransport":"false"}}`},
}

// withStacks returns the template with rollouts of stacks enabled, and with the context.
func withStacks(t *testing.T, context map[string]any) template {
	t.Helper()
	all := map[string]any{stackContext: "true", withoutBuilding: []any{}}
	maps.Copy(all, context)
	return synthesize(t, all)
}

func TestStackRolloutsAreOptional(t *testing.T) {
	off := synthesize(t, map[string]any{stackContext: false, withoutBuilding: []any{}})
	if diff := cmp.Diff(mayDo, permissions(off)); diff != "" {
		t.Errorf("permissions without (-want +got):\n%s", diff)
	}
	if output, ok := off.Outputs["StackRolloutProviderArn"]; ok {
		t.Errorf("without, there is the output %v", output)
	}
	on := withStacks(t, nil)
	want := mayDoByDefault()
	maps.Copy(want, mayCarryOut)
	if diff := cmp.Diff(want, permissions(on)); diff != "" {
		t.Errorf("permissions (-want +got):\n%s", diff)
	}
	if err := checkStackRollouts(on); err != nil {
		t.Error(err)
	}
	if err := checkCircles(on); err != nil {
		t.Error(err)
	}
	if !reach(dependencies(on), "StackRollout")["StateMachine"] {
		t.Error("the function may be called before there is a state machine")
	}
	// What was there before is as it was.
	for name, before := range off.Resources {
		if after := on.Resources[name]; before.Type != "AWS::CloudWatch::Dashboard" && before.Type != "AWS::Logs::QueryDefinition" && !cmp.Equal(before, after) {
			t.Errorf("%s (-without +with):\n%s", name, cmp.Diff(before, after))
		}
	}
	var shown struct {
		Widgets []struct{ Properties struct{ Alarms []string } }
	}
	body := render(on.Resources["Dashboard"].Properties["DashboardBody"])
	if err := json.Unmarshal([]byte(body), &shown); err != nil {
		t.Fatal(err)
	}
	if alarms := len(on.ofType("AWS::CloudWatch::Alarm")); len(shown.Widgets[0].Properties.Alarms) != alarms || !strings.Contains(body, "${StackRollout}") {
		t.Errorf("the dashboard shows %d of %d alarms, and the function's errors: %t", len(shown.Widgets[0].Properties.Alarms), alarms, strings.Contains(body, "${StackRollout}"))
	}
}

// checkStackRollouts checks the function, what calls it, and the alarm.
func checkStackRollouts(tmpl template) error {
	own, err := json.Marshal(map[string]any{
		wire.RecordsVariable: "/lambda-rollout-stacks/" + machine,
		wire.MachineVariable: map[string]any{"Ref": "StateMachine"},
	})
	if err != nil {
		return err
	}
	const target = `{"Arn":{"Fn::GetAtt":["StackRollout","Arn"]},"Id":"Target0"`
	want := map[string]map[string]string{
		"StackRollout": {
			"Architectures": "arm64",
			"Description":   "lambda-rollout: carries out rollouts that CloudFormation templates declare",
			"Environment":   `{"Variables":{` + everyVariable + `,` + strings.TrimPrefix(string(own), "{") + `}`,
			"Handler":       "bootstrap",
			"LoggingConfig": `{"LogGroup":{"Ref":"StackRolloutLogs"}}`,
			"MemorySize":    "128",
			"Role":          "${StackRolloutRole.Arn}",
			"Runtime":       "provided.al2023",
			"Timeout":       "120",
			"TracingConfig": tracing,
		},
		"StackEnded": {
			"Description":  "lambda-rollout: answers the stack that waits for the end of a rollout",
			"EventPattern": everyEnd,
			"State":        "ENABLED",
			// No input: the function receives the event itself.
			"Targets": target + `,"RetryPolicy":{"MaximumEventAgeInSeconds":3600,"MaximumRetryAttempts":185}}`,
		},
		"StackSweep": {
			"Description":        "lambda-rollout: continues the requests of stacks that have not been answered",
			"ScheduleExpression": "rate(1 minute)",
			"State":              "ENABLED",
			"Targets":            target + `,` + sweepInput + `,"RetryPolicy":{"MaximumEventAgeInSeconds":60,"MaximumRetryAttempts":185}}`,
		},
		"StackRolloutCalls": {
			"DestinationConfig":        `{"OnFailure":{"Destination":{"Fn::GetAtt":["GivenUpRequests","Arn"]}}}`,
			"FunctionName":             "${StackRollout}",
			"MaximumEventAgeInSeconds": "3600",
			"MaximumRetryAttempts":     "2",
			"Qualifier":                "$LATEST",
		},
		"GivenUpRequests": {
			"MessageRetentionPeriod": "7200",
			"SqsManagedSseEnabled":   "true",
			"VisibilityTimeout":      "180",
		},
		"GivenUpAgain": {
			"BatchSize":      "1",
			"EventSourceArn": "${GivenUpRequests.Arn}",
			"FunctionName":   "${StackRollout}",
		},
		"StackRequestsGivenUp": {
			"AlarmDescription":   "The function StackRollout failed in every attempt to carry out a request of CloudFormation. The request is retried every three minutes; the stack waits for it, for an hour at most. The function's log says why it fails. What to do: " + runbookURL + "#stackrequestsgivenup",
			"ComparisonOperator": "GreaterThanOrEqualToThreshold",
			"EvaluationPeriods":  "1",
			"Metrics": `{"Expression":"SUM([visible, received])","Id":"expr_1","Label":"requests in the queue","ReturnData":true}, ` +
				fmt.Sprintf(ofQueue, "received", "ApproximateNumberOfMessagesNotVisible") + ", " + fmt.Sprintf(ofQueue, "visible", "ApproximateNumberOfMessagesVisible"),
			"Threshold":        "1",
			"TreatMissingData": "notBreaching",
		},
	}
	got := map[string]map[string]string{}
	for name := range want {
		got[name] = renderAll(tmpl.Resources[name].Properties)
		delete(got[name], "Code")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		return fmt.Errorf("rollouts of stacks (-want +got):\n%s", diff)
	}
	return nil
}

// ofQueue is the format of a metric of the queue within an expression.
const ofQueue = `{"Id":"%s","MetricStat":{"Metric":{"Dimensions":[{"Name":"QueueName","Value":{"Fn::GetAtt":["GivenUpRequests","QueueName"]}}],"MetricName":"%s","Namespace":"AWS/SQS"},"Period":300,"Stat":"Maximum"},"ReturnData":false}`

func TestStackRolloutsOfTheNamedFunctions(t *testing.T) {
	const orders = "arn:${AWS::Partition}:lambda:" + local + "function:orders"
	got := permissions(withStacks(t, map[string]any{functionsContext: "orders", gatesContext: "probes,checks,endpoints"}))["StackRollout"]
	want := slices.Clone(mayCarryOut["StackRollout"])
	want[2] = "Allow lambda:GetAlias, lambda:CreateAlias, lambda:DeleteAlias on " + orders
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("permissions (-want +got):\n%s", diff)
	}
}

// TestSettingsApplyToStackRollouts checks the same as TestSettingsApplyToEveryResource,
// with the function.
func TestSettingsApplyToStackRollouts(t *testing.T) {
	tmpl := withStacks(t, map[string]any{
		alarmTopicContext: alarmTopic, logRetentionContext: 30.0, keyContext: key, boundaryContext: boundary, reservedContext: "0",
	})
	if err := checkSettings(tmpl); err != nil {
		t.Error(err)
	}
	want := slices.Clone(mayCarryOut["StackRollout"])
	want = slices.Insert(want, slices.Index(want, mayTrace), fmt.Sprintf(mayUse, viaSQS))
	if diff := cmp.Diff(want, permissions(tmpl)["StackRollout"]); diff != "" {
		t.Errorf("permissions (-want +got):\n%s", diff)
	}
}

// TestTheProviderIsExported under a fixed name by the stack with the app's own name, and
// under its own by any other.
func TestTheProviderIsExported(t *testing.T) {
	tmpl := withStacks(t, nil)
	output := tmpl.Outputs["StackRolloutProviderArn"]
	const export = `{"Name":{"Fn::If":["HasOwnName","lambda-rollout-provider",{"Fn::Sub":"${AWS::StackName}-provider"}]}}`
	if value, name := render(output.Value), render(output.Export); value != "${StackRollout.Arn}" || name != export {
		t.Errorf("%s is exported as %s", value, name)
	}
	if condition := render(tmpl.Conditions["HasOwnName"]); condition != `{"Fn::Equals":[{"Ref":"AWS::StackName"},"LambdaRollout"]}` {
		t.Errorf("if %s", condition)
	}
}

func TestChecksOfStackRolloutsCanFail(t *testing.T) {
	good, err := json.Marshal(withStacks(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	for name, damage := range map[string]func(map[string]resource){
		"no sweep":             func(r map[string]resource) { delete(r, "StackSweep") },
		"rarely":               func(r map[string]resource) { r["StackSweep"].Properties["ScheduleExpression"] = "rate(1 day)" },
		"no ends":              func(r map[string]resource) { r["StackEnded"].Properties["State"] = "DISABLED" },
		"lost requests":        func(r map[string]resource) { delete(r["StackRolloutCalls"].Properties, "DestinationConfig") },
		"no second chance":     func(r map[string]resource) { delete(r, "GivenUpAgain") },
		"many at once":         func(r map[string]resource) { r["GivenUpAgain"].Properties["BatchSize"] = 10.0 },
		"received twice":       func(r map[string]resource) { r["GivenUpRequests"].Properties["VisibilityTimeout"] = 30.0 },
		"secrets are kept":     func(r map[string]resource) { r["GivenUpRequests"].Properties["MessageRetentionPeriod"] = 1209600.0 },
		"nobody notices":       func(r map[string]resource) { delete(r, "StackRequestsGivenUp") },
		"another's parameters": func(r map[string]resource) { delete(r["StackRollout"].Properties, "Environment") },
	} {
		var tmpl template
		if err := json.Unmarshal(good, &tmpl); err != nil || checkStackRollouts(tmpl) != nil {
			t.Fatal("before the change: ", err, checkStackRollouts(tmpl))
		}
		damage(tmpl.Resources)
		if checkStackRollouts(tmpl) == nil {
			t.Errorf("%s: the check does not see it", name)
		}
	}
}
