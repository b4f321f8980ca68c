package health_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/sequential"
)

// begin is a rollout from version 7 to version 8 that has had its first shift,
// at noon.
func begin(t rapid.TB, fields string) rollout.State {
	t.Helper()
	req, err := rollout.Decode([]byte(`{"function-name": "f", "alias-name": "live", "new-version": "8", ` + fields + `}`))
	if err != nil {
		t.Fatal(err)
	}
	steps, err := req.Schedule()
	if err != nil {
		t.Fatal(err)
	}
	s := rollout.State{Request: req, Plan: rollout.Plan{Baseline: "7", Steps: steps, Gates: req.Gates}}
	return shift(t, s, noon)
}

func shift(t rapid.TB, s rollout.State, now time.Time) rollout.State {
	t.Helper()
	s, err := s.Shifted("")
	if err != nil {
		t.Fatal(err)
	}
	s.Progress.Since = now
	if s.Progress.Began.IsZero() {
		s.Progress.Began = now
	}
	return s
}

// minute is a minute after noon, with requests and errors of both versions.
func minute(n int, baseline, baselineErrors, newVersion, newVersionErrors int64) health.Minute {
	return health.Minute{
		At:       noon.Add(time.Duration(n) * time.Minute),
		Baseline: health.Sample{Requests: baseline, Errors: baselineErrors}, NewVersion: health.Sample{Requests: newVersion, Errors: newVersionErrors},
		Untimed: true,
	}
}

func after(minutes int) time.Time { return noon.Add(time.Duration(minutes) * time.Minute) }

func check(t rapid.TB, e health.Evidence, s rollout.State, now time.Time, minutes ...health.Minute) (health.Evidence, rollout.Health) {
	t.Helper()
	e, h, err := e.Check(s, now, health.Measurements{Minutes: minutes})
	if err != nil {
		t.Fatal(err)
	}
	return e, h
}

// exported has cmp compare states as a whole, and leave out what evidence only remembers.
var exported = cmp.Options{
	cmp.AllowUnexported(sequential.State{}, sequential.ExactState{}, sequential.NonInferiorityState{}),
	cmpopts.IgnoreUnexported(health.Evidence{}),
}

// TestLateMinutesAreCorrected: whatever a check sees of the last quarter of an
// hour, once it is all known the evidence is that of somebody who waited.
func TestLateMinutesAreCorrected(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := begin(t, `"type": "canary", "interval": 86400`)
		count := rapid.Int64Range(0, 50)
		var minutes []health.Minute
		for n := range rapid.IntRange(1, 60).Draw(t, "minutes") {
			m := minute(n, count.Draw(t, "requests"), 0, count.Draw(t, "requests"), 0)
			m.Baseline.Errors = min(count.Draw(t, "errors"), m.Baseline.Requests)
			m.NewVersion.Errors = min(count.Draw(t, "errors"), m.NewVersion.Requests)
			minutes = append(minutes, m)
		}
		var early, waited health.Evidence
		for n := range minutes {
			known := append([]health.Minute{}, minutes[max(0, n-15):n+1]...)
			for i := range known {
				if late := &known[i]; late.At.After(after(n - 14)) { // not all of it is known
					late.Baseline.Requests = rapid.Int64Range(0, late.Baseline.Requests).Draw(t, "known")
					late.Baseline.Errors = rapid.Int64Range(0, late.Baseline.Errors).Draw(t, "known")
					late.NewVersion.Requests = rapid.Int64Range(0, late.NewVersion.Requests).Draw(t, "known")
				}
			}
			early, _ = check(t, early, s, after(n+1), known...)
			early = throughJSON(t, early)
		}
		end := after(len(minutes) + 15)
		early, seen := check(t, early, s, end, minutes[max(0, len(minutes)-15):]...)
		waited, want := check(t, waited, s, end, minutes...)
		early.StepRequests = waited.StepRequests
		if diff := cmp.Diff(want, seen); diff != "" {
			t.Fatal(diff)
		}
		if diff := cmp.Diff(waited, early, exported); diff != "" {
			t.Fatal(diff)
		}
		if again, _ := check(t, early, s, end, minutes...); !cmp.Equal(again, early, exported) {
			t.Fatal("reading the same again changes the evidence")
		}
	})
}

