package localaws

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// alarmAction is an action of an alarm that is due because its state changed.
type alarmAction struct {
	alarm     string
	alarmType types.AlarmType
	arn       string
	subject   string
	message   string
	at        time.Time
}

// transition sets an alarm's state, records it if it is another one, and returns the actions that are then due. c.mu is held.
func (c *cloudWatchService) transition(a *alarm, state types.StateValue, reason string, data *string, at time.Time) []alarmAction {
	was := *a
	a.set(state, reason, data, at)
	if was.state == state {
		return nil
	}
	c.history.add(historyItem{at: at, alarm: a.name, alarmType: a.kind, kind: types.HistoryItemTypeStateUpdate,
		summary: fmt.Sprintf("Alarm updated from %s to %s", was.state, state), from: &was, to: aws.String(reason), toState: state, toData: data})
	if a.silent {
		return nil
	}
	actions := a.actions(state)
	if len(actions) == 0 {
		return nil
	}
	subject := shortened(fmt.Sprintf("%s: %q in %s", state, a.name, regionName(c.region)))
	message := c.message(a, was.state)
	due := make([]alarmAction, len(actions))
	for i, arn := range actions {
		due[i] = alarmAction{a.name, a.kind, arn, subject, message, at}
	}
	return due
}

// shortened returns a subject as SNS accepts it.
func shortened(subject string) string {
	subject = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, subject)
	return subject[:min(len(subject), 100)]
}

// regionName returns the name of a region as alarms write it; its code if that is not known.
func regionName(code string) string {
	names := map[string]string{
		"us-east-1": "US East (N. Virginia)", "us-east-2": "US East (Ohio)", "us-west-1": "US West (N. California)", "us-west-2": "US West (Oregon)",
		"eu-central-1": "EU (Frankfurt)", "eu-west-1": "EU (Ireland)", "eu-west-2": "EU (London)", "ap-southeast-2": "Asia Pacific (Sydney)", "ap-northeast-1": "Asia Pacific (Tokyo)",
	}
	if name, ok := names[code]; ok {
		return name
	}
	return code
}

// actions returns the ARNs of the alarm's actions in a state.
func (a *alarm) actions(state types.StateValue) []string {
	var ok, alarm, insufficient []string
	switch {
	case a.metric != nil:
		ok, alarm, insufficient = a.metric.OKActions, a.metric.AlarmActions, a.metric.InsufficientDataActions
	case a.composite != nil:
		ok, alarm, insufficient = a.composite.OKActions, a.composite.AlarmActions, a.composite.InsufficientDataActions
	}
	switch state {
	case types.StateValueOk:
		return ok
	case types.StateValueAlarm:
		return alarm
	}
	return insufficient
}

// perform performs actions: it publishes to topics, and records that other actions are not supported.
func (c *cloudWatchService) perform(due []alarmAction) {
	for _, action := range due {
		summary, state := "Successfully executed action "+action.arn, "Succeeded"
		switch {
		case !strings.HasPrefix(action.arn, "arn:aws:sns:"):
			summary, state = "Failed to execute action "+action.arn+". Received error: \"The local AWS supports topics only\"", "Failed"
		case !c.publish(action.arn, action.subject, action.message):
			summary, state = "Failed to execute action "+action.arn+". Received error: \"Topic does not exist\"", "Failed"
		}
		data, err := json.Marshal(map[string]any{"actionState": state, "notificationResource": action.arn, "publishedMessage": action.message, "stateUpdateTimestamp": action.at.UnixMilli()})
		if err != nil {
			panic(err) // texts and a number
		}
		c.mu.Lock()
		c.history.add(historyItem{at: action.at, alarm: action.alarm, alarmType: action.alarmType, kind: types.HistoryItemTypeAction, summary: summary, data: string(data)})
		c.mu.Unlock()
	}
}

// alarmMessage is what an alarm publishes when its state changes.
type alarmMessage struct {
	AlarmName                          string
	AlarmDescription                   *string
	AWSAccountID                       string `json:"AWSAccountId"`
	AlarmConfigurationUpdatedTimestamp string
	NewStateValue                      types.StateValue
	NewStateReason                     string
	StateChangeTime                    string
	Region                             string
	AlarmArn                           string
	OldStateValue                      types.StateValue
	OKActions                          []string
	AlarmActions                       []string
	InsufficientDataActions            []string
	AlarmRule                          *string       `json:",omitempty"`
	Trigger                            *alarmTrigger `json:",omitempty"`
}

