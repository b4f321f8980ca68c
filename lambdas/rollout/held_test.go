package rollout_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// office is a rollout of two steps of two minutes, within a window that is open from 12:00
// to 12:01, when rollouts here start, and again a day later.
func office(t *testing.T, fields string) rollout.State {
	t.Helper()
	s := begin(t, `{"function-name": "f", "alias-name": "live", "new-version": "2", `+fields+` "type": "canary", "interval": 120, "windows": [{"from": "12:00", "to": "12:01"}]}`)
	s.Plan.Started, s.Plan.Owner = start, "x"
	return s
}

const (
	closed   = "held until Mon 2026-03-02 12:00 UTC (outside the window daily 12:00-12:01 UTC)"
	waiting  = "waits, as the rollout is " + closed
	tomorrow = 24 * time.Hour
)

func effects(s rollout.State) string {
	var all []string
	for _, o := range s.Progress.Orders {
		all = append(all, o.Effect)
	}
	return strings.Join(all, ", ")
}

// TestOrdersOutsideWindows gives orders while the window is closed, a minute after the
// first step began, and looks at the check when it opens.
func TestOrdersOutsideWindows(t *testing.T) {
	const free, approval = ``, `"approval": {"before-weights": [1], "timeout": 172800}, `
	for _, test := range []struct {
		name, fields  string
		asked         bool
		orders        []rollout.Order
		want, effects string // at once
		later, then   string // when the window opens
	}{
		{"none", free, false, nil, "watch: errors: who knows", "", "advance: step 1 of 2 ended; errors: who knows", ""},
		{"advance", free, false, []rollout.Order{order(1, rollout.AdvanceNow)}, "watch: " + closed + ": step 1 of 2 ended, ordered by ann; errors: who knows", waiting,
			"advance: step 1 of 2 ended, ordered by ann; errors: who knows", "obeyed"},
		{"promote", free, false, []rollout.Order{order(1, rollout.PromoteNow)}, "watch: " + closed + ": step 1 of 2 ended, ordered by ann; errors: who knows", waiting,
			"promote: step 1 of 2 ended, ordered by ann; errors: who knows", "obeyed"},
		{"the last one counts", free, false, []rollout.Order{order(1, rollout.PromoteNow), order(2, rollout.AdvanceNow)}, "watch: " + closed + ": step 1 of 2 ended, ordered by ann; errors: who knows", "superseded by another order, " + waiting,
			"advance: step 1 of 2 ended, ordered by ann; errors: who knows", "superseded by another order, obeyed"},
		{"roll back", free, false, []rollout.Order{order(1, rollout.RollBackNow)}, "roll-back: ordered by ann; errors: who knows", "obeyed", "", ""},
		{"approve", approval, true, []rollout.Order{order(1, rollout.Approve)}, "watch: " + closed + ": step 1 of 2 ended, and the next one was approved by ann; errors: who knows", waiting,
			"advance: step 1 of 2 ended, and the next one was approved by ann; errors: who knows", "obeyed"},
		{"refuse", approval, true, []rollout.Order{order(1, rollout.Disapprove)}, "roll-back: approval refused by ann; errors: who knows", "obeyed", "", ""},
		{"no approval", approval, false, nil, "watch: errors: who knows", "", "watch: waiting up to 1 day 1 hour 1 minute for approval of 100% on version 2; errors: who knows", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := shift(t, office(t, test.fields))
			s.Progress.Since, s.Progress.Began = start, start
			if test.asked {
				s.Progress.ApprovalRequestedAt = start
			}
			at := start.Add(time.Minute)
			s, _ = s.BeginCheck(at)
			s = s.Check(at, rollout.Health{Readings: []rollout.Reading{undecided}, Recent: 10}, rollout.Instructions{Orders: test.orders})
			if got := string(s.Health.Decision) + ": " + s.Health.Reason; got != test.want || effects(s) != test.effects {
				t.Errorf("%s [%s]\nwant %s [%s]", got, effects(s), test.want, test.effects)
			}
			if test.later == "" {
				return
			}
			s = reread(t, s)
			for range 3 { // it stays so
				at = at.Add(time.Hour)
				s = check(t, s, at, undecided)
			}
			before := s
			s = check(t, s, start.Add(tomorrow), undecided)
			if got := string(s.Health.Decision) + ": " + s.Health.Reason; got != test.later || effects(s) != test.then {
				t.Errorf("when it opens: %s [%s]\nwant %s [%s]", got, effects(s), test.later, test.then)
			}
			if s.Health.Decision != rollout.Watch && (before.Progress.Held == nil || s.Progress.Held != nil || s.Progress.Pending != nil) {
				t.Errorf("held before: %v; then %v, with %v", before.Progress.Held, s.Progress.Held, s.Progress.Pending)
			}
			if s := check(t, before, start.Add(tomorrow), harmful); s.Health.Decision != rollout.RollBack || test.then != "" && !strings.Contains(effects(s), "overruled") {
				t.Errorf("harm when it opens: %s [%s]", s.Health.Decision, effects(s))
			}
			if s := check(t, before, at.Add(time.Hour), harmful); s.Health.Decision != rollout.RollBack {
				t.Errorf("harm while it is held: %s", s.Health.Decision)
			}
		})
	}
}