func throughJSON(t rapid.TB, e health.Evidence) health.Evidence {
	t.Helper()
	data, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	var back health.Evidence
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	return back
}

// TestTheStateStaysSmall checks every minute for a week, at the largest counts
// there are, through a plan with a bake of days.
func TestTheStateStaysSmall(t *testing.T) {
	s := begin(t, `"type": "linear", "steps": 10, "interval": 43200, "bake": 172800`)
	s.Plan.Owner, s.Plan.Description, s.Plan.Undo = strings.Repeat("o", 80), strings.Repeat("d", 256), strings.Repeat("u", 500)
	s.Plan.Timeout = 900
	var e health.Evidence
	largest, week := 0, 7*24*60
	days := make([]sequential.Count, 72*60) // in which errors come together, for which there are more tests
	for i := range days {
		days[i] = sequential.Count{Requests: 1234567890, Errors: 123456789 + 123456789*int64(min(1, max(0, i%50-48)))}
	}
	for n := range week {
		now := after(n + 1)
		seen := health.Measurements{
			History:  &health.BaselineHistory{Count: sequential.Count{Requests: 123456789012, Errors: 12345678901}, Timed: 123456789012, Over: [2]float64{12345.678, 123456.789}},
			Snapshot: health.AliasSnapshot{Requests: 123456789012, Throttles: 123456789012, Slowest: 123456.789012345},
		}
		if n == 0 {
			seen.Past = days
		}
		for i := max(0, n-15); i <= n; i++ {
			m := minute(i, 1234567890, int64(123456789+i), 12345678901, int64(1234567890+i%7))
			m.Baseline.Slow, m.NewVersion.Slow = [2]int64{123456789, 12345678}, [2]int64{123456789, 12345678}
			m.Untimed = false
			seen.Minutes = append(seen.Minutes, m)
		}
		var h rollout.Health
		var err error
		if e, h, err = e.Check(s, now, seen); err != nil {
			t.Fatal(err)
		}
		e = throughJSON(t, e)
		s.Evidence, _ = json.Marshal(e)
		s = s.Check(now, h, rollout.Instructions{})
		data, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		largest = max(largest, len(data))
		switch s.Health.Decision {
		case rollout.RollBack:
			t.Fatal(s.Health.Reason)
		case rollout.Advance:
			s = shift(t, s, now)
		case rollout.Promote:
			if n != week-1 {
				t.Fatalf("promoted after %d minutes", n)
			}
		}
	}
	t.Logf("the state is at most %d bytes in a week, of which the evidence is %d at the end", largest, len(s.Evidence))
	if largest > 12_288 || len(s.Evidence) > rollout.MaxEvidence {
		t.Errorf("the state comes to %d bytes, the evidence to %d", largest, len(s.Evidence))
	}
}

// TestSuccessesThatShowLateAreNotHarm: both versions fail one request in a
// hundred, but those of the new version that succeed show two minutes later.
func TestSuccessesThatShowLateAreNotHarm(t *testing.T) {
	s := begin(t, `"type": "canary", "interval": 1200`)
	var e health.Evidence
	var minutes []health.Minute
	for n := range 20 {
		minutes = append(minutes, minute(n, 5400, 54, 600, 6))
		known := append([]health.Minute{}, minutes...)
		for i := max(0, n-1); i <= n; i++ {
			known[i].NewVersion.Requests = known[i].NewVersion.Errors
		}
		var h rollout.Health
		if e, h = check(t, e, s, after(n+1), known...); h.Readings[0].Verdict == rollout.VerdictRollBack {
			t.Fatalf("minute %d: %+v", n, h.Readings[0])
		}
	}
	// Had they really had no more requests than that, it would be harm.
	if _, h := check(t, e, s, after(23), minute(18, 5400, 54, 6, 6), minute(19, 5400, 54, 6, 6), minute(20, 5400, 54, 6, 6)); h.Readings[0].Verdict != rollout.VerdictRollBack {
		t.Errorf("%+v", h.Readings[0])
	}
}

