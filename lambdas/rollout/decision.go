package rollout

import (
	"fmt"
	"strings"
	"time"
)

// Verdict is what a gate makes of what it saw.
type Verdict string

// The verdicts. Missing data is never a pass: it is inconclusive.
const (
	Pass         Verdict = "pass"
	Fail         Verdict = "fail"
	Inconclusive Verdict = "inconclusive"
)

// Reading is what one gate saw in one check.
type Reading struct {
	Gate    string  `json:"gate"`
	Verdict Verdict `json:"reading"`
	// Reason is for a person to read.
	Reason string `json:"reason"`
}

// Decision is what a health check orders. The workflow's Choice only looks at
// this word.
type Decision string

// The decisions.
const (
	Watch    Decision = "watch"
	Advance  Decision = "advance"
	Promote  Decision = "promote"
	RollBack Decision = "roll-back"
	// HandOver goes on watching in an execution of its own, because this one's
	// history is filling up.
	HandOver Decision = "hand-over"
	// HandBack ends such an execution, for the same reason: the one that
	// started it hands over to the next.
	HandBack Decision = "hand-back"
)

// Counts are the requests of one version behind the alias.
type Counts struct {
	Invocations int64 `json:"invocations"`
	Errors      int64 `json:"errors"`
	// Minutes is how many minutes there were data of; 0 means that nothing
	// is known, which is not the same as no invocations.
	Minutes int `json:"minutes"`
}

// Window is a time span: from From, up to but not including To.
type Window struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// Lateness is how late CloudWatch's minutes may still change. A window goes
// back at least that far, so that harm that is reported late is found late,
// and not never.
const Lateness = 15 * time.Minute

// maxWindow bounds what a check reads of a long step: what is older has been
// judged by the checks before it.
const maxWindow = time.Hour

// Window is what a check at now reads: the current step so far and, because
// minutes arrive late, at least the last fifteen minutes, but nothing from
// before the rollout's first shift. Of a long step it is the last hour, and
// always two check intervals.
func (s State) Window(now time.Time) Window {
	from := s.Progress.Since
	if late := now.Add(-Lateness); late.Before(from) {
		from = late
	}
	longest := max(maxWindow, 2*time.Duration(s.CheckInterval)*time.Second)
	if oldest := now.Add(-longest); oldest.After(from) {
		from = oldest
	}
	if s.Progress.Began.After(from) {
		from = s.Progress.Began
	}
	return Window{From: from, To: now}
}

// Health is what the last check saw and decided.
type Health struct {
	Decision Decision  `json:"decision"`
	Reason   string    `json:"reason"`
	Readings []Reading `json:"readings"`
	Window   Window    `json:"window"`
	// Baseline and NewVersion are the requests of both versions in the window.
	Baseline   Counts `json:"baseline"`
	NewVersion Counts `json:"new-version"`
}

// Check decides what follows from a check at now: any failing gate rolls back;
// otherwise the plan goes on in its time. An inconclusive reading holds nothing
// up, but it is counted and shown. The state must have Arrived at now.
func (s State) Check(now time.Time, health Health) State {
	health.Decision, health.Reason = s.decide(now, health.Readings)
	s.Health = &health
	s.Progress.Checks++
	if len(ofVerdict(health.Readings, Inconclusive)) > 0 {
		s.Progress.Inconclusive++
	}
	s.Progress.Wait = 0
	if health.Decision == Watch {
		s.Progress.Wait = s.nextWait(now)
		s.Health.Decision = s.keepWithinHistory()
		s.Progress.Continuation = s.continuation()
	}
	return s
}

func (s State) decide(now time.Time, readings []Reading) (Decision, string) {
	if failed := ofVerdict(readings, Fail); len(failed) > 0 {
		return RollBack, reasons(failed)
	}
	seen := reasons(readings)
	if s.remaining(now) > 0 {
		return Watch, seen
	}
	end := fmt.Sprintf("step %d of %d is over", s.Progress.Step, s.Progress.Of)
	if s.Progress.Step == len(s.Plan.Steps) {
		return Promote, end + "; " + seen
	}
	return Advance, end + "; " + seen
}

func ofVerdict(readings []Reading, verdict Verdict) []Reading {
	var found []Reading
	for _, r := range readings {
		if r.Verdict == verdict {
			found = append(found, r)
		}
	}
	return found
}

func reasons(readings []Reading) string {
	if len(readings) == 0 {
		return "no gate is asked for"
	}
	texts := make([]string, len(readings))
	for i, r := range readings {
		texts[i] = fmt.Sprintf("%s %s: %s", r.Gate, r.Verdict, r.Reason)
	}
	return strings.Join(texts, "; ")
}
