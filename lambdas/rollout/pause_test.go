package rollout_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// play lets checks find readings and orders, one after the other: "60 pause, dance" is a
// check 60 s after the step's beginning, which finds two orders; "60! pause" finds harm
// too. It returns what each decided, and with which effects and events.
func play(t *testing.T, s rollout.State, checks ...string) (rollout.State, []string) {
	t.Helper()
	number, said := int64(0), []string(nil)
	for _, check := range checks {
		var after int
		when, words, _ := strings.Cut(check, " ")
		reading := undecided
		if when, harm := strings.CutSuffix(when, "!"); harm {
			reading = harmful
			check = when
		}
		if _, err := fmt.Sscan(check, &after); err != nil {
			t.Fatal(err)
		}
		var orders []rollout.Order
		for word := range strings.SplitSeq(words, ", ") {
			if words != "" {
				number++
				orders = append(orders, order(number, rollout.Command(word)))
			}
		}
		before := s
		s = s.Check(start.Add(time.Duration(after)*time.Second), rollout.Health{Readings: []rollout.Reading{reading}, Recent: 10}, rollout.Instructions{Orders: orders})
		got := string(s.Health.Decision)
		if s.Progress.Wait > 0 {
			got += fmt.Sprintf(" %d", s.Progress.Wait)
		}
		got += " " + s.Health.Cause
		for _, o := range s.Progress.Orders[max(0, len(s.Progress.Orders)-len(orders)):] {
			if len(orders) > 0 {
				effect, _, _ := strings.Cut(o.Effect, ";")
				got += fmt.Sprintf(" [%s: %s]", o.Command, strings.TrimSpace(effect))
			}
		}
		for _, event := range s.PauseEvents(before) {
			got += " " + string(event)
		}
		said = append(said, strings.Join(strings.Fields(got), " "))
	}
	return s, said
}

