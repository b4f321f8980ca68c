package rollout

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Approval lets a person decide whether the new version gets more traffic.
type Approval struct {
	// BeforeWeights are the weights of steps that begin only when somebody has
	// approved. The first step is none of them: a rollout that nobody wants is not
	// started.
	BeforeWeights []float64 `json:"before-weights"`
	// Timeout is how long an answer is waited for, in seconds. None in time rolls
	// back.
	Timeout int64 `json:"timeout"`
}

// approval reads it; nil if there is none. Whether the plan has such steps is
// checked with the schedule.
func (r *reader) approval(path string) *Approval {
	if !r.has(path) {
		return nil
	}
	a := r.object(path)
	approval := &Approval{Timeout: a.integer("timeout", 60, Year, 24*60*60)}
	var items []json.RawMessage
	if json.Unmarshal(a.fields["before-weights"], &items) != nil || len(items) == 0 {
		a.refuse("before-weights", wantApprovalWeights)
	}
	for i, item := range items {
		weight, ok := asNumber(item)
		if !ok || Round(weight) <= 0 || weight > 1 {
			a.add(Problem{Path: fmt.Sprintf("before-weights[%d]", i), Given: shorten(item), Want: wantShare})
		}
		approval.BeforeWeights = append(approval.BeforeWeights, Round(weight))
	}
	a.refuseUnknown([]string{"before-weights", "timeout"})
	return approval
}

// checkApproval refuses weights that no step but the first has.
func (req *Request) checkApproval(r *reader, steps []Step) {
	if req.Approval == nil {
		return
	}
	for i, weight := range req.Approval.BeforeWeights {
		at := slices.IndexFunc(steps, func(s Step) bool { return s.Weight == weight })
		problem := Problem{Path: fmt.Sprintf("approval.before-weights[%d]", i), Given: plainNumber(weight)}
		switch {
		case at < 0:
			problem.Want = wantPlanWeight
		case at == 0:
			problem.Want = wantNotFirst
		default:
			continue
		}
		r.add(problem)
	}
}

// needsApproval tells whether the next step begins only when somebody has
// approved, and nobody has.
func (s State) needsApproval() bool {
	next, err := s.NextStep()
	return err == nil && s.Approval != nil && slices.Contains(s.Approval.BeforeWeights, next.Weight) && s.Progress.Approved <= s.Progress.Step
}

// approvalLeft is for how long an approval that was asked for is still waited
// for; never negative.
func (s State) approvalLeft(now time.Time) time.Duration {
	return max(0, s.Progress.ApprovalRequestedAt.Add(time.Duration(s.Approval.Timeout)*time.Second).Sub(now))
}

// ApprovalJustRequested tells whether the check that led to this state was the first to ask for
// an approval.
func (s State) ApprovalJustRequested(now time.Time) bool {
	return s.Progress.ApprovalRequestedAt.Equal(now) && !now.IsZero()
}
