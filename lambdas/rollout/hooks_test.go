package rollout_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

func TestHooksAreTaken(t *testing.T) {
	// Hooks are no health check, so they go without one as well.
	req := decode(t, called(`"health-check": false, "hooks": {"pre-traffic": ["ask", {"function": "ask", "payload": {"deep": true}}],
		"post-traffic": [{"function": "`+functionARN+`", "timeout": 600}]}`))
	empty := json.RawMessage(`{}`)
	want := rollout.Hooks{
		PreTraffic: []rollout.Hook{
			{Function: "ask", Timeout: 60, Payload: empty},
			{Function: "ask", Timeout: 60, Payload: json.RawMessage(`{"deep":true}`)},
		},
		PostTraffic: []rollout.Hook{{Function: functionARN, Timeout: 600, Payload: empty}},
	}
	if diff := cmp.Diff(want, req.Hooks); diff != "" {
		t.Error(diff)
	}
	rereadsAs(t, req.Hooks)
	rereadsAs(t, decode(t, called(`"hooks": {}`)).Hooks)
}

func TestBadHooksAreRefused(t *testing.T) {
	for _, test := range []struct{ hooks, want string }{
		{`["ask"]`, "hooks must be an object; given: [\"ask\"]\n"},
		{`{"pre-traffic": "ask", "post-traffic": [], "post-trafic": ["ask"]}`,
			"hooks.pre-traffic must be a list of 1 to 10, each a function's name, or an object with a function\n" +
				"hooks.post-traffic must be a list of 1 to 10, each a function's name, or an object with a function\n" +
				"hooks.post-trafic is not a known field (did you mean \"post-traffic\"?); given: [\"ask\"]\n"},
		{`{"pre-traffic": ["ask", {"function": "ask", "payload": { }}], "post-traffic": [{"function": "ask", "timeout": 601, "name": "x"}]}`,
			"hooks.pre-traffic[1].function is already in the list with the same payload; given: \"ask\"\n" +
				"hooks.post-traffic[0].timeout must be a whole number from 1 to 600; given: 601\n" +
				"hooks.post-traffic[0].name is not a known field; given: \"x\"\n"},
	} {
		if diff := cmp.Diff(test.want, refusal(t, called(`"hooks": `+test.hooks))); diff != "" {
			t.Errorf("%.200s\n%s", test.hooks, diff)
		}
	}
}

func TestThePlainNameOfAFunction(t *testing.T) {
	for given, want := range map[string]string{
		"ask": "ask", "ask:live": "ask", "ask:$LATEST": "ask", functionARN: "ask", functionARN + ":7": "ask",
		"123456789012:function:ask": "ask", "": "", "a b": "", "arn:aws:s3:::ask": "",
	} {
		if got := rollout.PlainFunction(given); got != want {
			t.Errorf("%q: %q, want %q", given, got, want)
		}
	}
}
