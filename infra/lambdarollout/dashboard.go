package lambdarollout

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/aws-cdk-go/awscdk/v2/interfaces/interfacesawscloudwatch"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// newDashboard adds the dashboard: alarms, outcomes, rollouts under way, the errors
// of the rolled-out versions, the cleanup, the tasks' errors and releases. Metrics whose
// dimensions are not known in advance (outcomes, decisions, functions) are searched
// for, so that all that exist are shown.
func newDashboard(scope constructs.Construct, w workflow, r *LambdaRollout, optIn OptIn,
	functions map[string]awslambda.Function, undelivered awssqs.Queue, sweep, ofReleases awsevents.Rule,
) awscloudwatch.Dashboard {
	rollback, check := functions[rollbackTask], functions[checkReleaseTask]
	var errors []awscloudwatch.IMetric
	for _, name := range slices.Sorted(maps.Keys(functions)) {
		errors = append(errors, functions[name].MetricErrors(labelled(name, "Sum")))
	}
	return awscloudwatch.NewDashboard(scope, jsii.String("Dashboard"), &awscloudwatch.DashboardProps{
		DashboardName:   jsii.String(w.name),
		DefaultInterval: awscdk.Duration_Hours(jsii.Number(24)),
		Widgets: &[]*[]awscloudwatch.IWidget{
			{alarmStates(r.Alarms())},
			{
				graph("Rollouts by outcome", w.search("Result", "Outcome", "Sum", 60)),
				graph("Time to rollback (seconds)", w.metric("TimeToRollback", "Average"), w.metric("TimeToRollback", "Maximum")),
				graph("Executions", executionsOf(r.machine)...),
			},
			{
				graph("Weights of new versions (percent)", w.search("FunctionName,AliasName", "Weight", "Maximum", 1)),
				errorsOfVersions(optIn),
				graph("Decisions", w.search("Result", "Decision", "Sum", 5)),
			},
			{
				graph("Bad requests served by new versions", w.metric("BadInvocations", "Sum")),
				graph("Cleanup", ofRule(sweep, "Invocations").With(&awscloudwatch.MetricOptions{Label: jsii.String("sweeps")}),
					rollback.Metric(jsii.String("AsyncEventsDropped"), labelled("given up", "Sum")),
					rollback.MetricThrottles(labelled("throttled", "Sum")),
					undelivered.MetricApproximateNumberOfMessagesVisible(labelled("in the queue", "Maximum"))),
				graph("Errors of the tasks", errors...),
			},
			{
				graph("Releases", executionsOf(r.releases)...),
				graph("Time of a release's check (milliseconds)", check.MetricDuration(labelled("average", "Average")), check.MetricDuration(labelled("maximum", "Maximum"))),
				graph("Ends of stopped releases", ofRule(ofReleases, "Invocations").With(&awscloudwatch.MetricOptions{Label: jsii.String("sweeps")}),
					check.Metric(jsii.String("AsyncEventsDropped"), labelled("given up", "Sum")),
					check.MetricThrottles(labelled("throttled", "Sum"))),
			},
		},
	})
}

// executionsOf returns how many of a machine's executions started, and how they ended.
func executionsOf(machine awsstepfunctions.StateMachine) []awscloudwatch.IMetric {
	return []awscloudwatch.IMetric{
		machine.MetricStarted(labelled("started", "Sum")), machine.MetricSucceeded(labelled("succeeded", "Sum")),
		machine.MetricFailed(labelled("failed", "Sum")), machine.MetricAborted(labelled("stopped", "Sum")),
		machine.MetricTimedOut(labelled("timed out", "Sum")),
	}
}

// errorsOfVersions returns a graph of the errors that Lambda counts for each version
// behind an alias: of the functions that are opted in by name or, if functions opt in
// by tag, of all in the account and Region, because a search can't filter by tag.
func errorsOfVersions(optIn OptIn) awscloudwatch.IWidget {
	const all = `{AWS/Lambda,FunctionName,Resource,ExecutedVersion} MetricName="Errors"`
	names := optIn.names()
	if len(names) == 0 {
		return graph("Errors of both versions (of every function with an alias)", search(all, "Sum", 1))
	}
	var searches []awscloudwatch.IMetric
	for some := range slices.Chunk(names, functionsOfSearch) {
		searches = append(searches, search(all+` FunctionName=("`+strings.Join(some, `" OR "`)+`")`, "Sum", 1))
	}
	return graph("Errors of both versions", searches...)
}

// functionsOfSearch is the number of functions in one search. A search may have
// 1,024 characters: a name with its separator takes at most 70, the rest about 120.
const functionsOfSearch = 12

// metric returns one of the metrics that the functions write in their logs.
func (w workflow) metric(name, statistic string) awscloudwatch.IMetric {
	return awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
		Namespace: jsii.String(w.namespace()), MetricName: jsii.String(name), Statistic: jsii.String(statistic),
		Period: awscdk.Duration_Minutes(jsii.Number(betweenSweeps)),
		Label:  jsii.String(strings.ToLower(statistic)),
	})
}

// search returns a search for those of these metrics that have the dimensions.
func (w workflow) search(dimensions, name, statistic string, minutes float64) awscloudwatch.IMetric {
	return search(fmt.Sprintf("{%q,%s} MetricName=%q", w.namespace(), dimensions, name), statistic, minutes)
}

func search(text, statistic string, minutes float64) awscloudwatch.IMetric {
	return awscloudwatch.NewMathExpression(&awscloudwatch.MathExpressionProps{
		Expression: jsii.String(fmt.Sprintf("SEARCH('%s', '%s', %v)", text, statistic, minutes*60)),
		Label:      jsii.String(""), // each line is labelled with its dimensions
		Period:     awscdk.Duration_Minutes(jsii.Number(minutes)),
	})
}

// labelled returns the options of a metric that is one line of a graph.
func labelled(label, statistic string) *awscloudwatch.MetricOptions {
	return &awscloudwatch.MetricOptions{
		Label: jsii.String(label), Statistic: jsii.String(statistic),
		Period: awscdk.Duration_Minutes(jsii.Number(betweenSweeps)),
	}
}

func graph(title string, metrics ...awscloudwatch.IMetric) awscloudwatch.IWidget {
	return awscloudwatch.NewGraphWidget(&awscloudwatch.GraphWidgetProps{
		Title: jsii.String(title), Left: &metrics, Width: jsii.Number(8),
		LeftYAxis: &awscloudwatch.YAxisProps{Min: jsii.Number(0), ShowUnits: jsii.Bool(false)},
	})
}

func alarmStates(alarms []awscloudwatch.Alarm) awscloudwatch.IWidget {
	refs := make([]interfacesawscloudwatch.IAlarmRef, 0, len(alarms))
	for _, alarm := range alarms {
		refs = append(refs, alarm)
	}
	return awscloudwatch.NewAlarmStatusWidget(&awscloudwatch.AlarmStatusWidgetProps{
		Title: jsii.String("Alarms"), Alarms: &refs, Width: jsii.Number(24),
	})
}
