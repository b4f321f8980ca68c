package sequential

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
)

// NonInferiorityParams are the parameters of [NonInferiority].
type NonInferiorityParams struct {
	// Ratio is ρ_m in [0, 1000]: the new version's rate is compared with ρ_m
	// times the baseline's.
	Ratio float64
	// Eta, η in (0, 1], is how much each error counts: 1/φ, see [Dispersion].
	Eta float64
	// Beta, β in (0, 1), is the highest tolerated chance that the bound is ever
	// wrong.
	Beta float64
}

// DefaultNonInferiorityParams returns the usual ones: ρ_m = 1, η = 1, β = 5%.
func DefaultNonInferiorityParams() NonInferiorityParams {
	return NonInferiorityParams{Ratio: 1, Eta: 1, Beta: 0.05}
}

const proofBets = 6

// betsOnFewer returns the a of the mixture, each with the same share. They were
// chosen by simulation.
func betsOnFewer() [proofBets]float64 {
	return [...]float64{0.02, 0.2, 0.4, 0.6, 0.75, 0.9}
}

// NonInferiority is the test by which the new version is proven to be not much worse.
// With n requests and k errors of the baseline (b) and the new version (c), and sums
// over the minutes in which both had requests:
//
//	S_a = Σ η·[k_c·ln a + k_b·ln(1 + ρ_m·(n_c/n_b)·(1−a))]      N_a = Σ η·n_c·(1−a)
//	LogE(δ_m) = ln(mean over a of e^(S_a + δ_m·N_a))
//
// With d = p_c − ρ_m·p_b in each minute, and D its mean over the minutes so far,
// weighted by n_c, e^LogE(D) is an e-process whatever the rates do: the
// expectation of a minute's factor at η = 1 is at most e^(n_c·(1−a)·(δ_m−d)), by
// 1+x ≤ e^x. So with chance 1−β, at all times, LogE(D) < ln(1/β), and D < Bound.
// In particular Proven(δ_m) is wrong with at most chance β where d ≥ δ_m in
// every minute.
//
// It takes errors to be independent given the rates, as [Harm] does, and has no
// strict mode: with errors left out, it would bound the harm too low.
type NonInferiority struct {
	ratio, eta, threshold float64
	bets, logBets         [proofBets]float64 // a and ln a
}

// NewNonInferiority returns the test with these parameters. The error names all that
// are out of their range.
func NewNonInferiority(p NonInferiorityParams) (NonInferiority, error) {
	err := errors.Join(
		within("ratio", p.Ratio, 0, maxRatio),
		above("eta", p.Eta, 0, 1),
		between("beta", p.Beta, 0, 1),
	)
	if err != nil {
		return NonInferiority{}, err
	}
	proof := NonInferiority{ratio: p.Ratio, eta: p.Eta, threshold: -math.Log(p.Beta), bets: betsOnFewer()}
	for i, a := range proof.bets {
		proof.logBets[i] = math.Log(a)
	}
	return proof, nil
}

// Fold returns the state after more minutes, in their order. Those in which either
// version had no requests change nothing.
func (p *NonInferiority) Fold(s NonInferiorityState, minutes ...Minute) NonInferiorityState {
	for _, m := range minutes {
		if !m.compares() {
			continue
		}
		nb, kb := float64(m.baseline.Requests), float64(m.baseline.Errors)
		nc, kc := float64(m.newVersion.Requests), float64(m.newVersion.Errors)
		odds := p.ratio * nc / nb
		for i, a := range p.bets {
			log := kc * p.logBets[i]
			if kb > 0 {
				log += kb * math.Log1p(odds*(1-a))
			}
			s.sums[i] += p.eta * log
		}
		s.requests += p.eta * nc
	}
	return s
}

// LogE returns the evidence, as a natural logarithm, that p_c − ρ_m·p_b is below the
// margin δ_m. It grows with the margin, and is 0 before the first minute.
func (p *NonInferiority) LogE(s NonInferiorityState, margin float64) float64 {
	logs := p.logs(&s, margin)
	return logMean(logs[:])
}

// logs returns S_a + δ_m·N_a for each a.
func (p *NonInferiority) logs(s *NonInferiorityState, margin float64) (logs [proofBets]float64) {
	for i, a := range p.bets {
		logs[i] = s.sums[i] + margin*s.requests*(1-a)
	}
	return logs
}

// Proven reports whether the evidence for the margin has reached ln(1/β).
func (p *NonInferiority) Proven(s NonInferiorityState, margin float64) bool {
	return p.LogE(s, margin) >= p.threshold
}

// boundParts is in how many parts Bound divides the margins from 0 to 1.
const boundParts = 1 << 40

// Bound returns U, the always-valid upper bound of p_c − ρ_m·p_b: the smallest
// margin in [0, 1] that is proven, rounded up by at most 1e-12.
// It is 1 as long as nothing can be said, as no rate is higher, and never below 0:
// at 0 the new version's error rate is proven to be at most ρ_m times the baseline's.
func (p *NonInferiority) Bound(s NonInferiorityState) float64 {
	switch {
	case p.Proven(s, 0):
		return 0
	case !p.Proven(s, 1):
		return 1
	}
	return float64(p.leastProven(s, int64(math.Ceil(p.reached(&s)*boundParts)))) / boundParts
}

// leastProven returns the smallest proven number of boundParts, of which 0 is not proven and all
// are. It begins at next, and bisects if that is not next to it.
func (p *NonInferiority) leastProven(s NonInferiorityState, next int64) int64 {
	low, high := int64(0), int64(boundParts)
	for tries := 0; high-low > 1; tries++ {
		if tries >= 4 || next <= low || next >= high {
			next = low + (high-low)/2
		}
		if p.Proven(s, float64(next)/boundParts) {
			high, next = next, next-1
		} else {
			low, next = next, next+1
		}
	}
	return high
}

// reached returns about at which margin, below 1, the evidence reaches the threshold, by
// Newton's method: the evidence is convex, so that each step from above ends above.
func (p *NonInferiority) reached(s *NonInferiorityState) float64 {
	margin := 1.0
	for range 20 {
		logs := p.logs(s, margin)
		most := slices.Max(logs[:])
		sum, grows := 0.0, 0.0
		for i, log := range logs {
			times := math.Exp(log - most)
			sum += times
			grows += times * s.requests * (1 - p.bets[i])
		}
		step := (most + math.Log(sum/proofBets) - p.threshold) / (grows / sum)
		if margin -= step; !(step > 1e-13) {
			break
		}
	}
	return margin
}

// NonInferiorityState is the running state of [NonInferiority]. Its zero value is the
// start. States can be compared with ==.
//
// As JSON it is at most 250 bytes: {"sums":[S_a, …],"requests":Σ η·n_c}.
type NonInferiorityState struct {
	sums     [proofBets]float64
	requests float64
}

// UnmarshalJSON reads what MarshalJSON wrote. It refuses another number of sums,
// and less than no requests.
func (s *NonInferiorityState) UnmarshalJSON(data []byte) error {
	var read proofStateJSON
	if err := json.Unmarshal(data, &read); err != nil {
		return fmt.Errorf("proof: %w", err)
	}
	if len(read.Sums) != len(s.sums) {
		return fmt.Errorf("proof: %d sums: must be %d", len(read.Sums), len(s.sums))
	}
	if read.Requests < 0 {
		return fmt.Errorf("proof: %v requests: must not be negative", read.Requests)
	}
	s.requests = read.Requests
	copy(s.sums[:], read.Sums)
	return nil
}
