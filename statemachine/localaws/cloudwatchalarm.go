package localaws

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"
)

// alarm is a metric, composite or log alarm. Without a configuration, nothing evaluates it: its states are those that were set
// last.
type alarm struct {
	name       string
	kind       types.AlarmType
	state      types.StateValue
	reason     string
	reasonData *string
	evaluation types.EvaluationState // empty if it is evaluated completely
	configured time.Time             // when it was created or last configured
	updated    time.Time             // when one of its states was last set
	changed    time.Time             // when its state last became a different one

	metric    *cloudwatch.PutMetricAlarmInput    // of a metric alarm that is evaluated; never modified
	composite *cloudwatch.PutCompositeAlarmInput // of a composite alarm that is evaluated; never modified
	rule      alarmRule                          // of composite
	silent    bool                               // its actions are disabled
	evaluated int64                              // the evaluation interval, counted from 1970, in which it was last evaluated
}

// set sets the alarm's state at the instant now.
func (a *alarm) set(state types.StateValue, reason string, data *string, now time.Time) {
	if a.state != state {
		a.changed = now
	}
	a.state, a.reason, a.reasonData, a.updated = state, reason, data, now
}

// alarmARN returns the ARN of the alarm with a name.
func (c *cloudWatchService) alarmARN(name string) string {
	return "arn:aws:cloudwatch:" + c.region + ":" + c.account + ":alarm:" + name
}

// describeAlarms returns alarms sorted by name, only metric alarms unless the request has AlarmTypes. It omits alarms that
// do not exist. A page has 50 alarms unless MaxRecords is given, even if more names are given.
func (c *cloudWatchService) describeAlarms(in *cloudwatch.DescribeAlarmsInput) (smithy.Serializable, *apiError) {
	if err := checkDescribeAlarms(in); err != nil {
		return nil, err
	}
	left := 50
	if in.MaxRecords != nil {
		left = int(*in.MaxRecords)
	}
	out := &cloudwatch.DescribeAlarmsOutput{MetricAlarms: []types.MetricAlarm{}, CompositeAlarms: []types.CompositeAlarm{}}
	c.mu.Lock()
	defer c.mu.Unlock()
	first, err := c.tokenAlarm(in.NextToken)
	if err != nil {
		return nil, err
	}
	for _, a := range c.alarms[first:] {
		if !wantsAlarm(in, a) {
			continue
		}
		if left == 0 {
			out.NextToken = aws.String(tokenOf(a.name))
			break
		}
		left--
		c.describe(a, out)
	}
	return out, nil
}

// checkDescribeAlarms returns an error for input that CloudWatch refuses or that is not supported.
func checkDescribeAlarms(in *cloudwatch.DescribeAlarmsInput) *apiError {
	switch {
	case len(in.AlarmNames) > 100:
		return badRequest("ValidationError", "The collection AlarmNames must not have a size greater than 100.")
	case len(in.AlarmNames) > 0 && in.AlarmNamePrefix != nil:
		return badRequest("ValidationError", "AlarmNames and AlarmNamePrefix must not both be given.")
	case in.ActionPrefix != nil || in.ChildrenOfAlarmName != nil || in.ParentsOfAlarmName != nil:
		return badRequest("ValidationError", "ActionPrefix, ChildrenOfAlarmName and ParentsOfAlarmName are not supported by the local AWS.")
	case in.MaxRecords != nil && (*in.MaxRecords < 1 || *in.MaxRecords > 100):
		return badRequest("ValidationError", "The value %d for parameter MaxRecords must be between 1 and 100.", *in.MaxRecords)
	case in.StateValue != "" && !slices.Contains(in.StateValue.Values(), in.StateValue):
		return badRequest("ValidationError", "The value %s for parameter StateValue is not supported.", in.StateValue)
	}
	return checkAlarmTypes(in.AlarmTypes)
}

func checkAlarmTypes(given []types.AlarmType) *apiError {
	for _, kind := range given {
		if !slices.Contains(kind.Values(), kind) {
			return badRequest("ValidationError", "The value %s for parameter AlarmTypes is not supported.", kind)
		}
	}
	return nil
}

// isOfType reports whether the alarm has one of the types; without types, whether it is a metric alarm.
func (a *alarm) isOfType(given []types.AlarmType) bool {
	return slices.Contains(given, a.kind) || len(given) == 0 && a.kind == types.AlarmTypeMetricAlarm
}

