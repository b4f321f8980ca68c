package gates_test

import (
	"strings"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health/gates"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// TestHooks: all but success fails.
func TestHooks(t *testing.T) {
	hook := request(t, `"hooks": {"pre-traffic": [{"function": "ask", "timeout": 4}]}`).Hooks.PreTraffic[0]
	for _, test := range answersOfOwnFunctions {
		inTime(t, test.name, func(t *testing.T, f functions) {
			f.mayTake(t, "ask", "$LATEST", 60)
			f.says(t, "ask", "$LATEST", test.says)
			want := "fail " + test.reason
			if test.status == "SUCCEEDED" {
				want = "pass " + test.reason
			}
			if got := reading(t, gates.NewHook(hook, gates.PreTraffic, known, f, gates.RunParallel)); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
	for _, kind := range []localaws.FaultKind{localaws.Throttled, localaws.ServerError, localaws.Unavailable, localaws.CutBefore, localaws.CutAfter} {
		inTime(t, string(kind), func(t *testing.T, f functions) {
			f.says(t, "ask", "", said{answer: `{"status": "SUCCEEDED"}`})
			f.breaks(t, kind)
			got := reading(t, gates.NewHook(hook, gates.PreTraffic, known, f, gates.RunParallel))
			if !strings.HasPrefix(got, "fail ") {
				t.Error(got)
			}
			if len(f.calls.made()) > 1 {
				t.Errorf("called %d times", len(f.calls.made()))
			}
		})
	}
}

func TestAHookMayTakeMinutes(t *testing.T) {
	inTime(t, "", func(t *testing.T, f functions) {
		f.mayTake(t, "ask", "$LATEST", 900)
		f.says(t, "ask", "$LATEST", said{answer: `{"status": "SUCCEEDED"}`, after: 10 * time.Minute}, said{answer: `{"status": "SUCCEEDED"}`, after: 10*time.Minute + 1})
		hook := request(t, `"hooks": {"post-traffic": [{"function": "ask:$LATEST", "timeout": 600, "payload": 7}]}`).Hooks.PostTraffic[0]
		gate := gates.NewHook(hook, gates.PostTraffic, known, f, gates.RunParallel)
		hook.Timeout++
		patient := gates.NewHook(hook, gates.PostTraffic, known, f, gates.RunParallel)
		if got := reading(t, patient); got != "pass answered SUCCEEDED" {
			t.Error(got)
		}
		if got := reading(t, gate); got != "fail no answer within 600 s" || gate.Name() != "hooks.ask" {
			t.Error(gate.Name(), got)
		}
		for _, payload := range f.calls.made() {
			if !strings.HasPrefix(payload, `{"phase":"post-traffic","execution":"arn`) || !strings.HasSuffix(payload, `,"input":7}`) {
				t.Errorf("called with %s", payload)
			}
		}
	})
}
