package health

import (
	"encoding/json"

	"github.com/lambda-rollout/lambda-rollout/lambdas/sequential"
)

// ErrorComparison is the evidence on failed requests, as far as it is folded.
type ErrorComparison struct {
	// Harm is the evidence of the minutes before the new version had all traffic,
	// and Control that of those since.
	Harm    sequential.RobustState  `json:"robust,omitzero"`
	Control sequential.ControlState `json:"control,omitzero"`
	Tally
}

// UnmarshalJSON also reads what an earlier release wrote, whose tests were
// sequential.Harm and sequential.HistoricalControl: a rollout may be under way when
// its stack is deployed.
func (c *ErrorComparison) UnmarshalJSON(data []byte) error {
	type plain ErrorComparison
	read := struct {
		*plain
		Earlier        *sequential.State `json:"harm"`
		EarlierControl *sequential.State `json:"bake"`
	}{plain: (*plain)(c)}
	if err := json.Unmarshal(data, &read); err != nil {
		return err
	}
	if read.Earlier != nil {
		c.Harm = sequential.RobustFrom(*read.Earlier)
	}
	if read.EarlierControl != nil {
		c.Control = sequential.ControlState{Size: *read.EarlierControl, Strict: *read.EarlierControl, Exact: *read.EarlierControl}
	}
	return nil
}

// Comparison is the evidence on slow requests, as far as it is folded.
type Comparison struct {
	// Harm is the evidence of the minutes before the new version had all traffic,
	// and HistoricalControl that of those since.
	Harm              sequential.State `json:"harm,omitzero"`
	HistoricalControl sequential.State `json:"bake,omitzero"`
	// Cold is the evidence of the minutes since the last shift that are in neither, as
	// environments may not be warm yet.
	Cold sequential.State `json:"cold,omitzero"`
	// All is the evidence of the minutes of Harm, and of those of all Cold.
	All sequential.State `json:"with-shifts,omitzero"`
	Tally
}

// Tally counts the requests of a comparison.
type Tally struct {
	// Baseline and NewVersion are the counts of the minutes before, Alone the new
	// version's since.
	Baseline   sequential.Count `json:"baseline"`
	NewVersion sequential.Count `json:"new-version"`
	Alone      sequential.Count `json:"alone,omitzero"`
}
