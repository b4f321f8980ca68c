package sequential

import (
	"encoding/json"

	"github.com/lambda-rollout/lambda-rollout/lambdas/jsonappend"
)

type stateJSON struct {
	LogE    float64   `json:"log-e"`
	Weights []float64 `json:"weights"`
}

type proofStateJSON struct {
	Sums     []float64 `json:"sums"`
	Requests float64   `json:"requests"`
}

// MarshalJSON writes the state exactly.
func (s State) MarshalJSON() ([]byte, error) {
	weights := s.begun().weights
	return json.Marshal(stateJSON{s.logE, weights[:]})
}

// MarshalJSON writes the state exactly.
func (s ExactState) MarshalJSON() ([]byte, error) {
	weights := s.begun().weights
	return json.Marshal(stateJSON{s.logE, weights[:]})
}

// MarshalJSON writes the state exactly.
func (s NonInferiorityState) MarshalJSON() ([]byte, error) {
	return json.Marshal(proofStateJSON{s.sums[:], s.requests})
}

// MarshalJSON writes numbers to four digits: they are bounds and estimates.
func (c Clusters) MarshalJSON() ([]byte, error) {
	type plain Clusters
	return json.Marshal(plain(c.short()))
}

// The Append methods write what encoding/json writes of the same value. Each check writes a
// dozen states in one document, see package jsonappend.

// Append writes the state exactly.
func (s *State) Append(to *jsonappend.Text) {
	weights := s.begun().weights
	appendState(to, s.logE, weights[:])
}

// Append writes the state exactly.
func (s *ExactState) Append(to *jsonappend.Text) {
	weights := s.begun().weights
	appendState(to, s.logE, weights[:])
}

// appendState writes a stateJSON.
func appendState(to *jsonappend.Text, logE float64, weights []float64) {
	to.Open()
	to.Name("log-e")
	to.Float(logE)
	to.Name("weights")
	to.Floats(weights)
	to.Close()
}

// Append writes the state exactly.
func (s *RobustState) Append(to *jsonappend.Text) {
	appendMixture(to, &s.Size, &s.Strict, &s.Exact, &s.ShareState, (*ExactState).Append)
}

// Append writes the state exactly.
func (s *ControlState) Append(to *jsonappend.Text) {
	appendMixture(to, &s.Size, &s.Strict, &s.Exact, &s.ShareState, (*State).Append)
}

// appendMixture writes a RobustState or a ControlState, of which T and D have the type S.
func appendMixture[S comparable](to *jsonappend.Text, size *S, strict *State, exact *S, shares *ShareState, write func(*S, *jsonappend.Text)) {
	to.Open()
	jsonappend.Some(to, "size", size, write)
	jsonappend.Some(to, "strict", strict, (*State).Append)
	jsonappend.Some(to, "exact", exact, write)
	shares.appendMembers(to)
	to.Close()
}

// appendMembers writes the members of an object.
func (s *ShareState) appendMembers(to *jsonappend.Text) {
	if s.Shares != 0 {
		to.Name("shares")
		to.Float(s.Shares)
	}
	if s.Minutes != 0 {
		to.Name("minutes")
		to.Int(s.Minutes)
	}
	jsonappend.Some(to, "bets", &s.Bets, (*State).Append)
	jsonappend.Some(to, "baseline", &s.Baseline, (*Count).Append)
	if s.Lately != [2]float64{} {
		to.Name("lately")
		to.Floats(s.Lately[:])
	}
}

// Append writes the state exactly.
func (s *NonInferiorityState) Append(to *jsonappend.Text) {
	to.Open()
	to.Name("sums")
	to.Floats(s.sums[:])
	to.Name("requests")
	to.Float(s.requests)
	to.Close()
}

// Append writes the count.
func (c Count) Append(to *jsonappend.Text) {
	to.Open()
	to.Name("requests")
	to.Int(c.Requests)
	to.Name("errors")
	to.Int(c.Errors)
	to.Close()
}

// Append writes the dispersion.
func (d Dispersion) Append(to *jsonappend.Text) {
	to.Open()
	to.Name("squares")
	to.Float(d.Squares)
	to.Name("errors")
	to.Int(d.Errors)
	to.Close()
}

// Append writes the expectation.
func (x Expectation) Append(to *jsonappend.Text) {
	to.Open()
	to.Name("requests")
	to.Float(x.Requests)
	to.Name("errors")
	to.Float(x.Errors)
	to.Close()
}

// Append writes the clusters, with numbers to four digits as MarshalJSON.
func (c *Clusters) Append(to *jsonappend.Text) {
	short := c.short()
	to.Open()
	to.Name("requests")
	to.Int(short.Requests)
	to.Name("errors")
	to.Int(short.Errors)
	to.Name("hours")
	to.Int(short.Hours)
	to.Name("size")
	to.Float(short.Size)
	to.Name("last")
	to.Float(short.Last)
	to.Name("rate")
	to.Float(short.Rate)
	to.Name("excess")
	to.Floats(short.Excess[:])
	to.Close()
}
