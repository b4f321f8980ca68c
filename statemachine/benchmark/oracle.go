package main

import "math"

// alpha is the rate of false alarms that the bound and the oracle are for.
const alpha = 0.01

// oracle is no rule that could be run: it knows both rates. It is Wald's
// sequential probability ratio test of what is true against both versions
// having the rate m = w·p_c + (1−w)·p_b, each minute, and rolls back when the
// likelihood ratio reaches 1/α. With equal rates it has nothing to find.
type oracle struct {
	rate, newRate float64
	logRatio      float64
}

func (*oracle) name() string { return "an oracle that knows both rates" }

func (o *oracle) begin(c cell) {
	*o = oracle{rate: c.rate, newRate: c.newRate()}
}

func (o *oracle) check(v view) verdict {
	if o.rate == o.newRate || len(v.minutes) == 0 {
		return goOn
	}
	m := v.newest()
	common := m.weight*o.newRate + (1-m.weight)*o.rate
	o.logRatio += logLikelihood(m.baseline.Requests, m.baseline.Errors, o.rate, common) +
		logLikelihood(m.newVersion.Requests, m.newVersion.Errors, o.newRate, common)
	if o.logRatio >= -math.Log(alpha) {
		return rollBack
	}
	return goOn
}

// logLikelihood returns ln of how much likelier k errors among n requests are at
// the rate p than at the rate q in (0, 1).
func logLikelihood(n, k int64, p, q float64) (sum float64) {
	if k > 0 {
		sum += float64(k) * math.Log(p/q)
	}
	if n > k {
		sum += float64(n-k) * math.Log((1-p)/(1-q))
	}
	return sum
}

// bound approximates the best that a rule with false-alarm rate α can do, in a
// cell.
type bound struct {
	// information is the information of the whole schedule: Σ N·J(w) over its
	// minutes with N requests each, in nats.
	information float64
	// failures is how many failed requests the new version has served when
	// the information reaches ln(1/α), and at least those of the first minute,
	// before whose end no rule looks. It is that of the whole schedule if the
	// information never gets there.
	failures float64
}

// informative reports whether there is enough information for a sensible rule
// to find the harm: 2·ln(1/α).
func (b bound) informative() bool {
	return b.information >= -2*math.Log(alpha)
}

// boundOf computes a cell's bound. With weight w, the mean information of a request is
//
//	J(w) = w·KL(p_c‖m) + (1−w)·KL(p_b‖m)      m = w·p_c + (1−w)·p_b
func boundOf(c cell) bound {
	var b bound
	enough, failures := -math.Log(alpha), 0.0
	reached := false
	for i, step := range c.schedule.steps {
		common := step.weight*c.newRate() + (1-step.weight)*c.rate
		perMinute := 60 * c.perSecond * (step.weight*divergence(c.newRate(), common) + (1-step.weight)*divergence(c.rate, common))
		failed := 60 * c.perSecond * step.weight * c.newRate() // a minute
		if i == 0 {
			b.failures = failed
		}
		here := float64(step.minutes)
		if !reached && b.information+here*perMinute >= enough {
			reached = true
			b.failures = max(b.failures, failures+failed*(enough-b.information)/perMinute)
		}
		b.information += here * perMinute
		failures += here * failed
	}
	if !reached {
		b.failures = failures
	}
	return b
}

// divergence returns Kullback and Leibler's, KL(p‖q), of a single request that
// fails at the rate p from one that fails at the rate q in (0, 1), in nats.
func divergence(p, q float64) float64 {
	sum := 0.0
	if p > 0 {
		sum += p * math.Log(p/q)
	}
	if p < 1 {
		sum += (1 - p) * math.Log((1-p)/(1-q))
	}
	return sum
}
