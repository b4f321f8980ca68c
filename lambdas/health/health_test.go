package health_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

func TestTheErrorsGate(t *testing.T) {
	quiet := rollout.Counts{Minutes: 2, Invocations: 10812, Errors: 12}
	for _, test := range []struct {
		seen health.Requests
		want rollout.Reading
	}{
		{health.Requests{Baseline: quiet, NewVersion: rollout.Counts{Minutes: 2, Invocations: 1204, Errors: 31}},
			rollout.Reading{Verdict: rollout.Fail, Reason: "version 8: 31 errors in 1,204 invocations (2.6 %), version 7: 12 errors in 10,812 invocations (0.11 %)"}},
		{health.Requests{Baseline: quiet, NewVersion: rollout.Counts{Minutes: 1, Invocations: 1}},
			rollout.Reading{Verdict: rollout.Pass, Reason: "version 8: no errors in 1 invocation, version 7: 12 errors in 10,812 invocations (0.11 %)"}},
		{health.Requests{Baseline: quiet},
			rollout.Reading{Verdict: rollout.Inconclusive, Reason: "version 8: no data, version 7: 12 errors in 10,812 invocations (0.11 %)"}},
		{health.Requests{Baseline: quiet, NewVersion: rollout.Counts{Minutes: 1, Errors: 1}}, // the invocations are late
			rollout.Reading{Verdict: rollout.Fail, Reason: "version 8: 1 error in no invocations, version 7: 12 errors in 10,812 invocations (0.11 %)"}},
	} {
		test.want.Gate = "errors"
		if diff := cmp.Diff(test.want, health.Errors("7", "8", test.seen)); diff != "" {
			t.Error(diff)
		}
	}
}

func TestTheAlarmsGate(t *testing.T) {
	const arn = "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:slow"
	names := []string{"broken", arn}
	for _, test := range []struct {
		red    []string
		states map[string]health.AlarmState
		want   rollout.Reading
	}{
		{nil, map[string]health.AlarmState{"broken": health.OK, arn: health.OK},
			rollout.Reading{Verdict: rollout.Pass, Reason: "none of 2 in ALARM"}},
		{nil, map[string]health.AlarmState{"broken": health.InsufficientData, arn: health.Alarm},
			rollout.Reading{Verdict: rollout.Fail, Reason: arn + " in ALARM"}},
		{nil, map[string]health.AlarmState{"broken": health.InsufficientData},
			rollout.Reading{Verdict: rollout.Inconclusive, Reason: "broken has insufficient data, " + arn + " is gone"}},
		{[]string{"broken"}, map[string]health.AlarmState{"broken": health.Alarm, arn: health.OK},
			rollout.Reading{Verdict: rollout.Pass, Reason: "none of 1 in ALARM (not counting what was red at the start: broken)"}},
	} {
		test.want.Gate = "alarms"
		if diff := cmp.Diff(test.want, health.Alarms(names, test.red, test.states)); diff != "" {
			t.Error(diff)
		}
	}
}

// metrics is an alias with traffic on two versions, in a local AWS that the
// real client of CloudWatch talks to.
type metrics struct {
	t      *testing.T
	server *localaws.Server
	now    time.Time
}

