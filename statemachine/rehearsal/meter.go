package rehearsal

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health/monitoring"
	"github.com/lambda-rollout/lambda-rollout/lambdas/telemetry"
	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// meter counts what a rehearsal uses while it runs. The first error is kept in err.
type meter struct {
	used Usage
	data map[metricHour]bool // already counted
	err  error
}

// watch attaches the meter to a rehearsal that has not started.
func (m *meter) watch(r *run) {
	m.data = map[metricHour]bool{}
	r.after = m.called
	r.ports.Log = telemetry.NewLogger(m, "LambdaRollout/LambdaRollout731340B9") // as long as the deployed one's
	r.ports.Metrics = monitoring.New(meteredCloudWatch{cloudwatch.NewFromConfig(r.server.Config()), m})
	for _, machine := range r.machines() {
		machine.functions = machine.workflow.handlers(r.ports, r.recent())
		next := machine.onEvent
		machine.onEvent = func(e *execution, event asl.Event) {
			m.happened(event)
			next(e, event)
		}
		paced := machine.workflow == &releaseWorkflow
		machine.wrap = func(call asl.Invoke) asl.Invoke {
			return func(ctx context.Context, resource string, input json.RawMessage) (json.RawMessage, error) {
				m.invoked(resource, input)
				begun := r.clock.Now()
				answer, err := call(ctx, resource, input)
				if paced {
					m.used[pauses] += r.clock.Now().Sub(begun).Milliseconds()
				}
				return answer, err
			}
		}
	}
}

// logOverhead counts the bytes that CloudWatch Logs adds for each event.
const logOverhead = 26

// platformLines are the log lines that Lambda itself writes for each invocation.
var platformLines = []string{
	"START RequestId: 00000000-0000-4000-8000-000000000000 Version: $LATEST\n",
	"END RequestId: 00000000-0000-4000-8000-000000000000\n",
	"REPORT RequestId: 00000000-0000-4000-8000-000000000000\tDuration: 123.45 ms\tBilled Duration: 124 ms\tMemory Size: 128 MB\tMax Memory Used: 64 MB\t\n" +
		"XRAY TraceId: 1-00000000-000000000000000000000000\tSegmentId: 0000000000000000\tSampled: true\t\n",
}

// Write counts a line of a function's log. It always succeeds.
func (m *meter) Write(line []byte) (int, error) {
	m.used[functionLog] += int64(len(line)-len(written(line))+len(time.RFC3339Nano)) + logOverhead
	if bytes.Contains(line, []byte(`"_aws"`)) {
		if err := m.charted(line); err != nil && m.err == nil {
			m.err = fmt.Errorf("a line in the embedded metric format: %w: %s", err, line)
		}
	}
	return len(line), nil
}

// written returns the line's timestamp, in real time; its length differs from
// rehearsal to rehearsal.
func written(line []byte) []byte {
	rest, ok := bytes.CutPrefix(line, []byte(`{"time":"`))
	if !ok {
		return nil
	}
	return rest[:max(0, bytes.IndexByte(rest, '"'))]
}

// metricHour is an hour in which a metric has data.
type metricHour struct {
	metric string // its namespace, its name, and its dimensions with their values
	hour   int64  // since 1970
}

// charted counts the metrics of a line in the embedded metric format, once per
// hour: CloudWatch bills the hours in which a metric gets data, and each set of
// dimension values is a metric.
func (m *meter) charted(line []byte) error {
	var root map[string]json.RawMessage
	if err := json.Unmarshal(line, &root); err != nil {
		return err
	}
	var about struct {
		Timestamp         int64 // ms
		CloudWatchMetrics []struct {
			Namespace  string
			Dimensions [][]string
			Metrics    []struct{ Name string }
		}
	}
	if err := json.Unmarshal(root["_aws"], &about); err != nil {
		return err
	}
	hour := about.Timestamp / time.Hour.Milliseconds()
	for _, directive := range about.CloudWatchMetrics {
		for _, set := range directive.Dimensions {
			for _, metric := range directive.Metrics {
				name := directive.Namespace + " " + metric.Name
				for _, dimension := range set {
					name += " " + dimension + "=" + string(root[dimension])
				}
				if at := (metricHour{name, hour}); !m.data[at] {
					m.data[at] = true
					m.used[metricHours]++
				}
			}
		}
	}
	return nil
}

