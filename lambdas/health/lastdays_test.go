package health_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/google/go-cmp/cmp"
	"github.com/lambda-rollout/lambda-rollout/lambdas/health"
	"github.com/lambda-rollout/lambda-rollout/lambdas/health/monitoring"
	"github.com/lambda-rollout/lambda-rollout/lambdas/sequential"
)

// TestTheLastDaysLeaveOutEarlierRollouts reads the alias's minutes without those that
// two versions served.
func TestTheLastDaysLeaveOutEarlierRollouts(t *testing.T) {
	m := newMetrics(t)
	m.serve("live", "7", noon.Add(-73*time.Hour), 1000, 1000) // too long ago
	m.serve("live", "7", noon.Add(-72*time.Hour), 10, 1)
	m.serve("live", "8", noon.Add(-50*time.Hour), 20, 2) // another version, on its own
	m.serve("live", "7", noon.Add(-30*time.Minute), 30, 3)
	m.serve("live", "8", noon.Add(-30*time.Minute), 400, 400) // a rollout that was rolled back
	m.serve("live", "7", noon.Add(-time.Minute), 40, 4)
	m.serve("live", "7", noon, 1000, 1000)
	ask := query
	ask.Days = noon
	past := m.read(ask, noon, noon.Add(time.Minute)).Past
	if len(past) != 72*60 {
		t.Fatalf("%d minutes", len(past))
	}
	got := map[int]sequential.Count{}
	for i, c := range past {
		if c != (sequential.Count{}) {
			got[i-len(past)] = c
		}
	}
	want := map[int]sequential.Count{-72 * 60: {Requests: 10, Errors: 1}, -50 * 60: {Requests: 20, Errors: 2}, -1: {Requests: 40, Errors: 4}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// forgetful is a CloudWatch that has lost the last days.
type forgetful struct{ recorder }

func (f *forgetful) GetMetricData(ctx context.Context, in *cloudwatch.GetMetricDataInput, options ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricDataOutput, error) {
	if in.EndTime.Sub(*in.StartTime) > 48*time.Hour {
		return nil, errors.New("internal")
	}
	return f.recorder.GetMetricData(ctx, in, options...)
}

// TestACheckGoesOnWithoutTheLastDays: they make it a better one, and it is retried
// with the next one.
func TestACheckGoesOnWithoutTheLastDays(t *testing.T) {
	ask := query
	ask.Days = noon
	seen, err := monitoring.New(&forgetful{}).Metrics(context.Background(), ask)
	if err != nil || seen.Past != nil {
		t.Errorf("%v, %v", seen.Past, err)
	}
	s := begin(t, `"type": "canary", "interval": 600`)
	e, _ := check(t, health.Evidence{}, s, after(1), minute(0, 90, 0, 10, 0))
	if again := e.Ask(&s, after(2)); !again.Days.Equal(s.Progress.Began) {
		t.Errorf("the next check asks %+v", again)
	}
}
