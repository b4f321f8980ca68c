package gates_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health/gates"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

func TestProbes(t *testing.T) {
	fine := said{answer: `{"status": "ok", "items": [{"n": 1.0, "more": 1}], "took": 3}`, after: 12340 * time.Microsecond}
	const answered = `answered {"status":"ok","items":[{"n":1.0,"more":1}],"took":3}, which `
	for _, test := range []struct {
		name   string
		fields string
		says   []said
		want   string
		calls  int
	}{
		{"any answer will do", `"count": 1`, []said{{answer: "not JSON"}}, "pass answered without an error", 1},
		{"as expected", `"expect": {"items": [{"n": 1}], "status": "ok"}`, []said{fine}, "pass answered as expected", 1},
		{"a field is missing", `"expect": {"ok": true}`, []said{{answer: `{"status":"degraded"}`}}, `fail answered {"status":"degraded"}, which lacks "ok": true`, 1},
		{"a field is missing inside", `"expect": {"items": [{"m": 1}]}`, []said{fine}, "fail " + answered + `lacks "m": 1 in $.items[0]`, 1},
		{"another value", `"expect": {"status": "<up>"}`, []said{fine}, "fail " + answered + `has "ok", not "<up>" in $.status`, 1},
		{"another length", `"expect": {"items": []}`, []said{fine}, "fail " + answered + `has 1 elements, not 0 in $.items`, 1},
		{"another kind", `"expect": [1]`, []said{fine}, "fail " + answered + `is not [1]`, 1},
		{"not JSON", `"expect": {}`, []said{{answer: "<html>\x1b[31m"}}, `fail answered <html>[31m, which is not JSON`, 1},
		{"nothing", `"expect": {}`, []said{{answer: ""}}, `fail answered nothing, which is not JSON`, 1},
		{"equal at paths", `"equals": {"$.status": "ok", "$['items'][0].n": 1e0}`, []said{fine}, "pass answered as expected", 1},
		{"more than equal at a path", `"equals": {"$.items[0]": {"n": 1}}`, []said{fine}, "fail " + answered + `also has "more" in $.items[0]`, 1},
		{"nothing at a path", `"equals": {"$.items[1].n": 1}`, []said{fine}, "fail " + answered + `has no $.items[1].n`, 1},
		{"fast enough", `"max-duration": 13`, []said{fine}, "pass answered without an error within 12.34 ms", 1},
		{"too slow", `"max-duration": 12`, []said{fine}, "fail took 12.34 ms, more than 12 ms", 1},
		{"wrong and slow", `"max-duration": 12, "expect": 1`, []said{fine}, "fail " + answered + "is not 1", 1},
		{"a function error", `"expect": {}`, []said{{err: errors.New("no\nmoney")}}, "fail ended with an error: errorString: no money", 1},
		{"it runs into its own timeout", `"expect": {}`, []said{{after: time.Hour}},
			"fail ended with an error: Sandbox.Timedout: RequestId: 00000000-0000-4000-8000-000000000000 Error: Task timed out after 3.00 seconds", 1},
		{"no answer in time", `"timeout": 2`, []said{{after: 2500 * time.Millisecond}}, "inconclusive no answer within 2 s", 1},
		{"one of several is late", `"timeout": 2, "count": 3`, []said{fine, {after: 2500 * time.Millisecond}}, "inconclusive 1 of 3 answered within 2 s", 2},
		{"all of several", `"count": 4, "concurrency": 2, "max-duration": 100, "expect": {}`, []said{fine, {answer: "{}", after: time.Millisecond}},
			"pass all 4 answered as expected within 12.34 ms", 4},
		{"one of several is wrong", `"count": 4, "expect": {"took": 3}`, []said{fine, {answer: "1"}, fine}, `fail invocation 2 of 4 answered 1, which is not {"took":3}`, 2},
		{"a secret as expected", `"secret": true, "expect": {"took": 3}`, []said{fine}, "pass answered as expected", 1},
		{"a secret and wrong", `"secret": true, "expect": {"took": 4}`, []said{fine}, "fail did not answer as expected", 1},
		{"a secret and an error", `"secret": true`, []said{{err: errors.New("hunter2")}}, "fail ended with an error (unhandled)", 1},
		{"a long answer is cut", `"expect": 1`, []said{{answer: `"` + strings.Repeat("ä", 300) + `"`}}, `fail answered "` + strings.Repeat("ä", 199) + "…, which is not 1", 1},
		{"too long an answer", `"expect": 1`, []said{{answer: `"` + strings.Repeat("a", gates.MaxAnswer) + `"`}}, "inconclusive answered more than 256 KB, which is too long to read", 1},
	} {
		inTime(t, test.name, func(t *testing.T, f functions) {
			f.says(t, "f", "8", test.says...)
			if got := reading(t, gates.NewProbe(probeOf(t, test.fields), known, f, gates.RunParallel)); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			if len(f.calls.made()) != test.calls {
				t.Errorf("the version was invoked %d times, want %d", len(f.calls.made()), test.calls)
			}
		})
	}
}

func TestAProbeInvokesTheNewVersionWithItsPayload(t *testing.T) {
	inTime(t, "", func(t *testing.T, f functions) {
		f.says(t, "f", "7", said{err: errors.New("the baseline was called")})
		f.says(t, "f", "8", said{answer: "{}", after: time.Second})
		probe := probeOf(t, `"payload": {"a": [1]}, "count": 7, "concurrency": 3`)
		if got := reading(t, gates.NewProbe(probe, known, f, gates.RunParallel)); got != "pass all 7 answered without an error" {
			t.Error(got)
		}
		if diff := cmp.Diff(strings.Split(strings.TrimSpace(strings.Repeat(`{"a":[1]} `, 7)), " "), f.calls.made()); diff != "" {
			t.Error(diff)
		}
		f.calls.mutex.Lock()
		defer f.calls.mutex.Unlock()
		if f.calls.atOnce != 3 {
			t.Errorf("%d invocations were under way at once, want 3", f.calls.atOnce)
		}
	})
}

