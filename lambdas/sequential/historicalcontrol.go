package sequential

import (
	"errors"
	"fmt"
	"math"
)

// HistoricalControlParams are the parameters of [HistoricalControl].
type HistoricalControlParams struct {
	// Record is what the baseline served, before and during the rollout.
	Record Count
	// Tolerance, τ in (0, 1000], and Margin, δ in [0, 1], say what is tolerated:
	// p_c ≤ τ·p_b + δ, where p_c is the new version's error rate and p_b the
	// baseline's by its record.
	Tolerance, Margin float64
	// Eta, η in (0, 1], is how much each error counts: 1/φ, see [Dispersion].
	Eta float64
	// Alpha, α in (0, 1), is the highest tolerated chance of ever finding harm
	// where there is none.
	Alpha float64
	// Averaged is how many tests are judged together by their [LogMeanE], at
	// least 1: each bound's share of α is divided by it, so that the chance that
	// any of them is wrong stays the same.
	Averaged int
	// Strict counts at most one effective error a minute, see [HistoricalControl].
	Strict bool
}

// boundShare is the part of α that goes to the bound of the baseline's rate.
// The record is long, so the bound can be had cheaply; the test gets the rest.
const boundShare = 0.1

// HistoricalControl is the one-sample test for when the new version has all traffic.
// H0: in every minute p_c ≤ τ·p_b + δ, where p_b is the baseline's mean rate over its
// record. No baseline is beside it any more: this test can't distinguish harm from a
// drift that would have raised both rates alike, and calls it harm. The tolerance
// is the room for drift.
//
// It takes two steps, whose chances of being wrong add up to α.
//
// The record, with n requests and k errors, gives the upper bound p̄ of p_b, at
// α' = α/10 (divided by Averaged), over A, a grid of 9 values in (0, 1):
//
//	p̄ = min over a in A of [1 − e^((k·ln a − ln(|A|/α')/η)/n)]/(1 − a), at most 1
//
// Each a^k·(1−p_b·(1−a))^(−n) is an e-process, also for the mean p_b of rates
// that drift, so their mean reaches 1/α' with at most chance α' (Ville), and
// where p_b > p̄ one of them has reached |A|/α'. Unlike Clopper and Pearson's,
// the bound holds whenever the record ends; that matters since the rollout's
// pace may depend on what the record shows. It costs little: for no error in n
// requests it is 9.3/n where theirs is 6.9/n, for 100 errors 150/n and 135/n (at
// α' = 0.1%).
// Without a record p̄ is 1.
//
// Then, with the limit q = τ·p̄ + δ (at most 1), each minute with requests
// multiplies alternative g of the mixture (see [State]) by e^ℓ:
//
//	ℓ = η·[k_c·ln g − n_c·ln(1 + q·(g−1))]
//
// E[g^k] = (1+p·(g−1))^n, so E[e^ℓ] ≤ 1 as long as p_c ≤ q. Harm is found when
// L reaches Threshold = ln(1/(0.9·α)).
//
// # Strict
//
// The factor becomes, which is at most that of one error in a quiet minute,
//
//	min(g, (1 + (g−1)·k_c)/(1 + (g−1)·n_c·q))^η
//
// It is linear in k_c, so its expectation is at most 1 whatever the dependence
// of the errors within a minute is. The bound p̄ is as without Strict: where the
// record's errors cluster, it needs Eta.
type HistoricalControl struct {
	rate, limit, eta, threshold float64
	strict                      bool
	worse, logWorse             [alternatives]float64 // g and ln g
	logMean                     [alternatives]float64 // ln(1 + q·(g−1))
}

// NewHistoricalControl returns the test with these parameters. The error names all
// that are out of their range.
func NewHistoricalControl(p HistoricalControlParams) (HistoricalControl, error) {
	err := errors.Join(
		p.Record.check("record"),
		above("tolerance", p.Tolerance, 0, maxRatio),
		within("margin", p.Margin, 0, 1),
		above("eta", p.Eta, 0, 1),
		between("alpha", p.Alpha, 0, 1),
	)
	if p.Averaged < 1 {
		err = errors.Join(err, fmt.Errorf("averaged %d: must be at least 1", p.Averaged))
	}
	if err != nil {
		return HistoricalControl{}, err
	}
	rate := upperRate(p.Record, p.Eta, boundShare*p.Alpha/float64(p.Averaged))
	b := HistoricalControl{
		rate: rate, limit: min(1, p.Tolerance*rate+p.Margin), eta: p.Eta,
		threshold: -math.Log((1 - boundShare) * p.Alpha), strict: p.Strict, worse: timesWorse(),
	}
	for j, g := range b.worse {
		b.logWorse[j] = math.Log(g)
		b.logMean[j] = math.Log1p(b.limit * (g - 1))
	}
	return b, nil
}

// upperRate returns the upper bound p̄ of a record's rate, see [HistoricalControl].
func upperRate(record Count, eta, alpha float64) float64 {
	// The bets of NonInferiority, and three that make long records worth their length.
	bets := [...]float64{0.02, 0.2, 0.4, 0.6, 0.75, 0.9, 0.97, 0.99, 0.999}
	if record.Requests == 0 {
		return 1
	}
	needed := math.Log(float64(len(bets))/alpha) / eta
	bound := 1.0
	for _, a := range bets {
		exponent := (float64(record.Errors)*math.Log(a) - needed) / float64(record.Requests)
		bound = min(bound, -math.Expm1(exponent)/(1-a))
	}
	return bound
}

// BaselineRate returns p̄, the upper bound of the baseline's rate, in (0, 1].
func (b *HistoricalControl) BaselineRate() float64 {
	return b.rate
}

// Limit returns q, the rate above which the new version counts as worse, in (0, 1].
func (b *HistoricalControl) Limit() float64 {
	return b.limit
}

// Threshold returns ln(1/(0.9·α)): harm is found when L reaches it.
func (b *HistoricalControl) Threshold() float64 {
	return b.threshold
}

// Fold returns the state after more minutes, in their order. Only the new version's
// counts matter; minutes in which it had no requests change nothing.
func (b *HistoricalControl) Fold(s State, minutes ...Minute) State {
	for i := range minutes {
		f := b.Factors(&minutes[i])
		s = s.Multiply(&f)
	}
	return s
}

// Factors returns the factors of a minute, for several states.
func (b *HistoricalControl) Factors(m *Minute) Factors {
	if m.newVersion.Requests == 0 {
		return Factors{}
	}
	return Factors{counts: true, some: true, logs: b.logFactors(m.newVersion)}
}

// logFactors returns the ℓ of a minute's count.
func (b *HistoricalControl) logFactors(c Count) (logs [alternatives]float64) {
	n, k := float64(c.Requests), float64(c.Errors)
	for j, g := range b.worse {
		log := k*b.logWorse[j] - n*b.logMean[j]
		if b.strict {
			log = min(b.logWorse[j], math.Log1p((g-1)*k)-math.Log1p((g-1)*n*b.limit))
		}
		logs[j] = b.eta * log
	}
	return logs
}