// reread writes a state as JSON and reads it again.
func reread(t *testing.T, s rollout.State) rollout.State {
	t.Helper()
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var again rollout.State
	if err := json.Unmarshal(text, &again); err != nil {
		t.Fatal(err)
	}
	again.Gates = s.Gates
	return again
}

func TestAnApprovalDoesNotSupersedeAHeldPromotion(t *testing.T) {
	s := shift(t, office(t, `"approval": {"before-weights": [1]}, `))
	s.Progress.Since, s.Progress.Began = start, start
	at := start.Add(3 * time.Minute)
	s = check(t, s, at, undecided)
	for i, c := range []rollout.Command{rollout.PromoteNow, rollout.Approve} {
		at = at.Add(time.Minute)
		s, _ = s.BeginCheck(at)
		s = s.Check(at, rollout.Health{Readings: []rollout.Reading{undecided}, Recent: 10}, rollout.Instructions{Orders: []rollout.Order{order(int64(i+1), c)}})
	}
	s = check(t, s, start.Add(tomorrow), undecided)
	if s.Health.Decision != rollout.Promote {
		t.Errorf("%s: %s [%s]", s.Health.Decision, s.Health.Reason, effects(s))
	}
}

// TestAPauseEndsOutsideWindows: the order to resume is obeyed, and the shift waits.
func TestAPauseEndsOutsideWindows(t *testing.T) {
	early := office(t, "")
	early.Begin = rollout.BeginShift
	early = early.AwaitWindow(start.Add(time.Hour))
	for i, c := range []rollout.Command{rollout.PauseNow, rollout.ResumeNow} {
		early = early.CheckFirstShift(start.Add(time.Hour+time.Duration(i+1)*5*time.Minute), "", rollout.Instructions{Orders: []rollout.Order{order(int64(i+1), c)}})
	}
	if early.Progress.Pause != nil || early.Progress.Held == nil || effects(early) != "obeyed, obeyed" {
		t.Errorf("before the first shift: pause %v, held %v: %s [%s]", early.Progress.Pause, early.Progress.Held, early.Health.Reason, effects(early))
	}
	s := shift(t, office(t, ""))
	s.Progress.Since, s.Progress.Began = start, start
	at := start
	for i, c := range []rollout.Command{rollout.PauseNow, rollout.ResumeNow} {
		at = at.Add(2 * time.Minute)
		s, _ = s.BeginCheck(at)
		s = s.Check(at, rollout.Health{Readings: []rollout.Reading{undecided}, Recent: 10}, rollout.Instructions{Orders: []rollout.Order{order(int64(i+1), c)}})
	}
	if s.Progress.Pause != nil || s.Progress.Held == nil || s.Progress.Pending != nil || effects(s) != "obeyed, obeyed" {
		t.Errorf("pause %v, held %v, pending %v: %s [%s]", s.Progress.Pause, s.Progress.Held, s.Progress.Pending, s.Health.Reason, effects(s))
	}
}

