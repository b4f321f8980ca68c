package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/lambdas/release"
	"github.com/lambda-rollout/lambda-rollout/statemachine"
	"github.com/lambda-rollout/lambda-rollout/statemachine/stacktemplate"
)

func TestAlarms(t *testing.T) {
	tmpl, _ := deployed(t)
	if err := checkAlarms(tmpl); err != nil {
		t.Error(err)
	}
}

const runbookURL = "https://github.com/lambda-rollout/lambda-rollout/blob/main/docs/runbook.md"

// sections returns the anchors of the runbook's sections about alarms.
func sections(runbook string) []string {
	_, about, _ := strings.Cut(runbook, "\n## Alarms\n")
	about, _, _ = strings.Cut(about, "\n## ")
	var all []string
	for _, heading := range regexp.MustCompile(`(?m)^### ([A-Za-z]+)$`).FindAllStringSubmatch(about, -1) {
		all = append(all, strings.ToLower(heading[1]))
	}
	slices.Sort(all)
	return all
}

// TestEachAlarmHasASectionOfTheRunbook, and each section an alarm: those of the stack with
// everything in it.
func TestEachAlarmHasASectionOfTheRunbook(t *testing.T) {
	var tmpl template
	if err := json.Unmarshal(stacktemplate.Template(), &tmpl); err != nil {
		t.Fatal(err)
	}
	var linked []string
	for _, name := range tmpl.ofType("AWS::CloudWatch::Alarm") {
		description, _ := tmpl.Resources[name].Properties["AlarmDescription"].(string)
		_, section, found := strings.Cut(description, runbookURL+"#")
		if !found || !strings.Contains(strings.ToLower(name), section) || len(description) > 1024 {
			t.Errorf("the description of %s has no link to its section, or is too long: %s", name, description)
		}
		linked = append(linked, section)
	}
	slices.Sort(linked)
	runbook := readPage(t, "runbook.md")
	if diff := cmp.Diff(linked, sections(runbook)); diff != "" {
		t.Errorf("sections of docs/runbook.md (-alarms +sections):\n%s", diff)
	}
	for _, bad := range []string{
		strings.Replace(runbook, "\n### SweepsMissing\n", "\n### SweepMissing\n", 1),
		strings.Replace(runbook, "\n### SweepsMissing\n", "\n### Other\n\n### SweepsMissing\n", 1),
	} {
		if slices.Equal(linked, sections(bad)) {
			t.Error("a runbook with another section passes")
		}
	}
}

// ofRule is the format of a rule's metric within an expression.
const ofRule = `{"Id":"%s","MetricStat":{"Metric":{"Dimensions":[{"Name":"RuleName","Value":{"Ref":"%s"}}],"MetricName":"%s","Namespace":"AWS/Events"},"Period":300,"Stat":"Sum"},"ReturnData":false}`

// ofReleases is that of a metric of the releases' state machine.
const ofReleases = `{"Id":"%s","MetricStat":{"Metric":{"Dimensions":[{"Name":"StateMachineArn","Value":{"Ref":"ReleaseStateMachine"}}],"MetricName":"%s","Namespace":"AWS/States"},"Period":60,"Stat":"Sum"},"ReturnData":false}`

