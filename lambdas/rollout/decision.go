package rollout

import (
	"slices"
	"time"
)

// Status is the result of a gate's reading.
type Status string

// The statuses. Missing data is never a pass, but inconclusive.
const (
	Pass         Status = "pass"
	Fail         Status = "fail"
	Inconclusive Status = "inconclusive"
)

// Verdict is the result of an evidence gate.
type Verdict string

// The verdicts, and the status that each implies.
const (
	VerdictRollBack     Verdict = "roll-back"    // the new version does harm: Fail
	VerdictHold         Verdict = "hold"         // it may do harm, so the step must not end: Inconclusive
	VerdictProven       Verdict = "proven"       // it does no more harm than the margin: Pass
	VerdictInconclusive Verdict = "inconclusive" // none of these, or not yet: Inconclusive
)

// Reading records what one gate found in one check.
type Reading struct {
	Gate   string `json:"gate"`
	Status Status `json:"reading"`
	// Verdict is empty unless the gate is an evidence gate.
	Verdict Verdict `json:"verdict,omitempty"`
	// Reason is for people to read.
	Reason string `json:"reason"`
}

// Judged returns the reading of an evidence gate, with the status that its verdict
// implies.
func Judged(gate string, verdict Verdict, reason string) Reading {
	status := Inconclusive
	switch verdict {
	case VerdictRollBack:
		status = Fail
	case VerdictProven:
		status = Pass
	}
	return Reading{Gate: gate, Status: status, Verdict: verdict, Reason: reason}
}

// Decision names what a check decides. The workflow's Choice states compare this word
// and nothing else.
type Decision string

// The decisions.
const (
	Watch    Decision = "watch"
	Advance  Decision = "advance"
	Promote  Decision = "promote"
	RollBack Decision = "roll-back"
	// PostTraffic calls the post-traffic hooks before the promotion.
	PostTraffic Decision = "post-traffic"
	// HandOver continues to watch in another execution, because this one's history
	// is filling up.
	HandOver Decision = "hand-over"
	// StartNow begins the rollout after its first shift has waited for a window.
	StartNow Decision = "start"
	// HandBack ends such an execution for the same reason: the one that started it
	// hands over to the next.
	HandBack Decision = "hand-back"
)

// Counts are the requests of one version behind the alias, and how many of them
// failed. CloudWatch does not distinguish no requests from no data: zero is no
// data.
type Counts struct {
	Requests int64 `json:"invocations"`
	Errors   int64 `json:"errors"`
}

// Window is the time from From up to, but not including, To.
type Window struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// Health records what the last check found and decided.
type Health struct {
	Decision Decision `json:"decision"`
	Reason   string   `json:"reason"`
	// Cause is the Outcome.Error of a rollback; else empty.
	Cause    string    `json:"cause,omitempty"`
	Readings []Reading `json:"readings"`
	// Window is the time in which Baseline and NewVersion count requests: all of the
	// rollout so far.
	Window     Window `json:"window"`
	Baseline   Counts `json:"baseline"`
	NewVersion Counts `json:"new-version"`
	// Recent counts the new version's requests that can be judged: those of the
	// current step, and of at least the last 15 minutes, that can be compared with
	// the baseline's. WholeMinutes counts the minutes of the step that had some from
	// beginning to end.
	Recent       int64 `json:"recent-invocations"`
	WholeMinutes int   `json:"whole-minutes"`
}