// TestTheFirstShiftWaits starts a rollout outside its window.
func TestTheFirstShiftWaits(t *testing.T) {
	now := start.Add(time.Hour)
	begun := func(begin rollout.Begin) rollout.State {
		s := office(t, "")
		s.Begin = begin
		return s.AwaitWindow(now)
	}
	for _, test := range []struct {
		name          string
		order         rollout.Command
		want, effects string
		then          string
	}{
		{"no order", "", "watch 300: " + closed, "", "start: the first shift is allowed now"},
		{"roll back", rollout.RollBackNow, "roll-back 0: ordered by ann", "obeyed", ""},
		{"advance", rollout.AdvanceNow, "watch 300: " + closed, waiting, "start: the first shift is allowed now"},
		{"promote", rollout.PromoteNow, "watch 300: " + closed, waiting, "start: the first shift is allowed now"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := begun(rollout.BeginPreTraffic)
			if s.Begin != rollout.BeginWatch || s.Progress.Wait != 300 || !s.AwaitsFirstShift() {
				t.Fatalf("it begins with %s and waits %d s", s.Begin, s.Progress.Wait)
			}
			var orders []rollout.Order
			if test.order != "" {
				orders = append(orders, order(1, test.order))
			}
			s = reread(t, s).CheckFirstShift(now.Add(300*time.Second), "", rollout.Instructions{Orders: orders})
			if got := string(s.Health.Decision) + " " + jsonOf(t, s.Progress.Wait) + ": " + s.Health.Reason; got != test.want || effects(s) != test.effects {
				t.Errorf("%s [%s]", got, effects(s))
			}
			if test.then == "" {
				return
			}
			s = s.CheckFirstShift(start.Add(tomorrow-10*time.Second), "orders could not be read", rollout.Instructions{})
			if s.Progress.Wait != 10 || !strings.Contains(s.Health.Reason, "; orders could not be read") {
				t.Errorf("ten seconds before: %d, %s", s.Progress.Wait, s.Health.Reason)
			}
			s = s.CheckFirstShift(start.Add(tomorrow), "", rollout.Instructions{})
			if got := string(s.Health.Decision) + ": " + s.Health.Reason; got != test.then || s.Begin != rollout.BeginPreTraffic || s.AwaitsFirstShift() {
				t.Errorf("then %s, beginning with %s", got, s.Begin)
			}
			if became := map[rollout.Command]string{rollout.AdvanceNow: "obeyed", rollout.PromoteNow: "waits for the first check"}[test.order]; effects(s) != became {
				t.Errorf("the order's effect is %q, want %q", effects(s), became)
			}
			s = check(t, shift(t, s), start.Add(tomorrow+30*time.Second), undecided)
			if promoted := s.Health.Decision == rollout.Promote; promoted != (test.order == rollout.PromoteNow) {
				t.Errorf("the first check decides %s", s.Health.Decision)
			}
		})
	}
	if s := office(t, ""); s.AwaitWindow(start).AwaitsFirstShift() {
		t.Error("it waits within the window")
	}
	if s := begun(rollout.BeginPreTraffic).CheckFirstShift(start.Add(tomorrow), "", rollout.Instructions{}).AwaitShift(start.Add(tomorrow + time.Hour)); !s.AwaitsFirstShift() || s.Progress.Held.Begin != rollout.BeginShift {
		t.Errorf("after the hooks, outside again, it begins with %+v", s.Progress.Held)
	}
}

