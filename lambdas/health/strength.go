package health

import (
	"math"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/sequential"
)

// Strength is how much evidence of harm a gate has, as a power of ten: 0 is
// none, and at Threshold the new version is rolled back.
type Strength struct {
	Gate      string  `json:"gate"`
	Log10     float64 `json:"log10"`
	Threshold float64 `json:"threshold"`
}

// HoldStrength is the evidence at which a step that has ended is held rather
// than left.
const HoldStrength = sequential.HoldLogE / math.Ln10

// Strengths are the numbers behind the readings of the evidence gates, in the
// same order. Evidence that was assessed with a check's state,
// at the time of the check, has the same strength ever after.
func (a Assessment) Strengths() ([]Strength, error) {
	asked := []func() (rollout.Reading, score, error){a.errors}
	if a.state.Plan.Gates.Latency != nil {
		asked = append(asked, a.latency)
	}
	var all []Strength
	for _, ask := range asked {
		reading, decisive, err := ask()
		if err != nil {
			return nil, err
		}
		all = append(all, Strength{Gate: reading.Gate, Log10: decisive.logE / math.Ln10, Threshold: decisive.threshold / math.Ln10})
	}
	return all, nil
}