// Check returns the state after a check at now. health has what the check found:
// all but Decision, Reason and Cause, which Check sets in the state's Health.
//
// A failing gate rolls back. Otherwise the new orders count, and a pause holds the
// weight. Otherwise the plan continues on schedule, or sooner if evidence may end a step; a step is prolonged if
// it would end in doubt, without the required traffic or data, or before an approval.
//
// BeginCheck must have been called with the same now.
func (s State) Check(now time.Time, health Health, given Instructions) State {
	s.Health = &health
	s.Progress.Checks++
	s.Progress.Conclusive = s.conclusive(health.Readings)
	s, at := s.take(given.Orders)
	order := s.orderToObey(at)
	r := s.decide(now, order).obeyRelease(given)
	if given.Decision == "" { // a release decides in the windows of its rollouts
		s, r = s.holdShift(now, order, r)
	}
	health.Decision, health.Reason, health.Cause = r.decision, Brief(r.reason), r.cause
	health.Readings = Bounded(health.Readings)
	s.Progress.ApprovalRequestedAt, s.Progress.Pause = r.approvalRequestedAt, r.pause
	s.setEffect(order, r.effect)
	s.Progress.Orders = s.Progress.Orders[max(0, len(s.Progress.Orders)-keptOrders):]
	ends := health.Decision == Advance || health.Decision == Promote
	if ends && s.HealthCheck && !s.Progress.HooksPassed && s.Progress.Ready == nil && s.lacksTraffic() {
		s.Progress.Unverified++
	}
	if health.Decision == Promote && len(s.Hooks.PostTraffic) > 0 && !s.Progress.HooksPassed {
		health.Decision = PostTraffic
	}
	return s.AwaitRelease(now, given)
}

// scheduled returns the state with the time to the next check, if there is one, and
// whether it happens in another execution.
func (s State) scheduled(now time.Time) State {
	s.Progress.Wait = 0
	if s.Health.Decision == Watch {
		s.Progress.Wait = s.nextWait(now)
		s.Health.Decision = s.keepWithinHistory()
		s.Progress.Continuation = s.resumeName()
	}
	return s
}

// ruling is the result of a check.
type ruling struct {
	decision Decision
	reason   string
	cause    string // of a rollback: an Outcome.Error
	effect   string // of the obeyed order, if there is one
	// approvalRequestedAt is zero unless the rollout waits for an approval.
	approvalRequestedAt time.Time
	pause               *Pause // nil unless the rollout is paused
}

// decide returns what follows at now from the readings in s.Health and from the
// order to obey, which is the zero Order if there is none. It changes nothing: Check
// applies the ruling.
func (s State) decide(now time.Time, order Order) ruling {
	seen := afterwards(s.Health.Readings)
	r := ruling{effect: obeyed, approvalRequestedAt: s.Progress.ApprovalRequestedAt, pause: s.Progress.Pause}
	if failed := s.Health.ofStatus(Fail); len(failed) > 0 {
		r.effect = overruled
		return r.rollBack(Unhealthy, objections(failed))
	}
	step := stepName(s.Progress.Step, s.Progress.Of)
	ends := ended(step)
	over := s.remaining(now) == 0
	if order.Command.undoes() {
		return r.rollBack(Ordered, orderedBy(order)+seen)
	}
	if r.pause = s.pausedAfter(order, now); r.pause != nil {
		return s.hold(r, now, order, seen)
	}
	r.approvalRequestedAt = s.approvalAfterPause(now)
	s.Progress.ApprovalRequestedAt = r.approvalRequestedAt
	if order.Command == ResumeNow || order.Command == Approve && r.approvalRequestedAt.IsZero() && s.Progress.Pending == nil {
		order = Order{} // all that it does is to end the pause
	}
	switch {
	case order.Command == PromoteNow:
		return r.goOn(Promote, endedByOrder(step, order)+seen)
	case order.Command == Approve:
		r.approvalRequestedAt = time.Time{}
		ends = approvedBy(step, order)
	case order.Command != "":
		ends = endedByOrder(step, order)
	case !r.approvalRequestedAt.IsZero() && s.approvalLeft(now) == 0:
		return s.awaitApproval(r, now, seen)
	case !r.approvalRequestedAt.IsZero():
	case !over && !s.provenEarly():
		return r.goOn(Watch, seen[len(separator):])
	case !over:
		ends = endedEarly(step)
	case s.HealthCheck && s.lacksTraffic() && s.Plan.Gates.OnNoTraffic == OnNoTrafficRollBack && s.metricsLeft(now) == 0:
		return r.rollBack(NoTraffic, endedWithoutTraffic(step, s.tooLittle())+seen)
	case s.HealthCheck && s.lacksTraffic():
		ends = endedUnverified(step, s.tooLittle())
	}
	if why := s.doubt(now); why != "" && order.Command == "" && s.holdLeft(now) > 0 {
		return r.goOn(Watch, heldBecause(step, s.holdLeft(now), why)+seen)
	}
	if gates := s.lacksData(); len(gates) > 0 && order.Command == "" {
		return r.rollBack(NoData, endedWithoutData(step, gates)+seen)
	}
	if s.needsApproval() {
		if order.Command != "" {
			r.effect = stillWaits
		}
		return s.awaitApproval(r, now, seen)
	}
	if s.Progress.Step == len(s.Plan.Steps) {
		return r.goOn(Promote, ends+seen)
	}
	return r.goOn(Advance, ends+seen)
}