// TestWhatIsSaidOfTheWaiting: the start warns of it, and the promotion does not repeat it.
func TestWhatIsSaidOfTheWaiting(t *testing.T) {
	s := office(t, "")
	timing, err := s.Timing(s.Plan.Steps, start)
	if err != nil {
		t.Fatal(err)
	}
	s.Plan.Zones, s.Plan.Ends = timing.Zones, timing.End()
	s.Plan.Warnings = append(s.Warnings(), "Beware.")
	const waits = "Windows and freezes hold shifts: the longest hold is 23 hours 58 minutes, at 10% on version 2, and the plan ends on Tue 2026-03-03 12:00 UTC."
	s = shift(t, s)
	if n := s.Notification(rollout.EventStarted, 1, start, "x", rollout.CommandLines{}); !strings.Contains(n.Reason, waits) || !strings.Contains(n.Reason, "takes 2 days in 2 steps") {
		t.Errorf("the start: %s", n.Reason)
	}
	if promoted := s.Promoted(); strings.Contains(promoted.Outcome.Reason, "Windows") || !strings.Contains(promoted.Outcome.Reason, "Beware.") {
		t.Errorf("the promotion: %s", promoted.Outcome.Reason)
	}
}

func jsonOf(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestPausesOutsideWindows: an order that holds the weight acts before the first shift, too,
// lasts when the window opens, and supersedes one that waits for it.
func TestPausesOutsideWindows(t *testing.T) {
	evening, morning := start.Add(time.Minute), start.Add(tomorrow)
	ordered := func(number int64, command rollout.Command, unknown bool) rollout.Order {
		return rollout.Order{Command: command, Number: number, By: "ann", At: start, Unknown: unknown}
	}
	for name, hold := range map[string]rollout.Order{"pause": ordered(1, rollout.PauseNow, false), "a mistyped order": ordered(1, "puase", true)} {
		t.Run(name, func(t *testing.T) {
			s := office(t, ``).AwaitWindow(evening)
			if !s.AwaitsFirstShift() {
				t.Fatal("the first shift does not wait")
			}
			orders := []rollout.Order{hold}
			s = s.CheckFirstShift(evening, "", rollout.Instructions{Orders: orders})
			if s.Health.Decision != rollout.Watch || s.Progress.Pause == nil {
				t.Fatalf("%s, paused: %+v", s.Health.Decision, s.Progress.Pause)
			}
			s = s.CheckFirstShift(morning, "", rollout.Instructions{Orders: orders})
			if s.Health.Decision != rollout.Watch || s.Progress.Wait < 60 || !s.AwaitsFirstShift() {
				t.Fatalf("in the window: %s, and the next look in %d s", s.Health.Decision, s.Progress.Wait)
			}
			resumed := s.CheckFirstShift(morning, "", rollout.Instructions{Orders: append(orders, ordered(2, rollout.ResumeNow, false))})
			if resumed.Health.Decision != rollout.StartNow || resumed.Progress.Pause != nil {
				t.Errorf("after resume: %s, paused: %+v", resumed.Health.Decision, resumed.Progress.Pause)
			}
			late := s.CheckFirstShift(s.Progress.Pause.Until, "", rollout.Instructions{Orders: orders})
			if late.Health.Decision != rollout.RollBack || late.Health.Cause != rollout.NotResumed {
				t.Errorf("after the longest pause: %s, %s", late.Health.Decision, late.Health.Cause)
			}
		})
	}
	s := office(t, ``).AwaitWindow(evening)
	promote := []rollout.Order{ordered(1, rollout.PromoteNow, false)}
	s = s.CheckFirstShift(evening, "", rollout.Instructions{Orders: promote})
	s = s.CheckFirstShift(evening, "", rollout.Instructions{Orders: append(promote, ordered(2, rollout.PauseNow, false))})
	if s.Progress.Pending != nil || s.Progress.Pause == nil {
		t.Errorf("after a pause, %+v still waits, paused: %+v", s.Progress.Pending, s.Progress.Pause)
	}
}
