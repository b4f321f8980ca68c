package rollout

import "time"

// Provisioned is the provisioned concurrency that a rollout involves, in numbers of
// execution environments, as it was before the rollout.
type Provisioned struct {
	// Alias is the alias's own. AWS moves it when the alias points to another version;
	// the rollout is promoted when that is done.
	Alias int `json:"alias,omitempty"`
	// Allocate is how much the rollout allocates to the new version before its first
	// traffic; 0 if that already has its own.
	Allocate int `json:"allocate,omitempty"`
	// Release is the baseline version's own, which it loses after the promotion.
	Release int `json:"release,omitempty"`
}

// How long the rollout waits for an allocation. According to AWS it takes a minute or
// two.
const (
	allocationWait     = 30 // seconds between looks
	AllocationPatience = time.Hour
)

// ErrAllocation is the error name of an allocation that failed, or took longer than
// AllocationPatience.
const ErrAllocation = "AllocationFailed"

// Provision returns the plan's provisioned concurrency; zero if it has none.
func (s State) Provision() Provisioned {
	if s.Plan.Provisioned == nil {
		return Provisioned{}
	}
	return *s.Plan.Provisioned
}

// First returns how the rollout begins when there is nothing left to allocate.
func (req Request) First() Begin {
	if req.LooksBefore() {
		return BeginPreTraffic
	}
	return BeginShift
}

// Allocated records a look at the new version's allocation, before any traffic: it is
// ready, or the rollout waits for it.
func (s State) Allocated(ready bool, now time.Time) State {
	if ready {
		s.Begin, s.Progress.Allocating, s.Progress.Wait = s.First(), time.Time{}, 0
		return s
	}
	s.Begin = BeginAllocating
	return s.await(now)
}

// InTransit records that the alias points to the new version, and that AWS allocates
// its provisioned concurrency.
func (s State) InTransit(now time.Time) State {
	s = s.await(now)
	s.Outcome = &Outcome{Result: Allocating, Reason: allocatingReason(s)}
	return s
}

// await makes the workflow look again.
func (s State) await(now time.Time) State {
	if s.Progress.Allocating.IsZero() {
		s.Progress.Allocating = now
	}
	s.Progress.Wait = allocationWait
	return s
}

// IsInTransit reports whether the alias points to the new version, and the rollout
// waits for its allocation.
func (s State) IsInTransit() bool {
	return s.Outcome != nil && s.Outcome.Result == Allocating
}

// AllocationOverdue reports whether the rollout has waited AllocationPatience for an
// allocation.
func (s State) AllocationOverdue(now time.Time) bool {
	return !s.Progress.Allocating.IsZero() && now.Sub(s.Progress.Allocating) >= AllocationPatience
}

// TakesBack reports whether a promotion must be reverted because its allocation failed
// or is overdue. Any other error meanwhile is a reason to look again.
func (s State) TakesBack(now time.Time) bool {
	return s.IsInTransit() && (s.Error != nil && s.Error.Error == ErrAllocation || s.AllocationOverdue(now))
}
