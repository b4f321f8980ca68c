package health_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health"
	"github.com/lambda-rollout/lambda-rollout/lambdas/health/monitoring"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/sequential"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// metrics is an alias with traffic on two versions, in a local AWS that the
// real client of CloudWatch talks to.
type metrics struct {
	t      *testing.T
	server *localaws.Server
	now    time.Time
	calls  int
}

func newMetrics(t *testing.T) *metrics {
	m := &metrics{t: t, now: noon}
	m.server = localaws.New(localaws.Options{
		Now:    func() time.Time { return m.now },
		OnCall: func(localaws.Call) { m.calls++ },
	})
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

// serve has a version serve requests: half of them in 100 ms, half in 200 ms.
func (m *metrics) serve(alias, version string, at time.Time, invocations, errors int64) {
	m.t.Helper()
	if err := m.server.RecordInvocations(localaws.Invocations{
		Function: "f", Alias: alias, Version: version, At: at, Invocations: invocations, Errors: errors,
		Duration: localaws.DurationStats{Values: []localaws.DurationCount{
			{Duration: 100 * time.Millisecond, Count: invocations / 2}, {Duration: 200 * time.Millisecond, Count: invocations - invocations/2},
		}},
	}); err != nil {
		m.t.Fatal(err)
	}
}

var query = health.Query{Function: "f", Alias: "live", Baseline: "7", NewVersion: "8"}

func (m *metrics) read(q health.Query, from, to time.Time) health.Measurements {
	m.t.Helper()
	m.now = to.Add(time.Second)
	q.Window = rollout.Window{From: from, To: to}
	calls := m.calls
	seen, err := monitoring.New(cloudwatch.NewFromConfig(m.server.Config())).Metrics(context.Background(), q)
	if err != nil {
		m.t.Fatal(err)
	}
	want := 1
	if !q.Days.IsZero() {
		want = 2 // one for the last days
	}
	if m.calls != calls+want {
		m.t.Errorf("%d calls, want %d", m.calls-calls, want)
	}
	return seen
}

func TestMinutesOfBothVersionsInAWindow(t *testing.T) {
	m := newMetrics(t)
	for minute := range 10 {
		at := noon.Add(time.Duration(minute) * time.Minute)
		m.serve("live", "7", at, 100, 1)
		m.serve("live", "8", at.Add(30*time.Second), 10, 2)
		m.serve("other", "8", at, 1000, 1000) // not through our alias
		m.serve("", "8", at, 1000, 1000)      // through none
	}
	timed := query
	timed.Over = [2]float64{150, 1000}
	for _, test := range []struct {
		query    health.Query
		from, to time.Duration
		first, n int
	}{
		{query, 2 * time.Minute, 5 * time.Minute, 2, 3},
		{timed, 2 * time.Minute, 5 * time.Minute, 2, 3},
		{query, 2*time.Minute + 59*time.Second, 5 * time.Minute, 2, 3}, // a minute can't be taken apart
		{query, 2 * time.Minute, 4*time.Minute + 31*time.Second, 2, 3}, // and the current one counts as far as it is known
		{query, 0, time.Hour, 0, 10},                                   // all
		{query, 20 * time.Minute, 30 * time.Minute, 0, 0},              // none
	} {
		want := health.Measurements{}
		for i := range test.n {
			minute := health.Minute{At: noon.Add(time.Duration(test.first+i) * time.Minute),
				Baseline: health.Sample{Requests: 100, Errors: 1}, NewVersion: health.Sample{Requests: 10, Errors: 2}, Untimed: true}
			if test.query.Over[0] > 0 {
				minute.Baseline.Slow[0], minute.NewVersion.Slow[0], minute.Untimed = 50, 5, false
			}
			want.Minutes = append(want.Minutes, minute)
			want.Snapshot.Requests += 110
			want.Snapshot.Slowest = 200
		}
		if diff := cmp.Diff(want, m.read(test.query, noon.Add(test.from), noon.Add(test.to))); diff != "" {
			t.Errorf("from %s to %s: %s", test.from, test.to, diff)
		}
	}
}

// TestTheBaselinesRecord is of the hour before the window, and of the version
// or, if CloudWatch has nothing of that, of the alias.
func TestTheBaselinesRecord(t *testing.T) {
	m := newMetrics(t)
	m.serve("live", "7", noon.Add(-61*time.Minute), 1000, 1000) // too long ago
	for minute := range 60 {
		m.serve("live", "7", noon.Add(time.Duration(minute-60)*time.Minute), 10, 1)
	}
	m.serve("live", "8", noon.Add(-30*time.Minute), 400, 400) // a rollout that was rolled back
	m.serve("live", "7", noon.Add(time.Second), 100, 0)
	ask := query
	ask.Record = true
	got := m.read(ask, noon, noon.Add(time.Minute))
	want := &health.BaselineHistory{Count: sequential.Count{Requests: 600, Errors: 60}, Timed: 600, Over: [2]float64{200, 200}}
	if diff := cmp.Diff(want, got.History); diff != "" {
		t.Error(diff)
	}
	if len(got.Minutes) != 1 {
		t.Errorf("minutes from before are among those of the rollout: %v", got.Minutes)
	}
	ask.Baseline = "6" // of which there are no data
	want = &health.BaselineHistory{Count: sequential.Count{Requests: 1000, Errors: 460}, Timed: 1000, Over: [2]float64{200, 200}}
	if diff := cmp.Diff(want, m.read(ask, noon, noon.Add(time.Minute)).History); diff != "" {
		t.Error(diff)
	}
}

func TestMetricsThatComeLate(t *testing.T) {
	m := newMetrics(t)
	m.server.SetMetricDelay(2 * time.Minute)
	m.serve("live", "8", noon, 10, 2)
	if got := m.read(query, noon, noon.Add(time.Minute)); len(got.Minutes) > 0 {
		t.Errorf("known too early: %+v", got)
	}
	if got := m.read(query, noon, noon.Add(3*time.Minute)); got.Minutes[0].NewVersion.Errors != 2 {
		t.Errorf("not known by now: %+v", got)
	}
}

// recorder keeps the requests that are made of CloudWatch, and answers what it
// is told to.
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

// TestWhatIsAskedOfCloudWatch: the dimensions that a version behind an alias
// has, and those of the alias.
func TestWhatIsAskedOfCloudWatch(t *testing.T) {
	ask := query
	ask.Window = rollout.Window{From: noon, To: noon.Add(90 * time.Second)}
	ask.Record, ask.Days, ask.Throttles, ask.Over = true, noon, true, [2]float64{123.456, 1e9}
	r := &recorder{}
	if _, err := monitoring.New(r).Metrics(context.Background(), ask); err != nil {
		t.Fatal(err)
	}
	if len(r.inputs) != 2 || !r.inputs[0].StartTime.Equal(noon.Add(-time.Hour)) || !r.inputs[0].EndTime.Equal(noon.Add(2*time.Minute)) {
		t.Fatalf("asked %+v", r.inputs)
	}
	asked := queriesOf(r.inputs[0])
	const alias = " FunctionName=f Resource=f:live"
	want := []string{
		"Invocations Sum 60" + alias + " ExecutedVersion=7", "Errors Sum 60" + alias + " ExecutedVersion=7", "Throttles Sum 60" + alias + " ExecutedVersion=7",
		"Duration SampleCount 60" + alias + " ExecutedVersion=7", "Duration TC(123.456:) 60" + alias + " ExecutedVersion=7", "Duration TC(1000000000:) 60" + alias + " ExecutedVersion=7",
		"Invocations Sum 60" + alias + " ExecutedVersion=8", "Errors Sum 60" + alias + " ExecutedVersion=8", "Throttles Sum 60" + alias + " ExecutedVersion=8",
		"Duration SampleCount 60" + alias + " ExecutedVersion=8", "Duration TC(123.456:) 60" + alias + " ExecutedVersion=8", "Duration TC(1000000000:) 60" + alias + " ExecutedVersion=8",
		"Duration Maximum 60" + alias + " ExecutedVersion=8",
		"Invocations Sum 60" + alias, "Throttles Sum 60" + alias, "Errors Sum 60" + alias,
		"Duration SampleCount 3600" + alias + " ExecutedVersion=7", "Duration p95 3600" + alias + " ExecutedVersion=7", "Duration p99 3600" + alias + " ExecutedVersion=7",
		"Duration SampleCount 3600" + alias, "Duration p95 3600" + alias, "Duration p99 3600" + alias,
	}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Error(diff)
	}
	if past := r.inputs[1]; !past.StartTime.Equal(noon.Add(-72*time.Hour)) || !past.EndTime.Equal(noon) {
		t.Errorf("the last days are %s to %s", past.StartTime, past.EndTime)
	}
	want = []string{"Invocations Sum 60" + alias, "Errors Sum 60" + alias, "Invocations Sum 60" + alias + " ExecutedVersion=7", "Throttles Sum 60" + alias}
	if diff := cmp.Diff(want, queriesOf(r.inputs[1])); diff != "" {
		t.Errorf("of the last days: %s", diff)
	}
}

