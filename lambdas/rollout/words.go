package rollout

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The texts in a rollout's data: why a check decided as it did, how the rollout
// ended, and what is notified under way. Request errors are in wants.go, numbers in
// numbers.go.

// The effects of an order.
const (
	obeyed       = "obeyed"
	overtaken    = "superseded by another order"
	stillWaits   = "the step ended, and the next one waits for approval"
	overruled    = "overruled: the check found harm"
	nothingToSay = "ignored: the rollout does not wait for approval"
	notPaused    = "ignored: the rollout is not paused"
	// approvedInPause is for an approval that a pause outlasts.
	approvedInPause  = "obeyed, and the rollout is still paused"
	unknownOvertaken = "not known, and superseded by another order"
)

func stepName(step, of int) string { return "step " + strconv.Itoa(step) + " of " + strconv.Itoa(of) }

func orderedBy(o Order) string {
	if o.Command == Disapprove {
		return "approval refused by " + o.By
	}
	return "ordered by " + o.By
}

func ended(step string) string { return step + " ended" }

func endedEarly(step string) string { return step + " ended early, on evidence" }

func endedWithoutTraffic(step, why string) string {
	return step + " ended with too little traffic: " + why
}

func endedWithoutData(step string, gates []string) string {
	return step + " ended without the data that the rollout must have: " + neverSaw(gates)
}

// neverSaw says of gates that they were inconclusive at every check.
func neverSaw(gates []string) string {
	return strings.Join(gates, ", ") + " never had a conclusive reading"
}

func endedUnverified(step, why string) string { return step + " ended unverified: " + why }

func endedByOrder(step string, o Order) string { return step + " ended, ordered by " + o.By }

func approvedBy(step string, o Order) string {
	return step + " ended, and the next one was approved by " + o.By
}

// heldBecause rounds most up to whole seconds, as the wait for the next check is.
func heldBecause(step string, most time.Duration, why string) string {
	most = (most + time.Second - 1).Truncate(time.Second)
	return fmt.Sprintf("%s is held for up to %s: %s", step, duration(most), why)
}

func butLate(why string) string { return why + ", and metrics may be late" }

func mayBeWorse(version string) string { return "version " + version + " may be worse" }

// tooLittleTraffic is for fewer requests that could be judged than the required.
func tooLittleTraffic(version string, requests, required int64) string {
	if requests == 0 {
		return "no requests of version " + version + " could be judged"
	}
	return fmt.Sprintf("only %s of version %s could be judged (%s required)", plural(requests, "request"), version, Thousands(required))
}

func waitsForApproval(version string, weight float64, left time.Duration) string {
	return fmt.Sprintf("waiting up to %s for approval of %s on version %s", duration(left), Weight(weight), version)
}

// readyFor is for a rollout that waits for its release to decide.
func readyFor(left time.Duration) string {
	return "ready to be promoted, and waiting up to " + duration(left.Round(time.Second)) + " for its release"
}

func neverReleased(r Ready) string {
	return "ready to be promoted since " + r.Since.UTC().Format(time.RFC3339) + ", but the release decided nothing in time"
}

func notApproved(version string, weight float64) string {
	return fmt.Sprintf("%s on version %s was not approved in time", Weight(weight), version)
}

// promotedReason describes, for a promoted rollout, what is and isn't known about
// the new version's health.
func promotedReason(s State) string {
	text := fmt.Sprintf("alias %s of %s now routes all traffic to version %s", s.AliasName, s.Function(), s.NewVersion)
	if !s.HealthCheck {
		return text + "; health was not checked, as requested"
	}
	checks, verified, unverified := plural(int64(s.Progress.Checks), "check"), " passed", ", none failed"
	if s.Progress.Checks == 0 {
		verified, unverified = "", ""
	}
	var why []string
	if missing := s.Progress.Unverified; missing > 0 {
		why = append(why, fmt.Sprintf("in %d of %s version %s had too little traffic to judge", missing, plural(int64(len(s.Plan.Steps)), "step"), s.NewVersion))
	}
	if unseen := s.unseen(false); len(unseen) > 0 {
		why = append(why, neverSaw(unseen))
	}
	if len(why) > 0 {
		text += "; unverified: " + strings.Join(why, ", and ") + separator + checks + unverified
	} else {
		text += separator + checks + verified
	}
	text = s.warned(text, s.waits()) // that is over
	if s.Health != nil {
		text = strings.TrimSuffix(text, ".") + afterwards(s.Health.Readings)
	}
	return Brief(text)
}

