package main

import (
	"math"
	"slices"
)

// mannWhitney is Kayenta's judge (NetflixACAJudge, in Spinnaker and Armory): at
// a step's end the Mann–Whitney U test compares the error rates of both
// versions, minute by minute. It rolls back where the 98% confidence interval
// (two-sided: 1% on the harmful side) of how much the new version's are
// higher lies above 25% of its estimate, the median of all differences.
//
// Chosen here: all minutes since the first shift are compared (the growing
// lookback), because the two minutes of a step can't be significant; and
// significance is the normal approximation's, with corrections for continuity
// and ties, on which Kayenta's interval is built. Where that has no solution
// Kayenta takes the smallest difference instead, and finds harm in two minutes
// that happen to be higher; here there is no harm then. A minute without
// requests of a version is no data point.
type mannWhitney struct {
	control, experiment, scratch []float64
}

func (*mannWhitney) name() string { return "Mann–Whitney at each step's end" }
func (*mannWhitney) begin(cell)   {}

func (m *mannWhitney) check(v view) verdict {
	const confidentZ, tolerance = 2.3263478740408408, 0.25 // z of 99% of the normal distribution
	if !v.stepOver {
		return goOn
	}
	m.control, m.experiment = m.control[:0], m.experiment[:0]
	for _, minute := range v.minutes {
		if n := minute.baseline.Requests; n > 0 {
			m.control = append(m.control, float64(minute.baseline.Errors)/float64(n))
		}
		if n := minute.newVersion.Requests; n > 0 {
			m.experiment = append(m.experiment, float64(minute.newVersion.Errors)/float64(n))
		}
	}
	if m.z(0) >= confidentZ && m.z(tolerance*m.shift()) >= confidentZ {
		return rollBack
	}
	return goOn
}

// shift returns how much higher the experiment's values are: the median of the
// differences of all pairs (Hodges and Lehmann 1963).
func (m *mannWhitney) shift() float64 {
	m.scratch = m.scratch[:0]
	for _, x := range m.experiment {
		for _, y := range m.control {
			m.scratch = append(m.scratch, x-y)
		}
	}
	slices.Sort(m.scratch)
	n := len(m.scratch)
	return (m.scratch[(n-1)/2] + m.scratch[n/2]) / 2
}

// z returns how many standard deviations U is above its mean without a difference,
// 0 if it is not above it, once the shift is taken off the experiment's values.
// U counts the pairs in which the experiment's value is higher, and half of
// those in which it is equal:
//
//	z = (U − n·m/2 − ½)/σ      σ² = n·m/12·(N + 1 − Σ(t³ − t)/(N·(N−1)))      N = n + m
//
// with t the numbers of values that are tied.
func (m *mannWhitney) z(shift float64) float64 {
	u := 0.0
	for _, x := range m.experiment {
		for _, y := range m.control {
			switch {
			case x-shift > y:
				u++
			case x-shift == y:
				u += 0.5
			}
		}
	}
	pairs := float64(len(m.experiment) * len(m.control))
	above := u - pairs/2 - 0.5
	if above <= 0 {
		return 0
	}
	m.scratch = append(m.scratch[:0], m.control...)
	for _, x := range m.experiment {
		m.scratch = append(m.scratch, x-shift)
	}
	slices.Sort(m.scratch)
	ties, run := 0.0, 0.0
	for i, x := range m.scratch {
		if i > 0 && x != m.scratch[i-1] {
			run = 0
		}
		run++
		ties += 3 * run * (run - 1) // (t³ − t) grows by this with its t-th value
	}
	all := float64(len(m.scratch))
	return above / math.Sqrt(pairs/12*(all+1-ties/(all*(all-1))))
}
