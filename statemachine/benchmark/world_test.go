package main

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gonum.org/v1/gonum/stat"

	"github.com/lambda-rollout/lambda-rollout/lambdas/sequential"
)

// moments are the mean and variance of a figure over many minutes of a world.
func moments(w *world, at int, weight float64, figure func(minute) int64) (mean, variance float64) {
	const runs = 20000
	sum, squares := 0.0, 0.0
	for run := range runs {
		x := float64(figure(w.minute(run, at, minute{weight: 0.1}, weight)))
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
		{"a fifth in clusters of 20", fifthOf20, same, 0, errors, 1.8, 1.8*0.8 + 1.8*0.2/20*780},
		// A number of sick environments of 4, Poisson(4·1%), times a quarter of the requests.
		{"sick for a minute", sickMinute, same, 0, baseErrors, 4.2, 4.2 + 420*420*0.04/16},
		{"sick for a minute: a worse version", sickMinute, change{"", 5, 0}, 0, errors, 9, 0},
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
	want := w.minute(7, 3, minute{weight: 0.2}, 0.2)
	w.minute(8, 0, minute{weight: 0.1}, 0.1)
	if got := w.minute(7, 3, minute{weight: 0.2}, 0.2); got != want {
		t.Errorf("drawn again: %+v, want %+v", got, want)
	}
	other := c
	other.rate = 0.02
	for name, m := range map[string]minute{
		"another run": w.minute(8, 3, minute{weight: 0.2}, 0.2), "another place": w.minute(7, 4, minute{weight: 0.2}, 0.2),
		"another seed": newWorld(c, 2).minute(7, 3, minute{weight: 0.2}, 0.2), "another cell": newWorld(other, 1).minute(7, 3, minute{weight: 0.2}, 0.2),
	} {
		if m == want {
			t.Errorf("%s: the same minute", name)
		}
	}
}

// minuteOf is a minute of which only successes show.
func minuteOf(baseline, newVersion int64) minute {
	return minute{weight: 0.1, baseline: counts(baseline, 0), newVersion: counts(newVersion, 0)}
}

// TestHistories: errors have the cell's rate, and come together from minute to minute
// as the stress says: the number of sick environments decays by a fifth each minute; of a
// failure that comes again 1 and 3 minutes later, each of the three has one of the others 1, 2
// and 3 minutes away.
func TestHistories(t *testing.T) {
	third := 1 / 3.
	for _, test := range []struct {
		stress stress
		lags   [4]float64 // correlations of minutes so far apart, from 1
	}{
		{calm, [...]float64{0, 0, 0, 0}},
		{clusters20, [...]float64{0, 0, 0, 0}},
		{sickMinute, [...]float64{0, 0, 0, 0}},
		{sickMinutes, [...]float64{0.8, 0.64, 0.512, 0.41}},
		{repeats, [...]float64{third, third, third, 0}},
	} {
		c := cell{100, 0.01, change{"", 0, 1}, schedules()[0], test.stress}
		past := newWorld(c, 1).history(0)
		if len(past) != 72*60 {
			t.Fatalf("%d minutes", len(past))
		}
		var errors []float64
		requests, failed := 0.0, 0.0
		for _, m := range past {
			errors = append(errors, float64(m.Errors))
			requests, failed = requests+float64(m.Requests), failed+float64(m.Errors)
		}
		if rate := failed / requests; math.Abs(rate/0.01-1) > 0.1 {
			t.Errorf("%s: a rate of %v", test.stress, rate)
		}
		for i, want := range test.lags {
			if got := stat.Correlation(errors[i+1:], errors[:len(errors)-i-1], nil); math.Abs(got-want) > 0.07 {
				t.Errorf("%s: %d minutes later: %.2f, want %.2f", test.stress, i+1, got, want)
			}
		}
	}
	w := newWorld(cell{10, 0.01, same, schedules()[0], outage}, 1)
	failed := int64(0)
	for _, m := range w.history(0)[historyLong-day:][:30] {
		failed += m.Errors
	}
	if failed < 8500 || failed > 9500 {
		t.Errorf("an outage: %d failed requests, want about 9000", failed)
	}
	for _, m := range newWorld(cell{10, 0.01, same, schedules()[0], noHistory}, 1).history(0) {
		if m.Requests > 0 {
			t.Fatal("an alias without history has requests")
		}
	}
}

// TestRunsShareHistories: as many as historyRuns, and what lasts begins before the
// rollout, in each of them for itself.
func TestRunsShareHistories(t *testing.T) {
	c := cell{100, 0.01, same, schedules()[0], sickMinutes}
	s, pasts := newSimulation(c, 1), map[int64]bool{}
	sick := map[int64]bool{}
	for run := range 2 * historyRuns {
		s.begin(run)
		sum := int64(0)
		for _, m := range s.past {
			sum += m.Errors
		}
		pasts[sum] = true
		sick[s.before.after.baseline.sick] = true
	}
	if len(pasts) != 2 || len(sick) < 2 {
		t.Errorf("%d histories, want 2; sick environments at the beginning: %v", len(pasts), sick)
	}
	other := newSimulation(c, 1)
	other.begin(historyRuns + 3)
	equal(t, "begun elsewhere", other.past[:100], s.past[:100])
}

func TestWhatMetricsShow(t *testing.T) {
	happened := served([2]int64{100, 1}, [2]int64{200, 2}, [2]int64{300, 3})
	before := append([]minute(nil), happened...)
	for stress, want := range map[stress][]minute{
		calm:          happened,
		lateMinutes:   happened[:2],
		hanging:       {minuteOf(990, 99), minuteOf(990, 198), minuteOf(990, 297)},
		lateSuccesses: served([2]int64{100, 1}, [2]int64{2, 2}, [2]int64{3, 3}),
	} {
		shown, _ := show(stress, happened, nil)
		if diff := cmp.Diff(want, shown, cmp.AllowUnexported(minute{}, aftermath{}, sideEffects{}), cmp.Comparer(func(a, b sequential.Count) bool { return a == b })); diff != "" {
			t.Errorf("%q: %s", stress, diff)
		}
	}
	for i := range before {
		if happened[i] != before[i] {
			t.Errorf("what happened was changed: minute %d is %+v", i, happened[i])
		}
	}
}
