package rollout

import (
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/lazyregexp"
)

// Membership names the release of which a rollout is a member: see package release. A release
// writes it into the inputs of the executions that it starts, and CalculateWeights checks
// it against the release.
type Membership struct {
	// Execution is the ARN of the release's first execution.
	Execution string `json:"execution"`
	// Member is the rollout's name in the release.
	Member string `json:"member"`
	// Together means that the rollout is promoted only when its release decides so.
	Together bool `json:"together"`
	// MaxWait is how long the rollout may be ready without that decision, in seconds, 60
	// to a Year. After that it is rolled back.
	MaxWait int64 `json:"max-wait"`
}

// DefaultMaxWait is the usual MaxWait: a day, in seconds.
const DefaultMaxWait = 24 * 60 * 60

// MinMaxWait is the smallest MaxWait, in seconds.
const MinMaxWait = 60

// MemberForm matches the name of a member of a release.
var MemberForm = lazyregexp.New(`^[A-Za-z0-9_-]{1,64}$`)

// executionForm matches the ARN of an execution.
var executionForm = lazyregexp.New(`^arn:[a-z0-9-]+:states:[a-z0-9-]+:[0-9]{12}:execution:[^:]{1,80}:[^:]{1,80}$`)

var membershipNames = []string{"execution", "member", "together", "max-wait"}

// membership reads of which release the rollout is a member; nil if of none.
func (r *reader) membership(path string) *Membership {
	if !r.has(path) {
		return nil
	}
	m := r.object(path)
	member := Membership{
		Member:   m.form("member", MemberForm, wantGateName),
		Together: m.boolean("together", true),
		MaxWait:  m.integer("max-wait", MinMaxWait, Year, DefaultMaxWait),
	}
	var ok bool
	if member.Execution, ok = m.required("execution", wantExecution); ok && !executionForm.MatchString(member.Execution) {
		m.refuse("execution", wantExecution)
	}
	m.refuseUnknown(membershipNames)
	return &member
}

// Ready records that a rollout would be promoted, and waits for its release to decide.
// Health checks continue meanwhile.
type Ready struct {
	// Since is the time of the check that found the rollout ready. At Until it is rolled
	// back if its release has decided nothing.
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`
}

// Instructions are what a rollout is to do, as far as others decide: operators by orders,
// and the rollout's release, if it is a member of one.
type Instructions struct {
	// Orders are all that are known of; those that earlier checks took are ignored.
	Orders []Order
	// Decision is what the release has decided, Promote or RollBack; empty if nothing yet.
	Decision Decision
	// Reason is the decision's, for people to read.
	Reason string
}

// obeyRelease returns the ruling with the release's decision applied: of what a check
// finds, only harm is more important.
func (r ruling) obeyRelease(given Instructions) ruling {
	if r.cause == Unhealthy {
		return r
	}
	switch given.Decision {
	case RollBack:
		r.approvalRequestedAt, r.pause = time.Time{}, nil
		return r.rollBack(ReleaseRolledBack, given.Reason)
	case Promote:
		r.approvalRequestedAt, r.pause = time.Time{}, nil
		return r.goOn(Promote, given.Reason)
	}
	return r
}

// awaitsRelease reports whether the rollout may be promoted only when its release decides
// so.
func (req Request) awaitsRelease() bool { return req.Release != nil && req.Release.Together }

// AwaitRelease returns the state after a check at now, with the time to the next one. If
// the check decided to promote, the hooks before the promotion have passed, and a release
// decides on that but has not yet, the decision becomes Watch, or RollBack if the release
// had its time.
func (s State) AwaitRelease(now time.Time, given Instructions) State {
	ready := s.Progress.Ready
	s.Progress.Ready = nil
	if s.Health.Decision != Promote || !s.awaitsRelease() || given.Decision == Promote {
		return s.scheduled(now)
	}
	if ready == nil {
		ready = &Ready{Since: now, Until: now.Add(time.Duration(s.Release.MaxWait) * time.Second)}
	}
	health := *s.Health
	s.Health = &health
	left := ready.Until.Sub(now)
	if left <= 0 {
		health.Decision, health.Cause, health.Reason = RollBack, NotReleased, Brief(neverReleased(*ready)+separator+health.Reason)
		return s.scheduled(now)
	}
	s.Progress.Ready = ready
	s.Progress.HooksPassed = len(s.Hooks.PostTraffic) > 0
	health.Decision, health.Reason = Watch, Brief(readyFor(left)+separator+health.Reason)
	return s.scheduled(now)
}