// queriesOf describes the queries of a call.
func queriesOf(in *cloudwatch.GetMetricDataInput) []string {
	var all []string
	for _, query := range in.MetricDataQueries {
		stat := query.MetricStat
		text := fmt.Sprintf("%s %s %d", *stat.Metric.MetricName, *stat.Stat, *stat.Period)
		for _, dimension := range stat.Metric.Dimensions {
			text += fmt.Sprintf(" %s=%s", aws.ToString(dimension.Name), aws.ToString(dimension.Value))
		}
		all = append(all, text)
	}
	return all
}

// picky is a CloudWatch that does not take trimmed counts.
type picky struct {
	cloudwatch.GetMetricDataAPIClient
}

func (picky) DescribeAlarms(context.Context, *cloudwatch.DescribeAlarmsInput, ...func(*cloudwatch.Options)) (*cloudwatch.DescribeAlarmsOutput, error) {
	return nil, errors.New("nobody asked for alarms")
}

func (p picky) GetMetricData(ctx context.Context, in *cloudwatch.GetMetricDataInput, options ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricDataOutput, error) {
	for _, query := range in.MetricDataQueries {
		if strings.HasPrefix(*query.MetricStat.Stat, "TC") {
			return nil, &smithy.GenericAPIError{Code: "ValidationError", Message: "no such statistic"}
		}
	}
	return p.GetMetricDataAPIClient.GetMetricData(ctx, in, options...)
}