// wantsAlarm reports whether the alarm matches the request.
func wantsAlarm(in *cloudwatch.DescribeAlarmsInput, a *alarm) bool {
	return a.isOfType(in.AlarmTypes) &&
		(len(in.AlarmNames) == 0 || slices.Contains(in.AlarmNames, a.name)) &&
		strings.HasPrefix(a.name, aws.ToString(in.AlarmNamePrefix)) &&
		(in.StateValue == "" || in.StateValue == a.state)
}

// tokenOf returns the NextToken of a page that begins with a name.
func tokenOf(name string) string { return base64.RawURLEncoding.EncodeToString([]byte(name)) }

// nameOf returns the name in a NextToken.
func nameOf(token string) (string, *apiError) {
	name, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return "", unknownToken(token)
	}
	return string(name), nil
}

func unknownToken(token string) *apiError {
	return badRequest("InvalidNextToken", "The next token %q is not one that this request was given.", token)
}

// tokenIndex returns the index, in sorted names, of the one at which a NextToken continues; 0 without a token.
func tokenIndex(token *string, names []string) (int, *apiError) {
	if token == nil {
		return 0, nil
	}
	name, err := nameOf(*token)
	if err != nil {
		return 0, err
	}
	i, ok := slices.BinarySearch(names, name)
	if !ok {
		return 0, unknownToken(*token)
	}
	return i, nil
}

// tokenAlarm returns the index of the alarm at which a NextToken continues; 0 without a token. c.mu is held.
func (c *cloudWatchService) tokenAlarm(token *string) (int, *apiError) {
	if token == nil {
		return 0, nil
	}
	name, err := nameOf(*token)
	if err != nil {
		return 0, err
	}
	i, ok := c.searchAlarm(name)
	if !ok {
		return 0, unknownToken(*token)
	}
	return i, nil
}

// describe adds the alarm to the answer's list of its type. c.mu is held.
func (c *cloudWatchService) describe(a *alarm, out *cloudwatch.DescribeAlarmsOutput) {
	switch a.kind {
	case types.AlarmTypeCompositeAlarm:
		out.CompositeAlarms = append(out.CompositeAlarms, c.compositeAlarm(a))
	case types.AlarmTypeLogAlarm:
		was := *a // the answer must not change later
		out.LogAlarms = append(out.LogAlarms, types.LogAlarm{
			AlarmName: &was.name, AlarmArn: aws.String(c.alarmARN(a.name)), ActionsEnabled: aws.Bool(!a.silent), AlarmConfigurationUpdatedTimestamp: &was.configured,
			StateValue: was.state, StateReason: &was.reason, StateReasonData: was.reasonData, EvaluationState: was.evaluation,
			StateUpdatedTimestamp: &was.updated, StateTransitionedTimestamp: &was.changed,
		})
	default:
		out.MetricAlarms = append(out.MetricAlarms, c.metricAlarm(a))
	}
}

// metricAlarm returns a metric alarm as the API does. c.mu is held.
func (c *cloudWatchService) metricAlarm(a *alarm) types.MetricAlarm {
	was := *a // the answer must not change later
	out := types.MetricAlarm{
		AlarmName: &was.name, AlarmArn: aws.String(c.alarmARN(a.name)), ActionsEnabled: aws.Bool(!a.silent), AlarmConfigurationUpdatedTimestamp: &was.configured,
		StateValue: was.state, StateReason: &was.reason, StateReasonData: was.reasonData, EvaluationState: was.evaluation,
		StateUpdatedTimestamp: &was.updated, StateTransitionedTimestamp: &was.changed,
	}
	if m := a.metric; m != nil {
		out.AlarmDescription, out.OKActions, out.AlarmActions, out.InsufficientDataActions = m.AlarmDescription, m.OKActions, m.AlarmActions, m.InsufficientDataActions
		out.MetricName, out.Namespace, out.Statistic, out.ExtendedStatistic, out.Dimensions = m.MetricName, m.Namespace, m.Statistic, m.ExtendedStatistic, m.Dimensions
		out.Period, out.Unit, out.EvaluationPeriods, out.DatapointsToAlarm, out.Threshold = m.Period, m.Unit, m.EvaluationPeriods, m.DatapointsToAlarm, m.Threshold
		out.ComparisonOperator, out.TreatMissingData, out.Metrics = m.ComparisonOperator, m.TreatMissingData, m.Metrics
		out.EvaluateLowSampleCountPercentile = m.EvaluateLowSampleCountPercentile
	}
	return out
}

