package rollout

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Approval lets an operator decide whether the new version gets more traffic.
type Approval struct {
	// BeforeWeights are the weights of the steps that begin only after approval.
	// The first step's is not allowed: to withhold approval of that, don't start
	// the rollout.
	BeforeWeights []float64 `json:"before-weights"`
	// Timeout is how long the rollout waits for an answer, in seconds, 60 to a
	// Year. Without one in time it rolls back.
	Timeout int64 `json:"timeout"`
}

// approval returns nil if there is none. checkApproval checks whether the plan has
// such steps.
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
		weight, ok := AsNumber(item)
		if !ok || Round(weight) <= 0 || weight > 1 {
			a.add(Problem{Path: fmt.Sprintf("before-weights[%d]", i), Given: Given(item), Want: wantShare})
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

// needsApproval reports whether the next step needs an approval that has not been
// given.
func (s State) needsApproval() bool {
	next, err := s.NextStep()
	return err == nil && s.Approval != nil && slices.Contains(s.Approval.BeforeWeights, next.Weight) && s.Progress.Approved <= s.Progress.Step
}

// approvalLeft returns how much longer the rollout waits for a requested approval;
// never negative.
func (s State) approvalLeft(now time.Time) time.Duration {
	return max(0, s.Progress.ApprovalRequestedAt.Add(time.Duration(s.Approval.Timeout)*time.Second).Sub(now))
}

// ApprovalJustRequested reports whether the check at now, which led to this state,
// was the first to request an approval.
func (s State) ApprovalJustRequested(now time.Time) bool {
	return s.Progress.ApprovalRequestedAt.Equal(now) && !now.IsZero()
}
