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
	"github.com/aws/aws-cdk-go/awscdk/v2/interfaces/interfacesawscloudwatch"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// newDashboard adds the dashboard: how rollouts end, what they do now, what they
// are about, and how the machinery itself does. Metrics that have a dimension for
// a word or a function are searched for, so that each shows that there is.
func newDashboard(scope constructs.Construct, w workflow, r *LambdaRollout, optIn OptIn,
	functions map[string]awslambda.Function, undelivered awssqs.Queue, sweep awsevents.Rule,
) awscloudwatch.Dashboard {
	rollback := functions[rollbackTask]
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
				graph("Executions",
					r.machine.MetricStarted(labelled("started", "Sum")), r.machine.MetricSucceeded(labelled("succeeded", "Sum")),
					r.machine.MetricFailed(labelled("failed", "Sum")), r.machine.MetricAborted(labelled("stopped", "Sum")),
					r.machine.MetricTimedOut(labelled("timed out", "Sum"))),
			},
			{
				graph("Weights of new versions (percent)", w.search("FunctionName,AliasName", "Weight", "Maximum", 1)),
				errorsOfVersions(optIn),
				graph("Decisions", w.search("Result", "Decision", "Sum", 5)),
			},
			{
				graph("Bad invocations served by new versions", w.metric("BadInvocations", "Sum")),
				graph("Cleanup", ofRule(sweep, "Invocations").With(&awscloudwatch.MetricOptions{Label: jsii.String("sweeps")}),
					rollback.Metric(jsii.String("AsyncEventsDropped"), labelled("given up", "Sum")),
					rollback.MetricThrottles(labelled("throttled", "Sum")),
					undelivered.MetricApproximateNumberOfMessagesVisible(labelled("in the queue", "Maximum"))),
				graph("Errors of the tasks", errors...),
			},
		},
	})
}

// errorsOfVersions graphs the errors that Lambda counts for each version behind an
// alias: of the functions by name or, if they opt in by tag, of all in the account
// and Region, as a search knows nothing of tags.
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

// functionsOfSearch is for how many functions one search asks: it may have 1,024
// characters, of which a name takes 70 at most with what stands between two, and
// the rest some 120.
const functionsOfSearch = 12

// metric is one of the metrics that the functions write in their logs.
func (w workflow) metric(name, statistic string) awscloudwatch.IMetric {
	return awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
		Namespace: jsii.String(w.namespace()), MetricName: jsii.String(name), Statistic: jsii.String(statistic),
		Period: awscdk.Duration_Minutes(jsii.Number(betweenSweeps)),
		Label:  jsii.String(strings.ToLower(statistic)),
	})
}

// search searches for those that have these dimensions.
func (w workflow) search(dimensions, name, statistic string, minutes float64) awscloudwatch.IMetric {
	return search(fmt.Sprintf("{%q,%s} MetricName=%q", w.namespace(), dimensions, name), statistic, minutes)
}

func search(text, statistic string, minutes float64) awscloudwatch.IMetric {
	return awscloudwatch.NewMathExpression(&awscloudwatch.MathExpressionProps{
		Expression: jsii.String(fmt.Sprintf("SEARCH('%s', '%s', %v)", text, statistic, minutes*60)),
		Label:      jsii.String(""), // each has that of its dimensions
		Period:     awscdk.Duration_Minutes(jsii.Number(minutes)),
	})
}

// labelled are the options of a metric that is one line of a graph.
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
