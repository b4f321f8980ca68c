package rollout_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// called is a request with more fields than it needs.
func called(more string) string {
	return `{"function-name": "f", "alias-name": "live", "new-version": "2", "type": "canary", "interval": 60, ` + more + `}`
}

func decode(t *testing.T, input string) rollout.Request {
	t.Helper()
	req, err := rollout.Decode([]byte(input))
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// refusal has the problems of a request that is refused, one a line.
func refusal(t *testing.T, input string) string {
	t.Helper()
	_, err := rollout.Decode([]byte(input))
	var invalid *rollout.RequestError
	if !errors.As(err, &invalid) {
		t.Fatalf("not refused: %v", err)
	}
	var text strings.Builder
	for _, problem := range invalid.Problems {
		fmt.Fprintln(&text, problem)
	}
	return text.String()
}

// asTasksAnswer is JSON as aws-lambda-go writes what a task returns.
func asTasksAnswer(t rapid.TB, value any) []byte {
	t.Helper()
	answer, err := lambda.NewHandler(func() (any, error) { return value, nil }).Invoke(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// rereadsAs compares a value with what is read back from the execution's data.
func rereadsAs[T any](t *testing.T, value T) {
	t.Helper()
	data := asTasksAnswer(t, value)
	var back T
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(value, back); diff != "" {
		t.Errorf("read back from %s it differs:\n%s", data, diff)
	}
}

func TestProbesAreTaken(t *testing.T) {
	got := decode(t, called(`"health": {"probes": [
		{"name": "ping"},
		{"name": "order", "payload": {"sku" : "<a&b>",
			"n": [1, 2.50, null]}, "expect": {"ok": true}, "equals": {"$": 1, "$.items[0]['first name'].größe": null},
			"max-duration": 500, "count": 20, "concurrency": 5, "timeout": 30, "when": "both", "secret": true},
		{"name": "null", "payload": null, "expect": null, "when": "before-traffic"}
	]}`)).Gates.Probes
	want := []rollout.Probe{
		{Name: "ping", Payload: json.RawMessage(`{}`), Count: 1, Concurrency: 1, Timeout: 10, When: "each-check"},
		{Name: "order", Payload: json.RawMessage(`{"sku":"<a&b>","n":[1,2.50,null]}`), Expect: json.RawMessage(`{"ok":true}`),
			Equals:      map[string]json.RawMessage{"$": json.RawMessage(`1`), "$.items[0]['first name'].größe": json.RawMessage(`null`)},
			MaxDuration: 500, Count: 20, Concurrency: 5, Timeout: 30, When: "both", Secret: true},
		{Name: "null", Payload: json.RawMessage(`null`), Expect: json.RawMessage(`null`), Count: 1, Concurrency: 1, Timeout: 10, When: "before-traffic"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	rereadsAs(t, got)
}

func TestBadProbesAreRefused(t *testing.T) {
	long := `"` + strings.Repeat("x", rollout.MaxPayload) + `"`
	for _, test := range []struct{ probes, want string }{
		{`{}`, "health.probes must be a list of 1 to 10, each an object with a name\n"},
		{`[]`, "health.probes must be a list of 1 to 10, each an object with a name\n"},
		{`[` + strings.Repeat(`{"name": "a"}, `, 10) + `{"name": "b"}]`, "health.probes must be a list of 1 to 10, each an object with a name\n"},
		{`["ping", null, {}]`, "health.probes[0] must be an object with a name\nhealth.probes[1] must be an object with a name\nhealth.probes[2].name is missing\n"},
		{`[{"name": "a"}, {"name": "a"}, {"name": "a b"}]`,
			"health.probes[1].name must be unique: there is already a \"a\"; given: \"a\"\n" +
				"health.probes[2].name must be a name: at most 64 letters, digits, - and _; given: \"a b\"\n"},
		{`[{"name": "a", "count": 21, "concurrency": 6, "timeout": 31, "max-duration": 0, "when": "always", "secret": false, "expected": {}}]`,
			"health.probes[0].when must be one of each-check, before-traffic, both; given: \"always\"\n" +
				"health.probes[0].timeout must be a whole number from 1 to 30; given: 31\n" +
				"health.probes[0].max-duration must be a whole number from 1 to 30000; given: 0\n" +
				"health.probes[0].count must be a whole number from 1 to 20; given: 21\n" +
				"health.probes[0].concurrency must be a whole number from 1 to 5; given: 6\n" +
				"health.probes[0].expected is not a known field (did you mean \"expect\"?); given: {}\n"},
		{`[{"name": "a", "timeout": 2, "max-duration": 2001, "count": 2, "concurrency": 3}]`,
			"health.probes[0].max-duration must be at most 2000 milliseconds: the timeout is 2 s; given: 2001\n" +
				"health.probes[0].concurrency must be at most the count of invocations, 2; given: 3\n"},
		{`[{"name": "a", "payload": ` + long + `, "expect": ` + long + `, "equals": {"$.a": ` + long + `, "$..b": 1}}]`,
			"health.probes[0].payload must be JSON of at most 16384 bytes; it has 16386\n" +
				"health.probes[0].expect must be JSON of at most 16384 bytes; it has 16386\n" +
				"health.probes[0].equals[\"$..b\"] must be a path made of $, .name, ['name'] and [0], such as $.items[0]['first name']\n" +
				"health.probes[0].equals[\"$.a\"] must be JSON of at most 16384 bytes; it has 16386\n"},
		{`[{"name": "a", "equals": {}}]`, "health.probes[0].equals must be an object of 1 to 20 paths and values, such as {\"$.items[0].ok\": true}\n"},
	} {
		if diff := cmp.Diff(test.want, refusal(t, called(`"health": {"probes": `+test.probes+`}`))); diff != "" {
			t.Errorf("%.200s\n%s", test.probes, diff)
		}
	}
}

// TestProblemsWithASecretProbeQuoteNothing, not even when "secret" is the problem.
func TestProblemsWithASecretProbeQuoteNothing(t *testing.T) {
	for secret, quoted := range map[string]bool{"true": false, `"true"`: false, "1": false, "false": true} {
		got := refusal(t, called(`"health": {"probes": [{"name": "a", "secret": `+secret+`, "payloud": "hunter2"}]}`))
		if strings.Contains(got, "hunter2") != quoted {
			t.Errorf("secret %s: %s", secret, got)
		}
	}
}

func TestPathsOfOtherKindsAreRefused(t *testing.T) {
	for _, text := range []string{"", "a", "$a", "$.", "$..a", "$.*", "$[*]", "$[-1]", "$[01]", "$[1:2]", "$[?(@.a)]", "$['a", "$['']", `$["a"]`,
		"$['a\\'b']", "$.a b", "$.0", "$.a ", " $.a", "$[1000000]", "$." + strings.Repeat("a", 255)} {
		if steps, ok := rollout.ParsePath(text); ok {
			t.Errorf("%q became %v", text, steps)
		}
	}
}

// TestPathsAreReadBack writes paths in all their forms and reads them.
func TestPathsAreReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, want := "$", []rollout.PathStep{}
		for range rapid.IntRange(0, 6).Draw(t, "steps") {
			switch rapid.IntRange(0, 2).Draw(t, "form") {
			case 0:
				field := rapid.StringMatching(`[A-Za-z_ä][A-Za-z0-9_-]{0,8}`).Draw(t, "name")
				text, want = text+"."+field, append(want, rollout.PathStep{Field: field})
			case 1:
				field := rapid.StringMatching(`[ -&(-\[\]-~ü]{1,8}`).Draw(t, "any name")
				text, want = text+"['"+field+"']", append(want, rollout.PathStep{Field: field})
			case 2:
				index := rapid.IntRange(0, 999999).Draw(t, "index")
				text, want = fmt.Sprintf("%s[%d]", text, index), append(want, rollout.PathStep{Index: index})
			}
		}
		got, ok := rollout.ParsePath(text)
		if diff := cmp.Diff(want, got); !ok || diff != "" {
			t.Fatalf("%q: %v\n%s", text, ok, diff)
		}
	})
}
