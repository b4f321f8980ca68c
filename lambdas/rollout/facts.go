package rollout

import "time"

// Facts describe a rollout to gates, hooks and metric queries. Users' functions
// receive them as JSON.
type Facts struct {
	Execution  string    `json:"execution"` // its ARN
	Function   string    `json:"function-name"`
	Alias      string    `json:"alias-name"`
	Baseline   string    `json:"baseline"`
	NewVersion string    `json:"new-version"`
	Step       int       `json:"step"` // 0 before the first shift
	Of         int       `json:"of"`
	Weight     float64   `json:"weight"`
	Now        time.Time `json:"now"`
	Window     Window    `json:"window,omitzero"` // since the first shift; zero before it
}

// FactsOf returns the facts at now. execution is the ARN of the current execution.
func FactsOf(s State, execution string, now time.Time) Facts {
	f := Facts{
		Execution: execution, Function: s.FunctionName, Alias: s.AliasName,
		Baseline: s.Plan.Baseline, NewVersion: s.NewVersion,
		Step: s.Progress.Step, Of: len(s.Plan.Steps), Weight: s.Progress.Weight,
		Now: now,
	}
	if !s.Progress.Began.IsZero() {
		f.Window = Window{From: s.Progress.Began, To: now}
	}
	return f
}
