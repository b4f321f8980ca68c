package rollout_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

const functionARN = "arn:aws:lambda:eu-west-1:123456789012:function:ask"

func TestChecksAreTaken(t *testing.T) {
	got := decode(t, called(`"health": {"checks": ["ask", {"function": "`+functionARN+`:live", "name": "again", "timeout": 30, "payload": [ 1 ]}, "123456789012:function:other:3"]}`)).Gates.Checks
	empty := json.RawMessage(`{}`)
	want := []rollout.CheckFunction{
		{Name: "ask", Function: "ask", Timeout: 20, Payload: empty},
		{Name: "again", Function: functionARN + ":live", Timeout: 30, Payload: json.RawMessage(`[1]`)},
		{Name: "other", Function: "123456789012:function:other:3", Timeout: 20, Payload: empty},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	rereadsAs(t, got)
}

func TestBadChecksAreRefused(t *testing.T) {
	const want = "must be a function's name, its partial ARN or its full ARN, with or without a version or an alias"
	for _, test := range []struct{ checks, want string }{
		{`"ask"`, "health.checks must be a list of 1 to 10, each a function's name, or an object with a function\n"},
		{`["", 7, {"name": "a"}, "a b"]`,
			"health.checks[0] must be a function's name, or an object with a function\n" +
				"health.checks[1] must be a function's name, or an object with a function\n" +
				"health.checks[2].function is missing\n" +
				"health.checks[3].function " + want + "; given: \"a b\"\n"},
		{`["ask", "` + functionARN + `", {"function": "other", "name": "ask"}]`,
			"health.checks[1].function must be unique: there is already a \"ask\"; given: \"" + functionARN + "\"\n" +
				"health.checks[2].name must be unique: there is already a \"ask\"; given: \"ask\"\n"},
		{`[{"function": "arn:aws:s3:::bucket", "timeout": 0, "name": "a/b", "payload": "` + strings.Repeat("x", 16383) + `", "input": {}}]`,
			"health.checks[0].function " + want + "; given: \"arn:aws:s3:::bucket\"\n" +
				"health.checks[0].timeout must be a whole number from 1 to 30; given: 0\n" +
				"health.checks[0].payload must be JSON of at most 16384 bytes; it has 16385\n" +
				"health.checks[0].name must be a name: at most 64 letters, digits, - and _; given: \"a/b\"\n" +
				"health.checks[0].input is not a known field; given: {}\n"},
	} {
		if diff := cmp.Diff(test.want, refusal(t, called(`"health": {"checks": `+test.checks+`}`))); diff != "" {
			t.Errorf("%.200s\n%s", test.checks, diff)
		}
	}
}