// compositeAlarm returns a composite alarm as the API does. c.mu is held.
func (c *cloudWatchService) compositeAlarm(a *alarm) types.CompositeAlarm {
	was := *a // the answer must not change later
	out := types.CompositeAlarm{
		AlarmName: &was.name, AlarmArn: aws.String(c.alarmARN(a.name)), ActionsEnabled: aws.Bool(!a.silent), AlarmConfigurationUpdatedTimestamp: &was.configured,
		StateValue: was.state, StateReason: &was.reason, StateReasonData: was.reasonData,
		StateUpdatedTimestamp: &was.updated, StateTransitionedTimestamp: &was.changed,
	}
	if m := a.composite; m != nil {
		out.AlarmRule, out.AlarmDescription, out.OKActions, out.AlarmActions, out.InsufficientDataActions = m.AlarmRule, m.AlarmDescription, m.OKActions, m.AlarmActions, m.InsufficientDataActions
	}
	return out
}

// describeAlarmsForMetric returns the metric alarms on one metric, as far as they are evaluated.
func (c *cloudWatchService) describeAlarmsForMetric(in *cloudwatch.DescribeAlarmsForMetricInput) (smithy.Serializable, *apiError) {
	if aws.ToString(in.Namespace) == "" || aws.ToString(in.MetricName) == "" {
		return nil, badRequest("MissingParameter", "The parameters Namespace and MetricName are required.")
	}
	wanted := string(metricKey(nil, *in.Namespace, *in.MetricName, dimensionsOf(in.Dimensions)))
	out := &cloudwatch.DescribeAlarmsForMetricOutput{MetricAlarms: []types.MetricAlarm{}}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, a := range c.alarms {
		m := a.metric
		if m == nil || m.MetricName == nil || string(metricKey(nil, *m.Namespace, *m.MetricName, dimensionsOf(m.Dimensions))) != wanted ||
			in.Statistic != "" && in.Statistic != m.Statistic || in.ExtendedStatistic != nil && *in.ExtendedStatistic != aws.ToString(m.ExtendedStatistic) ||
			in.Period != nil && *in.Period != *m.Period || in.Unit != "" && in.Unit != m.Unit {
			continue
		}
		out.MetricAlarms = append(out.MetricAlarms, c.metricAlarm(a))
	}
	return out, nil
}

// setAlarmState sets an alarm's state. The next evaluation sets it again; the state of an alarm that is never evaluated stays.
func (c *cloudWatchService) setAlarmState(in *cloudwatch.SetAlarmStateInput) (smithy.Serializable, *apiError) {
	switch {
	case aws.ToString(in.AlarmName) == "":
		return nil, badRequest("MissingParameter", "The parameter AlarmName is required.")
	case in.StateReason == nil:
		return nil, badRequest("MissingParameter", "The parameter StateReason is required.")
	case len(*in.StateReason) > 1023:
		return nil, badRequest("ValidationError", "The parameter StateReason must not be longer than 1023.")
	case !slices.Contains(in.StateValue.Values(), in.StateValue):
		return nil, badRequest("ValidationError", "1 validation error detected: Value '%s' at 'stateValue' failed to satisfy constraint: Member must satisfy enum value set: [INSUFFICIENT_DATA, ALARM, OK]", in.StateValue)
	case in.StateReasonData != nil && !json.Valid([]byte(*in.StateReasonData)):
		return nil, badRequest("InvalidFormat", "The parameter StateReasonData must be JSON.")
	}
	if !c.setState(*in.AlarmName, in.StateValue, *in.StateReason, in.StateReasonData, c.metrics.now()) {
		return nil, &apiError{http.StatusNotFound, "ResourceNotFound", ""} // AWS gives no text
	}
	return nil, nil
}

// setState sets an alarm's state, and performs its actions if that is another one. It returns false if there is no such alarm.
func (c *cloudWatchService) setState(name string, state types.StateValue, reason string, data *string, at time.Time) bool {
	c.mu.Lock()
	i, ok := c.searchAlarm(name)
	if !ok {
		c.mu.Unlock()
		return false
	}
	due := c.transition(c.alarms[i], state, reason, data, at)
	c.mu.Unlock()
	c.perform(due)
	return true
}

// searchAlarm returns the index that the alarm has or would have, and whether it exists. c.mu is held.
func (c *cloudWatchService) searchAlarm(name string) (int, bool) {
	return slices.BinarySearchFunc(c.alarms, name, func(a *alarm, name string) int { return strings.Compare(a.name, name) })
}

// checkAlarmName returns an error for a name that no alarm can have.
func checkAlarmName(name string) error {
	if name == "" || len(name) > 255 {
		return fmt.Errorf("%q is not a valid name", name)
	}
	return nil
}