// TestTheMinuteAfterAShiftIsColdHoweverLateItComes: in a plan of one-minute steps
// each minute follows a shift, also when it shows after the next one.
func TestTheMinuteAfterAShiftIsColdHoweverLateItComes(t *testing.T) {
	for late := range 4 {
		s := begin(t, `"type": "linear", "steps": 20, "interval": 60`)
		var e health.Evidence
		var known []health.Minute
		for n := range 19 {
			if shown := n - late; shown >= 0 {
				known = append(known, minute(shown, 90, 0, 10, 0))
			}
			e, _ = check(t, e, s, after(n+1), known...)
			for _, m := range e.Minutes {
				if !m.Shifted {
					t.Fatalf("%d minutes late: the minute at %s counts", late, m.At)
				}
			}
			s = shift(t, s, after(n+1))
		}
	}
}

func TestTrafficOfAStep(t *testing.T) {
	s := begin(t, `"type": "canary", "interval": 3600`)
	var e health.Evidence
	for n := range 40 {
		e, _ = check(t, e, s, after(n+1), minute(n, 90, 0, 10, 0))
	}
	s = shift(t, s, after(40).Add(30*time.Second))
	for _, test := range []struct {
		now         time.Time
		recent      int64
		wholeMinute int
	}{
		{after(41), 150, 0}, // the last quarter of an hour, which is longer than the step; it began within a minute
		{after(42), 150, 1},
		{after(60), 200, 15}, // the step, which is longer by now
	} {
		var h rollout.Health
		for n := 40; !after(n).Equal(test.now); n++ {
			e, h = check(t, e, s, after(n+1), minute(n, 90, 0, 10, 0))
		}
		if h.Recent != test.recent || h.WholeMinutes != test.wholeMinute {
			t.Errorf("after %s: %d requests, %d whole minutes", test.now.Sub(noon), h.Recent, h.WholeMinutes)
		}
	}
}

func TestBrokenEvidenceIsRefused(t *testing.T) {
	for _, broken := range []string{
		`{"minutes": [{"at": "2026-01-01T12:00:00Z", "baseline": [1, 2, 3]}]}`,
		`{"minutes": [{"at": "2026-01-01T12:00:00Z", "baseline": [1, -2, 3, 4]}]}`,
		`{"errors": {"robust": {"strict": {"log-e": 0, "weights": [1]}}}}`,
		`{"errors": {"robust": {"size": {"log-e": 0, "weights": [1]}}}}`,
		`{"errors": {"control": {"size": {"log-e": 0, "weights": [1]}}}}`,
	} {
		var e health.Evidence
		if err := json.Unmarshal([]byte(broken), &e); err == nil {
			t.Errorf("taken: %s", broken)
		}
	}
}

func ExampleSample() {
	data, _ := json.Marshal(minute(0, 600, 3, 66, 1))
	fmt.Println(string(data))
	// Output: {"at":"2026-01-01T12:00:00Z","baseline":[600,3,0,0],"new-version":[66,1,0,0],"untimed":true}
}

// TestEvidenceOfAnEarlierReleaseGoesOn reads what it wrote: nearly enough to roll back.
func TestEvidenceOfAnEarlierReleaseGoesOn(t *testing.T) {
	const earlier = `{"log-e": 4.5, "weights": [0.09, 0.13, 0.13, 0.13, 0.13, 0.13, 0.13, 0.13]}`
	var e health.Evidence
	if err := json.Unmarshal([]byte(`{"before": {"count": {"requests": 1000, "errors": 1}, "timed": 0, "over": [0, 0]}, "until": "2026-01-01T12:00:00Z",
		"errors": {"harm": `+earlier+`, "baseline": {"requests": 900, "errors": 1}, "new-version": {"requests": 100, "errors": 5}}, "slow": [{}, {}]}`), &e); err != nil {
		t.Fatal(err)
	}
	s := begin(t, `"type": "canary", "interval": 3600`)
	_, h := check(t, e, s, after(1), minute(0, 90, 0, 10, 0))
	if h.Readings[0].Verdict != rollout.VerdictHold {
		t.Errorf("%+v", h.Readings[0])
	}
	_, h = check(t, e, s, after(1), minute(0, 90, 0, 10, 3))
	if h.Readings[0].Verdict != rollout.VerdictRollBack {
		t.Errorf("%+v", h.Readings[0])
	}
}
