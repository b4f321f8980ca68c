package sequential

import "math"

// RobustParams define harm, and describe what is known of the alias.
type RobustParams struct {
	ExactParams
	// Clusters is what the alias's history says.
	Clusters Clusters
	// Strict has S decide alone.
	Strict bool
}

// mixture is the weights of T, S, min(D, B) and min(D, P), see [Robust].
type mixture [4]float64

// shares reports whether B or P count.
func (m mixture) shares() bool { return m[2]+m[3] > 0 }

// mixture returns the weights, which the history fixes.
func (p RobustParams) mixture() mixture {
	c := p.Clusters
	switch {
	case p.Strict && (!c.Known() || c.Last < lasting):
		return mixture{0, 1, 0, 0}
	case p.Strict:
		return mixture{0, 0.5, 0, 0.5}
	case !c.Known():
		return mixture{0.2, 0.8, 0, 0}
	case c.Size <= 1 && c.Last <= 1:
		return mixture{0.8, 0.2, 0, 0}
	}
	return mixture{0.05, 0.1, 0.55, 0.3}
}

// lasting is for how many minutes errors must have come together in the history for
// S to be slow: it counts one of so many minutes.
const lasting = 2

// Robust is the test for rolling back by default: it keeps the promise of [Exact] where
// errors are independent, whatever the history says, and finds few false alarms where
// they come in clusters such as the history has. It mixes e-processes, with weights that are
// fixed by the history:
//
//	T = Exact(η/Size)      S = strict Harm(η/Last)      D = Exact(η)
//	B = 1 + Σ_t 1/(t·(t+1))·(½·[(k_c/n_c)/q + mean_j 1{k_c − n_c·q ≥ 5·2^j}/min(1, 1.1·n_c·Excess_j)] − 1)
//	P = Π_t (1 + λ·((k_c/n_c)/q − 1))^(η/Last), a mixture over λ as State's over g
//	q = 1.1·max(Rate, k_b/n_b, and (K + √(K·φ))/N of the baseline since the start, and lately), at most 1
//
//	E = 0.8·T + 0.2·S                                             without clusters
//	E = 0.05·T + 0.1·S + 0.55·min(D, B) + 0.3·min(D, P)           with clusters
//	E = 0.2·T + 0.8·S                                             without a history
//
// T, S and D are e-processes under the H0 of [Exact], and min(D, ·) ≤ D, so E is one,
// too. Where errors come in clusters, T holds if none has more than Size errors, and S
// if both versions' are of the same sizes and none lasts longer than Last minutes. At a
// low weight an environment of the new version serves less than one of the baseline's, but
// falls sick as often: so S takes the new version to have had at least Size/3 requests a minute
// (more requests with the same errors are less evidence). B and P
// need nothing of how the errors of a minute depend on each other. Both hold if each
// minute's expected share of failed requests is at most 1.1 times the history's bound: P if
// that is so whatever happened Last minutes ago and before, and B, which
// needs no independence of minutes at all, if a minute has so many errors too many at
// most 1.1 times as often as in the history. A rate that both versions share may rise
// meanwhile: q follows what the baseline shows of it, with φ = 1 + (Size−1)/3. What the history never
// had may be a false alarm. t counts the minutes that compare.
//
// P is the capital of one who bets on k_c/n_c, whose mean is at most q (Waudby-Smith and
// Ramdas 2024, "Estimating means of bounded random variables by betting").
//
// Strict, S decides alone. Where the history's clusters last two minutes or more, it is
// E = 0.5·S + 0.5·min(D, P): S alone would take so many times longer.
type Robust struct {
	size, exact Exact
	strict      Harm
	clusters    Clusters
	mix         mixture
	eta         float64 // of P
}

// NewRobust makes the test. It refuses parameters out of their range, naming all of
// them.
func NewRobust(p RobustParams) (Robust, error) {
	exact, err := NewExact(p.ExactParams)
	if err != nil {
		return Robust{}, err
	}
	size := exact
	size.eta /= max(1, p.Clusters.Size)
	strict, err := NewHarm(HarmParams{Ratio: p.Ratio, Margin: p.Margin, Eta: p.Eta / max(1, p.Clusters.Last), Alpha: p.Alpha, Strict: true})
	return Robust{size: size, exact: exact, strict: strict, clusters: p.Clusters, mix: p.mixture(), eta: strict.eta}, err
}

// Threshold returns ln(1/α): harm is found when L reaches it.
func (r *Robust) Threshold() float64 { return r.exact.threshold }

// RobustState is the running evidence of [Robust]. Its zero value is the start.
//
// As JSON it is at most 1,200 bytes.
type RobustState struct {
	Size   ExactState `json:"size,omitzero"`
	Strict State      `json:"strict,omitzero"`
	Exact  ExactState `json:"exact,omitzero"`
	ShareState
}

// ShareState is the running evidence of B and P, see [Robust].
type ShareState struct {
	// Shares is B − 1, and Minutes is t.
	Shares  float64 `json:"shares,omitzero"`
	Minutes int64   `json:"minutes,omitzero"`
	// Bets is P.
	Bets State `json:"bets,omitzero"`
	// Baseline is what the baseline has served, and Lately the same with each minute worth
	// recency of the one after it: requests and errors.
	Baseline Count      `json:"baseline,omitzero"`
	Lately   [2]float64 `json:"lately,omitzero"`
}

