package localaws

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// EvaluateAlarms evaluates, at the present time, the alarms that are due: metric alarms once in each minute, or in each period
// of one below a minute, and then composite alarms. An alarm whose state changes performs its actions, before EvaluateAlarms
// returns. Alarms without a configuration, as [Server.AddAlarm] adds them, are never evaluated.
//
// Whoever drives the clock calls it once a minute. After a longer pause, it does not evaluate what the alarms would have seen in
// between. It is safe for concurrent use.
func (s *Server) EvaluateAlarms() {
	c := s.cloudwatch
	now := c.metrics.now()
	c.mu.Lock()
	var due []alarmAction
	for _, a := range c.alarms {
		if a.metric != nil {
			due = append(due, c.evaluate(a, now)...)
		}
	}
	due = append(due, c.evaluateComposites(now)...)
	c.mu.Unlock()
	c.perform(due)
}

// evaluate evaluates a metric alarm if it is due, and returns the actions to perform. c.mu is held.
func (c *cloudWatchService) evaluate(a *alarm, now time.Time) []alarmAction {
	queries := alarmQueries(a.metric)
	period := alarmPeriod(queries)
	interval := min(period, 60)
	due := now.Unix() / interval
	if a.evaluated == due {
		return nil
	}
	a.evaluated = due
	e := c.lookBack(a.metric, queries, period, now.Unix()-now.Unix()%interval, now)
	if state := e.state(); state != "" && state != a.state {
		return c.transition(a, state, e.reason(state), aws.String(e.data(now)), now)
	}
	return nil
}

// extraPeriods is how many periods an alarm looks back beyond those that it evaluates. CloudWatch does not document the number;
// its examples have two.
const extraPeriods = 2

// evaluation is what one evaluation of an alarm looks at.
type evaluation struct {
	config *cloudwatch.PutMetricAlarmInput
	period int64
	used   []agedPoint // the evaluated ones, the newest first
	filled int         // how many are missing among the evaluated periods
}

// agedPoint is a datapoint with its age: 1 for the most recent period.
type agedPoint struct {
	figure
	age int
}

// lookBack reads an alarm's datapoints in the periods that end at an instant, and selects those to evaluate: of all datapoints
// that exist in the evaluation range, the most recent ones, as many as the alarm has periods.
func (c *cloudWatchService) lookBack(m *cloudwatch.PutMetricAlarmInput, queries []types.MetricDataQuery, period, end int64, now time.Time) evaluation {
	periods := int(*m.EvaluationPeriods)
	start := end - int64(periods+extraPeriods)*period
	math := c.mathOf(queries, start, end, now, new([]figure))
	e := evaluation{config: m, period: period}
	for i := range queries {
		if queries[i].ReturnData != nil && !*queries[i].ReturnData {
			continue
		}
		value, err := math.of(&queries[i])
		if err != nil {
			break // it has been checked when the alarm was put
		}
		for j := len(value.points) - 1; j >= 0 && len(e.used) < periods; j-- {
			if p := value.points[j]; p.at < end {
				e.used = append(e.used, agedPoint{p, int((end - p.at + period - 1) / period)})
			}
		}
	}
	e.filled = periods - len(e.used)
	return e
}

// needed returns how many datapoints must breach.
func (e evaluation) needed() int {
	if e.config.DatapointsToAlarm != nil {
		return int(*e.config.DatapointsToAlarm)
	}
	return int(*e.config.EvaluationPeriods)
}

// state returns the state by CloudWatch's documented rules; empty if the alarm keeps its state.
//
// Missing datapoints count only if fewer datapoints exist than periods are evaluated. An alarm that treats them as missing goes
// to ALARM although fewer datapoints than needed breach, if all that exist do and the oldest is at least as old as those needed:
// it would not be right to wait for data that does not come.
func (e evaluation) state() types.StateValue {
	breaching := e.breaching()
	treat := *e.config.TreatMissingData
	switch {
	case breaching >= e.needed(),
		treat == "breaching" && breaching+e.filled >= e.needed():
		return types.StateValueAlarm
	case treat == "breaching" || treat == "notBreaching" || breaching < len(e.used):
		return types.StateValueOk
	case treat == "ignore":
		return ""
	case len(e.used) == 0:
		return types.StateValueInsufficientData
	case e.used[len(e.used)-1].age >= e.needed():
		return types.StateValueAlarm
	}
	return "" // too early to say
}

// breaching returns how many of the evaluated datapoints breach.
func (e evaluation) breaching() int {
	n := 0
	for _, p := range e.used {
		if e.crosses(p) {
			n++
		}
	}
	return n
}

func (e evaluation) crosses(p agedPoint) bool {
	return comparisons[e.config.ComparisonOperator].crosses(p.value, *e.config.Threshold)
}

// comparison is an operator of alarms on metrics with a fixed threshold, and its words in a reason.
type comparison struct {
	words   string
	crosses func(value, threshold float64) bool
}

var comparisons = map[types.ComparisonOperator]comparison{
	types.ComparisonOperatorGreaterThanOrEqualToThreshold: {"greater than or equal to", func(v, t float64) bool { return v >= t }},
	types.ComparisonOperatorGreaterThanThreshold:          {"greater than", func(v, t float64) bool { return v > t }},
	types.ComparisonOperatorLessThanThreshold:             {"less than", func(v, t float64) bool { return v < t }},
	types.ComparisonOperatorLessThanOrEqualToThreshold:    {"less than or equal to", func(v, t float64) bool { return v <= t }},
}
