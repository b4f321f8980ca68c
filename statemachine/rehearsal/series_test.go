package rehearsal

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

const blogPost = `{"function-name": "MyFunction", "alias-name": "MyAlias", "new-version": "2", "steps": 10, "interval": 120, "type": "linear"}`

// TestPeriodsAddUp holds what was served when to what was served, and the
// weights to the alias's.
func TestPeriodsAddUp(t *testing.T) {
	for scenario, weights := range map[string]string{
		"healthy":     "0.1 at 0, 0.2 at 120, 0.3 at 240, 0.4 at 360, 0.5 at 480, 0.6 at 600, 0.7 at 720, 0.8 at 840, 0.9 at 960, 1 at 1080",
		"late-errors": "0.1 at 0, 0.2 at 120, 0.3 at 240, 0.4 at 360, 0.5 at 480, 0.6 at 600, 0 at 720",
		"contested":   "0.1 at 0, 0.2 at 120, 0.3 at 240, 0.4 at 360, 0.5 at 480, 0.6 at 600, 0.05 at 630",
	} {
		world, _ := LoadBuiltIn(scenario)
		result, err := Run(Options{Input: []byte(blogPost), Scenario: world, Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		sum := map[string]Tally{}
		for i, p := range result.Periods {
			if p.At != float64(i)*60 || p.Seconds <= 0 || p.Seconds > 60 {
				t.Errorf("%s: period %d is from %v on, of %v seconds", scenario, i, p.At, p.Seconds)
			}
			for version, served := range map[string]Served{"1": p.Baseline, "2": p.NewVersion} {
				if served.Invocations+served.Errors > 0 {
					all := sum[version]
					all.Invocations, all.Errors = all.Invocations+served.Invocations, all.Errors+served.Errors
					sum[version] = all
				}
			}
		}
		last := result.Periods[len(result.Periods)-1]
		if end := last.At + last.Seconds; end != result.ServedSeconds || scenario != "contested" && end != result.Seconds {
			t.Errorf("%s: the periods end at %v, what was served at %v, and the rollout at %v", scenario, end, result.ServedSeconds, result.Seconds)
		}
		if fmt.Sprint(sum) != fmt.Sprint(result.Served) {
			t.Errorf("%s: the periods have %v, and served was %v", scenario, sum, result.Served)
		}
		var seen []string
		for _, shift := range result.Shifts {
			seen = append(seen, fmt.Sprintf("%v at %v", shift.Weight, shift.At))
		}
		if got := strings.Join(seen, ", "); got != weights {
			t.Errorf("%s: the weights are %s, want %s", scenario, got, weights)
		}
	}
}

func TestPeriodsAreBounded(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s := newSeries(start)
	const minutes = 5000
	for i := range minutes {
		duration := localaws.DurationStats{Values: []localaws.DurationCount{{Duration: time.Second, Count: 3}, {Duration: 2 * time.Second, Count: 1}}}
		s.add(i%2 == 0, localaws.Invocations{At: start.Add(time.Duration(i) * time.Minute), Invocations: 4, Errors: 1, Duration: duration})
	}
	periods := s.until(start.Add(minutes * time.Minute))
	if len(periods) > mostPeriods || len(periods) < mostPeriods/2 {
		t.Errorf("%d periods", len(periods))
	}
	var errors int64
	for _, p := range periods {
		errors += p.Baseline.Errors + p.NewVersion.Errors
		if p.Baseline.Median.Value != 1000 || p.Baseline.P95.Value != 2000 {
			t.Fatalf("in the period from %v on, the median is %v and p95 %v", p.At, *p.Baseline.Median, *p.Baseline.P95)
		}
	}
	if last := periods[len(periods)-1]; errors != minutes || last.At+last.Seconds != minutes*60 {
		t.Errorf("%d errors up to %v", errors, last.At+last.Seconds)
	}
}

// TestEstimatesHaveTheirBounds takes durations of 1, 2, 3 and so on milliseconds.
// Of 400, the median's rank is 200 and spreads by 1.96·10. A bound is open where
// there is no such rank.
func TestEstimatesHaveTheirBounds(t *testing.T) {
	const open = -1
	for n, want := range map[int][2][3]float64{
		400: {{200, 181, 220}, {380, 372, 389}},
		73:  {{37, 29, 45}, {70, 66, 73}},
		72:  {{36, 28, 45}, {69, 65, open}},
		7:   {{4, open, 7}, {7, 6, open}},
		1:   {{1, open, open}, {1, open, open}},
	} {
		var d drawn
		for i := range n {
			d.take(Tally{}, []localaws.DurationCount{{Duration: time.Duration(i+1) * time.Millisecond, Count: 1}})
		}
		served := d.served()
		for i, e := range []*Estimate{served.Median, served.P95} {
			got := [3]float64{e.Value, open, open}
			if e.Low != nil {
				got[1] = *e.Low
			}
			if e.High != nil {
				got[2] = *e.High
			}
			if got != want[i] {
				t.Errorf("of %d durations, percentile %d is %v, want %v", n, i, got, want[i])
			}
		}
	}
}

// TestEvidenceIsWhatTheReasonSays compares each check's numbers with its words.
func TestEvidenceIsWhatTheReasonSays(t *testing.T) {
	for _, scenario := range []string{"late-errors", "worse-5x", "slow", "no-traffic"} {
		world, _ := LoadBuiltIn(scenario)
		result, err := Run(Options{Input: []byte(blogPost), Scenario: world, Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		checks := 0
		for _, line := range result.Lines {
			if line.State != "HealthCheck" {
				continue
			}
			checks++
			if len(line.Evidence) != 2 {
				t.Fatalf("%s: the check at %v has the evidence %v", scenario, line.At, line.Evidence)
			}
			harmful, harmed := false, false // by any gate, and by one that needs no confirmation
			for _, e := range line.Evidence {
				if e.Log10 < e.Threshold {
					continue
				}
				harmful, harmed = true, harmed || e.Gate == rollout.ErrorsGateName
				if words := "by chance in at most " + health.Chance(e.Log10) + " rollouts"; !strings.Contains(line.Text, words) {
					t.Errorf("%s: at %v there is %q, and the check says %s", scenario, line.At, words, line.Text)
				}
			}
			if back := line.Decision == rollout.RollBack; back && !harmful || harmed && !back {
				t.Errorf("%s: at %v the evidence is %v, and the check decides %s", scenario, line.At, line.Evidence, line.Decision)
			}
		}
		if checks != result.Checks {
			t.Errorf("%s: %d of %d checks have a line", scenario, checks, result.Checks)
		}
	}
}

// TestPeriodsCountDurations holds the durations of a period to those of a map, in whatever order they come.
func TestPeriodsCountDurations(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	for range 200 {
		var d drawn
		want := map[time.Duration]int64{}
		for range 1 + random.IntN(5) {
			var all []localaws.DurationCount
			for range random.IntN(12) {
				v := localaws.DurationCount{Duration: time.Duration(random.IntN(30)), Count: 1 + random.Int64N(5)}
				all, want[v.Duration] = append(all, v), want[v.Duration]+v.Count
			}
			d.take(Tally{Invocations: 1}, all)
		}
		got := map[time.Duration]int64{}
		for i, v := range d.durations {
			if got[v.Duration] += v.Count; i > 0 && d.durations[i-1].Duration >= v.Duration {
				t.Fatalf("in this order: %v", d.durations)
			}
		}
		if !maps.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	}
}
