package rollout_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// TestDecisions decides at a time after the beginning of a step of two minutes,
// with what the gates read then, and what is known of the traffic.
func TestDecisions(t *testing.T) {
	const (
		onSchedule = ``
		onEvidence = `"advance": "evidence",`
		wait       = `"health": {"on-no-traffic": "wait", "min-invocations": 5, "errors": {"max-hold": 90}},`
		rollBack   = `"health": {"on-no-traffic": "roll-back"},`
		unchecked  = `"health-check": false,`
	)
	const step, last = 1, 2
	busy := rollout.Health{Recent: 10, WholeMinutes: 1}
	for _, test := range []struct {
		name     string
		settings string
		step     int
		after    int // seconds
		traffic  rollout.Health
		readings []rollout.Reading
		want     string // the decision, the wait if there is one, and the reason
	}{
		{"harm rolls back at once", onSchedule, step, 60, busy, []rollout.Reading{proven, harmful, blind}, "roll-back: latency failed: slow"},
		{"and at a step's end", onSchedule, step, 120, busy, []rollout.Reading{harmful}, "roll-back: latency failed: slow"},
		{"so does an alarm", onSchedule, step, 60, busy, []rollout.Reading{red}, "roll-back: alarms failed: ring"},
		{"missing data holds nothing up", onSchedule, step, 120, busy, []rollout.Reading{undecided, blind}, "advance: step 1 of 2 ended; errors: who knows; alarms: no data"},
		{"a step lasts to its end", onSchedule, step, 119, busy, []rollout.Reading{proven}, "watch 1: errors (proven): fine"},
		{"and no longer", onSchedule, step, 500, busy, []rollout.Reading{proven}, "advance: step 1 of 2 ended; errors (proven): fine"},
		{"the last one ends in promotion", onSchedule, last, 120, busy, []rollout.Reading{undecided}, "promote: step 2 of 2 ended; errors: who knows"},

		{"doubt holds a step", onSchedule, step, 120, busy, []rollout.Reading{doubtful}, "watch 60: step 1 of 2 is held for up to 10 minutes: version 2 may be worse; errors (in doubt): perhaps"},
		{"the last one too", onSchedule, last, 700, busy, []rollout.Reading{doubtful}, "watch 20: step 2 of 2 is held for up to 20 seconds: version 2 may be worse; errors (in doubt): perhaps"},
		{"but not for ever", onSchedule, step, 720, busy, []rollout.Reading{doubtful}, "advance: step 1 of 2 ended; errors (in doubt): perhaps"},
		{"before its end doubt changes nothing", onSchedule, step, 60, busy, []rollout.Reading{doubtful}, "watch 60: errors (in doubt): perhaps"},

		{"evidence ends a step early", onEvidence, step, 60, busy, []rollout.Reading{proven}, "advance: step 1 of 2 ended early, on evidence; errors (proven): fine"},
		{"but not the last", onEvidence, last, 60, busy, []rollout.Reading{proven}, "watch 60: errors (proven): fine"},
		{"nor without proof", onEvidence, step, 60, busy, []rollout.Reading{undecided}, "watch 60: errors: who knows"},
		{"nor in doubt", onEvidence, step, 60, busy, []rollout.Reading{proven, rollout.Judged("latency", rollout.VerdictHold, "slow?")}, "watch 60: errors (proven): fine; latency (in doubt): slow?"},
		{"nor without a full minute", onEvidence, step, 60, rollout.Health{Recent: 10}, []rollout.Reading{proven}, "watch 60: errors (proven): fine"},
		{"it never makes a step longer", onEvidence, step, 120, busy, []rollout.Reading{undecided}, "advance: step 1 of 2 ended; errors: who knows"},

		{"without traffic the plan goes on, and says so", onSchedule, step, 120, rollout.Health{}, []rollout.Reading{undecided}, "advance: step 1 of 2 ended unverified: no requests of version 2 could be judged; errors: who knows"},
		{"or waits for it", wait, step, 120, rollout.Health{Recent: 4}, []rollout.Reading{undecided}, "watch 60: step 1 of 2 is held for up to 1 minute 30 seconds: only 4 requests of version 2 could be judged (5 required); errors: who knows"},
		{"until it is there", wait, step, 180, rollout.Health{Recent: 5}, []rollout.Reading{undecided}, "advance: step 1 of 2 ended; errors: who knows"},
		{"or for too long", wait, step, 210, rollout.Health{Recent: 4}, []rollout.Reading{undecided}, "advance: step 1 of 2 ended unverified: only 4 requests of version 2 could be judged (5 required); errors: who knows"},
		{"or rolls back, once metrics can't be late any more", rollBack, step, 120, rollout.Health{}, []rollout.Reading{undecided}, "watch 60: step 1 of 2 is held for up to 10 minutes: no requests of version 2 could be judged, and metrics may be late; errors: who knows"},
		{"then it does", rollBack, step, 240, rollout.Health{}, []rollout.Reading{undecided}, "roll-back: step 1 of 2 ended with too little traffic: no requests of version 2 could be judged; errors: who knows"},
		{"but not before the step's end", rollBack, step, 60, rollout.Health{}, []rollout.Reading{undecided}, "watch 60: errors: who knows"},
		{"who does not look does not miss anything", unchecked, step, 120, rollout.Health{}, nil, "advance: step 1 of 2 ended; no gates were checked"},
	} {
		s := shift(t, begin(t, `{"function-name": "f", "alias-name": "live", "new-version": "2", `+test.settings+` "type": "canary", "interval": 120}`))
		if test.step == last {
			s = shift(t, s)
		}
		s.Progress.Since, s.Progress.Began = start, start
		test.traffic.Readings = test.readings
		s = s.Check(start.Add(time.Duration(test.after)*time.Second), test.traffic, rollout.Instructions{})
		got := string(s.Health.Decision)
		if s.Progress.Wait > 0 {
			got += fmt.Sprintf(" %d", s.Progress.Wait)
		}
		if got += ": " + s.Health.Reason; got != test.want {
			t.Errorf("%s:\ngot  %s\nwant %s", test.name, got, test.want)
		}
	}
}

