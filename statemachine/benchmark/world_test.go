package main

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/lambda-rollout/lambda-rollout/lambdas/sequential"
)

// moments are the mean and variance of a figure over many minutes of a world.
func moments(w *world, at int, weight float64, figure func(minute) int64) (mean, variance float64) {
	const runs = 20000
	sum, squares := 0.0, 0.0
	for run := range runs {
		x := float64(figure(w.minute(run, at, 0.1, weight)))
		sum += x
		squares += x * x
	}
	mean = sum / runs
	return mean, squares/runs - mean*mean
}

// TestWorlds checks means and variances of what a world draws against what they
// must be, at 5 standard errors of the mean and a tenth of the variance.
func TestWorlds(t *testing.T) {
	requests := func(m minute) int64 { return m.newVersion.Requests }
	errors := func(m minute) int64 { return m.newVersion.Errors }
	baseErrors := func(m minute) int64 { return m.baseline.Errors }
	for _, test := range []struct {
		name           string
		stress         stress
		change         change
		at             int
		figure         func(minute) int64
		mean, variance float64
	}{
		{"traffic by weight", calm, same, 0, requests, 180, 180},
		{"errors", calm, change{"", 5, 0}, 0, errors, 9, 9},
		{"errors of the baseline", calm, change{"", 5, 0}, 0, baseErrors, 4.2, 4.2},
		{"doubling: before", doubling, same, 8, errors, 1.8, 1.8},
		{"doubling: after", doubling, same, 9, errors, 3.6, 3.6},
		{"ramp: first", ramp, same, 0, errors, 1.8, 1.8},
		{"ramp: last", ramp, same, 17, errors, 18, 18},
		// Of one minute in 20, 30 times as many: variance m + 1.8²·(0.95 + 900/20) − m².
		{"bursts", bursts, same, 0, errors, 1.8 * 2.45, 1.8*2.45 + 1.8*1.8*(45.95-2.45*2.45)},
		{"gamma rates", gamma, same, 0, errors, 1.8, 1.8 + 2*1.8*1.8},
		{"lognormal traffic", lognormal, same, 0, requests, 180, 180 + 180*180*(math.E-1)},
		// Half of the failures fail again, and half of those: 1 + ½ + ¼.
		{"retries", retries, same, 0, errors, 1.8 * 1.75, 0},
		{"retries: requests", retries, same, 0, requests, 180 + 1.8*1.5, 0},
		{"mid-minute: halfway between the weights", midMinute, same, 0, requests, 120, 120},
		// A compound Poisson number: clusters × E[size²], 2·mean² − mean if geometric.
		{"clusters of 5", clusters5, same, 0, errors, 1.8, 1.8 / 5 * 45},
		{"clusters of 20", clusters20, same, 0, errors, 1.8, 1.8 / 20 * 780},
		{"clusters: requests", clusters20, same, 0, requests, 180, 0},
	} {
		w := newWorld(cell{10, 0.01, test.change, schedules()[0], test.stress}, 1)
		mean, variance := moments(w, test.at, 0.3, test.figure)
		if off := math.Abs(mean-test.mean) / math.Sqrt(variance/20000); off > 5 {
			t.Errorf("%s: mean %.4g, want %.4g: %.1f standard errors off", test.name, mean, test.mean, off)
		}
		if test.variance > 0 && math.Abs(variance/test.variance-1) > 0.3 {
			t.Errorf("%s: variance %.4g, want %.4g", test.name, variance, test.variance)
		}
	}
}

// TestMinutesAreDrawnByTheirPlace: in any order, with others between them, and
// not alike elsewhere.
func TestMinutesAreDrawnByTheirPlace(t *testing.T) {
	c := cell{100, 0.01, same, schedules()[0], bursts}
	w := newWorld(c, 1)
	want := w.minute(7, 3, 0.2, 0.2)
	w.minute(8, 0, 0.1, 0.1)
	if got := w.minute(7, 3, 0.2, 0.2); got != want {
		t.Errorf("drawn again: %+v, want %+v", got, want)
	}
	other := c
	other.rate = 0.02
	for name, m := range map[string]minute{
		"another run": w.minute(8, 3, 0.2, 0.2), "another place": w.minute(7, 4, 0.2, 0.2),
		"another seed": newWorld(c, 2).minute(7, 3, 0.2, 0.2), "another cell": newWorld(other, 1).minute(7, 3, 0.2, 0.2),
	} {
		if m == want {
			t.Errorf("%s: the same minute", name)
		}
	}
}

func TestWhatMetricsShow(t *testing.T) {
	happened := served([2]int64{100, 1}, [2]int64{200, 2}, [2]int64{300, 3})
	before := append([]minute(nil), happened...)
	for stress, want := range map[stress][]minute{
		calm:          happened,
		lateMinutes:   happened[:2],
		lateSuccesses: served([2]int64{100, 1}, [2]int64{2, 2}, [2]int64{3, 3}),
	} {
		shown, _ := show(stress, happened, nil)
		if diff := cmp.Diff(want, shown, cmp.AllowUnexported(minute{}), cmp.Comparer(func(a, b sequential.Count) bool { return a == b })); diff != "" {
			t.Errorf("%q: %s", stress, diff)
		}
	}
	for i := range before {
		if happened[i] != before[i] {
			t.Errorf("what happened was changed: minute %d is %+v", i, happened[i])
		}
	}
}
