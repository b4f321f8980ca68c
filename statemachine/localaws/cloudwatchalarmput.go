package localaws

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"
)

// AddMetricAlarm adds a metric alarm that [Server.EvaluateAlarms] evaluates, or replaces the configuration of one, without a
// call. It returns an error for a configuration that PutMetricAlarm refuses.
func (s *Server) AddMetricAlarm(config cloudwatch.PutMetricAlarmInput) error {
	return asError("add metric alarm", aws.ToString(config.AlarmName), s.cloudwatch.addMetricAlarm(&config))
}

// AddAlarmProperties is AddMetricAlarm for the properties of a resource AWS::CloudWatch::Alarm in a CloudFormation template, as
// JSON and with all references resolved. The name is used if they have no AlarmName. It returns an error for an unknown
// property.
func (s *Server) AddAlarmProperties(name string, properties json.RawMessage) error {
	config := cloudwatch.PutMetricAlarmInput{AlarmName: &name}
	d := json.NewDecoder(bytes.NewReader(properties))
	d.DisallowUnknownFields()
	if err := d.Decode(&config); err != nil {
		return fmt.Errorf("add alarm %q: its properties: %w", name, err)
	}
	return s.AddMetricAlarm(config)
}

// AddCompositeAlarm is AddMetricAlarm for a composite alarm.
func (s *Server) AddCompositeAlarm(config cloudwatch.PutCompositeAlarmInput) error {
	_, err := s.cloudwatch.putCompositeAlarm(&config)
	return asError("add composite alarm", aws.ToString(config.AlarmName), err)
}

func asError(what, name string, err *apiError) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %q: %s", what, name, err.message)
}

// putMetricAlarm creates an alarm in the state INSUFFICIENT_DATA, or replaces the configuration of one, whose state stays until
// the next evaluation.
func (c *cloudWatchService) putMetricAlarm(in *cloudwatch.PutMetricAlarmInput) (smithy.Serializable, *apiError) {
	return nil, c.addMetricAlarm(in)
}

func (c *cloudWatchService) addMetricAlarm(in *cloudwatch.PutMetricAlarmInput) *apiError {
	if err := checkMetricAlarm(in); err != nil {
		return err
	}
	config := *in
	if config.TreatMissingData == nil {
		config.TreatMissingData = aws.String("missing")
	}
	return c.putAlarm(*in.AlarmName, types.AlarmTypeMetricAlarm, func(a *alarm) {
		a.metric, a.silent = &config, config.ActionsEnabled != nil && !*config.ActionsEnabled
	})
}

// putAlarm creates the alarm, or takes the one of that name and type, and configures it.
func (c *cloudWatchService) putAlarm(name string, kind types.AlarmType, configure func(*alarm)) *apiError {
	now := c.metrics.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	i, exists := c.searchAlarm(name)
	if exists && c.alarms[i].kind != kind {
		return badRequest("ValidationError", "An alarm of another type has the name %s.", name)
	}
	if !exists {
		a := &alarm{name: name, kind: kind}
		a.set(types.StateValueInsufficientData, "Unchecked: Initial alarm creation", nil, now)
		c.alarms = slices.Insert(c.alarms, i, a)
	}
	a := c.alarms[i]
	a.configured, a.evaluated = now, 0
	configure(a)
	summary := fmt.Sprintf("Alarm %q created", name)
	if exists {
		summary = fmt.Sprintf("Alarm %q updated", name)
	}
	c.history.add(historyItem{at: now, alarm: name, alarmType: kind, kind: types.HistoryItemTypeConfigurationUpdate, summary: summary, data: configurationData(exists)})
	return nil
}

// configurationData returns the HistoryData of a configuration, as far as the local AWS has it.
func configurationData(update bool) string {
	if update {
		return `{"type":"Update","version":"1.0"}`
	}
	return `{"type":"Create","version":"1.0"}`
}