func (r ruling) goOn(decision Decision, reason string) ruling {
	r.decision, r.reason = decision, reason
	return r
}

func (r ruling) rollBack(cause, reason string) ruling {
	r.decision, r.cause, r.reason = RollBack, cause, reason
	return r
}

// awaitApproval watches until the next step is approved, and rolls back if it is not
// approved in time.
func (s State) awaitApproval(r ruling, now time.Time, seen string) ruling {
	if r.approvalRequestedAt.IsZero() {
		r.approvalRequestedAt = now
	}
	s.Progress.ApprovalRequestedAt = r.approvalRequestedAt
	next := s.Plan.Steps[s.Progress.Step]
	left := s.approvalLeft(now).Round(time.Second)
	if left == 0 {
		return r.rollBack(NotApproved, notApproved(s.NewVersion, next.Weight)+seen)
	}
	return r.goOn(Watch, waitsForApproval(s.NewVersion, next.Weight, left)+seen)
}

// provenEarly reports whether evidence may end the step before its time. The last
// step always lasts its time: what was proven beside the baseline does not cover it.
func (s State) provenEarly() bool {
	proven := false
	for _, r := range s.Health.Readings {
		proven = proven || r.Gate == ErrorsGateName && r.Verdict == VerdictProven
	}
	return proven && s.Advance == OnEvidence && s.Progress.Step < len(s.Plan.Steps) &&
		s.Health.WholeMinutes > 0 && !s.lacksTraffic() && !s.doubted()
}

// doubt returns why the step must not end yet; "" if it may.
func (s State) doubt(now time.Time) string {
	switch {
	case !s.HealthCheck:
		return ""
	case s.doubted():
		return mayBeWorse(s.NewVersion)
	case s.lacksTraffic() && s.Plan.Gates.OnNoTraffic == OnNoTrafficWait:
		return s.tooLittle()
	case s.lacksTraffic() && s.Plan.Gates.OnNoTraffic == OnNoTrafficRollBack && s.metricsLeft(now) > 0:
		return butLate(s.tooLittle())
	case len(s.lacksData()) > 0 && s.metricsLeft(now) > 0:
		return butLate(neverSaw(s.lacksData()))
	}
	return ""
}

func (s State) doubted() bool {
	return slices.ContainsFunc(s.Health.Readings, func(r Reading) bool { return r.Verdict == VerdictHold })
}

// lacksTraffic reports whether fewer requests of the new version could be judged
// than the gates require.
func (s State) lacksTraffic() bool {
	return s.Health.Recent < s.Plan.Gates.MinRequests
}

func (s State) tooLittle() string {
	return tooLittleTraffic(s.NewVersion, s.Health.Recent, s.Plan.Gates.MinRequests)
}

func (h Health) ofStatus(status Status) []Reading {
	var found []Reading
	for _, r := range h.Readings {
		if r.Status == status {
			found = append(found, r)
		}
	}
	return found
}