// invoked counts an invocation of one of the workflow's functions.
func (m *meter) invoked(resource string, input json.RawMessage) {
	if resource == functionARN("HealthCheck") {
		m.used[healthChecks]++
	} else {
		m.used[otherTasks]++
	}
	for _, line := range platformLines {
		m.used[functionLog] += int64(len(line)) + logOverhead
	}
	var asked struct {
		Rollout json.RawMessage `json:"rollout"`
		Release json.RawMessage `json:"release"`
	}
	if json.Unmarshal(input, &asked) == nil && asked.Rollout == nil && asked.Release == nil {
		m.used[traces]++ // EventBridge calls: the trace is the function's own
	}
}

// called counts AWS calls that are billed.
func (m *meter) called(c localaws.Call) {
	switch c.Operation {
	case "DescribeAlarms":
		m.used[alarmReads]++
	case "Publish":
		m.used[publishes]++
	case "PutEvents":
		m.used[busEvents]++
	case "GetSecretValue":
		m.used[secretReads]++
	}
}

// happened counts an event of an execution's history, as Step Functions logs it.
func (m *meter) happened(e asl.Event) {
	if e.Type == asl.ExecutionStarted {
		m.used[traces]++ // the functions that it calls add to it
	}
	size, err := loggedSize(e)
	if err != nil && m.err == nil {
		m.err = err
	}
	m.used[executionLog] += size + logOverhead
}

// loggedSize returns the length of logLine's line in bytes. Input and output, which
// are nearly all of it, are measured without being written.
func loggedSize(e asl.Event) (int64, error) {
	size := 0
	for _, data := range []*json.RawMessage{&e.Input, &e.Output} {
		if *data != nil { // compact JSON, which becomes a text in JSON
			size += len(*data) + bytes.Count(*data, []byte{'"'}) + bytes.Count(*data, []byte{'\\'}) - 1
			*data = json.RawMessage("0")
		}
	}
	line, err := logLine(e)
	return int64(size + len(line)), err
}

// logLine returns an event as Step Functions writes it to CloudWatch Logs at level
// ALL with execution data, after the examples in its developer guide ("Using
// CloudWatch Logs to log execution history"): numbers are strings, and input and
// output are accompanied by a note that they were not truncated.
func logLine(e asl.Event) ([]byte, error) {
	text, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		return nil, err
	}
	details := map[string]json.RawMessage{}
	for name, value := range fields {
		if !strings.HasSuffix(name, "EventDetails") {
			continue
		}
		if err := json.Unmarshal(value, &details); err != nil {
			return nil, err
		}
		for _, data := range []string{"input", "output"} {
			if details[data] != nil {
				details[data+"Details"] = json.RawMessage(`{"truncated":false}`)
			}
		}
	}
	return json.Marshal(map[string]any{
		"id":                strconv.FormatInt(e.ID, 10),
		"type":              e.Type,
		"details":           details,
		"redrive_count":     "0",
		"previous_event_id": strconv.FormatInt(e.PreviousID, 10),
		"event_timestamp":   strconv.FormatInt(e.Timestamp.UnixMilli(), 10),
		"execution_arn":     strings.Replace(machineARN, ":stateMachine:", ":execution:", 1) + ":00000000-0000-4000-8000-000000000000",
	})
}

// meteredCloudWatch counts the metrics that are billed: calls are not.
type meteredCloudWatch struct {
	*cloudwatch.Client
	meter *meter
}

// GetMetricData counts the metrics of the queries and passes them on.
func (c meteredCloudWatch) GetMetricData(ctx context.Context, in *cloudwatch.GetMetricDataInput, options ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricDataOutput, error) {
	c.meter.used[metricReads] += billedMetrics(in.MetricDataQueries)
	return c.Client.GetMetricData(ctx, in, options...)
}

// statisticsOfOne is how many statistics of a metric, requested in one call, are billed as
// one metric.
const statisticsOfOne = 5

// billedMetrics returns how many metrics are billed for the queries of a call. An expression
// requests none of its own.
func billedMetrics(queries []types.MetricDataQuery) int64 {
	statistics := map[string]int64{}
	for _, query := range queries {
		if query.MetricStat == nil || query.MetricStat.Metric == nil {
			continue
		}
		of := query.MetricStat.Metric
		key := []string{aws.ToString(of.Namespace), aws.ToString(of.MetricName)}
		for _, d := range of.Dimensions {
			key = append(key, aws.ToString(d.Name), aws.ToString(d.Value))
		}
		statistics[fmt.Sprintf("%q", key)]++
	}
	billed := int64(0)
	for _, n := range statistics {
		billed += (n + statisticsOfOne - 1) / statisticsOfOne
	}
	return billed
}