// TestPauses holds the first of two steps of two minutes; the second needs an approval
// where the name begins with "approval".
func TestPauses(t *testing.T) {
	const unknown = "not known, so the weight is held"
	for _, test := range []struct {
		name   string
		checks []string
		want   []string
	}{
		{"pause and resume", []string{"60 pause", "120", "180", "240 resume"},
			[]string{"watch 60 [pause: obeyed] paused", "watch 60", "watch 60", "advance [resume: obeyed] resumed"}},
		{"resumed before the step's end", []string{"30 pause", "60 continue", "120"}, []string{"watch 30 [pause: obeyed] paused", "watch 60 [resume: obeyed] resumed", "advance"}},
		{"harm in a pause", []string{"60 pause", "120!"}, []string{"watch 60 [pause: obeyed] paused", "roll-back Unhealthy"}},
		{"harm overrules a pause", []string{"60! pause"}, []string{"roll-back Unhealthy [pause: overruled: the check found harm]"}},
		{"a pause ends with a rollback", []string{"60 pause", "600", "655", "660"}, []string{"watch 60 [pause: obeyed] paused", "watch 60", "watch 5", "roll-back NotResumed"}},
		{"paused again does not last longer", []string{"60 pause", "600 pause", "660 pause"},
			[]string{"watch 60 [pause: obeyed] paused", "watch 60 [pause: obeyed]", "roll-back NotResumed [pause: obeyed]"}},
		{"a pause that ends between two checks", []string{"30 pause", "600", "630"}, []string{"watch 30 [pause: obeyed] paused", "watch 30", "roll-back NotResumed"}},
		{"resumed at the last moment", []string{"60 pause", "660 resume"}, []string{"watch 60 [pause: obeyed] paused", "advance [resume: obeyed] resumed"}},
		{"advance ends a pause", []string{"60 pause", "70 advance"}, []string{"watch 60 [pause: obeyed] paused", "advance [advance: obeyed] resumed"}},
		{"promote ends a pause", []string{"60 pause", "70 promote"}, []string{"watch 60 [pause: obeyed] paused", "promote [promote: obeyed] resumed"}},
		{"roll-back in a pause", []string{"60 pause", "70 Rollback"}, []string{"watch 60 [pause: obeyed] paused", "roll-back Ordered [roll-back: obeyed]"}},
		{"resume without a pause", []string{"60 resume", "120"}, []string{"watch 60 [resume: ignored: the rollout is not paused]", "advance"}},
		{"resume supersedes nothing without a pause", []string{"60 advance, resume"}, []string{"advance [advance: obeyed] [resume: ignored: the rollout is not paused]"}},
		{"paused and resumed between two checks", []string{"60 pause, resume", "120"}, []string{"watch 60 [pause: superseded by another order] [resume: obeyed]", "advance"}},
		{"approve does not end a pause", []string{"60 pause", "120 approve"}, []string{"watch 60 [pause: obeyed] paused", "watch 60 [approve: ignored: the rollout does not wait for approval]"}},

		{"an unknown order holds", []string{"60 puase", "120", "180 resume"}, []string{"watch 60 [puase: " + unknown + "] order-unknown", "watch 60", "advance [resume: obeyed] resumed"}},
		{"until a known one comes", []string{"120 aprove", "180 approve"}, []string{"watch 60 [aprove: " + unknown + "] order-unknown", "advance [approve: obeyed] resumed"}},
		{"an unknown order that is paused", []string{"60 puase", "120 pause", "180"}, []string{"watch 60 [puase: " + unknown + "] order-unknown", "watch 60 [pause: obeyed] paused", "watch 60"}},
		{"an unknown order does not hold for ever", []string{"60 dance", "630 dance again", "660 and again"},
			[]string{"watch 60 [dance: " + unknown + "] order-unknown", "watch 30 [dance again: " + unknown + "] order-unknown", "roll-back NotResumed [and again: " + unknown + "]"}},
		{"harm while an unknown order holds", []string{"60 dance", "120!"}, []string{"watch 60 [dance: " + unknown + "] order-unknown", "roll-back Unhealthy"}},
		{"a known order comes after it", []string{"60 dance, advance"}, []string{"advance [dance: not known, and superseded by another order] [advance: obeyed]"}},
		{"it comes after a known order", []string{"60 promote, dance"}, []string{"watch 60 [promote: superseded by another order] [dance: " + unknown + "] order-unknown"}},
		{"roll-back comes before it", []string{"60 abort, dance, pause"}, []string{"roll-back Ordered [roll-back: obeyed] [dance: " + unknown + "] [pause: superseded by another order]"}},
		{"it does not end a pause", []string{"60 pause", "120 dance", "180 approve", "240 resume"},
			[]string{"watch 60 [pause: obeyed] paused", "watch 60 [dance: " + unknown + "] order-unknown", "watch 60 [approve: ignored: the rollout does not wait for approval]", "advance [resume: obeyed] resumed"}},
		{"it does not end a pause of the same check", []string{"60 pause, dance"}, []string{"watch 60 [pause: obeyed] [dance: " + unknown + "] paused order-unknown"}},
		{"nothing at all was written", []string{"60  "}, []string{"watch 60 [: " + unknown + "] order-unknown"}},
		{"refuse does not end it", []string{"120 refuze", "180 refuse", "240"}, []string{"watch 60 [refuze: " + unknown + "] order-unknown", "watch 60 [refuse: ignored: the rollout does not wait for approval]", "watch 60"}},

		{"approval: an unknown order neither approves nor refuses", []string{"120", "180 aprove", "1000", "1080"},
			[]string{"watch 60", "watch 60 [aprove: " + unknown + "] order-unknown", "roll-back NotResumed", "roll-back NotResumed"}},
		{"approval: approved after an unknown order", []string{"120", "180 aprove", "700", "720 approve"},
			[]string{"watch 60", "watch 60 [aprove: " + unknown + "] order-unknown", "watch 20", "advance [approve: obeyed] resumed"}},
		{"approval: refused after an unknown order", []string{"120", "180 refuze", "240 refuse"}, []string{"watch 60", "watch 60 [refuze: " + unknown + "] order-unknown", "roll-back Ordered [refuse: obeyed]"}},
		{"approval: a pause is no time of the approval", []string{"120", "180 pause", "720 resume", "1250", "1260"},
			[]string{"watch 60", "watch 60 [pause: obeyed] paused", "watch 60 [resume: obeyed] resumed", "watch 10", "roll-back NotApproved"}},
		{"approval: approved in a pause", []string{"120", "180 pause", "240 approve", "300 resume"},
			[]string{"watch 60", "watch 60 [pause: obeyed] paused", "watch 60 [approve: obeyed, and the rollout is still paused]", "advance [resume: obeyed] resumed"}},
		{"approval: paused and approved at once", []string{"120", "180 pause, approve", "240", "300 resume"},
			[]string{"watch 60", "watch 60 [pause: obeyed] [approve: obeyed] paused", "watch 60", "advance [resume: obeyed] resumed"}},
		{"approval: approved and paused at once", []string{"120", "180 approve, pause", "700", "720 resume"},
			[]string{"watch 60", "watch 60 [approve: obeyed] [pause: obeyed] paused", "watch 20", "advance [resume: obeyed] resumed"}},
		{"approval: approved at the last moment, and paused", []string{"120", "720 approve, pause", "780 resume"},
			[]string{"watch 60", "watch 60 [approve: obeyed] [pause: obeyed] paused", "advance [resume: obeyed] resumed"}},
		{"approval: resume does not approve", []string{"120", "180 continue"}, []string{"watch 60", "watch 60 [resume: ignored: the rollout is not paused]"}},
		{"approval: advance ends a pause, and approves nothing", []string{"60 pause", "120 advance"},
			[]string{"watch 60 [pause: obeyed] paused", "watch 60 [advance: the step ended, and the next one waits for approval] resumed"}},
		{"approval: asked for after a pause", []string{"60 pause", "300 resume", "840", "900"},
			[]string{"watch 60 [pause: obeyed] paused", "watch 60 [resume: obeyed] resumed", "watch 60", "roll-back NotApproved"}},
	} {
		fields := ``
		if strings.HasPrefix(test.name, "approval") {
			fields = `"approval": {"before-weights": [1], "timeout": 600}, `
		}
		s := shift(t, begin(t, `{"function-name": "f", "alias-name": "live", "new-version": "2", "max-pause": 600, `+fields+` "type": "canary", "interval": 120}`))
		s.Progress.Since, s.Progress.Began = start, start
		if _, got := play(t, s, test.checks...); !slices.Equal(got, test.want) {
			t.Errorf("%s:\ngot  %s\nwant %s", test.name, strings.Join(got, "\n     "), strings.Join(test.want, "\n     "))
		}
	}
}