func checkAlarms(tmpl template) error {
	want := map[string]map[string]string{
		"ExecutionsFailed": {
			"AlarmDescription": "A rollout was rolled back, was refused or failed. Its execution's error and cause say why.",
			"Dimensions":       `{"Name":"StateMachineArn","Value":{"Ref":"StateMachine"}}`,
			"MetricName":       "ExecutionsFailed",
			"Namespace":        "AWS/States",
		},
		"ExecutionsTimedOut": {
			"AlarmDescription": "A rollout timed out. The cleanup puts its alias back, and notifies.",
			"Dimensions":       `{"Name":"StateMachineArn","Value":{"Ref":"StateMachine"}}`,
			"MetricName":       "ExecutionsTimedOut",
			"Namespace":        "AWS/States",
		},
		"ExecutionsAborted": {
			"AlarmDescription": "A rollout's execution was stopped by an operator. The cleanup puts its alias back, and notifies.",
			"Dimensions":       `{"Name":"StateMachineArn","Value":{"Ref":"StateMachine"}}`,
			"MetricName":       "ExecutionsAborted",
			"Namespace":        "AWS/States",
		},
		"RollbackFailed": {
			"AlarmDescription": "An operator is needed: a rollout could not put its alias back. Its execution's cause has the command that does it.",
			"MetricName":       "RollbackFailed",
			"Namespace":        "LambdaRollout/" + machine,
		},
		"CleanupFailed": {
			"AlarmDescription": "After a failed rollout an alias may still be split, or the end of a rollout was not notified. The log of the function Rollback says why. The next sweep tries again to put aliases back.",
			"Dimensions":       `{"Name":"FunctionName","Value":{"Ref":"Rollback"}}`,
			"MetricName":       "AsyncEventsDropped",
			"Namespace":        "AWS/Lambda",
			"Period":           "300",
		},
		"CleanupUndelivered": {
			"AlarmDescription": "EventBridge could not call the function Rollback for a cleanup or a notification, or CheckRelease to end a release that was stopped; or the function failed in every attempt. The messages in the queue say why. When that is fixed, purge the queue.",
			"Dimensions":       `{"Name":"QueueName","Value":{"Fn::GetAtt":["UndeliveredCleanups","QueueName"]}}`,
			"MetricName":       "ApproximateNumberOfMessagesVisible",
			"Namespace":        "AWS/SQS",
			"Period":           "300",
			"Statistic":        "Maximum",
		},
		"RollbackThrottled": {
			"AlarmDescription": "Lambda throttles invocations of the function Rollback; they are retried. Rollbacks, cleanups and notifications share its reserved concurrency (10 by default; the account's, if it has none). If the alarm stays on while many rollouts end at once, deploy with more, such as -c reserved-concurrency=20.",
			"Dimensions":       `{"Name":"FunctionName","Value":{"Ref":"Rollback"}}`,
			"MetricName":       "Throttles",
			"Namespace":        "AWS/Lambda",
			"Period":           "300",
		},
		"CleanupNotCalled": {
			"AlarmDescription": "EventBridge could not call the function Rollback by the rules Ended or Sweep, or CheckRelease by ReleaseEnded or ReleaseSweep. Check that the function exists, and that its policy lets the rules call it; messages in the queue of undelivered cleanups, if there are any, say why. Until this is fixed an alias may stay split, ends of rollouts are not notified, and releases that were stopped are not ended.",
			"Metrics": `{"Expression":"SUM([ended, sweep, releaseended, releasesweep])","Id":"expr_1","Label":"calls that failed","ReturnData":true}, ` +
				fmt.Sprintf(ofRule, "ended", "Ended", "FailedInvocations") + ", " + fmt.Sprintf(ofRule, "releaseended", "ReleaseEnded", "FailedInvocations") + ", " +
				fmt.Sprintf(ofRule, "releasesweep", "ReleaseSweep", "FailedInvocations") + ", " + fmt.Sprintf(ofRule, "sweep", "Sweep", "FailedInvocations"),
		},
		"ReleaseSplit": {
			"AlarmDescription": "An operator is needed: some functions of a release could not be put on the side of the others. Its execution's cause names them, with the commands that do it.",
			"MetricName":       "ReleaseSplit",
			"Namespace":        "LambdaRollout/" + machine,
		},
		"ReleasesFailed": {
			"AlarmDescription": "A release was rolled back, was refused or failed. Its execution's error and cause say why.",
			"Dimensions":       `{"Name":"StateMachineArn","Value":{"Ref":"ReleaseStateMachine"}}`,
			"MetricName":       "ExecutionsFailed",
			"Namespace":        "AWS/States",
		},
		"ReleasesStopped": {
			"AlarmDescription": "A release's execution was stopped by an operator, or timed out. Within minutes another execution, whose name begins with conclude-, rolls the release back, or sees its promotion through if that was decided.",
			"Metrics": `{"Expression":"SUM([stopped, late])","Id":"expr_1","Label":"releases stopped","ReturnData":true}, ` +
				fmt.Sprintf(ofReleases, "late", "ExecutionsTimedOut") + ", " + fmt.Sprintf(ofReleases, "stopped", "ExecutionsAborted"),
		},
		"ReleaseNotEnded": {
			"AlarmDescription": "A release whose execution was stopped or failed may not have been ended: its rollouts go on until they roll back by themselves. The log of the function CheckRelease says why. The next sweep tries again.",
			"Dimensions":       `{"Name":"FunctionName","Value":{"Ref":"CheckRelease"}}`,
			"MetricName":       "AsyncEventsDropped",
			"Namespace":        "AWS/Lambda",
			"Period":           "300",
		},
		// The only alarm that goes off when there are no data.
		"SweepsMissing": {
			"AlarmDescription":   "For 15 minutes no sweep has looked for aliases that are still split. Check that the rule Sweep is enabled, and ReleaseSweep, too.",
			"ComparisonOperator": "LessThanThreshold",
			"EvaluationPeriods":  "3",
			// Without FILL, values from before these periods would count.
			"Metrics": `{"Expression":"FILL(sweeps, 0)","Id":"expr_1","Label":"sweeps","ReturnData":true}, ` +
				fmt.Sprintf(ofRule, "sweeps", "Sweep", "Invocations"),
			"TreatMissingData": "breaching",
		},
	}
	got := map[string]map[string]string{}
	for _, name := range tmpl.ofType("AWS::CloudWatch::Alarm") {
		got[name] = renderAll(tmpl.Resources[name].Properties)
	}
	for name, particular := range want {
		want[name] = map[string]string{
			"ComparisonOperator": "GreaterThanOrEqualToThreshold",
			"EvaluationPeriods":  "1",
			"Threshold":          "1",
			"TreatMissingData":   "notBreaching",
		}
		if particular["Metrics"] == "" {
			want[name]["Period"], want[name]["Statistic"] = "60", "Sum"
		}
		maps.Copy(want[name], particular)
		want[name]["AlarmDescription"] += " What to do: " + runbookURL + "#" + strings.ToLower(name)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		return fmt.Errorf("alarms (-want +got):\n%s", diff)
	}
	return nil
}

