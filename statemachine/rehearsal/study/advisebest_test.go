package study

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestMeanExcessCoversWhatIsRare draws rollouts of which one in forty misses a
// harm, at the price of thousands: the interval must have the true mean in it.
func TestMeanExcessCoversWhatIsRare(t *testing.T) {
	const share, found, cost, trials = 0.025, 20., 4000., 1000
	chance := rand.New(rand.NewPCG(1, 2))
	covered := 0
	for range trials {
		var ended, missed []float64
		for range 100 {
			if chance.Float64() < share {
				missed = append(missed, cost)
			} else {
				ended = append(ended, found*chance.ExpFloat64())
			}
		}
		m := meanExcess(ended, missed, cost)
		if m.Low > m.Mean || m.Mean > m.High {
			t.Fatalf("%+v", m)
		}
		if truth := (1-share)*found + share*cost; m.Low <= truth && truth <= m.High {
			covered++
		}
	}
	if covered < 0.95*trials {
		t.Errorf("the interval has the mean in it in %d of %d", covered, trials)
	}
	if m := meanExcess(slices.Repeat([]float64{20}, 100), nil, cost); m.Mean != 20 || m.Low != 20 || m.High < 0.036*cost {
		t.Errorf("all of them are found: %+v", m)
	}
	if m := meanExcess([]float64{20}, []float64{cost}, cost); m.Low > share*cost || m.High != cost {
		t.Errorf("of two: %+v", m)
	}
}

// TestBestKeepToTheMeasuredShare has a plan whose false alarms might be few enough,
// and were not.
func TestBestKeepToTheMeasuredShare(t *testing.T) {
	plan := func(name string, alarms int, mean float64) PlanAdvice {
		return PlanAdvice{Name: name, FalseAlarms: share(alarms, 20), Found: share(20, 20), MeanExcess: Mean{mean, mean - 1, mean + 1}}
	}
	all := []PlanAdvice{plan("fewer", 2, 5), plan("more", 0, 10), plan("as good", 1, 11.5), plan("worse", 0, 20)}
	if got := best(all, 0.06); !slices.Equal(got, []string{"more", "as good"}) {
		t.Errorf("best are %q", got)
	}
}

// TestAPlanThatFindsNothingIsNotAdvised, however few requests fail in it.
func TestAPlanThatFindsNothingIsNotAdvised(t *testing.T) {
	plan := func(name string, found int, mean float64) PlanAdvice {
		return PlanAdvice{Name: name, FalseAlarms: share(0, 20), Found: share(found, 20), MeanExcess: Mean{mean, mean, mean}}
	}
	if got := best([]PlanAdvice{plan("blind", 9, 1), plan("sees", 10, 100)}, 0.06); !slices.Equal(got, []string{"sees"}) {
		t.Errorf("best are %q", got)
	}
	if got := best([]PlanAdvice{plan("blind", 0, 1)}, 0.06); got != nil {
		t.Errorf("best are %q", got)
	}
}
