package rollout

import "time"

// Provisioned is the provisioned concurrency that a rollout has to do with, as
// it was before.
type Provisioned struct {
	// Alias is the alias's own. AWS moves it when the alias points at another
	// version, and the rollout is promoted when it has done so.
	Alias int `json:"alias,omitempty"`
	// Allocate is how much the rollout gives to the new version before its first
	// traffic; 0 if that has its own already.
	Allocate int `json:"allocate,omitempty"`
	// Release is how much the baseline version has of its own, which it loses
	// after the promotion.
	Release int `json:"release,omitempty"`
}

// How an allocation is waited for: AWS says a minute or two.
const (
	allocationWait     = 30 // seconds from look to look
	AllocationPatience = time.Hour
)

// ErrAllocation is the name of the error of an allocation that failed, or took
// longer than AllocationPatience.
const ErrAllocation = "AllocationFailed"

// Provision is what the plan has of provisioned concurrency.
func (s State) Provision() Provisioned {
	if s.Plan.Provisioned == nil {
		return Provisioned{}
	}
	return *s.Plan.Provisioned
}

// First is how the rollout begins once there is nothing to allocate any more.
func (r Request) First() Begin {
	if r.LooksBefore() {
		return BeginPreTraffic
	}
	return BeginShift
}

// Allocated notes a look at the new version's allocation, before any traffic:
// it is there, or it is waited for.
func (s State) Allocated(ready bool, now time.Time) State {
	if ready {
		s.Begin, s.Progress.Allocating, s.Progress.Wait = s.First(), time.Time{}, 0
		return s
	}
	s.Begin = BeginAllocating
	return s.await(now)
}

// InTransit notes that the alias points at the new version, and that AWS
// allocates its provisioned concurrency.
func (s State) InTransit(now time.Time) State {
	s = s.await(now)
	s.Outcome = &Outcome{Result: Allocating, Reason: allocatingReason(s)}
	return s
}

// await has the workflow look again.
func (s State) await(now time.Time) State {
	if s.Progress.Allocating.IsZero() {
		s.Progress.Allocating = now
	}
	s.Progress.Wait = allocationWait
	return s
}

// IsInTransit reports whether the alias has been pointed at the new version,
// and its allocation is waited for.
func (s State) IsInTransit() bool {
	return s.Outcome != nil && s.Outcome.Result == Allocating
}

// AllocationOverdue reports whether an allocation is waited for longer than that is worth.
func (s State) AllocationOverdue(now time.Time) bool {
	return !s.Progress.Allocating.IsZero() && now.Sub(s.Progress.Allocating) >= AllocationPatience
}

// TakesBack reports whether a promotion is to be taken back whose allocation
// is waited for: it failed, or is overdue. Any other error on the way is a
// reason to look again.
func (s State) TakesBack(now time.Time) bool {
	return s.IsInTransit() && (s.Error != nil && s.Error.Error == ErrAllocation || s.AllocationOverdue(now))
}
