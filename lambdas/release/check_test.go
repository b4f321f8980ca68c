package release_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lambda-rollout/lambda-rollout/lambdas/release"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

var start = time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)

const owner = "arn:aws:states:eu-central-1:123456789012:execution:releases:one"

// shop is a request of members a to e in waves.
func shop(t interface{ Fatal(...any) }, more string) release.Request {
	r, err := release.Decode([]byte(`{"release": "shop", ` + more + `"waves": [["a"], ["b", "c"], ["d", "e"]], "defaults": ` + defaults + `, "rollouts": {
		"a": {"function-name": "a", "new-version": "2"}, "b": {"function-name": "b", "new-version": "2"}, "c": {"function-name": "c", "new-version": "2"},
		"d": {"function-name": "d", "new-version": "2"}, "e": {"function-name": "e", "new-version": "2"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Whatever members do, and wherever a check is cut off and repeated, all aliases of a
// release that belongs together end on one side, and the outcome says which.
func TestAllMembersEndOnOneSide(t *testing.T) {
	results := map[release.Result]int{}
	rapid.Check(t, func(t *rapid.T) {
		r := shop(t, rapid.SampledFrom([]string{"", `"next-wave-at": 0.5, `}).Draw(t, "waves"))
		w := &world{members: map[string]*member{}}
		failing := rapid.SampledFrom([]int{-1, -1, 1, 3, 6}).Draw(t, "one fails at")
		failure := rapid.SampledFrom([]string{"none", "promotion", "none"}).Draw(t, "failure")
		n := 0
		plan := func() *member {
			n++
			m := &member{readyAt: rapid.IntRange(1, 6).Draw(t, "ready"), failsAt: -1}
			if n == rapid.IntRange(1, 5).Draw(t, "who") {
				m.failsAt, m.failsAtPromotion = failing, failure == "promotion"
			}
			return m
		}
		s := release.Begun(r, owner, start)
		now := start
		for range 300 {
			found := release.Found{Decision: w.decision, Reversal: w.reversal, Orders: w.orders}
			found.Seen = w.seen(s.ToLookAt(w.decision != nil))
			next, do := s.Check(now, r, found)
			cut := rapid.SampledFrom([]int{-1, -1, -1, 0, 1, 2}).Draw(t, "cut")
			after := w.act(next, do, cut, plan)
			now = now.Add(time.Duration(max(1, next.Progress.Wait)) * time.Second)
			w.step()
			if cut >= 0 {
				continue // the state is lost
			}
			if s = after; s.Outcome != nil {
				break
			}
			if s.Health.Decision == release.StepRevert {
				s = w.revert(s)
			}
		}
		if s.Outcome == nil {
			t.Fatalf("no end: %s", s.Health.Reason)
		}
		results[s.Outcome.Result]++
		for name, m := range w.members {
			if m.ended == "" || m.onNew != (s.Outcome.Result == release.ResultPromoted) {
				t.Fatalf("%s: %s on the new version: %v; %s: %s", name, m.ended, m.onNew, s.Outcome.Result, s.Outcome.Reason)
			}
		}
		if s.Outcome.Result == release.ResultPromoted && len(w.members) != 5 {
			t.Fatalf("promoted with %d members", len(w.members))
		}
	})
	if results[release.ResultPromoted] == 0 || results[release.ResultRolledBack] == 0 {
		t.Error(results)
	}
}

// run carries a release on until it has ended, with what happens at some of its checks.
func run(t *testing.T, r release.Request, w *world, plan func() *member, at map[int]func(*release.Found)) (release.State, []release.Event) {
	t.Helper()
	s := release.Begun(r, owner, start)
	var events []release.Event
	for i := range 300 {
		now := start.Add(time.Duration(i) * time.Minute)
		found := release.Found{Decision: w.decision, Reversal: w.reversal}
		found.Seen = w.seen(s.ToLookAt(w.decision != nil))
		if change := at[i]; change != nil {
			change(&found)
		}
		w.orders = append(w.orders, found.Orders...)
		found.Orders = w.orders
		next, do := s.Check(now, r, found)
		events = append(events, do.Events...)
		s = w.act(next, do, -1, plan)
		if s.Health.Decision == release.StepRevert {
			s = w.revert(s)
		}
		if s.Outcome != nil {
			return s, events
		}
		w.step()
	}
	t.Fatalf("no end: %s", s.Health.Reason)
	return s, nil
}

func soon() *member { return &member{readyAt: 3, failsAt: -1} }

func order(n int64, c string) rollout.Order {
	return rollout.Order{Command: rollout.Command(c), By: "me", At: start.Add(time.Duration(n) * time.Second), Number: n}
}

func TestCoursesOfReleases(t *testing.T) {
	give := func(n int64, c string) func(*release.Found) {
		return func(f *release.Found) { f.Orders = append(f.Orders, order(n, c)) }
	}
	several := func(first int64, c string, n int64) func(*release.Found) {
		return func(f *release.Found) {
			for i := range n {
				f.Orders = append(f.Orders, order(first+i, c))
			}
		}
	}
	for _, test := range []struct {
		name, more string
		at         map[int]func(*release.Found)
		result     release.Result
		reason     string // in the outcome's
		events     string
	}{
		{"all well", "", nil, release.ResultPromoted, "all 5 rollouts", "release-started release-wave release-wave release-promoted"},
		{"an alarm", "", map[int]func(*release.Found){5: func(f *release.Found) { f.Harm = map[string]string{"b": "alarms: red"} }}, release.ResultRolledBack, "b: alarms: red", "release-started release-wave release-rolling-back release-rolled-back"},
		{"rolled back by order", "", map[int]func(*release.Found){2: give(1, "abort")}, release.ResultRolledBack, "ordered by me", "release-started release-rolling-back release-rolled-back"},
		{"promoted by order, once all have started", "", map[int]func(*release.Found){1: give(1, "promote")}, release.ResultPromoted, "all 5", "release-started release-wave release-wave release-promoted"},
		{"paused and resumed", "", map[int]func(*release.Found){1: give(1, "pause"), 20: give(2, "resume")}, release.ResultPromoted, "all 5", "release-started release-paused release-resumed release-wave release-wave release-promoted"},
		{"held by an unknown order", "", map[int]func(*release.Found){1: give(1, "pormote"), 20: give(2, "abort")}, release.ResultRolledBack, "ordered by me", "release-started release-paused release-rolling-back release-rolled-back"},
		{"approved", `"approval": {"before-waves": [2], "before-promotion": true}, `, map[int]func(*release.Found){10: give(1, "approve"), 40: give(2, "approve")}, release.ResultPromoted, "all 5",
			"release-started release-approval-wanted release-wave release-wave release-approval-wanted release-promoted"},
		{"refused", `"approval": {"before-promotion": true}, `, map[int]func(*release.Found){60: give(1, "refuse")}, release.ResultRolledBack, "ordered by me", "release-started release-wave release-wave release-approval-wanted release-rolling-back release-rolled-back"},
		{"not approved", `"approval": {"before-waves": [3], "timeout": 1800}, `, nil, release.ResultRolledBack, "not given in time", "release-started release-wave release-approval-wanted release-rolling-back release-rolled-back"},
		{"promoted by order, and held by an unknown one", "", map[int]func(*release.Found){1: give(1, "promote"), 2: give(2, "promtoe"), 50: give(3, "abort")}, release.ResultRolledBack, "ordered by me", "release-started release-paused release-rolling-back release-rolled-back"},
		{"promoted by order, and many others", "", map[int]func(*release.Found){1: give(1, "promote"), 2: several(2, "advance", 7)}, release.ResultPromoted, "ordered by me", "release-started release-wave release-wave release-promoted"},
		{"held by a mistyped approval, and approved", `"approval": {"before-waves": [2]}, `, map[int]func(*release.Found){10: give(1, "aprove"), 12: give(2, "approve")}, release.ResultPromoted, "all 5",
			"release-started release-approval-wanted release-paused release-resumed release-wave release-wave release-promoted"},
		{"paused for too long, before anything started", `"max-pause": 3600, `, map[int]func(*release.Found){0: give(1, "pause")}, release.ResultRolledBack, "NotResumed", "release-paused release-rolling-back release-rolled-back"},
		{"paused again, which does not prolong it", `"max-pause": 3600, `, map[int]func(*release.Found){0: give(1, "pause"), 40: give(2, "pause"), 90: give(3, "resume")}, release.ResultRolledBack, "NotResumed", "release-paused release-rolling-back release-rolled-back"},
		{"held by an unknown order for too long", `"max-pause": 3600, `, map[int]func(*release.Found){0: give(1, "halp")}, release.ResultRolledBack, "NotResumed", "release-paused release-rolling-back release-rolled-back"},
		{"paused while it waits for approval, which does not count", `"approval": {"before-waves": [2], "timeout": 1800}, `, map[int]func(*release.Found){10: give(1, "pause"), 60: give(2, "resume"), 75: give(3, "approve")}, release.ResultPromoted, "all 5",
			"release-started release-approval-wanted release-paused release-resumed release-wave release-wave release-promoted"},
		{"approval too early", `"approval": {"before-waves": [2], "timeout": 1800}, `, map[int]func(*release.Found){1: give(1, "approve")}, release.ResultRolledBack, "not given in time", "release-started release-approval-wanted release-rolling-back release-rolled-back"},
		{"approval that was not asked for", "", map[int]func(*release.Found){1: give(1, "refuse")}, release.ResultPromoted, "all 5", "release-started release-wave release-wave release-promoted"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, events := run(t, shop(t, test.more), &world{members: map[string]*member{}}, soon, test.at)
			if s.Outcome.Result != test.result || !strings.Contains(s.Outcome.Reason+s.Progress.Decision.Reason+s.Outcome.Error, test.reason) {
				t.Errorf("%s: %s: %s", s.Outcome.Result, s.Outcome.Error, s.Outcome.Reason)
			}
			if got := strings.Trim(fmt.Sprint(events), "[]"); got != test.events {
				t.Errorf("%s, want %s", got, test.events)
			}
		})
	}
}

// A member whose rollback fails is retried for long: the others are rolled back meanwhile.
func TestOthersDoNotWaitForARollbackThatFails(t *testing.T) {
	r := shop(t, "")
	ended := func(name string, how rollout.Event) release.Seen { return release.Seen{Member: name, Ended: how} }
	failing := release.Seen{Member: "b", RollbackFails: true, Weight: 0.5, Error: "AccessDenied", Reason: "no permission"}
	under := func(name string) release.Seen { return release.Seen{Member: name, Weight: 0.5} }
	begun := release.Begun(r, owner, start)
	for name := range begun.Members {
		begun = begun.StartedMember(name)
	}
	// Before the decision, it is decided at once.
	s, do := begun.Check(start, r, release.Found{Seen: []release.Seen{under("a"), failing, under("c"), under("d"), under("e")}})
	if do.Decide == nil || do.Decide.Decision != rollout.RollBack || do.Decide.Error != "AccessDenied" || do.Decide.Reason != "b is being rolled back, which fails and is retried: no permission" {
		t.Fatalf("%+v, %s", do.Decide, s.Health.Reason)
	}
	// After the decision to promote, it is reversed at once, and what was promoted is taken back
	// while it goes on.
	promote := &release.Decision{Decision: rollout.Promote, Reason: "all are ready", At: start}
	seen := []release.Seen{ended("a", rollout.EventPromoted), failing, ended("c", rollout.EventPromoted), ended("d", rollout.EventPromoted), under("e")}
	s, do = begun.Check(start, r, release.Found{Decision: promote, Seen: seen})
	if do.Reverse == nil {
		t.Fatal(s.Health.Reason)
	}
	reverse := do.Reverse
	s, _ = s.Check(start, r, release.Found{Decision: promote, Reversal: reverse, Seen: []release.Seen{failing, under("e")}})
	for i := range 60 { // longer than reverts are counted
		if s, do = s.Check(start, r, release.Found{Decision: promote, Reversal: reverse, Seen: []release.Seen{failing, under("e")}}); s.Health.Decision != release.StepRevert {
			t.Fatalf("%s in check %d", s.Health.Decision, i)
		}
		if s = s.Reverted(); s.GivesUp() {
			t.Fatalf("it gives up in check %d", i)
		}
	}
	for _, name := range s.Open() {
		s = s.Restored(name, release.TakenBack, release.Left{})
	}
	// When all others are back, it waits for the end of the one that fails, and looks at that.
	s, _ = s.Check(start, r, release.Found{Decision: promote, Reversal: reverse, Seen: []release.Seen{failing, ended("e", rollout.EventRolledBack)}})
	if s.Health.Decision != release.StepWatch {
		t.Fatal(s.Health.Decision)
	}
	s, _ = s.Check(start, r, release.Found{Decision: promote, Reversal: reverse, Seen: []release.Seen{ended("b", rollout.EventRollbackFailed)}})
	if s.Health.Decision != release.StepRevert || len(s.Open()) != 1 || s.Progress.Reverts > 0 {
		t.Fatalf("%s, %v open, %d reverts", s.Health.Decision, s.Open(), s.Progress.Reverts)
	}
	s = s.Reverted().Restored("b", release.NotRestored, release.Left{Reason: "run this", Brief: "run"})
	s, _ = s.Check(start, r, release.Found{Decision: promote, Reversal: reverse})
	if s.Outcome == nil || s.Outcome.Result != release.ResultSplit || !strings.Contains(s.Outcome.Reason, "b: run this") {
		t.Fatalf("%+v", s.Outcome)
	}
}

// Without together each rollout ends for itself, and the outcome reports it.
func TestEachForItself(t *testing.T) {
	w := &world{members: map[string]*member{}}
	n := 0
	plan := func() *member {
		n++
		m := soon()
		if n == 2 {
			m.failsAt = 2
		}
		return m
	}
	r := shop(t, `"together": false, `)
	ends := map[int]func(*release.Found){}
	for i := range 100 { // these promote themselves
		ends[i] = func(*release.Found) {
			for _, m := range w.members {
				if m.ready && m.ended == "" {
					m.ended, m.onNew = rollout.EventPromoted, true
				}
			}
		}
	}
	s, events := run(t, r, w, plan, ends)
	if s.Outcome.Result != release.ResultPartly || !strings.Contains(s.Outcome.Reason, "4 promoted, 1 rolled back, of 5 rollouts. b ended as rolled-back: it failed") {
		t.Errorf("%s: %s", s.Outcome.Result, s.Outcome.Reason)
	}
	if got := fmt.Sprint(events); got != "[release-started release-wave release-wave release-partly-promoted]" {
		t.Error(got)
	}
}

// An execution that ends another one's release rolls back, unless it is decided otherwise;
// then it sees that through.
func TestConclusions(t *testing.T) {
	for name, decided := range map[string]*release.Decision{"nothing": nil, "promote": {Decision: rollout.Promote, At: start}} {
		t.Run(name, func(t *testing.T) {
			r := shop(t, "")
			w := &world{members: map[string]*member{}, decision: decided}
			for _, m := range r.Members {
				w.members[m.Name] = soon()
			}
			s := release.Concluded(r, owner, owner+"-conclusion", start)
			for i := 0; s.Outcome == nil && i < 50; i++ {
				found := release.Found{Decision: w.decision, Reversal: w.reversal, Seen: w.seen(s.ToLookAt(true))}
				next, do := s.Check(start.Add(time.Duration(i)*20*time.Second), r, found)
				if len(do.Start) > 0 {
					t.Fatalf("starts %s", do.Start)
				}
				s = w.act(next, do, -1, soon)
				w.step()
			}
			want := release.ResultRolledBack
			if decided != nil {
				want = release.ResultPromoted
			}
			if s.Outcome == nil || s.Outcome.Result != want || want == release.ResultRolledBack && s.Outcome.Error != release.ErrorStopped {
				t.Errorf("%+v", s.Outcome)
			}
		})
	}
}
