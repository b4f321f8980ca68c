package rehearsal

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// machineLog is where a state machine's events are logged.
type machineLog struct {
	group    string // "" if they are not
	level    string // ALL, ERROR or FATAL
	withData bool
}

// addLogs adds the template's log groups and metric filters, and the state machines' logs.
func (s *ServedAWS) addLogs() error {
	source := s.options.Template.source
	var problems []error
	for _, id := range source.OfType("AWS::Logs::LogGroup") {
		name, err := source.Name(id)
		problems = append(problems, err)
		if err == nil {
			problems = append(problems, s.server.AddLogGroup(name))
		}
	}
	for _, id := range source.OfType("AWS::Logs::MetricFilter") {
		problems = append(problems, s.addMetricFilter(id))
	}
	for _, id := range source.OfType("AWS::StepFunctions::StateMachine") {
		name, err := source.ARN(id)
		m := s.machines().of(name)
		if problems = append(problems, err); m == nil {
			continue // it is not of the stack
		}
		problems = append(problems, s.addLog(m, id))
	}
	return errors.Join(problems...)
}

// addLog has a state machine write its log as the resource with a logical id does.
func (s *ServedAWS) addLog(m *machine, id string) error {
	var config struct {
		Level                string
		IncludeExecutionData bool
		Destinations         []struct {
			CloudWatchLogsLogGroup struct{ LogGroupArn string }
		}
	}
	err := s.properties(id, "LoggingConfiguration", &config)
	for _, to := range config.Destinations {
		_, group, _ := strings.Cut(to.CloudWatchLogsLogGroup.LogGroupArn, ":log-group:")
		s.logs[m] = machineLog{strings.TrimSuffix(group, ":*"), config.Level, config.IncludeExecutionData}
		m.logging = localaws.MachineLogging{Level: types.LogLevel(config.Level), Group: to.CloudWatchLogsLogGroup.LogGroupArn, WithData: config.IncludeExecutionData}
	}
	return err
}

// properties reads a property of a resource, or all of them, with references resolved.
func (s *ServedAWS) properties(id, name string, to any) error {
	var path []string
	if name != "" {
		path = []string{name}
	}
	value, err := s.options.Template.source.Property(id, path...)
	if err != nil {
		return err
	}
	text, err := json.Marshal(value)
	if err == nil {
		err = json.Unmarshal(text, to)
	}
	if err != nil {
		return fmt.Errorf("%s of %s: %w", name, id, err)
	}
	return nil
}

// addMetricFilter adds the template's metric filter with a logical id.
func (s *ServedAWS) addMetricFilter(id string) error {
	var p struct {
		LogGroupName, FilterPattern string
		MetricTransformations       []struct{ MetricName, MetricNamespace, MetricValue string }
	}
	if err := s.properties(id, "", &p); err != nil {
		return err
	}
	for _, m := range p.MetricTransformations {
		value, err := strconv.ParseFloat(m.MetricValue, 64)
		if err != nil {
			return fmt.Errorf("metric filter %s: the value %q is not a number, and a served AWS supports only those", id, m.MetricValue)
		}
		if err := s.server.AddMetricFilter(p.LogGroupName, localaws.MetricFilter{Pattern: p.FilterPattern, Namespace: m.MetricNamespace, Metric: m.MetricName, Value: value}); err != nil {
			return fmt.Errorf("metric filter %s: %w", id, err)
		}
	}
	return nil
}

// writeLog writes an event of an execution of a state machine as Step Functions logs it, if
// its level is logged.
func (s *ServedAWS) writeLog(m *machine, execution string, event asl.Event) {
	l := s.logs[m]
	if l.group == "" || !l.logs(event.Type) {
		return
	}
	var wire map[string]json.RawMessage
	if err := json.Unmarshal(event.Wire(l.withData), &wire); err != nil {
		panic(err) // it is a JSON object
	}
	line := map[string]any{
		"id": string(wire["id"]), "type": event.Type, "previous_event_id": string(wire["previousEventId"]),
		"event_timestamp": strconv.FormatInt(event.Timestamp.UnixMilli(), 10), "execution_arn": execution, "redrive_count": "0",
	}
	for name, details := range wire {
		if strings.HasSuffix(name, "EventDetails") {
			line["details"] = details
		}
	}
	text, err := json.Marshal(line)
	if err != nil {
		panic(err) // likewise
	}
	stream := "states/" + arn.Name(m.arn) + "/" + event.Timestamp.Format("2006-01-02-15-04") + "/00000000"
	if err := s.server.AppendLog(l.group, stream, event.Timestamp, string(text)); err != nil {
		panic(err) // the group has been added
	}
}

// logs reports whether an event's level is logged.
func (l machineLog) logs(t asl.EventType) bool {
	fatal := t == asl.ExecutionFailed || t == asl.ExecutionAborted || t == asl.ExecutionTimedOut
	failed := fatal || strings.HasSuffix(string(t), "Failed") || strings.HasSuffix(string(t), "TimedOut")
	return l.level == "ALL" || l.level == "ERROR" && failed || l.level == "FATAL" && fatal
}