// alarmTrigger is what a metric alarm watches: one metric, or several with expressions.
type alarmTrigger struct {
	MetricName                       *string `json:",omitempty"`
	Namespace                        *string `json:",omitempty"`
	StatisticType                    string  `json:",omitempty"`
	Statistic                        string  `json:",omitempty"`
	ExtendedStatistic                *string `json:",omitempty"`
	Unit                             *types.StandardUnit
	Dimensions                       []triggerDimension `json:",omitempty"`
	Period                           int64
	EvaluationPeriods                int32
	DatapointsToAlarm                int32 `json:",omitempty"`
	ComparisonOperator               types.ComparisonOperator
	Threshold                        double
	TreatMissingData                 string
	EvaluateLowSampleCountPercentile string
	Metrics                          []triggerQuery `json:",omitempty"`
}

// triggerDimension is a dimension in an alarm's message, with small letters.
type triggerDimension struct {
	Value string `json:"value"`
	Name  string `json:"name"`
}

// triggerQuery is one of several queries that an alarm watches.
type triggerQuery struct {
	ID         string       `json:"Id"`
	Label      *string      `json:",omitempty"`
	Expression *string      `json:",omitempty"`
	MetricStat *triggerStat `json:",omitempty"`
	ReturnData bool
}

type triggerStat struct {
	Metric struct {
		Dimensions            []triggerDimension
		MetricName, Namespace *string
	}
	Period int32
	Stat   string
	Unit   types.StandardUnit `json:",omitempty"`
}

// message returns what the alarm publishes after its state was another one, as JSON. c.mu is held.
func (c *cloudWatchService) message(a *alarm, from types.StateValue) string {
	m := alarmMessage{
		AlarmName: a.name, AWSAccountID: c.account, AlarmConfigurationUpdatedTimestamp: a.configured.UTC().Format(alarmTime),
		NewStateValue: a.state, NewStateReason: a.reason, StateChangeTime: a.changed.UTC().Format(alarmTime), Region: regionName(c.region),
		AlarmArn: c.alarmARN(a.name), OldStateValue: from,
		OKActions: notNil(a.actions(types.StateValueOk)), AlarmActions: notNil(a.actions(types.StateValueAlarm)), InsufficientDataActions: notNil(a.actions(types.StateValueInsufficientData)),
	}
	if a.metric != nil {
		m.AlarmDescription, m.Trigger = a.metric.AlarmDescription, triggerOf(a.metric)
	} else {
		m.AlarmDescription, m.AlarmRule = a.composite.AlarmDescription, a.composite.AlarmRule
	}
	body, err := json.Marshal(m)
	if err != nil {
		panic(err) // numbers are finite, and the rest are texts
	}
	return string(body)
}

func notNil(all []string) []string { return append([]string{}, all...) }

func triggerOf(m *cloudwatch.PutMetricAlarmInput) *alarmTrigger {
	t := &alarmTrigger{
		MetricName: m.MetricName, Namespace: m.Namespace, Period: alarmPeriod(alarmQueries(m)), EvaluationPeriods: *m.EvaluationPeriods,
		DatapointsToAlarm: aws.ToInt32(m.DatapointsToAlarm), ComparisonOperator: m.ComparisonOperator, Threshold: double(*m.Threshold),
		TreatMissingData: *m.TreatMissingData, EvaluateLowSampleCountPercentile: aws.ToString(m.EvaluateLowSampleCountPercentile), Dimensions: triggerDimensions(m.Dimensions),
	}
	if m.Unit != "" {
		t.Unit = &m.Unit
	}
	switch {
	case m.ExtendedStatistic != nil:
		t.StatisticType, t.ExtendedStatistic = "ExtendedStatistic", m.ExtendedStatistic
	case m.Statistic != "":
		t.StatisticType, t.Statistic = "Statistic", messageStatistic(m.Statistic)
	}
	for _, q := range m.Metrics {
		of := triggerQuery{ID: aws.ToString(q.Id), Label: q.Label, Expression: q.Expression, ReturnData: q.ReturnData == nil || *q.ReturnData}
		if s := q.MetricStat; s != nil {
			of.MetricStat = &triggerStat{Period: *s.Period, Stat: *s.Stat, Unit: s.Unit}
			of.MetricStat.Metric.MetricName, of.MetricStat.Metric.Namespace = s.Metric.MetricName, s.Metric.Namespace
			of.MetricStat.Metric.Dimensions = triggerDimensions(s.Metric.Dimensions)
		}
		t.Metrics = append(t.Metrics, of)
	}
	return t
}

// messageStatistic returns a statistic as alarms' messages write it.
func messageStatistic(s types.Statistic) string {
	if s == types.StatisticSampleCount {
		return "SAMPLE_COUNT"
	}
	return strings.ToUpper(string(s))
}

func triggerDimensions(given []types.Dimension) []triggerDimension {
	out := []triggerDimension{}
	for _, d := range given {
		out = append(out, triggerDimension{aws.ToString(d.Value), aws.ToString(d.Name)})
	}
	return slices.Clip(out)
}
