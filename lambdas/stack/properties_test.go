package stack_test

import (
	"strings"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/lambdas/stack"
)

func TestProperties(t *testing.T) {
	for name, c := range map[string]struct{ given, input, problem string }{
		"as in a template": {
			`{"ServiceToken": "arn:x", "FunctionName": "orders", "AliasName": "live", "NewVersion": "arn:aws:lambda:eu-central-1:123456789012:function:orders:7",
				"Type": "Linear10PercentEvery1Minute", "Health": {"alarms": ["checkout-errors"], "errors": {"alpha": "0.001", "strict": "true"}}, "CheckInterval": "30"}`,
			`{"alias-name":"live","check-interval":30,"function-name":"orders","health":{"alarms":["checkout-errors"],"errors":{"alpha":0.001,"strict":true}},"new-version":"7","type":"Linear10PercentEvery1Minute"}`, "",
		},
		"as an input": {
			`{"function-name": "orders", "alias-name": "live", "new-version": "2", "steps": "10", "interval": "120", "type": "linear", "wait": "true"}`,
			`{"alias-name":"live","function-name":"orders","interval":120,"new-version":"2","steps":10,"type":"linear"}`, "",
		},
		"JSON in texts": {
			`{"FunctionName": "orders", "AliasName": "live", "NewVersion": "2", "Type": "custom", "Weights": "[0.1, 1]", "Interval": "60", "Health": "{\"alarms\": [\"12\"]}"}`,
			`{"alias-name":"live","function-name":"orders","health":{"alarms":["12"]},"interval":60,"new-version":"2","type":"custom","weights":[0.1,1]}`, "",
		},
		"numbers in a list": {
			`{"FunctionName": "orders", "AliasName": "live", "NewVersion": "2", "Type": "custom", "Weights": ["0.1", "1"], "Interval": "60"}`,
			`{"alias-name":"live","function-name":"orders","interval":60,"new-version":"2","type":"custom","weights":[0.1,1]}`, "",
		},
		"another function's version": {
			`{"FunctionName": "orders", "AliasName": "live", "NewVersion": "arn:aws:lambda:eu-central-1:123456789012:function:other:7", "Type": "AllAtOnce"}`, "",
			"new-version must be",
		},
		"too long to wait": {
			`{"FunctionName": "orders", "AliasName": "live", "NewVersion": "2", "Steps": "10", "Interval": "600", "Type": "linear"}`, "",
			"Wait needs a plan of at most 50 minutes, as CloudFormation waits for an hour; this one takes 100.",
		},
		"an approval that may take too long": {
			`{"FunctionName": "orders", "AliasName": "live", "NewVersion": "2", "Type": "Linear10PercentEvery1Minute", "Approval": {"before-weights": ["0.5"]}}`, "",
			"Wait needs approvals within 50 minutes",
		},
		"all problems at once": {
			`{"FunctionName": "orders", "AliasName": "12", "NewVersion": "$LATEST", "Type": "liner", "Wait": "perhaps", "Colour": "red", "Steps": "many"}`, "",
			"alias-name|colour|new-version|steps|type|Wait must be true or false",
		},
		"no object": {`[]`, "", "no object"},
	} {
		got, err := stack.ReadProperties([]byte(c.given))
		switch {
		case c.problem == "" && (err != nil || string(got.Input) != c.input || !got.Wait):
			t.Errorf("%s: %s, %v; want %s", name, got.Input, err, c.input)
		case c.problem != "" && err == nil:
			t.Errorf("%s: no error", name)
		}
		for _, want := range strings.Split(c.problem, "|") {
			if err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v; want %q", name, err, want)
			}
		}
	}
}

// TestSecretsAreNotQuoted in the errors of a wait condition's handle.
func TestSecretsAreNotQuoted(t *testing.T) {
	_, err := stack.ReadProperties([]byte(`{"FunctionName": "", "WaitHandle": ["https://example.com/?Signature=secret"]}`))
	if err == nil || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "WaitHandle") {
		t.Errorf("%v", err)
	}
}