// rolledBackReason says at what weight and why a rollout was rolled back, and
// where the alias is: all of that, even if why is cut short.
func rolledBackReason(s State, why string) string {
	at := "at " + Weight(s.Progress.Weight)
	if s.Progress.Step == 0 {
		at = "before any traffic was shifted"
	}
	begin := "Rolled back " + at + ": "
	end := fmt.Sprintf(" Alias %s of %s is back on version %s.", s.AliasName, s.Function(), s.Plan.Baseline)
	if s.Plan.Durable && s.Progress.Step > 0 {
		end += fmt.Sprintf(" Durable executions that began on version %s stay on it.", s.NewVersion)
	}
	return begin + sentence(Shorten(why, maxBrief-len(begin)-len(end)-1)) + end
}

func continuationFailed(n nested) string {
	return fmt.Sprintf("execution %s, which continued this rollout, did not succeed: %s", n.name(), n.words())
}

func couldNotContinue(c Caught) string { return "the rollout could not continue: " + c.words() }

func unknownDecision(d Decision) string {
	return fmt.Sprintf("the health check returned an unknown decision: %q", d)
}

const noDecision = "there was no decision by a health check"

func allocatingReason(s State) string {
	return fmt.Sprintf("alias %s of %s points to version %s, and AWS is allocating its provisioned concurrency of %d; until it is ready, AWS keeps all requests on version %s with weights of its own",
		s.AliasName, s.Function(), s.NewVersion, s.Provision().Alias, s.Plan.Baseline)
}

func nestedEnd(n nested) string {
	text := "execution " + n.name() + " ended with " + n.Error
	if n.Cause != "" {
		text += ": " + n.Cause
	}
	return text
}

// underWayReason says what an event under way means for the step.
func underWayReason(s State, event Event, step int) string {
	var now Step
	if step >= 1 && step <= len(s.Plan.Steps) {
		now = s.Plan.Steps[step-1]
	}
	of := len(s.Plan.Steps)
	switch event {
	case EventStarted:
		return s.warned(fmt.Sprintf("Version %s now receives %s of the traffic, version %s the rest. If all checks pass, the rollout takes %s in %s.",
			s.NewVersion, Weight(now.Weight), s.Plan.Baseline, seconds(s.Plan.Lasts()), plural(int64(of), "step")))
	case EventShifted:
		return fmt.Sprintf("Version %s now receives %s of the traffic. Step %d of %d lasts %s.",
			s.NewVersion, Weight(now.Weight), step, of, duration(time.Duration(now.Seconds)*time.Second))
	case EventPaused, EventOrderUnknown, EventResumed:
		return pauseReason(s, event)
	case EventHeld:
		return heldReason(s, step)
	case EventApprovalWanted:
		return fmt.Sprintf("Version %s stays at %s until step %d of %d (%s) is approved. If it is not approved in time, the rollout is rolled back.",
			s.NewVersion, Weight(s.Progress.Weight), step, of, Weight(now.Weight))
	}
	return ""
}

// refusedRequest lists problems, of which there is one at least.
func refusedRequest(problems []Problem) string {
	var text strings.Builder
	if n := len(problems); n == 1 {
		text.WriteString("the request has a problem; nothing was changed:")
	} else {
		fmt.Fprintf(&text, "the request has %d problems; nothing was changed:", n)
	}
	const most = 20
	for i, p := range problems {
		if i == most && len(problems) > most+1 {
			fmt.Fprintf(&text, "\n- and %d more", len(problems)-most)
			break
		}
		text.WriteString("\n- " + p.Error())
	}
	return Brief(text.String())
}

// sentence returns a text with a full stop, unless it ends in one.
func sentence(text string) string {
	if strings.HasSuffix(text, ".") || strings.HasSuffix(text, "!") || strings.HasSuffix(text, "?") {
		return text
	}
	return text + "."
}
