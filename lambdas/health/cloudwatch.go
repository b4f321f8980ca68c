package health

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// ErrUnavailable means that CloudWatch took the call and failed at it.
var ErrUnavailable = errors.New("CloudWatch had an internal error")

// cloudWatchAPI is the part of CloudWatch's API that is used here.
type cloudWatchAPI interface {
	cloudwatch.GetMetricDataAPIClient
	cloudwatch.DescribeAlarmsAPIClient
}

// CloudWatch reads the metrics that AWS Lambda keeps of an alias, and alarms.
type CloudWatch struct {
	api cloudWatchAPI
}

// NewCloudWatch reads through a client of CloudWatch.
func NewCloudWatch(api cloudWatchAPI) CloudWatch {
	return CloudWatch{api: api}
}

// AlarmStates reads the states of at most 100 alarms, metric and composite, in
// one call of DescribeAlarms. The result has them by the name or ARN that was
// asked for. An alarm that does not exist is not in it, nor is one whose ARN is
// another one's than that of the alarm with its name here.
func (c CloudWatch) AlarmStates(ctx context.Context, namesOrARNs []string) (map[string]AlarmState, error) {
	names := make([]string, len(namesOrARNs))
	for i, name := range namesOrARNs {
		names[i] = alarmName(name)
	}
	out, err := c.api.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{
		AlarmNames: names,
		AlarmTypes: []types.AlarmType{types.AlarmTypeMetricAlarm, types.AlarmTypeCompositeAlarm},
		MaxRecords: aws.Int32(100),
	})
	if err != nil {
		return nil, fmt.Errorf("reading alarms: %w", err)
	}
	known := map[string]AlarmState{} // by name and by ARN
	for _, alarm := range out.MetricAlarms {
		known[aws.ToString(alarm.AlarmName)] = AlarmState(alarm.StateValue)
		known[aws.ToString(alarm.AlarmArn)] = AlarmState(alarm.StateValue)
	}
	for _, alarm := range out.CompositeAlarms {
		known[aws.ToString(alarm.AlarmName)] = AlarmState(alarm.StateValue)
		known[aws.ToString(alarm.AlarmArn)] = AlarmState(alarm.StateValue)
	}
	states := map[string]AlarmState{}
	for _, name := range namesOrARNs {
		if state, ok := known[name]; ok {
			states[name] = state
		}
	}
	return states, nil
}

// Query names the two versions behind an alias and the time to look at.
type Query struct {
	// Function is the function's plain name: metrics know no ARN.
	Function, Alias      string
	Baseline, NewVersion string
	Window               rollout.Window
}

// The four series of one check, by the ids of their queries.
const (
	baselineInvocations   = "baseline_invocations"
	baselineErrors        = "baseline_errors"
	newVersionInvocations = "new_version_invocations"
	newVersionErrors      = "new_version_errors"
)

// Requests reads the requests of both versions in the window, in one call of
// GetMetricData (100,800 data points fit into its answer, and the period is
// chosen so that a window never has more). The window is widened to whole
// periods: a minute's requests can't be taken apart.
func (c CloudWatch) Requests(ctx context.Context, q Query) (Requests, error) {
	period := resolution(q.Window)
	input := &cloudwatch.GetMetricDataInput{
		StartTime: aws.Time(q.Window.From.Truncate(period)),
		EndTime:   aws.Time(q.Window.To.Add(period - 1).Truncate(period)),
		ScanBy:    types.ScanByTimestampAscending,
		MetricDataQueries: []types.MetricDataQuery{
			q.sum(baselineInvocations, "Invocations", q.Baseline, period),
			q.sum(baselineErrors, "Errors", q.Baseline, period),
			q.sum(newVersionInvocations, "Invocations", q.NewVersion, period),
			q.sum(newVersionErrors, "Errors", q.NewVersion, period),
		},
	}
	series := map[string][]float64{}
	pages := cloudwatch.NewGetMetricDataPaginator(c.api, input)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return Requests{}, fmt.Errorf("reading the metrics of alias %s of %s: %w", q.Alias, q.Function, err)
		}
		for _, result := range page.MetricDataResults {
			switch result.StatusCode {
			case types.StatusCodeInternalError:
				return Requests{}, fmt.Errorf("reading %s of alias %s of %s: %w", aws.ToString(result.Id), q.Alias, q.Function, ErrUnavailable)
			case types.StatusCodeForbidden:
				return Requests{}, fmt.Errorf("reading %s of alias %s of %s is forbidden", aws.ToString(result.Id), q.Alias, q.Function)
			}
			id := aws.ToString(result.Id)
			series[id] = append(series[id], result.Values...)
		}
	}
	minutes := int(period / time.Minute)
	return Requests{
		Baseline:   counts(series[baselineInvocations], series[baselineErrors], minutes),
		NewVersion: counts(series[newVersionInvocations], series[newVersionErrors], minutes),
	}, nil
}

// sum asks for one metric of one version behind the alias. The three
// dimensions are those that Lambda records a version under when it is invoked
// through an alias; with any other set there is no data at all.
func (q Query) sum(id, metric, version string, period time.Duration) types.MetricDataQuery {
	return types.MetricDataQuery{
		Id: &id,
		MetricStat: &types.MetricStat{
			Metric: &types.Metric{
				Namespace:  aws.String("AWS/Lambda"),
				MetricName: &metric,
				Dimensions: []types.Dimension{
					{Name: aws.String("FunctionName"), Value: &q.Function},
					{Name: aws.String("Resource"), Value: aws.String(q.Function + ":" + q.Alias)},
					{Name: aws.String("ExecutedVersion"), Value: &version},
				},
			},
			Period: aws.Int32(int32(period / time.Second)),
			Stat:   aws.String("Sum"),
		},
	}
}

// resolution is the finest period that CloudWatch still keeps at the window's
// far end: a minute for 15 days, five minutes for 63 days, then an hour.
func resolution(w rollout.Window) time.Duration {
	const day = 24 * time.Hour
	switch age := w.To.Sub(w.From); {
	case age < 15*day:
		return time.Minute
	case age < 63*day:
		return 5 * time.Minute
	}
	return time.Hour
}

func counts(invocations, failures []float64, minutes int) rollout.Counts {
	return rollout.Counts{
		Invocations: total(invocations),
		Errors:      total(failures),
		Minutes:     max(len(invocations), len(failures)) * minutes,
	}
}

func total(values []float64) int64 {
	var sum float64
	for _, value := range values {
		sum += value
	}
	return int64(math.Round(sum))
}