func newMetrics(t *testing.T) *metrics {
	m := &metrics{t: t, now: noon}
	m.server = localaws.New(localaws.Options{Now: func() time.Time { return m.now }})
	if err := m.server.AddFunction("f", 7, 8); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"live", "other"} {
		if err := m.server.AddAlias("f", name, "7", ""); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

func (m *metrics) serve(alias, version string, at time.Time, invocations, errors int64) {
	m.t.Helper()
	if err := m.server.Serve(localaws.ServedRequests{Function: "f", Alias: alias, Version: version, At: at, Invocations: invocations, Errors: errors}); err != nil {
		m.t.Fatal(err)
	}
}

func (m *metrics) read(from, to time.Time) health.Requests {
	m.t.Helper()
	m.now = to
	requests, err := health.NewCloudWatch(cloudwatch.NewFromConfig(m.server.Config())).Requests(context.Background(), health.Query{
		Function: "f", Alias: "live", Baseline: "7", NewVersion: "8",
		Window: rollout.Window{From: from, To: to},
	})
	if err != nil {
		m.t.Fatal(err)
	}
	return requests
}

func TestRequestsOfBothVersionsInAWindow(t *testing.T) {
	m := newMetrics(t)
	for minute := range 10 {
		at := noon.Add(time.Duration(minute) * time.Minute)
		m.serve("live", "7", at, 100, 1)
		m.serve("live", "8", at.Add(30*time.Second), 10, 2)
		m.serve("other", "8", at, 1000, 1000) // not through our alias
		m.serve("", "8", at, 1000, 1000)      // through none
	}
	for _, test := range []struct {
		from, to time.Duration
		minutes  int64
	}{
		{2 * time.Minute, 5 * time.Minute, 3},
		{2*time.Minute + 59*time.Second, 5 * time.Minute, 3}, // a minute can't be taken apart
		{2 * time.Minute, 4*time.Minute + 31*time.Second, 3}, // and the current one counts as far as it is known
		{0, time.Hour, 10},                                                  // all
		{20 * time.Minute, 30 * time.Minute, 0},                             // none
		{2 * time.Minute, 2*time.Minute + 30*time.Second, 1},                // the new version's requests began later
		{9*time.Minute + 30*time.Second, 9*time.Minute + 59*time.Second, 1}, // within one minute
	} {
		got := m.read(noon.Add(test.from), noon.Add(test.to))
		want := health.Requests{
			Baseline:   rollout.Counts{Minutes: int(test.minutes), Invocations: 100 * test.minutes, Errors: test.minutes},
			NewVersion: rollout.Counts{Minutes: int(test.minutes), Invocations: 10 * test.minutes, Errors: 2 * test.minutes},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("from %s to %s: %s", test.from, test.to, diff)
		}
	}
}

func TestMetricsThatComeLate(t *testing.T) {
	m := newMetrics(t)
	m.server.SetMetricDelay(2 * time.Minute)
	m.serve("live", "8", noon, 10, 2)
	if got := m.read(noon, noon.Add(time.Minute)); got != (health.Requests{}) {
		t.Errorf("known too early: %+v", got)
	}
	if got := m.read(noon, noon.Add(3*time.Minute)); got.NewVersion.Errors != 2 {
		t.Errorf("not known by now: %+v", got)
	}
}

// recorder keeps the one request that is made of CloudWatch, and answers what
// it is told to.
type recorder struct {
	inputs []*cloudwatch.GetMetricDataInput
	status types.StatusCode
}

func (*recorder) DescribeAlarms(context.Context, *cloudwatch.DescribeAlarmsInput, ...func(*cloudwatch.Options)) (*cloudwatch.DescribeAlarmsOutput, error) {
	return nil, errors.New("nobody asked for alarms")
}

func (r *recorder) GetMetricData(_ context.Context, in *cloudwatch.GetMetricDataInput, _ ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricDataOutput, error) {
	r.inputs = append(r.inputs, in)
	return &cloudwatch.GetMetricDataOutput{MetricDataResults: []types.MetricDataResult{{Id: in.MetricDataQueries[0].Id, StatusCode: r.status}}}, nil
}

// TestWhatIsAskedOfCloudWatch: one call, the three dimensions that a version
// behind an alias has, and never more data points than fit into one answer.
func TestWhatIsAskedOfCloudWatch(t *testing.T) {
	const day = 24 * time.Hour
	for _, test := range []struct {
		window time.Duration
		period int32
	}{{time.Minute, 60}, {14 * day, 60}, {15 * day, 300}, {62 * day, 300}, {63 * day, 3600}, {365 * day, 3600}} {
		r := &recorder{}
		if _, err := health.NewCloudWatch(r).Requests(context.Background(), health.Query{
			Function: "f", Alias: "live", Baseline: "7", NewVersion: "8",
			Window: rollout.Window{From: noon, To: noon.Add(test.window)},
		}); err != nil {
			t.Fatal(err)
		}
		if len(r.inputs) != 1 {
			t.Fatalf("%d calls", len(r.inputs))
		}
		points := int64(0)
		var asked []string
		for _, query := range r.inputs[0].MetricDataQueries {
			stat := query.MetricStat
			if *stat.Period != test.period {
				t.Errorf("a window of %s is read by %d s", test.window, *stat.Period)
			}
			points += int64(r.inputs[0].EndTime.Sub(*r.inputs[0].StartTime)/time.Second) / int64(*stat.Period)
			text := *stat.Metric.Namespace + " " + *stat.Metric.MetricName + " " + *stat.Stat
			for _, dimension := range stat.Metric.Dimensions {
				text += fmt.Sprintf(" %s=%s", aws.ToString(dimension.Name), aws.ToString(dimension.Value))
			}
			asked = append(asked, text)
		}
		if points > 100_800 {
			t.Errorf("a window of %s has %d data points", test.window, points)
		}
		want := []string{
			"AWS/Lambda Invocations Sum FunctionName=f Resource=f:live ExecutedVersion=7",
			"AWS/Lambda Errors Sum FunctionName=f Resource=f:live ExecutedVersion=7",
			"AWS/Lambda Invocations Sum FunctionName=f Resource=f:live ExecutedVersion=8",
			"AWS/Lambda Errors Sum FunctionName=f Resource=f:live ExecutedVersion=8",
		}
		if diff := cmp.Diff(want, asked); diff != "" {
			t.Error(diff)
		}
	}
}

func TestAnAnswerWithoutDataIsNoAnswer(t *testing.T) {
	for status, failed := range map[types.StatusCode]bool{
		types.StatusCodeComplete: false, types.StatusCodeInternalError: true, types.StatusCodeForbidden: true,
	} {
		_, err := health.NewCloudWatch(&recorder{status: status}).Requests(context.Background(), health.Query{Window: rollout.Window{From: noon, To: noon.Add(time.Minute)}})
		if (err != nil) != failed || errors.Is(err, health.ErrUnavailable) != (status == types.StatusCodeInternalError) {
			t.Errorf("%s: %v", status, err)
		}
	}
}