// TestAnAnswerThatDoesNotComeSaysNothingOfTheVersion, and calls are not made again.
func TestAnAnswerThatDoesNotComeSaysNothingOfTheVersion(t *testing.T) {
	const unreachable = "inconclusive could not be invoked: AWS Lambda could not be reached, or did not answer"
	for kind, want := range map[localaws.FaultKind]string{
		localaws.Throttled:   "inconclusive throttled (CallerRateLimitExceeded)",
		localaws.ServerError: "inconclusive could not be invoked: AWS answered ServiceException",
		localaws.Unavailable: "inconclusive could not be invoked: AWS answered ServiceUnavailableException",
		localaws.CutBefore:   unreachable,
		localaws.CutAfter:    unreachable,
	} {
		inTime(t, string(kind), func(t *testing.T, f functions) {
			f.says(t, "f", "8", said{answer: "{}"})
			f.breaks(t, kind)
			began := time.Now()
			if got := reading(t, gates.NewProbe(probeOf(t, `"count": 1`), known, f, gates.RunParallel)); got != want {
				t.Errorf("got %s\nwant %s", got, want)
			}
			if called := len(f.calls.made()); called > 1 || time.Since(began) != 0 {
				t.Errorf("called %d times in %v", called, time.Since(began))
			}
		})
	}
	inTime(t, "not there", func(t *testing.T, f functions) {
		facts := known
		facts.NewVersion = "9"
		got := reading(t, gates.NewProbe(probeOf(t, `"count": 1`), facts, f, gates.RunParallel))
		if got != "inconclusive there is no such function, or no such version or alias of it, in this account and Region" {
			t.Error(got)
		}
	})
	inTime(t, "denied", func(t *testing.T, f functions) { // the local AWS denies what is in another account
		facts := known
		facts.Function = "999999999999:function:f"
		got := reading(t, gates.NewProbe(probeOf(t, `"count": 1`), facts, f, gates.RunParallel))
		if got != "inconclusive the stack may not invoke it: tag the function of a check or hook with lambda-rollout-check=enabled, and look for a policy that denies it" {
			t.Error(got)
		}
	})
}

// TestHarmThatIsSeenCounts although another invocation has no answer.
func TestHarmThatIsSeenCounts(t *testing.T) {
	inTime(t, "", func(t *testing.T, f functions) {
		f.says(t, "f", "8", said{after: 2500 * time.Millisecond}, said{answer: "1", after: time.Second})
		got := reading(t, gates.NewProbe(probeOf(t, `"timeout": 2, "count": 2, "concurrency": 2, "expect": 2`), known, f, gates.RunParallel))
		if got != "fail invocation 2 of 2 answered 1, which is not 2" && got != "fail invocation 1 of 2 answered 1, which is not 2" {
			t.Error(got)
		}
	})
}

// TestSecretsStayOutOfReasons: payload, expectation and answer have a word that no reason may have, however the probe
// ends. Without "secret" the same cases do tell it.
func TestSecretsStayOutOfReasons(t *testing.T) {
	const word = "hunter2"
	told := 0
	for _, secret := range []string{"true", "false"} {
		for _, expect := range []string{`"expect": {"password": "hunter2!"}`, `"expect": {"hunter2": 1}`, `"equals": {"$.hunter2": 1}`, `"equals": {"$": "hunter2!"}`} {
			for _, by := range []leaky{
				{answer: `{"password": "hunter2"}`},
				{answer: `{"hunter2": 2}`},
				{answer: `hunter2`},
				{answer: `{"errorMessage": "wrong password: hunter2", "errorType": "hunter2"}`, functionError: "Unhandled"},
				{answer: `hunter2`, functionError: "Handled"},
				{err: errors.New("could not parse hunter2")},
				{err: &gates.InvokeError{Because: "no", Err: errors.New("could not parse hunter2")}},
			} {
				probe := probeOf(t, `"payload": "hunter2", "secret": `+secret+`, `+expect)
				got := reading(t, gates.NewProbe(probe, known, by, gates.RunParallel))
				if strings.HasPrefix(got, "pass") {
					t.Errorf("%s %+v: %s", expect, by, got)
				}
				if tells := strings.Contains(got, word); tells && secret == "true" {
					t.Errorf("%s %+v: %s", expect, by, got)
				} else if tells {
					told++
				}
			}
		}
	}
	if told == 0 {
		t.Error("nothing was told without secret either: the test tests nothing")
	}
}

func TestAProbeWithoutAReportedDurationIsInconclusive(t *testing.T) {
	invoked := func(call gates.Invocation) gates.Invoked { return gates.Invoked{Answer: []byte("{}")} }
	got := reading(t, gates.NewProbe(probeOf(t, `"max-duration": 5`), known, invokerFunc(invoked), gates.RunParallel))
	if got != "inconclusive took an unknown time: the end of its log has no report of it" {
		t.Error(got)
	}
}

// TestAProbeIsReadBackFromTheState as it was, and makes the same of an answer.
func TestAProbeIsReadBackFromTheState(t *testing.T) {
	probe := probeOf(t, `"expect": {"a": "<&>", "n": 12345678901234567890.0}`)
	data, err := json.Marshal(probe)
	if err != nil {
		t.Fatal(err)
	}
	var back rollout.Probe
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	by := leaky{answer: `{"a": "<&>", "n": 12345678901234567890}`}
	if got := reading(t, gates.NewProbe(back, known, by, gates.RunParallel)); got != "pass answered as expected" {
		t.Error(got)
	}
}