// TestAHoldIsAnnouncedInWholeSeconds checks in the last instants of a hold of 10 minutes.
func TestAHoldIsAnnouncedInWholeSeconds(t *testing.T) {
	for before, want := range map[time.Duration]string{
		time.Millisecond: "1 second", 400 * time.Millisecond: "1 second", time.Second: "1 second", 1400 * time.Millisecond: "2 seconds",
	} {
		s := shift(t, begin(t, `{"function-name": "f", "alias-name": "live", "new-version": "2", "type": "canary", "interval": 120}`))
		s.Progress.Since, s.Progress.Began = start, start
		s = s.Check(start.Add(12*time.Minute-before), rollout.Health{Readings: []rollout.Reading{doubtful}, Recent: 10, WholeMinutes: 1}, rollout.Instructions{})
		if want = "step 1 of 2 is held for up to " + want + ": version 2 may be worse; errors (in doubt): perhaps"; s.Health.Reason != want {
			t.Errorf("%v before the end of the hold: %q, want %q", before, s.Health.Reason, want)
		}
	}
}

// TestARollbackForWantOfTrafficHasItsOwnName: an alarm on it may be another one.
func TestARollbackForWantOfTrafficHasItsOwnName(t *testing.T) {
	s := shift(t, begin(t, `{"function-name": "f", "alias-name": "live", "new-version": "2", "health": {"on-no-traffic": "roll-back"}, "type": "canary", "interval": 120}`))
	s.Progress.Since, s.Progress.Began = start, start
	s = s.Check(start.Add(4*time.Minute), rollout.Health{Readings: []rollout.Reading{undecided}}, rollout.Instructions{})
	if name, _ := s.FailureCause(); name != rollout.NoTraffic {
		t.Errorf("%s", name)
	}
	if s = s.Check(start.Add(2*time.Minute), rollout.Health{Readings: []rollout.Reading{harmful}}, rollout.Instructions{}); s.Progress.Unverified != 0 {
		t.Error("what was rolled back is not unverified")
	}
}