// recency makes Lately the last five minutes, more or less.
const recency = 0.8

// served returns the state with what the baseline served in one more minute.
func (s ShareState) served(by Count) ShareState {
	s.Baseline = Count{min(s.Baseline.Requests+by.Requests, MaxCount), min(s.Baseline.Errors+by.Errors, MaxCount)}
	s.Lately = [2]float64{recency*s.Lately[0] + float64(by.Requests), recency*s.Lately[1] + float64(by.Errors)}
	return s
}

// after returns the state after one more minute of the new version, in which a share q of
// its requests is expected to fail, at most.
func (s ShareState) after(served Count, q float64, c *Clusters, eta float64) ShareState {
	q = min(1, q)
	s.Minutes++
	s.Shares += (c.share(served, q) - 1) / (float64(s.Minutes) * float64(s.Minutes+1))
	s.Bets = bet(s.Bets, served, q, eta)
	return s
}

// log returns the logarithm of a mixture of e-values, given the logarithms of T, S and D.
func (m mixture) log(size, strict, exact float64, s ShareState) float64 {
	shares := 0.0
	if m.shares() {
		shares = math.Log(max(1+s.Shares, math.SmallestNonzeroFloat64))
	}
	var weighted [len(m)]float64
	n := 0
	for i, log := range [...]float64{size, strict, min(exact, shares), min(exact, s.Bets.LogE())} {
		if m[i] > 0 {
			weighted[n] = math.Log(m[i]) + log
			n++
		}
	}
	return logMean(weighted[:n]) + math.Log(float64(n))
}

// RobustFrom returns a state that goes on from the evidence of a [Harm], which a rollout
// gathered before it had a Robust: each test goes on from its e-value.
func RobustFrom(harm State) RobustState {
	exact := ExactState{logE: harm.LogE(), weights: exactPrior()}
	return RobustState{Size: exact, Strict: harm, Exact: exact}
}

// Fold returns the state after more minutes, in their order.
func (r *Robust) Fold(s RobustState, minutes ...Minute) RobustState {
	for i := range minutes {
		f := r.Factors(&minutes[i])
		s = r.Multiply(s, &f)
	}
	return s
}

// RobustFactors are the factors of a minute in T, S and D.
type RobustFactors struct {
	minute Minute
	exact  exactLogs // at η = 1, of T and D
	strict Factors
}

// Of reports whether the factors are those of the minute.
func (f *RobustFactors) Of(m *Minute) bool { return f.minute == *m }

// Factors returns the factors of a minute.
func (r *Robust) Factors(m *Minute) RobustFactors {
	f := RobustFactors{minute: *m}
	if !m.compares() {
		return f
	}
	if r.mix[0] > 0 || r.mix.shares() {
		f.exact = r.exact.logRatios(m)
	}
	alike := r.clusters.alike(*m)
	f.strict = r.strict.Factors(&alike)
	return f
}

// Multiply returns the state after the minute with these factors.
func (r *Robust) Multiply(s RobustState, f *RobustFactors) RobustState {
	m := &f.minute
	if !m.compares() {
		return s
	}
	s.Strict = s.Strict.Multiply(&f.strict)
	if r.mix[0] > 0 {
		s.Size = s.Size.multiply(f.exact.tempered(r.size.eta), m.share())
	}
	if r.mix.shares() {
		s.Exact = s.Exact.multiply(f.exact.tempered(r.exact.eta), m.share())
		s.ShareState = r.compare(s.ShareState, m)
	}
	return s
}

// compare returns the state of B and P after a minute that compares.
func (r *Robust) compare(s ShareState, m *Minute) ShareState {
	if m.baseline.Requests == 0 { // who had what is known by the weight alone
		return s.after(Count{}, 1, &r.clusters, r.eta)
	}
	s = s.served(m.baseline)
	phi := 1 + (max(1, r.clusters.Size)-1)/3
	rate := func(n, k float64) float64 { return (k + math.Sqrt(k*phi)) / n }
	q := 1.1 * max(r.clusters.Rate, float64(m.baseline.Errors)/float64(m.baseline.Requests),
		rate(float64(s.Baseline.Requests), float64(s.Baseline.Errors)), rate(s.Lately[0], s.Lately[1]))
	return s.after(m.newVersion, q, &r.clusters, r.eta)
}

// alike returns the minute as S takes it, see Robust.
func (c *Clusters) alike(m Minute) Minute {
	if m.newVersion.Requests > 0 {
		m.newVersion.Requests = max(m.newVersion.Requests, int64(c.Size/3))
	}
	return m
}

// share returns the factor in B of what the new version served in a minute, where
// the share of its requests that fail is expected to be q at most, in (0, 1]; 1 if it had
// none.
func (c *Clusters) share(served Count, q float64) float64 {
	if served.Requests == 0 {
		return 1
	}
	n, k := float64(served.Requests), float64(served.Errors)
	often := 0.0
	for j, rare := range c.Excess {
		if k-n*q >= excess(j) {
			often += 1 / min(1, 1.1*n*rare) / excesses
		}
	}
	return (k/n/q + often) / 2
}

// LogE returns L = ln E.
func (r *Robust) LogE(s RobustState) float64 {
	return r.mix.log(s.Size.LogE(), s.Strict.LogE(), s.Exact.LogE(), s.ShareState)
}
