package gates_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health/gates"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// answersOfOwnFunctions are the cases that checks and hooks have in common: how a function answers, its status and what
// is said of it.
var answersOfOwnFunctions = []struct {
	name           string
	says           said
	status, reason string
}{
	{"succeeded", said{answer: `{"status": "SUCCEEDED", "reason": "no\u0007 open tickets"}`}, "SUCCEEDED", "answered SUCCEEDED: no open tickets"},
	{"without a reason", said{answer: `{"status": "SUCCEEDED", "took": 3}`}, "SUCCEEDED", "answered SUCCEEDED"},
	{"failed", said{answer: `{"status": "FAILED", "reason": "2 open\n tickets"}`}, "FAILED", "answered FAILED: 2 open  tickets"},
	{"with another reason than a text", said{answer: `{"status": "FAILED", "reason": {"tickets": 2}}`}, "FAILED", `answered FAILED: {"tickets": 2}`},
	{"inconclusive", said{answer: `{"status": "INCONCLUSIVE", "reason": "tickets are down"}`}, "INCONCLUSIVE", "answered INCONCLUSIVE: tickets are down"},
	{"another status", said{answer: `{"status": "succeeded"}`}, "", wrongAnswer(`{"status":"succeeded"}`)},
	{"another field", said{answer: `{"Status": "SUCCEEDED"}`}, "", wrongAnswer(`{"Status":"SUCCEEDED"}`)},
	{"a status that is no text", said{answer: `{"status": true}`}, "", wrongAnswer(`{"status":true}`)},
	{"a text", said{answer: `"SUCCEEDED"`}, "", wrongAnswer(`"SUCCEEDED"`)},
	{"null", said{answer: `null`}, "", wrongAnswer(`null`)},
	{"nothing", said{}, "", wrongAnswer(`nothing`)},
	{"not JSON", said{answer: `{"status": "SUCCEEDED"`}, "", wrongAnswer(`{"status": "SUCCEEDED"`)},
	{"an error", said{err: errors.New("no tickets")}, "", "ended with an error: errorString: no tickets"},
	{"in time", said{answer: `{"status": "SUCCEEDED"}`, after: 3999 * time.Millisecond}, "SUCCEEDED", "answered SUCCEEDED"},
	{"late", said{answer: `{"status": "SUCCEEDED"}`, after: 4001 * time.Millisecond}, "", "no answer within 4 s"},
	{"stopped by its own timeout", said{answer: `{"status": "SUCCEEDED"}`, after: time.Hour}, "", "no answer within 4 s"},
}

func wrongAnswer(quoted string) string {
	return "answered " + quoted + `, which is not {"status": "SUCCEEDED", "FAILED" or "INCONCLUSIVE", "reason": …}`
}

func TestChecks(t *testing.T) {
	check := request(t, `"health": {"checks": [{"function": "ask", "timeout": 4}]}`).Gates.Checks[0]
	signs := map[string]string{"SUCCEEDED": "pass ", "FAILED": "fail ", "INCONCLUSIVE": "inconclusive ", "": "inconclusive "}
	for _, test := range answersOfOwnFunctions {
		inTime(t, test.name, func(t *testing.T, f functions) {
			f.mayTake(t, "ask", "$LATEST", 60)
			f.says(t, "ask", "$LATEST", test.says)
			began := time.Now()
			got := reading(t, gates.NewCheck(check, known, f, gates.RunParallel))
			if want := signs[test.status] + test.reason; got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if took := time.Since(began); took > 4*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

func TestAChecksFunctionThatCannotBeCalled(t *testing.T) {
	for kind, want := range map[localaws.FaultKind]string{
		localaws.Throttled:    "inconclusive throttled (CallerRateLimitExceeded)",
		localaws.BareThrottle: "inconclusive throttled",
		localaws.ProxyForbidden: "inconclusive could not be invoked: HTTP 403 Forbidden (not in AWS's format; " +
			"it probably came from a proxy, firewall or load balancer, not from AWS)",
		localaws.CutAfter: "inconclusive could not be invoked: AWS Lambda could not be reached, or did not answer",
	} {
		inTime(t, string(kind), func(t *testing.T, f functions) {
			f.says(t, "ask", "", said{answer: `{"status": "FAILED"}`})
			f.breaks(t, kind)
			check := request(t, `"health": {"checks": ["ask"]}`).Gates.Checks[0]
			if got := reading(t, gates.NewCheck(check, known, f, gates.RunParallel)); got != want {
				t.Errorf("got %s\nwant %s", got, want)
			}
		})
	}
	inTime(t, "not there", func(t *testing.T, f functions) {
		check := request(t, `"health": {"checks": ["ask:live"]}`).Gates.Checks[0]
		if got := reading(t, gates.NewCheck(check, known, f, gates.RunParallel)); got != "inconclusive there is no such function, or no such version or alias of it, in this account and Region" {
			t.Error(got)
		}
	})
}

func TestWhatACheckIsAskedWith(t *testing.T) {
	inTime(t, "", func(t *testing.T, f functions) {
		f.says(t, "ask", "1", said{answer: `{"status": "SUCCEEDED"}`})
		check := request(t, `"health": {"checks": [{"function": "arn:aws:lambda:eu-central-1:123456789012:function:ask:1", "name": "tickets", "payload": {"queue": "ops"}}]}`).Gates.Checks[0]
		gate := gates.NewCheck(check, known, f, gates.RunParallel)
		if got := reading(t, gate); got != "pass answered SUCCEEDED" || gate.Name() != "checks.tickets" {
			t.Error(gate.Name(), got)
		}
		want := []string{`{"phase":"check","execution":"arn:aws:states:eu-central-1:123456789012:execution:r:mine","function-name":"f","alias-name":"live",` +
			`"baseline":"7","new-version":"8","step":2,"of":3,"weight":0.25,"now":"2026-03-01T12:02:00Z",` +
			`"window":{"from":"2026-03-01T12:00:00Z","to":"2026-03-01T12:02:00Z"},"input":{"queue":"ops"}}`}
		if diff := cmp.Diff(want, f.calls.made()); diff != "" {
			t.Error(diff)
		}
	})
}