func TestErrorsAreReadWhereSlowRequestsCantBe(t *testing.T) {
	m := newMetrics(t)
	m.serve("live", "8", noon, 10, 2)
	m.now = noon.Add(2 * time.Minute)
	ask := query
	ask.Window, ask.Over = rollout.Window{From: noon, To: m.now}, [2]float64{150, 200}
	seen, err := monitoring.New(picky{cloudwatch.NewFromConfig(m.server.Config())}).Metrics(context.Background(), ask)
	if err != nil {
		t.Fatal(err)
	}
	if len(seen.Minutes) != 1 || seen.Minutes[0].NewVersion.Errors != 2 || !seen.Minutes[0].Untimed {
		t.Errorf("%+v", seen.Minutes)
	}
}

func TestAnAnswerWithoutDataIsNoAnswer(t *testing.T) {
	for status, failed := range map[types.StatusCode]bool{
		types.StatusCodeComplete: false, types.StatusCodeInternalError: true, types.StatusCodeForbidden: true,
	} {
		_, err := monitoring.New(&recorder{status: status}).Metrics(context.Background(), query)
		if (err != nil) != failed || errors.Is(err, health.ErrUnavailable) != (status == types.StatusCodeInternalError) {
			t.Errorf("%s: %v", status, err)
		}
	}
}