// TestWhatAPauseShows: progress has since when, until when and by whom, and the reason
// says it.
func TestWhatAPauseShows(t *testing.T) {
	s := shift(t, begin(t, blogInput))
	s.Progress.Since, s.Progress.Began = start, start
	s, _ = play(t, s, "60 pause", "90 puase")
	data, err := json.Marshal(s.Progress.Pause)
	if want := `{"since":"2026-03-01T12:01:00Z","until":"2026-03-02T12:01:00Z","by":"ann","order":"pause"}`; err != nil || string(data) != want {
		t.Errorf("%s, %v", data, err)
	}
	if want := `step 1 of 10 is paused by ann: the order "puase" by ann is not known (did you mean "pause"?); known are advance, promote, roll-back, approve, refuse, pause, resume. If no order ends that within 23 hours 59 minutes 30 seconds, the rollout is rolled back; errors: who knows`; s.Health.Reason != want {
		t.Error(s.Health.Reason)
	}
	s, _ = play(t, s, "120 \x1b[31m\u202e<b>"+strings.Repeat("x", 9000))
	if len(s.Health.Reason) > 600 || strings.ContainsAny(s.Health.Reason, "\x1b\u202e") {
		t.Error(s.Health.Reason)
	}
}

// TestAPauseEndsBeforeTheYear: of a rollout that has paused for months before, so that
// Step Functions does not end the execution first.
func TestAPauseEndsBeforeTheYear(t *testing.T) {
	s := shift(t, begin(t, blogInput))
	s.Plan.Started = start.Add(-364 * 24 * time.Hour)
	s.Progress.Since, s.Progress.Began = start, start
	s, _ = play(t, s, "3600 pause")
	if want := start.Add(23 * time.Hour); !s.Progress.Pause.Until.Equal(want) {
		t.Errorf("until %s, want %s", s.Progress.Pause.Until, want)
	}
}

