package sequential

import "math"

// RobustParams says what harm is, and what is known of the alias.
type RobustParams struct {
	ExactParams
	// Clusters is what the alias's history says.
	Clusters Clusters
	// Strict has S decide alone.
	Strict bool
}

// mix returns the weights of T, S and min(D, B), see Robust.
func (p RobustParams) mix() [3]float64 {
	c := p.Clusters
	switch {
	case p.Strict:
		return [...]float64{0, 1, 0}
	case !c.Known():
		return [...]float64{0.2, 0.8, 0}
	case c.Size <= 1 && c.Last <= 1:
		return [...]float64{0.8, 0.2, 0}
	}
	return [...]float64{0.1, 0.4, 0.5}
}

// Robust is the test for rolling back by default: it keeps the promise of [Exact] where
// errors are independent, whatever the history says, and finds few false alarms where
// they come in clusters such as the history has. It mixes e-processes, with weights that are
// fixed by the history:
//
//	T = Exact(η/Size)      S = strict Harm(η/Last)      D = Exact(η)
//	B = 1 + Σ_t 1/(t·(t+1))·(½·[(k_c/n_c)/q + mean_j 1{k_c − n_c·q ≥ 5·2^j}/min(1, 1.1·n_c·Excess_j)] − 1),   q = 1.1·max(Rate, k_b/n_b), at most 1
//
//	E = 0.8·T + 0.2·S                       without clusters
//	E = 0.1·T + 0.4·S + 0.5·min(D, B)       with clusters
//	E = 0.2·T + 0.8·S                       without a history
//
// T, S and D are e-processes under the H0 of [Exact], and min(D, B) ≤ D, so E is one,
// too. Where errors come in clusters, T holds if none has more than Size
// errors, S if none lasts longer than Last minutes, and B whenever each minute's expected share of
// failed requests, and how often it has so many too many, are at most 1.1 times the
// history's bounds; it needs no independence at all. What the history never had may be a
// false alarm. t counts the minutes that compare.
type Robust struct {
	size, exact Exact
	strict      Harm
	clusters    Clusters
	mix         [3]float64 // of T, S and min(D, B)
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
	return Robust{size: size, exact: exact, strict: strict, clusters: p.Clusters, mix: p.mix()}, err
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

// ShareState is the running evidence of B, see [Robust].
type ShareState struct {
	// Shares is B − 1, and Minutes is t.
	Shares  float64 `json:"shares,omitzero"`
	Minutes int64   `json:"minutes,omitzero"`
}

// after returns the state after one more minute with that factor.
func (s ShareState) after(factor float64) ShareState {
	s.Minutes++
	s.Shares += (factor - 1) / (float64(s.Minutes) * float64(s.Minutes+1))
	return s
}

// logE returns ln B.
func (s ShareState) logE() float64 {
	return math.Log(max(1+s.Shares, math.SmallestNonzeroFloat64))
}

// RobustFrom returns a state that goes on from the evidence of a [Harm], which a rollout
// gathered before it had a Robust: each test goes on from its e-value.
func RobustFrom(harm State) RobustState {
	exact := ExactState{logE: harm.LogE(), weights: exactPrior()}
	return RobustState{Size: exact, Strict: harm, Exact: exact}
}

// Fold returns the state after more minutes, in their order.
func (r *Robust) Fold(s RobustState, minutes ...Minute) RobustState {
	for _, m := range minutes {
		if !m.compares() {
			continue
		}
		s.Strict = r.strict.Fold(s.Strict, m)
		if r.mix[0] > 0 {
			s.Size = r.size.Fold(s.Size, m)
		}
		if r.mix[2] > 0 {
			s.Exact, s.ShareState = r.exact.Fold(s.Exact, m), s.after(r.shares(m))
		}
	}
	return s
}

// shares returns the factor of a minute in B; 1 if it does not have both versions.
func (r *Robust) shares(m Minute) float64 {
	if m.baseline.Requests == 0 {
		return 1
	}
	return r.clusters.share(m.newVersion, 1.1*max(r.clusters.Rate, float64(m.baseline.Errors)/float64(m.baseline.Requests)))
}

// share returns the factor in B of what the new version served in a minute, where
// the share of its requests that fail is expected to be q at most; 1 if it had none.
func (c Clusters) share(served Count, q float64) float64 {
	if served.Requests == 0 {
		return 1
	}
	q = min(1, q)
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
	return logMix(r.mix, s.Size.LogE(), s.Strict.LogE(), min(s.Exact.LogE(), s.logE()))
}

// logMix returns ln Σ w·e^L over the parts that have a weight.
func logMix(weights [3]float64, logs ...float64) float64 {
	var weighted []float64
	for i, w := range weights {
		if w > 0 {
			weighted = append(weighted, math.Log(w)+logs[i])
		}
	}
	return logMean(weighted) + math.Log(float64(len(weighted)))
}
