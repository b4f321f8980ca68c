package release_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/release"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// TestNoFurtherWave: what keeps the waves of a release without together from beginning
// counts for good, whatever is ordered later, and does not end what is under way.
func TestNoFurtherWave(t *testing.T) {
	give := func(n int64, commands ...string) func(*release.Found) {
		return func(f *release.Found) {
			for i, c := range commands {
				f.Orders = append(f.Orders, order(n+int64(i), c))
			}
		}
	}
	later := give(9, "resume", "resume", "resume", "resume", "resume", "resume", "resume")
	for _, test := range []struct {
		name, more string
		at         map[int]func(*release.Found)
		relayed    bool // as an order to roll back
	}{
		{"rolled back by order", "", map[int]func(*release.Found){1: give(1, "roll-back"), 3: later}, true},
		{"refused", `"approval": {"before-waves": [2]}, `, map[int]func(*release.Found){8: give(1, "refuse"), 9: later}, true},
		{"not approved in time", `"approval": {"before-waves": [2], "timeout": 600}, `, map[int]func(*release.Found){40: later}, false},
		{"not approved in time, after another order", `"approval": {"before-waves": [2], "timeout": 600}, `, map[int]func(*release.Found){1: give(1, "advance"), 40: later}, false},
		{"approved once, and not again in time", `"approval": {"before-waves": [2, 3], "timeout": 600}, `, map[int]func(*release.Found){10: give(1, "approve"), 60: later}, false},
		{"paused for too long", `"max-pause": 600, `, map[int]func(*release.Found){1: give(1, "pause"), 40: later}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := shop(t, `"together": false, `+test.more)
			w := &world{members: map[string]*member{}}
			s := release.Begun(r, owner, start)
			for i := range 100 {
				found := release.Found{Seen: w.seen(s.ToLookAt(false))}
				if change := test.at[i]; change != nil {
					change(&found)
				}
				w.orders = append(w.orders, found.Orders...)
				found.Orders = w.orders
				next, do := s.Check(start.Add(time.Duration(i)*time.Minute), r, found)
				if s = w.act(next, do, -1, soon); len(w.members) == len(r.Members) {
					t.Fatalf("all have started at check %d: %s", i, s.Health.Reason)
				}
				if i < 70 {
					w.step()
					continue
				}
				for _, m := range w.members {
					m.ended = rollout.EventPromoted
				}
			}
			back := slices.ContainsFunc(w.relay.Orders, func(o rollout.Order) bool { return o.Command == rollout.RollBackNow || o.Command == rollout.Disapprove })
			if s.Outcome == nil || s.Outcome.Result != release.ResultPartly {
				t.Errorf("%+v", s.Outcome)
			}
			if !test.relayed && back {
				t.Errorf("relayed %+v", w.relay.Orders)
			}
		})
	}
}

// TestOrdersOfMembersThatStartLater: what was ordered before a member started does not concern
// it, unless the release is still held.
func TestOrdersOfMembersThatStartLater(t *testing.T) {
	since := start.Add(5 * time.Second) // orders 1 to 4 were given before
	for _, test := range []struct {
		orders []rollout.Order
		want   string
	}{
		{[]rollout.Order{order(1, "advance")}, "[]"},
		{[]rollout.Order{order(1, "pause")}, "[pause]"},
		{[]rollout.Order{order(1, "pause"), order(2, "resume")}, "[]"},
		{[]rollout.Order{order(1, "advance"), {Command: "halp", Unknown: true, At: start, Number: 2}}, "[halp]"},
		{[]rollout.Order{order(1, "pause"), order(9, "advance")}, "[advance]"},
		{[]rollout.Order{order(1, "advance"), order(9, "pause")}, "[pause]"},
	} {
		var got []rollout.Command
		for _, o := range (release.Relay{Orders: test.orders}).For("a", since).Orders {
			got = append(got, o.Command)
		}
		if fmt.Sprint(got) != test.want {
			t.Errorf("%+v: %v, want %s", test.orders, got, test.want)
		}
	}
}

// TestEachHarmedRolloutIsSentBack, however many an alarm objects to, and what is relayed fits
// into a parameter.
func TestEachHarmedRolloutIsSentBack(t *testing.T) {
	for _, n := range []int{1, 25, release.MaxMembers} {
		r := many(t, n)
		r.Together = false
		s := release.Begun(r, owner, start)
		for _, m := range r.Members {
			s = s.StartedMember(m.Name)
		}
		var relay release.Relay
		for i := 0; s.Outcome == nil; i++ {
			if i == 30 {
				t.Fatalf("of %d: %s", n, s.Health.Reason)
			}
			now := start.Add(time.Duration(i) * time.Minute)
			found := release.Found{Harm: map[string]string{}, Orders: []rollout.Order{}}
			for _, m := range r.Members {
				given := relay.For(m.Name, start)
				switch {
				case given.Decision == rollout.RollBack && given.Reason == "":
					t.Fatalf("%s gets no reason", m.Name)
				case given.Decision == rollout.RollBack:
					found.Seen = append(found.Seen, release.Seen{Member: m.Name, Ended: rollout.EventRolledBack, Reason: given.Reason})
				case i < 3: // the alarm goes back then
					found.Harm[m.Name] = "alarms: " + strings.Repeat(`<"api">`, 100)
				}
			}
			for o := range int64(min(i, 8)) {
				found.Orders = append(found.Orders, rollout.Order{Command: rollout.Command(strings.Repeat("<", 60)), By: strings.Repeat(`"<`, 200), At: now, Number: o + 1})
			}
			next, do := s.Check(now, r, found)
			if s = next; do.Relay != nil {
				if relay = *do.Relay; len(rollout.Encode(relay)) > 4096 {
					t.Fatalf("of %d, %d bytes are relayed", n, len(rollout.Encode(relay)))
				}
			}
		}
		if back := s.Outcome.Reason; !strings.Contains(back, fmt.Sprintf("%d rolled back", n)) {
			t.Errorf("of %d: %s", n, back)
		}
	}
}