// TestTheDefaultPauseFitsIntoTheYear of a plan that leaves less than a day of it.
func TestTheDefaultPauseFitsIntoTheYear(t *testing.T) {
	for interval, want := range map[int64]int64{60: 86400, rollout.Year - 86401: 86400, rollout.Year - 3600: 3600, rollout.Year: 60} {
		s := begin(t, fmt.Sprintf(`{"function-name": "f", "alias-name": "live", "new-version": "2", "type": "all-at-once", "interval": %d}`, interval))
		if s.MaxPause != want {
			t.Errorf("%d s with a step of %d s, want %d s", s.MaxPause, interval, want)
		}
	}
}

// TestNoUnknownWordShifts draws orders of all kinds: a check that is left with an unknown
// word as its last order shifts no traffic.
func TestNoUnknownWordShifts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := draw(t)
		words := rapid.SliceOfN(rapid.SampledFrom([]rollout.Command{"pause", "resume", "advance", "promote", "approve", "refuse", "stop", "dance", "", "yes"}), 1, 5)
		for n, at := int64(0), 60; at < 900; at += 60 {
			var orders []rollout.Order
			last := rollout.Command("")
			if rapid.Bool().Draw(t, "ordered") {
				for _, word := range words.Draw(t, "orders") {
					n++
					orders, last = append(orders, order(n, word)), word
				}
			}
			s = s.Check(start.Add(time.Duration(at)*time.Second), rollout.Health{Readings: []rollout.Reading{undecided}, Recent: 10}, rollout.Instructions{Orders: orders})
			_, known := rollout.ReadCommand(string(last))
			if moves := s.Health.Decision == rollout.Advance || s.Health.Decision == rollout.Promote; moves && (s.Progress.Pause != nil || len(orders) > 0 && !known) {
				t.Fatalf("at %d, %v led to %s", at, orders, s.Health.Decision)
			}
			if s.Progress.Pause != nil && s.Progress.Pause.Until.Sub(s.Progress.Pause.Since) > 600*time.Second {
				t.Fatalf("%+v", s.Progress.Pause)
			}
			if s.Health.Decision != rollout.Watch {
				return
			}
		}
	})
}

// draw returns a state in the first of two steps.
func draw(t *rapid.T) rollout.State {
	approval := rapid.SampledFrom([]string{``, `"approval": {"before-weights": [1], "timeout": 600}, `}).Draw(t, "approval")
	req, err := rollout.Decode([]byte(`{"function-name": "f", "alias-name": "live", "new-version": "2", "max-pause": 600, ` + approval + `"type": "canary", "interval": 120}`))
	if err != nil {
		t.Fatal(err)
	}
	steps, err := req.Schedule()
	if err != nil {
		t.Fatal(err)
	}
	s := rollout.State{Request: req, Plan: rollout.Plan{Steps: steps, Gates: req.Gates}}
	if s, err = s.Shifted("a revision"); err != nil {
		t.Fatal(err)
	}
	s.Progress.Since, s.Progress.Began = start, start
	return s
}
