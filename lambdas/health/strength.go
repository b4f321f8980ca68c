package health

import (
	"math"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/sequential"
)

// Strength is a gate's evidence of harm, as a decimal logarithm: 0 is none, less
// speaks against harm, and at Threshold the new version is rolled back.
type Strength struct {
	Gate      string  `json:"gate"`
	Log10     float64 `json:"log10"`
	Threshold float64 `json:"threshold"`
}

// Chance returns an upper bound of the share of rollouts without harm in which evidence
// this strong, a decimal logarithm, arises by chance: "1 of 79,000"; "1 of 1" for none.
func Chance(log10 float64) string { return "1 of " + oneOf(log10*math.Ln10) }

// HoldStrength is the strength at which a step that is over is held.
const HoldStrength = sequential.HoldLogE / math.Ln10

// Strengths returns the numbers behind the readings of the evidence gates, in the
// same order. The evidence of a check, assessed with its state and time, always has
// the same strengths, so that a report can compute them afterwards.
func (a *Assessment) Strengths() ([]Strength, error) {
	_, decisive, _, err := a.judgeErrors()
	if err != nil {
		return nil, err
	}
	all := []Strength{strengthOf(rollout.ErrorsGateName, decisive)}
	if a.state.Plan.Gates.Latency == nil {
		return all, nil
	}
	if _, decisive, err = a.judgeLatency(); err != nil {
		return nil, err
	}
	return append(all, strengthOf(latencyGateName, decisive)), nil
}

func strengthOf(gate string, s score) Strength {
	return Strength{Gate: gate, Log10: s.logE / math.Ln10, Threshold: s.threshold / math.Ln10}
}

// found is what a check found in the evidence that it returned.
type found struct {
	at        time.Time
	step      int
	weight    float64
	since     time.Time
	strengths []Strength
}

func (a *Assessment) found() (*found, error) {
	strengths, err := a.Strengths()
	p := &a.state.Progress
	return &found{a.now, p.Step, p.Weight, p.Since, strengths}, err
}

// of reports whether a state is one that the check returned.
func (f *found) of(s *rollout.State) bool {
	p := &s.Progress
	return f != nil && s.Health != nil && f.at.Equal(s.Health.Window.To) && f.step == p.Step && f.weight == p.Weight && f.since.Equal(p.Since)
}

// Strengths returns the strengths that a check has found, if the state is the one that it
// returned with the remembered evidence: those that assessing it again would give.
func (r *Recent) Strengths(s *rollout.State) ([]Strength, bool) {
	e, known := r.Last(s.Evidence)
	if !known || !e.found.of(s) {
		return nil, false
	}
	return e.found.strengths, true
}