// TestAConclusionSendsAllBack: also in a release without together, what its own execution left
// under way is rolled back; what was promoted stays.
func TestAConclusionSendsAllBack(t *testing.T) {
	r := many(t, 300)
	r.Together = false
	s := release.Concluded(r, owner, owner+"-conclusion", start)
	ended := map[string]rollout.Event{r.Members[0].Name: rollout.EventPromoted}
	var relay release.Relay
	for i := 0; s.Outcome == nil; i++ {
		if i == 30 {
			t.Fatal(s.Health.Reason)
		}
		found := release.Found{}
		for _, m := range r.Members[:290] { // the others were not started
			found.Seen = append(found.Seen, release.Seen{Member: m.Name, Ended: ended[m.Name], Weight: 0.5})
		}
		next, do := s.Check(start.Add(time.Duration(i)*time.Minute), r, found)
		if s = next; do.Relay != nil {
			relay = *do.Relay
		}
		for _, m := range r.Members[:290] {
			if given := relay.For(m.Name, start); ended[m.Name] == "" && given.Decision == rollout.RollBack && strings.Contains(given.Reason, "stopped") {
				ended[m.Name] = rollout.EventRolledBack
			}
		}
	}
	if !strings.Contains(s.Outcome.Reason, "10 waiting, 1 promoted, 289 rolled back") {
		t.Error(s.Outcome.Reason)
	}
}

// TestAnOrderAfterTheDecision says that it comes too late, and does not hold the release.
func TestAnOrderAfterTheDecision(t *testing.T) {
	const promoted, back = "too late: the release has already decided to promote", "too late: the release has already decided to roll back"
	for _, test := range []struct {
		decision rollout.Decision
		command  rollout.Command
		late     string
	}{
		{rollout.Promote, rollout.PauseNow, promoted},
		{rollout.Promote, "puase", promoted},
		{rollout.Promote, rollout.AdvanceNow, promoted},
		{rollout.Promote, rollout.PromoteNow, ""},
		{rollout.Promote, rollout.RollBackNow, ""},
		{rollout.RollBack, rollout.PauseNow, back},
		{rollout.RollBack, rollout.PromoteNow, back},
		{rollout.RollBack, rollout.RollBackNow, ""},
		{"", rollout.PauseNow, ""},
	} {
		r := shop(t, "")
		s := release.Begun(r, owner, start)
		if test.decision != "" {
			s.Progress.Decision = &release.Decision{Decision: test.decision, Reason: "so", At: start}
		}
		s, _ = s.Check(start, r, release.Found{Orders: []rollout.Order{{Command: test.command, By: "me", Number: 1, At: start}}})
		o := s.Progress.Orders[0]
		if late := strings.HasPrefix(o.Effect, "too late"); late != (test.late != "") || late && o.Effect != test.late || release.Obeyed(o) == late {
			t.Errorf("%s after %q: %s", test.command, test.decision, o.Effect)
		}
		if held := s.Progress.Pause != nil; held != (test.decision == "") {
			t.Errorf("%s after %q: held: %t", test.command, test.decision, held)
		}
	}
}

// TestPromotionByOrderWaitsForAWindow, as that of a rollout does: no order overrides windows.
func TestPromotionByOrderWaitsForAWindow(t *testing.T) {
	for more, opens := range map[string]time.Duration{
		"": 0,
		`"freeze": [{"from": "2026-11-28T08:00:00Z", "to": "2026-11-28T10:00:00Z"}], `: time.Hour,
		`"windows": [{"from": "12:00", "to": "13:00"}], `:                              3 * time.Hour,
	} {
		slow := func() *member { return &member{readyAt: 1000, failsAt: -1} }
		s, _ := run(t, shop(t, `"next-wave-at": 0.5, `+more), &world{members: map[string]*member{}}, slow, map[int]func(*release.Found){
			1: func(f *release.Found) { f.Orders = append(f.Orders, order(1, "promote")) },
		})
		if at := s.Progress.Decision.At.Sub(start); s.Outcome.Result != release.ResultPromoted || at < opens || at > opens+10*time.Minute {
			t.Errorf("%s: %s, decided after %s", more, s.Outcome.Result, at)
		}
	}
}

// TestAnApprovalThatIsNotWaitedFor says so, and whether one is still to be asked for.
func TestAnApprovalThatIsNotWaitedFor(t *testing.T) {
	const never, early = "ignored: the release does not wait for approval", "ignored: the release does not wait for approval yet. Approve it again when it does"
	for more, want := range map[string]string{
		``: never, `"approval": {"before-promotion": true}, `: early, `"approval": {"before-waves": [2]}, `: early,
	} {
		r := shop(t, more)
		s := release.Begun(r, owner, start)
		found := release.Found{Orders: []rollout.Order{{Command: rollout.Approve, By: "me", Number: 1, At: start}}}
		s, _ = s.Check(start, r, found)
		if o := s.Progress.Orders[0]; o.Effect != want || release.Obeyed(o) {
			t.Errorf("with %s: %+v", more, o)
		}
	}
	r := shop(t, `"approval": {"before-waves": [2]}, `)
	s := release.Begun(r, owner, start)
	s.Progress.Wave = 2
	s, _ = s.Check(start, r, release.Found{Orders: []rollout.Order{{Command: rollout.Approve, By: "me", Number: 1, At: start}}})
	if o := s.Progress.Orders[0]; o.Effect != never {
		t.Errorf("after the wave: %+v", o)
	}
}
