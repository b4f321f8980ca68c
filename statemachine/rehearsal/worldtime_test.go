package rehearsal

import (
	"testing"
	"time"
)

// TestNoRequestRunsPastTheTimeout: longer ones end there, as errors.
func TestNoRequestRunsPastTheTimeout(t *testing.T) {
	for _, test := range []struct {
		scenario string
		longest  float64 // milliseconds, at most
		errors   bool
	}{
		{`{"baseline": {"duration": 5}, "timeout": 4, "metric-delay": 0, "history": 0}`, 4000, true},
		{`{"baseline": {"duration": 5}, "metric-delay": 0, "history": 0}`, 23_000, false},
		{`{"baseline": {"duration": 900}, "metric-delay": 0, "history": 0}`, 900_000, true},
	} {
		r := newRoad(t, test.scenario)
		r.drive(t, 5*time.Minute)
		r.now = r.now.Add(time.Hour)
		failed := r.served["7"].Errors
		most := r.metric(t, "Duration", "Maximum", 3600, 0, 3600, byVersion("7")...)[0]
		counted := r.metric(t, "Errors", "Sum", 3600, 0, 3600, byVersion("7")...)[0]
		if most > test.longest || (failed > 0) != test.errors || counted != float64(failed) || failed >= r.served["7"].Invocations {
			t.Errorf("%s: at most %v ms, %v errors counted, tally %+v", test.scenario, most, counted, r.served["7"])
		}
	}
}

// TestTrafficFollowsTheDay in the history as well as in the rollout.
func TestTrafficFollowsTheDay(t *testing.T) {
	r := newRoad(t, `{"requests-per-second": 10, "day": {"amplitude": 0.5, "peak-hour": 12}, "metric-delay": 0}`)
	r.drive(t, 12*time.Hour)
	hours := r.metric(t, "Invocations", "Sum", 3600, -24*3600, 12*3600, byVersion("7")...)
	for hour, mean := range map[int]float64{0: 53_795, 12: 18_205, 24: 53_795, 35: 18_205} { // 36,000 × (1 ± 0.5 × the cosine's mean in the hour beside the peak)
		if !near(hours[hour], mean, mean) {
			t.Errorf("hour %d has %v requests of about %v", hour, hours[hour], mean)
		}
	}
}
