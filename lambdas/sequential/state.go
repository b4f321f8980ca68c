package sequential

import (
	"encoding/json"
	"fmt"
	"math"
)

// The mixture over how much worse the new version may be. Grid, prior and share
// were chosen and measured together, by simulation; the share is Herbster and
// Warmuth's (1998).
const (
	alternatives = 7
	priorWorse   = 0.13 // π_j of each alternative
	priorSame    = 0.09 // π_0 of "no worse", whose e-value stays 1
	share        = 0.05 // s, what moves back to the prior each minute: harm may start late
)

// timesWorse returns the alternatives g_j: the new version's rate is g times what is
// tolerated.
func timesWorse() [alternatives]float64 {
	return [...]float64{1.2, 1.5, 2, 4, 10, 50, 1000}
}

// prior returns π, with "no worse" first.
func prior() [alternatives + 1]float64 {
	return [...]float64{priorSame, priorWorse, priorWorse, priorWorse, priorWorse, priorWorse, priorWorse, priorWorse}
}

// State is the running evidence that the new version is worse, of [Harm] or
// [HistoricalControl]. Its zero value is the start: no evidence. States can be
// compared with ==.
//
// As JSON it is at most 300 bytes: {"log-e":L,"weights":[w_0,…,w_7]}.
type State struct {
	logE float64
	// The mixture's own weights are w_j·e^logE: kept apart, the w_j sum to 1, and
	// none falls below share·π_j. All are 0 at the start, for π.
	weights [alternatives + 1]float64
}

// LogE returns L, the natural logarithm of the e-value: 0 at the start, always
// finite.
func (s State) LogE() float64 {
	return s.logE
}

// begun returns the state with its weights filled in.
func (s State) begun() State {
	if s.weights[0] == 0 {
		s.weights = prior()
	}
	return s
}

// Factors are those of a minute, of [Harm] or [HistoricalControl]. Their zero value
// changes nothing.
type Factors struct {
	logs   [alternatives]float64
	counts bool // whether the minute is one of the mixture's
	some   bool // whether any factor is not 1
}

// Multiply returns the state after the minute with these factors.
func (s State) Multiply(f *Factors) State {
	switch {
	case f.some:
		return s.multiply(&f.logs)
	case f.counts:
		return s.begun().sharing(1 - share)
	}
	return s
}

// multiply returns the state after one minute, which multiplies the alternatives of
// the mixture by the factors e^logs:
//
//	L ← L + ln Σ w_j·e^(ℓ_j)      w_j ← (1−s)·w_j·e^(ℓ_j)/Σ + s·π_j      (ℓ_0 = 0)
//
// If each factor has an expectation of at most 1 given the past, so has e^L
// relative to what it was: it is their mean under weights fixed before.
func (s State) multiply(logs *[alternatives]float64) State {
	s = s.begun()
	gain, total := multiply(s.weights[:], logs[:])
	s.logE += gain
	return s.sharing((1 - share) / total)
}

// multiply multiplies a mixture's weights by the factors of a minute, but for the first,
// whose factor is 1. It returns ln Σ w_j·e^(ℓ_j), and what the weights sum to then: they are
// scaled by the largest factor, so that none overflows.
func multiply(weights, logs []float64) (gain, total float64) {
	most := 0.0
	for _, log := range logs {
		most = max(most, log)
	}
	weights[0] *= math.Exp(-most)
	total = weights[0]
	for j, log := range logs {
		weights[j+1] *= math.Exp(log - most)
		total += weights[j+1]
	}
	return most + math.Log(total), total
}

// sharing returns the state with its weights scaled by keep, and the prior's share
// added.
func (s State) sharing(keep float64) State {
	prior := prior()
	mix(s.weights[:], prior[:], keep, share)
	return s
}

// mix scales a mixture's weights by keep, and adds a share of the prior.
func mix(weights, prior []float64, keep, share float64) {
	for j, p := range prior {
		weights[j] = keep*weights[j] + share*p
	}
}

// UnmarshalJSON reads what MarshalJSON wrote. It refuses anything that no
// folding can have led to: weights of another number, outside their range, or
// that don't sum to 1.
func (s *State) UnmarshalJSON(data []byte) error {
	least := prior()
	for j := range least {
		least[j] *= share
	}
	logE, err := readState(data, s.weights[:], least[:])
	if err == nil {
		s.logE = logE
	}
	return err
}

// readState reads the JSON of a state into weights, of which none may be below least. If
// it returns an error, weights are as they were.
func readState(data []byte, weights, least []float64) (logE float64, err error) {
	read := stateJSON{Weights: make([]float64, 0, len(weights))}
	if err := json.Unmarshal(data, &read); err != nil {
		return 0, fmt.Errorf("evidence: %w", err)
	}
	if len(read.Weights) != len(weights) {
		return 0, fmt.Errorf("evidence: %d weights: must be %d", len(read.Weights), len(weights))
	}
	const rounding = 1e-9
	sum := 0.0
	for j, low := range least {
		if err := within(fmt.Sprintf("evidence: weight %d:", j), read.Weights[j], max(low-rounding, 0), 1); err != nil {
			return 0, err
		}
		sum += read.Weights[j]
	}
	if err := within("evidence: sum of weights", sum, 1-rounding, 1+rounding); err != nil {
		return 0, err
	}
	copy(weights, read.Weights)
	return read.LogE, nil
}

// LogMeanE combines the evidence of several tests of one rollout, each given as
// L = ln E: it returns ln of the mean of the E, and 0 for none. The mean of
// e-processes is an e-process however they depend on each other, so the threshold of
// one test holds for it. (The latency gate combines those of p95 and p99; comparing
// each with the threshold would double the false alarms.)
func LogMeanE(logs ...float64) float64 {
	if len(logs) == 0 {
		return 0
	}
	return logMean(logs)
}
