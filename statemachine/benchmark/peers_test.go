package main

import (
	"math"
	"slices"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/lambdas/sequential"
)

// served makes minutes in which the baseline served 1000 requests with 10
// errors and the new version what is given: pairs of requests and errors.
func served(pairs ...[2]int64) []minute {
	var minutes []minute
	for _, p := range pairs {
		minutes = append(minutes, minute{weight: 0.1, baseline: counts(1000, 10), newVersion: counts(p[0], p[1])})
	}
	return minutes
}

// judge gives a rule the minutes one by one, as steps of two minutes each, and
// returns at which it rolls back, from 1; 0 is never. Holds lead to nothing.
func judge(r rule, minutes []minute) int {
	r.begin(cell{1, 0.01, same, schedules()[0], calm})
	for i := range minutes {
		v := view{minutes: minutes[:i+1], since: i &^ 1, passed: i + 1, stepOver: i%2 == 1}
		if r.check(v) == rollBack {
			return i + 1
		}
	}
	return 0
}

func TestPeers(t *testing.T) {
	ok, one, bad := [2]int64{100, 0}, [2]int64{100, 1}, [2]int64{100, 6}
	none, five := [2]int64{0, 0}, [2]int64{100, 5}
	for _, test := range []struct {
		name    string
		rule    rule
		minutes []minute
		want    int
	}{
		{"the last minute has an error", lastMinute{}, served(ok, ok, ok, one), 4},
		{"only the minute before has", lastMinute{}, served(one, ok, bad, ok), 0},
		{"one error", &errorAlarm{}, served(ok, ok, one), 3},
		{"no error", &errorAlarm{}, served(ok, none, ok), 0},
		{"over 5%, three in a row", &rateAlarm{}, served(bad, ok, bad, bad, bad), 5},
		{"5% is not over 5%", &rateAlarm{}, served(five, five, five, five), 0},
		{"no data is no breach", &rateAlarm{}, served(bad, bad, none, bad, bad), 0},
		{"five fails, not in a row", &failedChecks{}, served(bad, ok, bad, one, bad, bad, ok, bad), 8},
		{"four fails", &failedChecks{}, served(bad, bad, bad, bad, one, ok, one), 0},
		{"no data is a fail", &failedChecks{}, served(none, none, none, none, none), 5},
		{"Mann–Whitney: four higher of four", &mannWhitney{}, served(bad, bad, bad, bad), 4},
		{"Mann–Whitney: two can't tell", &mannWhitney{}, served(bad, bad, none, none), 0},
		{"Mann–Whitney: the same rates", &mannWhitney{}, served(one, one, one, one, one, one, one, one), 0},
		{"Mann–Whitney: lower rates", &mannWhitney{}, served(ok, ok, ok, ok, ok, ok, ok, ok), 0},
		{"Mann–Whitney: higher, but hardly by a quarter of the estimate", &mannWhitney{}, served([2]int64{1000, 12}, [2]int64{1000, 20}, [2]int64{1000, 20}, [2]int64{1000, 20}), 0},
		{"Fisher: 5 errors of 120, p = 1.6%", &fisher{}, served([2]int64{120, 5}), 0},
		{"Fisher: 6 errors of 100, p = 0.18%", &fisher{}, served(bad), 1},
		{"Fisher sums up", &fisher{}, served([2]int64{100, 3}, [2]int64{100, 4}), 2},
		{"Fisher: fewer errors", &fisher{}, served(ok, ok, ok, ok), 0},
	} {
		if got := judge(test.rule, test.minutes); got != test.want {
			t.Errorf("%s: rolled back at %d, want %d", test.name, got, test.want)
		}
	}
}

// TestOfFewRequestsAllFail: twelve of twelve, beside none of the baseline's 21. The previous
// rule does not count the requests that succeed.
func TestOfFewRequestsAllFail(t *testing.T) {
	minutes := []minute{{weight: 0.4, baseline: counts(21, 0), newVersion: counts(12, 12)}}
	healthy := []minute{{weight: 0.4, baseline: counts(21, 0), newVersion: counts(12, 0)}}
	for _, r := range []rule{newOurs(false), &fisher{}} {
		if got := judge(r, minutes); got != 1 {
			t.Errorf("%s rolls back at %d, want 1", r.name(), got)
		}
		if got := judge(r, healthy); got != 0 {
			t.Errorf("%s rolls back a healthy version at %d", r.name(), got)
		}
	}
}

