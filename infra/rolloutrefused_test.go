package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/jsii-runtime-go"
	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/infra/lambdarollout"
)

func TestRolloutsRefuseInvalidProps(t *testing.T) {
	scope := bareStack(t)
	function, version := imported(scope, "Orders")
	without := lambdarollout.NewLambdaRollout(scope, "Rollout", nil)
	refusal := func(props *lambdarollout.RolloutProps) (problem string) {
		defer func() { problem = fmt.Sprint(recover()) }()
		lambdarollout.NewRollout(scope, "Refused", props)
		return ""
	}
	for _, test := range []struct {
		props *lambdarollout.RolloutProps
		want  []string
	}{
		{nil, []string{"a Rollout needs a Function", "a Rollout needs an AliasName"}},
		{
			&lambdarollout.RolloutProps{Function: function, AliasName: "live", Provider: without, ServiceToken: jsii.String("arn"), PostHook: function},
			[]string{
				"a Rollout needs a Version, because the app does not define its function",
				"a Rollout has either a Provider or a ServiceToken",
				"the Provider of a Rollout needs StackRollouts in its Props",
				`the Provider of a Rollout needs "hooks" among the Gates of its Props`,
			},
		},
		{
			&lambdarollout.RolloutProps{Function: function, AliasName: "live", Version: version, Steps: 5, Input: map[string]any{
				"steps": 6, "function-name": "f", "Health": 1, "hooks": "migrate", "bake": 60,
			}},
			[]string{
				`the field "Health" of a Rollout's Input has a setting of its own`,
				`the field "function-name" of a Rollout's Input has a setting of its own`,
				`the field "steps" of a Rollout's Input has a setting of its own`,
				"the hooks in a Rollout's Input must be a map",
			},
		},
		{
			&lambdarollout.RolloutProps{Function: function, AliasName: "live", Version: version, Health: map[string]any{"alarms": func() {}}},
			[]string{"the Health and Input of a Rollout must be JSON: json: unsupported type: func()"},
		},
		{
			&lambdarollout.RolloutProps{Function: function, AliasName: "live", Version: version, Input: map[string]any{
				"hooks": map[string]any{"pre-traffic": "migrate"},
			}, PreHook: function},
			[]string{"Hooks.pre-traffic of a Rollout is migrate; it must be a list"},
		},
	} {
		got := strings.Split(refusal(test.props), "\n")
		slices.Sort(got)
		slices.Sort(test.want)
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("refusal (-want +got):\n%s", diff)
		}
	}
}

// TestTheDocumentedRolloutIsTheExample compares the lines, which are indented differently.
func TestTheDocumentedRolloutIsTheExample(t *testing.T) {
	example := strings.Join(strings.Fields(readFile(t, "lambdarollout/example_test.go")), " ")
	blocks := codeBlocks(readPage(t, "construct.md"), "go")
	if len(blocks) != 2 {
		t.Fatalf("there are %d examples", len(blocks))
	}
	for _, block := range blocks {
		for line := range strings.Lines(block) {
			if words := strings.Join(strings.Fields(line), " "); !strings.Contains(example, words) {
				t.Errorf("the example does not have the page's line %s", words)
			}
		}
	}
}
