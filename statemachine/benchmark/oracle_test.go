package main

import (
	"math"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/lambdas/sequential"
)

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-6*max(1, math.Abs(want)) {
		t.Errorf("%s: %.9g, want %.9g", what, got, want)
	}
}

// counts are requests and errors.
func counts(requests, errors int64) sequential.Count {
	return sequential.Count{Requests: requests, Errors: errors}
}

// TestTheBound has figures that were worked out with pencil and table: one bound
// by its first minute, one that takes parts of two steps, one never reached.
func TestTheBound(t *testing.T) {
	twoSteps := schedule{"", []step{{0.1, 1}, {0.5, 2}}}
	for _, test := range []struct {
		cell                  cell
		information, failures float64
		informative           bool
	}{
		// m = .109; J = .1·ln(1/.109) + .9·(.01·ln(.01/.109) + .99·ln(.99/.891))
		// = .221641 + .9·(.104307 − .023888) = .294018; 60·J = 17.6 > 4.605.
		{cell{1, 0.01, change{"", 0, 1}, schedules()[1], calm}, 88.2054282, 6, true},
		// At 10/s a minute tells 2.870626 nats at .1 (m = .015) and 6.137970 at .5 (m =
		// .035), of which it takes (4.605170 − 2.870626)/6.137970 = 0.282593. Failures are
		// 600·.1·.06 = 3.6, and of 600·.5·.06 = 18 a minute that part.
		{cell{10, 0.01, change{"", 1, 0.05}, twoSteps, calm}, 15.1465665, 8.6866651, true},
		{cell{1, 0.01, change{"", 1, 0.05}, twoSteps, calm}, 1.5146566, 3.96, false},
		{cell{1, 0.01, same, twoSteps, calm}, 0, 0.66, false},
	} {
		b := boundOf(test.cell)
		near(t, "information", b.information, test.information)
		near(t, "failures", b.failures, test.failures)
		if b.informative() != test.informative {
			t.Errorf("%+v: informative %v, want %v", b, b.informative(), test.informative)
		}
	}
}

// TestTheOracleWeighsBothVersions: one error of the new version and none of the
// baseline, at rates 1% and 50%, weight .5, m = .255: ln(.5/.255) +
// 9·ln(.5/.745) + 10·ln(.99/.745).
func TestTheOracleWeighsBothVersions(t *testing.T) {
	o := &oracle{}
	o.begin(cell{1, 0.01, change{"", 0, 0.5}, schedules()[0], calm})
	m := minute{weight: 0.5, baseline: counts(10, 0), newVersion: counts(10, 1)}
	if got := o.check(view{minutes: []minute{m}}); got != goOn {
		t.Errorf("%v after %v", got, o.logRatio)
	}
	near(t, "log likelihood ratio", o.logRatio, -0.0724333)
	m.newVersion.Errors = 5 // 4 more, each ln(.5/.255) − ln(.5/.745)
	if got := o.check(view{minutes: []minute{m}}); got != goOn {
		t.Errorf("%v after %v", got, o.logRatio)
	}
	if got := o.check(view{minutes: []minute{m}}); got != rollBack {
		t.Errorf("%v after %v", got, o.logRatio)
	}
	o.begin(cell{1, 0.01, same, schedules()[0], calm})
	if got := o.check(view{minutes: []minute{m}}); got != goOn {
		t.Errorf("with equal rates: %v", got)
	}
}