func TestFailedRollbacksAreCounted(t *testing.T) {
	tmpl, _ := deployed(t)
	if err := checkFilter(tmpl); err != nil {
		t.Error(err)
	}
}

// logLines are lines of the state machine's log, each with whether it is of an
// execution that could not put its alias back. Their fields are as in a log that Step
// Functions wrote.
var logLines = map[string]bool{
	`{"id":"42","type":"ExecutionFailed","details":{"cause":"Manual action needed: …","error":"RollbackFailed"},"previous_event_id":"41","event_timestamp":"1772366400000","execution_arn":"arn:aws:states:eu-west-1:123456789012:execution:m:e","redrive_count":"0"}`: true,
	`{"id":"42","type":"ExecutionFailed","details":{"cause":"5 of 10 failed","error":"Unhealthy"},"previous_event_id":"41"}`:                                                                                                                                           false,
	`{"id":"42","type":"ExecutionFailed","details":{"cause":"RollbackFailed","error":"AliasChanged"},"previous_event_id":"41"}`:                                                                                                                                        false,
	`{"id":"40","type":"LambdaFunctionFailed","details":{"cause":"{}","error":"RollbackFailed"},"previous_event_id":"39"}`:                                                                                                                                             false,
	`{"id":"41","type":"FailStateEntered","details":{"name":"Rollback failed","input":"{\"error\":{\"Error\":\"RollbackFailed\"}}"},"previous_event_id":"40"}`:                                                                                                         false,
	`{"id":"42","type":"ExecutionAborted","details":{},"previous_event_id":"41"}`:                                                                                                                                                                                      false,
}

// checkFilter compares the log filter with log lines, and with the error that the
// workflow's definition has for the ending.
func checkFilter(tmpl template) error {
	got := renderAll(tmpl.Resources["StateMachineLogsRollbackFailed"].Properties)
	want := map[string]string{
		"FilterPattern":         `{ ($.type = "ExecutionFailed") && ($.details.error = "RollbackFailed") }`,
		"LogGroupName":          "${StateMachineLogs}",
		"MetricTransformations": `{"MetricName":"RollbackFailed","MetricNamespace":"LambdaRollout/` + machine + `","MetricValue":"1"}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		return fmt.Errorf("filter (-want +got):\n%s", diff)
	}
	ofReleases := renderAll(tmpl.Resources["ReleaseStateMachineLogsReleaseSplit"].Properties)
	want = map[string]string{
		"FilterPattern":         `{ ($.type = "ExecutionFailed") && ($.details.error = "` + release.ErrorSplit + `") }`,
		"LogGroupName":          "${ReleaseStateMachineLogs}",
		"MetricTransformations": `{"MetricName":"ReleaseSplit","MetricNamespace":"LambdaRollout/` + machine + `","MetricValue":"1"}`,
	}
	if diff := cmp.Diff(want, ofReleases); diff != "" {
		return fmt.Errorf("filter of releases (-want +got):\n%s", diff)
	}
	for line, counted := range logLines {
		if passes(got["FilterPattern"], line) != counted {
			return fmt.Errorf("the filter does not match as expected (%t): %s", counted, line)
		}
		if passes(ofReleases["FilterPattern"], line) || passes(ofReleases["FilterPattern"], strings.ReplaceAll(line, "RollbackFailed", release.ErrorSplit)) != counted {
			return fmt.Errorf("the filter of releases does not match as expected (%t): %s", counted, line)
		}
	}
	var workflow struct {
		States map[string]struct{ Parameters struct{ Error string } }
	}
	if err := json.Unmarshal([]byte(statemachine.Definition), &workflow); err != nil {
		return err
	}
	if word := workflow.States["Explain failed rollback"].Parameters.Error; !strings.Contains(got["FilterPattern"], `"`+word+`"`) {
		return fmt.Errorf("the workflow's error for the ending is %q", word)
	}
	return nil
}

var equals = regexp.MustCompile(`\(\$\.([a-z.]+) = "([^"]*)"\)`)

// passes reports whether a log line matches a filter's pattern. It supports only
// string comparisons that must all hold.
func passes(pattern, line string) bool {
	comparisons := equals.FindAllStringSubmatch(pattern, -1)
	if equals.ReplaceAllString(pattern, "") != "{ "+strings.Repeat(" && ", len(comparisons)-1)+" }" {
		panic("unknown pattern " + pattern)
	}
	for _, comparison := range comparisons {
		var value any
		if err := json.Unmarshal([]byte(line), &value); err != nil {
			panic(err)
		}
		for _, field := range strings.Split(comparison[1], ".") {
			object, _ := value.(map[string]any)
			value = object[field]
		}
		if value != comparison[2] {
			return false
		}
	}
	return true
}
