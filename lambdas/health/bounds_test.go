package health_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health/monitoring"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// TestTheNewVersionsRequestsAboveItsBounds are counted with and without thresholds of
// the baseline, and not where no durations are known.
func TestTheNewVersionsRequestsAboveItsBounds(t *testing.T) {
	m := newMetrics(t)
	m.serve("live", "7", noon, 100, 0)
	m.serve("live", "8", noon, 10, 2)
	m.serve("live", "7", noon.Add(time.Minute), 100, 0)
	ask := query
	ask.Bounds = []float64{150, 90, 200.5}
	for _, over := range [][2]float64{{}, {150, 200}} {
		ask.Over = over
		minutes := m.read(ask, noon, noon.Add(2*time.Minute)).Minutes
		if diff := cmp.Diff([]int64{5, 10, 0}, minutes[0].Above); diff != "" || len(minutes) != 2 {
			t.Errorf("%d minutes; %s", len(minutes), diff)
		}
		r := &recorder{}
		if _, err := monitoring.New(r).Metrics(context.Background(), ask); err != nil {
			t.Fatal(err)
		}
		const of8 = " FunctionName=f Resource=f:live ExecutedVersion=8"
		asked := queriesOf(r.inputs[0])
		for _, want := range []string{"Duration SampleCount 60" + of8, "Duration TC(150:) 60" + of8, "Duration TC(90:) 60" + of8, "Duration TC(200.5:) 60" + of8} {
			if !slices.Contains(asked, want) {
				t.Errorf("%s is not asked for", want)
			}
		}
	}
	m.now = noon.Add(2 * time.Minute)
	ask.Window, ask.Over = rollout.Window{From: noon, To: m.now}, [2]float64{}
	seen, err := monitoring.New(picky{cloudwatch.NewFromConfig(m.server.Config())}).Metrics(context.Background(), ask)
	if err != nil || seen.Minutes[0].Above != nil || seen.Minutes[0].NewVersion.Errors != 2 {
		t.Errorf("%+v, %v", seen.Minutes, err)
	}
}
