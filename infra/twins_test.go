package main

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/statemachine"
)

// TestChecksCanFail gives each check a template that is broken where it looks.
func TestChecksCanFail(t *testing.T) {
	permissionsDiffer := func(tmpl template) error {
		if diff := cmp.Diff(mayDo, permissions(tmpl)); diff != "" {
			return fmt.Errorf("%s", diff)
		}
		return nil
	}
	dashboardDiffers := func(tmpl template) error { return checkDashboard(tmpl) }
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
	dependsOn := func(name string, on any) func(template) {
		return func(tmpl template) {
			changed := tmpl.Resources[name]
			changed.DependsOn = on
			tmpl.Resources[name] = changed
		}
	}
	detail := func(tmpl template) map[string]any {
		return tmpl.Resources["Ended"].Properties["EventPattern"].(map[string]any)["detail"].(map[string]any)
	}
	target := func(tmpl template, rule string) map[string]any {
		return tmpl.Resources[rule].Properties["Targets"].([]any)[0].(map[string]any)
	}
	expression := func(tmpl template, alarm string) map[string]any {
		return tmpl.Resources[alarm].Properties["Metrics"].([]any)[0].(map[string]any)
	}
	permission := func(tmpl template) map[string]any {
		return tmpl.Resources[tmpl.ofType("AWS::Lambda::Permission")[0]].Properties
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
		"substitutions: one more function": {checkSubstitutions, func(tmpl template) { tmpl.Resources["Extra"] = resource{Type: "AWS::Lambda::Function"} }},
		"functions: another architecture":  {checkFunctions, set("Rollback", "Architectures", []any{"x86_64"})},
		"functions: an environment":        {checkFunctions, set("Finalize", "Environment", map[string]any{"Variables": map[string]any{"A": "b"}})},
		"functions: no topic":              {checkFunctions, func(tmpl template) { delete(tmpl.Resources["HealthCheck"].Properties, "Environment") }},
		"functions: gates":                 {checkFunctions, set("CalculateWeights", "Environment", map[string]any{"Variables": map[string]any{"GATES": "probes"}})},
		"functions: nothing is reserved":   {checkFunctions, func(tmpl template) { delete(tmpl.Resources["Rollback"].Properties, "ReservedConcurrentExecutions") }},
		"functions: no traces":             {checkFunctions, func(tmpl template) { delete(tmpl.Resources["Finalize"].Properties, "TracingConfig") }},
		"functions: less time than a hook": {checkFunctions, set("HealthCheck", "Timeout", 600.0)},
		"topic: none":                      {checkTopic, func(tmpl template) { delete(tmpl.Resources, "Topic") }},
		"topic: not encrypted":             {checkTopic, func(tmpl template) { delete(tmpl.Resources["Topic"].Properties, "KmsMasterKeyId") }},
		"topic: one more":                  {checkTopic, func(tmpl template) { tmpl.Resources["Extra"] = tmpl.Resources["Topic"] }},
		"logs: kept for ever":              {checkLogs, func(tmpl template) { delete(tmpl.Resources["RollbackLogs"].Properties, "RetentionInDays") }},
		"logs: one is deleted with the stack": {checkLogs, func(tmpl template) {
			group := tmpl.Resources["StateMachineLogs"]
			group.DeletionPolicy = "Delete"
			tmpl.Resources["StateMachineLogs"] = group
		}},
		"logs: a group is missing":         {checkLogs, func(tmpl template) { delete(tmpl.Resources, "RollbackLogs") }},
		"logs: no traces of the machine":   {checkLogs, func(tmpl template) { delete(tmpl.Resources["StateMachine"].Properties, "TracingConfiguration") }},
		"logs: the machine's are off":      {checkLogs, func(tmpl template) { delete(tmpl.Resources["StateMachine"].Properties, "LoggingConfiguration") }},
		"alarm: missing":                   {checkAlarms, func(tmpl template) { delete(tmpl.Resources, "CleanupFailed") }},
		"alarm: another metric":            {checkAlarms, set("ExecutionsFailed", "MetricName", "ExecutionsSucceeded")},
		"alarm: another machine's":         {checkAlarms, set("RollbackFailed", "Namespace", "LambdaRollout/Another")},
		"alarm: one more":                  {checkAlarms, func(tmpl template) { tmpl.Resources["Extra"] = tmpl.Resources["CleanupFailed"] }},
		"alarm: no sweeps are fine":        {checkAlarms, set("SweepsMissing", "TreatMissingData", "notBreaching")},
		"dashboard: another's metric":      {dashboardDiffers, set("Dashboard", "DashboardBody", `{"widgets":[]}`)},
		"dashboard: another name":          {dashboardDiffers, set("Dashboard", "DashboardName", "Rollouts")},
		"queries: another message":         {checkQueries, set("WhyRolledBack", "QueryString", "fields reason\n| filter msg = \"rolled forward\"")},
		"alarms: gaps are not filled":      {checkAlarms, func(tmpl template) { expression(tmpl, "SweepsMissing")["Expression"] = "sweeps" }},
		"alarms: of one rule alone":        {checkAlarms, func(tmpl template) { expression(tmpl, "CleanupNotCalled")["Expression"] = "ended" }},
		"queries: another's field":         {checkQueries, set("WhyRolledBack", "QueryString", "fields decision\n| filter msg = \"rolled back\"")},
		"queries: a field that is nowhere": {checkQueries, set("TaskErrors", "QueryString", "fields cause\n| filter ispresent(error)")},
		"queries: of no log":               {checkQueries, func(tmpl template) { delete(tmpl.Resources["Decisions"].Properties, "LogGroupNames") }},
		"queries: one is missing":          {checkQueries, func(tmpl template) { delete(tmpl.Resources, "Cleanups") }},
		"filter: every failure counts":     {checkFilter, set("StateMachineLogsRollbackFailed", "FilterPattern", `{ ($.type = "ExecutionFailed") }`)},
		"filter: another log":              {checkFilter, set("StateMachineLogsRollbackFailed", "LogGroupName", "RollbackLogs")},
		"definition: of releases":          {checkDefinition, set("ReleaseStateMachine", "DefinitionString", statemachine.Definition)},
		"substitutions: of releases": {checkSubstitutions, func(tmpl template) {
			delete(tmpl.Resources["ReleaseStateMachine"].Properties["DefinitionSubstitutions"].(map[string]any), "RevertReleaseArn")
		}},
		"functions: another's releases":          {checkFunctions, set("CalculateWeights", "Environment", map[string]any{"Variables": map[string]any{"RELEASE_MACHINE_ARN": "arn"}})},
		"functions: less time than for releases": {checkFunctions, set("CheckRelease", "Timeout", 60.0)},
		"logs: of releases are off":              {checkLogs, func(tmpl template) { delete(tmpl.Resources["ReleaseStateMachine"].Properties, "LoggingConfiguration") }},
		"logs: of releases, in a long policy":    {checkLogs, set("ReleaseStateMachineLogs", "LogGroupName", "releases")},
		"alarm: split releases are not seen":     {checkAlarms, func(tmpl template) { delete(tmpl.Resources, "ReleaseSplit") }},
		"filter: no split counts":                {checkFilter, set("ReleaseStateMachineLogsReleaseSplit", "FilterPattern", `{ ($.type = "ExecutionFailed") && ($.details.error = "RollbackFailed") }`)},
		"cleanup: no release is ended":           {checkCleanup, func(tmpl template) { delete(tmpl.Resources, "ReleaseEnded") }},
		"cleanup: releases' sweep is off":        {checkCleanup, set("ReleaseSweep", "State", "DISABLED")},
		"cleanup: lost ends of releases":         {checkCleanup, func(tmpl template) { delete(tmpl.Resources["ReleaseCalls"].Properties, "DestinationConfig") }},
		"order: circular, of releases":           {checkOrder, set("CheckReleaseRole", "Description", map[string]any{"Ref": "ReleaseStateMachine"})},
		"order: of releases, by rollouts":        {checkOrder, set("RollbackRole", "Description", map[string]any{"Ref": "StateMachine"})},
		"order: a policy of releases later":      {checkOrder, dependsOn("ReleaseStateMachine", "ReleaseStateMachineRole")},
		"order: another machine of releases":     {checkOrder, set("ReleaseStateMachine", "StateMachineName", "releases")},
		"role: decides for other stacks": {permissionsDiffer, func(tmpl template) {
			statements := tmpl.Resources["CheckReleaseRole"].Properties["Policies"].([]any)[1].(map[string]any)["PolicyDocument"].(map[string]any)["Statement"].([]any)
			statements[6].(map[string]any)["Resource"] = "*"
		}},
		"cleanup: no rule":                 {checkCleanup, func(tmpl template) { delete(tmpl.Resources, "Ended") }},
		"cleanup: off":                     {checkCleanup, set("Sweep", "State", "DISABLED")},
		"cleanup: rarely":                  {checkCleanup, set("Sweep", "ScheduleExpression", "rate(1 day)")},
		"cleanup: every machine's ends":    {checkCleanup, func(tmpl template) { delete(detail(tmpl), "stateMachineArn") }},
		"cleanup: stops are not seen":      {checkCleanup, func(tmpl template) { detail(tmpl)["status"] = []any{"SUCCEEDED", "TIMED_OUT", "FAILED"} }},
		"cleanup: promotions are not seen": {checkCleanup, func(tmpl template) { detail(tmpl)["status"] = []any{"ABORTED", "TIMED_OUT", "FAILED"} }},
		"cleanup: another input":           {checkCleanup, func(tmpl template) { target(tmpl, "Ended")["Input"] = "{}" }},
		"cleanup: the time is lost":        {checkCleanup, func(tmpl template) { delete(target(tmpl, "Sweep"), "InputTransformer") }},
		"cleanup: another function":        {checkCleanup, func(tmpl template) { target(tmpl, "Sweep")["Arn"] = "arn" }},
		"cleanup: no dead-letter queue":    {checkCleanup, func(tmpl template) { delete(target(tmpl, "Sweep"), "DeadLetterConfig") }},
		"cleanup: failed calls are lost":   {checkCleanup, func(tmpl template) { delete(tmpl.Resources["RollbackCalls"].Properties, "DestinationConfig") }},
		"cleanup: no retries":              {checkCleanup, set("RollbackCalls", "MaximumRetryAttempts", 0.0)},
		"cleanup: an open queue":           {checkCleanup, set("UndeliveredCleanups", "SqsManagedSseEnabled", false)},
		"order: circular, by reference":    {checkOrder, set("RollbackRole", "Description", map[string]any{"Ref": "StateMachine"})},
		"order: circular, by attribute":    {checkOrder, set("RollbackRole", "Description", map[string]any{"Fn::GetAtt": []any{"StateMachine", "Name"}})},
		"order: circular, in a text":       {checkOrder, set("RollbackRole", "Description", map[string]any{"Fn::Sub": "of ${StateMachine.Name}"})},
		"order: circular, by DependsOn":    {checkOrder, dependsOn("RollbackRole", []any{"StateMachine"})},
		"order: a policy comes later":      {checkOrder, dependsOn("StateMachine", "StateMachineRole")},
		"order: another machine":           {checkOrder, func(tmpl template) { delete(tmpl.Resources["StateMachine"].Properties, "StateMachineName") }},
		"role: one more action":            {permissionsDiffer, func(tmpl template) { statement(tmpl, "RollbackRole", 1)["Action"] = "lambda:*" }},
		"role: one action less":            {permissionsDiffer, func(tmpl template) { statement(tmpl, "RollbackRole", 1)["Action"] = "lambda:GetAlias" }},
		"role: no condition":               {permissionsDiffer, func(tmpl template) { delete(statement(tmpl, "RollbackRole", 1), "Condition") }},
		"role: another's log":              {permissionsDiffer, func(tmpl template) { statement(tmpl, "RollbackRole", 0)["Resource"] = "*" }},
		"role: a managed policy":           {permissionsDiffer, set("RollbackRole", "ManagedPolicyArns", []any{"arn:aws:iam::aws:policy/AWSLambda_FullAccess"})},
		"role: shared":                     {permissionsDiffer, func(tmpl template) { set("HealthCheck", "Role", tmpl.Resources["Rollback"].Properties["Role"])(tmpl) }},
		"role: one more":                   {permissionsDiffer, func(tmpl template) { tmpl.Resources["Extra"] = tmpl.Resources["RollbackRole"] }},
		"role: a grant of another kind":    {permissionsDiffer, func(tmpl template) { tmpl.Resources["Extra"] = resource{Type: "AWS::Lambda::LayerVersionPermission"} }},
		"role: the machine invokes all":    {permissionsDiffer, func(tmpl template) { statement(tmpl, "StateMachineRole", 0)["Resource"] = "*" }},
		"role: a policy of its own": {permissionsDiffer, func(tmpl template) {
			tmpl.Resources["Extra"] = resource{Type: "AWS::IAM::Policy", Properties: map[string]any{
				"Roles":          []any{map[string]any{"Ref": "RollbackRole"}},
				"PolicyDocument": map[string]any{"Statement": []any{map[string]any{"Effect": "Allow", "Action": "states:*", "Resource": "*"}}},
			}}
		}},
		"role: anyone may call":           {permissionsDiffer, func(tmpl template) { delete(permission(tmpl), "SourceArn") }},
		"role: another may call":          {permissionsDiffer, func(tmpl template) { permission(tmpl)["Principal"] = "*" }},
		"role: calls without TLS":         {permissionsDiffer, func(tmpl template) { delete(tmpl.Resources, "UndeliveredCleanupsPolicy") }},
		"role: notifications without TLS": {permissionsDiffer, func(tmpl template) { delete(tmpl.Resources, "TopicPolicy") }},
		"role: a gate's leftover": {permissionsDiffer, func(tmpl template) {
			statement(tmpl, "HealthCheckRole", 1)["Action"] = []any{"cloudwatch:GetMetricData", "cloudwatch:DescribeAlarms", "lambda:InvokeFunction"}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			tmpl, _ := deployed(t)
			if err := test.check(tmpl); err != nil {
				t.Fatalf("before the change: %v", err)
			}
			test.damage(tmpl)
			if test.check(tmpl) == nil {
				t.Error("the check does not see the change")
			}
		})
	}
	if got := whoMay(map[string][]string{"a": {"Allow lambda:Update* on *"}, "b": {"Allow *, s3:* on *"}, "c": {"Allow lambda:Get* on *"}}, "lambda:UpdateAlias"); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("%v may update aliases by wildcard", got)
	}
}
