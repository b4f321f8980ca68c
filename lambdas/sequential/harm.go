package sequential

import (
	"errors"
	"math"
)

// HarmParams are the parameters of [Harm].
type HarmParams struct {
	// Ratio, ρ0 in (0, 1000], and Margin, δ in [0, 1], say what is tolerated:
	// p_c ≤ ρ0·p_b + δ, where p_c is the new version's error rate and p_b the
	// baseline's.
	Ratio, Margin float64
	// Eta, η in (0, 1], is how much each error counts: 1/φ, see [Dispersion].
	Eta float64
	// Alpha, α in (0, 1), is the highest tolerated chance of ever finding harm
	// where there is none.
	Alpha float64
	// Strict counts at most one effective error a minute, see [Harm].
	Strict bool
}

// DefaultHarmParams returns those that the benchmark is published for: ρ0 = 1.1, δ = 0, η = 1, α = 1%.
func DefaultHarmParams() HarmParams {
	return HarmParams{Ratio: 1.1, Margin: 0, Eta: 1, Alpha: 0.01}
}

// HoldLogE is ln 3, the evidence at which a step that is over is held.
const HoldLogE = 1.0986122886681098

// Harm is the conditional two-sample test for rolling back. H0: in every minute
// p_c ≤ ρ0·p_b + δ, whatever p_b is, and however it drifts. With n requests and
// k errors of the baseline (b) and the new version (c), K = k_b + k_c, a minute
// multiplies alternative g of the mixture (see [State]) by e^ℓ:
//
//	r = (n_c·ρ0·g + n_b)/(n_c·ρ0 + n_b)      a = g/r
//	ℓ = η·[k_c·ln g − K·ln r − n_c·δ·(a − 1)]
//
// A minute in which either version had no requests changes nothing.
//
// Under H0, E[e^ℓ] ≤ 1 for any p_b and n: with b = 1/r, e^ℓ (at η = 1) is
// a^k_c·b^k_b·e^(−n_c·δ·(a−1)), by (1+p(a−1))^n ≤ e^(n·p·(a−1)) its expectation
// is at most e^(n_c·(p_c−δ)·(a−1) − n_b·p_b·(1−b)), and the terms in p_b cancel.
// With η < 1 that follows from Jensen's inequality. So P(L ever reaches
// Threshold) ≤ α. It takes errors to be independent given the rates. Errors of
// one version that come in clusters break that; Eta helps, and doesn't restore
// α; Strict does, if no cluster extends over two minutes.
//
// # Strict
//
// The factor of a minute with errors becomes the mean of what each of them would
// give if it were the minute's only one, under a slightly wider tolerance:
//
//	ℓ = η·[ln((k_c·g + k_b)/K) − ln r − n_c·δ'·(a − 1)]      r and a with ρ' for ρ0
//	ρ' = ρ0·(1 + max(0, ρ0−1)/h)      δ' = δ·(1 + ρ0/h)
//	h  = n_b + 1 + (n_c−2)·ρ0, but for n_c = 1 at least ρ0
//
// So no minute gives more evidence of harm than one error of the new version
// alone, and finding an outage takes about as many minutes as it otherwise takes
// errors: with ρ0 = 1 and α = 1%, 3 at weight 10%, 9 at 50%, 60 at
// 90%.
//
// E[e^ℓ] ≤ 1 in two cases. Where errors come in clusters that are over within
// the minute, sizes are alike for both versions, and their numbers are Poisson:
// whatever the sizes are, by symmetry the new version's expected share k_c/K is
// n_c·p_c/(n_c·p_c + n_b·p_b). And where errors are independent, at every rate:
// there E[k_c/K] = n_c·p_c·F, E[k_b/K] = n_b·p_b·F', with F = E[1/(1+X)] over the
// errors X of all other requests, and F' the same beside a request of the
// baseline. F exceeds F' by (p_c−p_b)·E[1/((1+W)(2+W))], W without one request of
// each, and (n_b·p_b + (n_c−1)·p_c) times that last expectation is at most F; ρ'
// and δ' make up for it.
type Harm struct {
	ratio, margin, eta, threshold float64
	strict                        bool
	worse, logWorse               [alternatives]float64 // g and ln g
}

// NewHarm returns the test with these parameters. The error names all that are out
// of their range.
func NewHarm(p HarmParams) (Harm, error) {
	if err := checkHarm(p.Ratio, p.Margin, p.Eta, p.Alpha); err != nil {
		return Harm{}, err
	}
	h := Harm{
		ratio: p.Ratio, margin: p.Margin, eta: p.Eta, threshold: -math.Log(p.Alpha),
		strict: p.Strict, worse: timesWorse(),
	}
	for j, g := range h.worse {
		h.logWorse[j] = math.Log(g)
	}
	return h, nil
}

// checkHarm returns an error that names all parameters of a test for harm that are out of
// their range.
func checkHarm(ratio, margin, eta, alpha float64) error {
	return errors.Join(
		above("ratio", ratio, 0, maxRatio),
		within("margin", margin, 0, 1),
		above("eta", eta, 0, 1),
		between("alpha", alpha, 0, 1),
	)
}

// Threshold returns ln(1/α): harm is found when L reaches it.
func (h *Harm) Threshold() float64 {
	return h.threshold
}

// Fold returns the state after more minutes, in their order. Those in which either
// version had no requests change nothing.
func (h *Harm) Fold(s State, minutes ...Minute) State {
	for i := range minutes {
		f := h.Factors(&minutes[i])
		s = s.Multiply(&f)
	}
	return s
}

// Factors returns the factors of a minute, for several states.
func (h *Harm) Factors(m *Minute) Factors {
	switch {
	case m.baseline.Requests == 0 || m.newVersion.Requests == 0:
		return Factors{}
	case m.errors() == 0 && h.margin == 0:
		return Factors{counts: true}
	}
	return Factors{counts: true, some: true, logs: h.logFactors(*m)}
}

// logFactors returns the ℓ of a minute in which both versions had requests.
func (h *Harm) logFactors(m Minute) (logs [alternatives]float64) {
	nb, kb := float64(m.baseline.Requests), float64(m.baseline.Errors)
	nc, kc := float64(m.newVersion.Requests), float64(m.newVersion.Errors)
	tolerated, margin, all := h.ratio*nc, h.margin, kb+kc
	if h.strict {
		room := nb + 1 + (nc-2)*h.ratio
		if nc == 1 {
			room = max(room, h.ratio)
		}
		tolerated *= 1 + max(0, h.ratio-1)/room
		margin *= 1 + h.ratio/room
	}
	// Both r and a are taken as distances from 1, which stay exact when one
	// version has nearly all requests.
	theta := tolerated / (tolerated + nb)
	for j, g := range h.worse {
		log := 0.0
		if all > 0 {
			log = -math.Log1p(theta * (g - 1)) // −ln r
			switch {
			case !h.strict:
				log = kc*h.logWorse[j] + all*log
			case kc > 0:
				log += math.Log((kc*g + kb) / all)
			}
		}
		if margin > 0 {
			log -= nc * margin * (nb * (g - 1) / (tolerated*g + nb))
		}
		logs[j] = h.eta * log
	}
	return logs
}