// TestThePreviousRule: it judges as sequential.Harm does once the minutes no longer
// change; until then it takes the new version to have had its share of the requests.
func TestThePreviousRule(t *testing.T) {
	p := newPrevious()
	c := cell{1, 0.01, same, schedules()[0], calm}
	minutes := served([2]int64{100, 4}, [2]int64{100, 5}, [2]int64{20, 3}, [2]int64{100, 0}, [2]int64{100, 1}, [2]int64{100, 0})
	evidence := func(minutes []minute) float64 {
		var s sequential.State
		for _, m := range minutes {
			s = p.test.Fold(s, compared(m.baseline, m.newVersion))
		}
		return s.LogE()
	}
	p.begin(c)
	p.check(view{minutes: minutes[:3], passed: 3})
	late := slices.Clone(minutes[:3])
	late[0].newVersion.Requests, late[1].newVersion.Requests, late[2].newVersion.Requests = 112, 112, 112 // a ninth of 1000
	near(t, "while they may change", p.logE, evidence(late))
	p.check(view{minutes: minutes, passed: 6})
	for i := 3; i < 6; i++ {
		minutes[i].newVersion.Requests = 112
	}
	near(t, "when the first three no longer do", p.logE, evidence(minutes))
	if p.logE < sequential.HoldLogE || p.logE > p.test.Threshold() {
		t.Fatalf("ln E = %v: of no use to the test", p.logE)
	}
	holds := 0
	for p.check(view{minutes: minutes, passed: 6, stepOver: true}) == hold {
		holds++
	}
	if holds != 10 {
		t.Errorf("holds for %d minutes, want 10", holds)
	}
	if got := p.check(view{minutes: minutes, passed: 6, since: 6, stepOver: true}); got != hold {
		t.Errorf("in the next step: %v, want %v", got, hold)
	}
}

// TestAFailedCheckHolds: as the other rules never do, apart from this
// project's.
func TestAFailedCheckHolds(t *testing.T) {
	r := &failedChecks{}
	if got := r.check(view{minutes: served([2]int64{100, 2})}); got != hold {
		t.Errorf("a failed check: %v, want %v", got, hold)
	}
	if got := r.check(view{minutes: served([2]int64{100, 1})}); got != goOn {
		t.Errorf("a check that passes: %v, want %v", got, goOn)
	}
}

// TestMannWhitneyZ: all of n values above all of m have U = n·m; the last case
// has the values 1 1 2 and 1 2 3, U = 2·½ + 1½ … = 6½, and t = 3, 2, 1.
func TestMannWhitneyZ(t *testing.T) {
	for _, test := range []struct {
		control, experiment []float64
		want                float64
	}{
		{[]float64{1, 2, 3, 4, 5}, []float64{6, 7, 8, 9, 10}, 12 / math.Sqrt(25*11/12.)},
		{[]float64{1, 2, 3, 4}, []float64{6, 7, 8, 9}, 7.5 / math.Sqrt(16*9/12.)},
		{[]float64{6, 7, 8, 9}, []float64{1, 2, 3, 4}, 0},
		{[]float64{1, 1, 2}, []float64{1, 2, 3}, 1.5 / math.Sqrt(9/12.*(7-(24+6)/30.))},
		{nil, []float64{1, 2}, 0},
		{[]float64{0, 0}, []float64{0, 0}, 0},
	} {
		m := &mannWhitney{control: test.control, experiment: test.experiment}
		near(t, "z", m.z(0), test.want)
	}
	m := &mannWhitney{control: []float64{1, 2, 3}, experiment: []float64{4, 7}} // differences 1 2 3 4 5 6
	near(t, "shift", m.shift(), 3.5)
	near(t, "z without the shift", m.z(3.5), 0)
}

// TestFisherP: the lady who tastes four of eight cups, and a small 2×2 table
// summed by hand: (C(5,3)·C(7,1) + C(5,4))/C(12,4).
func TestFisherP(t *testing.T) {
	near(t, "4 of 4", fisherP(counts(4, 0), counts(4, 4)), 1/70.)
	near(t, "3 of 4", fisherP(counts(4, 1), counts(4, 3)), 17/70.)
	near(t, "3 of 4, 2 of 8", fisherP(counts(8, 2), counts(4, 3)), (10*7+5)/495.)
	near(t, "fewer than its share", fisherP(counts(4, 3), counts(4, 1)), 1)
	near(t, "nothing", fisherP(counts(0, 0), counts(0, 0)), 1)
	if p := fisherP(counts(50000, 500), counts(50000, 50000)); !(p >= 0 && p < 1e-100) {
		t.Errorf("an outage of many requests: p = %v", p)
	}
}
