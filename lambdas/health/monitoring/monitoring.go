// Package monitoring reads metrics and alarms from CloudWatch: [New] returns the
// metrics of package health, over an AWS client.
package monitoring

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/lambda-rollout/lambda-rollout/lambdas/awserror"
	"github.com/lambda-rollout/lambda-rollout/lambdas/health"
)

// cloudWatchAPI is the part of CloudWatch's API that is used here.
type cloudWatchAPI interface {
	cloudwatch.GetMetricDataAPIClient
	cloudwatch.DescribeAlarmsAPIClient
}

// CloudWatch reads an alias's metrics, other metrics that gates ask for, and
// alarms.
type CloudWatch struct {
	health.Reader
	alarms cloudwatch.DescribeAlarmsAPIClient
}

// New returns a CloudWatch that reads through a client.
func New(api cloudWatchAPI) CloudWatch {
	return CloudWatch{health.NewReader(source{api, new(recent)}), api}
}

// AlarmStates returns the states of at most 100 metric, composite or log alarms, by
// the names or ARNs that it was called with, in one call of DescribeAlarms. It leaves
// out alarms that do not exist, and ARNs of another account or Region: such an ARN
// is not that of the alarm with its name here.
func (c CloudWatch) AlarmStates(ctx context.Context, namesOrARNs []string) (map[string]health.AlarmStatus, error) {
	names := make([]string, len(namesOrARNs))
	for i, name := range namesOrARNs {
		names[i] = health.AlarmName(name)
	}
	out, err := c.alarms.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{
		AlarmNames: names,
		AlarmTypes: []types.AlarmType{types.AlarmTypeMetricAlarm, types.AlarmTypeCompositeAlarm, types.AlarmTypeLogAlarm},
		MaxRecords: aws.Int32(100),
	})
	if err != nil {
		return nil, fmt.Errorf("reading alarms: %w", awserror.Plain(err))
	}
	known := map[string]health.AlarmStatus{} // by name and by ARN
	for _, a := range out.MetricAlarms {
		is := status(a.StateValue, a.StateTransitionedTimestamp, a.AlarmConfigurationUpdatedTimestamp, a.EvaluationState, gapless(a.TreatMissingData))
		known[aws.ToString(a.AlarmName)], known[aws.ToString(a.AlarmArn)] = is, is
	}
	for _, a := range out.CompositeAlarms {
		is := status(a.StateValue, a.StateTransitionedTimestamp, a.AlarmConfigurationUpdatedTimestamp, "", true)
		known[aws.ToString(a.AlarmName)], known[aws.ToString(a.AlarmArn)] = is, is
	}
	for _, a := range out.LogAlarms {
		is := status(a.StateValue, a.StateTransitionedTimestamp, a.AlarmConfigurationUpdatedTimestamp, a.EvaluationState, gapless(a.TreatMissingData))
		known[aws.ToString(a.AlarmName)], known[aws.ToString(a.AlarmArn)] = is, is
	}
	states := map[string]health.AlarmStatus{}
	for _, name := range namesOrARNs {
		if state, ok := known[name]; ok {
			states[name] = state
		}
	}
	return states, nil
}

func status(state types.StateValue, since, configured *time.Time, evaluation types.EvaluationState, gapless bool) health.AlarmStatus {
	return health.AlarmStatus{
		State: health.AlarmState(state), Since: changed(since), Configured: changed(configured),
		Evaluation: string(evaluation), Gapless: gapless,
	}
}

// gapless reports whether an alarm with this setting has no state for missing data.
// The setting's default, "missing", is the only one that has.
func gapless(treatMissingData *string) bool {
	return treatMissingData != nil && *treatMissingData != "missing"
}

// changed returns when an alarm changed its state. It is compared with itself as the
// execution's data have it, which is in milliseconds.
func changed(at *time.Time) time.Time { return aws.ToTime(at).UTC().Truncate(time.Millisecond) }