// checkMetricAlarm returns an error for a configuration that CloudWatch refuses or that is not supported.
func checkMetricAlarm(in *cloudwatch.PutMetricAlarmInput) *apiError {
	periods, datapoints := aws.ToInt32(in.EvaluationPeriods), aws.ToInt32(in.DatapointsToAlarm)
	switch {
	case aws.ToString(in.AlarmName) == "":
		return badRequest("MissingParameter", "The parameter AlarmName is required.")
	case checkAlarmName(*in.AlarmName) != nil:
		return badRequest("ValidationError", "The parameter AlarmName must not be longer than 255.")
	case len(aws.ToString(in.AlarmDescription)) > 1024:
		return badRequest("ValidationError", "The parameter AlarmDescription must not be longer than 1024.")
	case in.ThresholdMetricId != nil || in.EvaluationCriteria != nil || in.EvaluationWindow != nil || in.EvaluationInterval != nil || in.WarmUpConfiguration != nil || in.ActionConfiguration != nil:
		return badRequest("ValidationError", "The local AWS does not support ThresholdMetricId, EvaluationCriteria, EvaluationInterval, EvaluationWindow, WarmUpConfiguration and ActionConfiguration.")
	case in.ComparisonOperator == "":
		return badRequest("MissingParameter", "The parameter ComparisonOperator is required.")
	case comparisons[in.ComparisonOperator].crosses == nil:
		return badRequest("ValidationError", "The value %s for parameter ComparisonOperator is not supported by the local AWS.", in.ComparisonOperator)
	case in.Threshold == nil:
		return badRequest("MissingParameter", "The parameter Threshold is required.")
	case math.IsNaN(*in.Threshold) || math.IsInf(*in.Threshold, 0):
		return badRequest("ValidationError", "The parameter Threshold must be a finite number.")
	case in.EvaluationPeriods == nil:
		return badRequest("MissingParameter", "The parameter EvaluationPeriods is required.")
	case periods < 1:
		return badRequest("ValidationError", "The value %d for parameter EvaluationPeriods must be at least 1.", periods)
	case in.DatapointsToAlarm != nil && (datapoints < 1 || datapoints > periods):
		return badRequest("ValidationError", "The value %d for parameter DatapointsToAlarm must be between 1 and EvaluationPeriods.", datapoints)
	case in.TreatMissingData != nil && !slices.Contains([]string{"breaching", "notBreaching", "ignore", "missing"}, *in.TreatMissingData):
		return badRequest("ValidationError", "The value %s for parameter TreatMissingData is not supported.", *in.TreatMissingData)
	case in.EvaluateLowSampleCountPercentile != nil && *in.EvaluateLowSampleCountPercentile != "evaluate":
		return badRequest("ValidationError", "The value %s for parameter EvaluateLowSampleCountPercentile is not supported by the local AWS.", *in.EvaluateLowSampleCountPercentile)
	}
	if err := checkActions(in.OKActions, in.AlarmActions, in.InsufficientDataActions); err != nil {
		return err
	}
	queries, err := checkAlarmMetric(in)
	if err != nil {
		return err
	}
	const day = 24 * 60 * 60
	period := alarmPeriod(queries)
	if total := int64(periods) * period; total > 7*day || total > day && period < 3600 {
		return badRequest("ValidationError", "Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400), or more than a week with a Period of at least an hour.")
	}
	return nil
}

// checkActions returns an error for what can't be the actions of a state.
func checkActions(lists ...[]string) *apiError {
	for _, actions := range lists {
		if len(actions) > 5 {
			return badRequest("ValidationError", "An alarm must not have more than 5 actions for a state.")
		}
		for _, arn := range actions {
			if !strings.HasPrefix(arn, "arn:") || len(strings.Split(arn, ":")) < 6 {
				return badRequest("ValidationError", "Invalid arn syntax: %s", arn)
			}
		}
	}
	return nil
}

// checkAlarmMetric checks what the alarm watches, and returns it as queries.
func checkAlarmMetric(in *cloudwatch.PutMetricAlarmInput) ([]types.MetricDataQuery, *apiError) {
	single := in.MetricName != nil || in.Namespace != nil || in.Statistic != "" || in.ExtendedStatistic != nil || in.Period != nil || len(in.Dimensions) > 0 || in.Unit != ""
	switch {
	case len(in.Metrics) > 0 && single:
		return nil, badRequest("InvalidParameterCombination", "The parameter Metrics excludes MetricName, Namespace, Dimensions, Period, Unit, Statistic and ExtendedStatistic.")
	case len(in.Metrics) == 0 && (in.MetricName == nil || in.Namespace == nil || in.Period == nil):
		return nil, badRequest("MissingParameter", "The parameters MetricName, Namespace and Period, or Metrics, are required.")
	case len(in.Metrics) == 0 && (in.Statistic == "") == (in.ExtendedStatistic == nil):
		return nil, badRequest("InvalidParameterCombination", "Exactly one of the parameters Statistic and ExtendedStatistic must be given.")
	case len(in.Metrics) > 20:
		return nil, badRequest("ValidationError", "The collection Metrics must not have a size greater than 20.")
	}
	queries := alarmQueries(in)
	returned := 0
	for i := range queries {
		if err := checkQuery(place(i+1), &queries[i]); err != nil {
			return nil, err
		}
		if queries[i].ReturnData == nil || *queries[i].ReturnData {
			returned++
		}
	}
	if returned != 1 {
		return nil, badRequest("ValidationError", "Exactly one element of the metrics list should return data.")
	}
	if err := checkIDs(queries); err != nil {
		return nil, err
	}
	return queries, checkMath(&getMetricDataInput{GetMetricDataInput: cloudwatch.GetMetricDataInput{MetricDataQueries: queries}})
}

// alarmQueries returns what the alarm watches as queries, of which exactly one returns data.
func alarmQueries(m *cloudwatch.PutMetricAlarmInput) []types.MetricDataQuery {
	if len(m.Metrics) > 0 {
		return m.Metrics
	}
	stat := string(m.Statistic)
	if m.ExtendedStatistic != nil {
		stat = *m.ExtendedStatistic
	}
	return []types.MetricDataQuery{{Id: aws.String("m"), MetricStat: &types.MetricStat{
		Metric: &types.Metric{Namespace: m.Namespace, MetricName: m.MetricName, Dimensions: m.Dimensions}, Period: m.Period, Stat: &stat, Unit: m.Unit,
	}}}
}

// alarmPeriod returns the period of an alarm's datapoints, in seconds: the longest of its metrics.
func alarmPeriod(queries []types.MetricDataQuery) int64 {
	period := int32(0)
	for _, q := range queries {
		if q.MetricStat != nil {
			period = max(period, *q.MetricStat.Period)
		} else if q.Period != nil {
			period = max(period, *q.Period)
		}
	}
	return int64(max(period, 1))
}

// deleteAlarms deletes all of the alarms, or none if one does not exist.
func (c *cloudWatchService) deleteAlarms(in *cloudwatch.DeleteAlarmsInput) (smithy.Serializable, *apiError) {
	if len(in.AlarmNames) > 100 {
		return nil, badRequest("ValidationError", "The collection AlarmNames must not have a size greater than 100.")
	}
	now := c.metrics.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, name := range in.AlarmNames {
		if _, ok := c.searchAlarm(name); !ok {
			return nil, &apiError{http.StatusNotFound, "ResourceNotFound", fmt.Sprintf("No alarm found with name(s) [%s]", name)}
		}
	}
	for _, name := range in.AlarmNames {
		if i, ok := c.searchAlarm(name); ok {
			c.history.add(historyItem{at: now, alarm: name, alarmType: c.alarms[i].kind, kind: types.HistoryItemTypeConfigurationUpdate,
				summary: fmt.Sprintf("Alarm %q deleted", name), data: `{"type":"Delete","version":"1.0"}`})
			c.alarms = slices.Delete(c.alarms, i, i+1)
		}
	}
	return nil, nil
}

func (c *cloudWatchService) enableAlarmActions(in *cloudwatch.EnableAlarmActionsInput) (smithy.Serializable, *apiError) {
	return nil, c.silence(in.AlarmNames, false)
}

func (c *cloudWatchService) disableAlarmActions(in *cloudwatch.DisableAlarmActionsInput) (smithy.Serializable, *apiError) {
	return nil, c.silence(in.AlarmNames, true)
}

// silence disables the actions of alarms, or enables them. It ignores alarms that do not exist.
func (c *cloudWatchService) silence(names []string, silent bool) *apiError {
	if len(names) > 100 {
		return badRequest("ValidationError", "The collection AlarmNames must not have a size greater than 100.")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, name := range names {
		if i, ok := c.searchAlarm(name); ok {
			c.alarms[i].silent = silent
		}
	}
	return nil
}
