package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// TestTheTemplateNamesNoPartition looks for a literal arn:aws: anywhere in the
// template, by default and with all options: GovCloud and China are other partitions.
func TestTheTemplateNamesNoPartition(t *testing.T) {
	const gov = "arn:aws-us-gov:"
	everything := map[string]any{
		withoutBuilding:  []any{},
		functionsContext: "orders," + gov + "lambda:us-gov-west-1:123456789012:function:billing", gatesContext: strings.Join(rollout.GateNames(), ","),
		topicsContext: gov + "sns:us-gov-west-1:123456789012:team", alarmTopicContext: gov + "sns:us-gov-west-1:123456789012:ops", simpleContext: "true", stackContext: "true",
		keyContext:      gov + "kms:us-gov-west-1:123456789012:key/11111111-2222-3333-4444-555555555555",
		boundaryContext: gov + "iam::123456789012:policy/bound", logRetentionContext: "infinite", reservedContext: 20,
	}
	byTag := maps.Clone(everything)
	delete(byTag, functionsContext)
	standalone := maps.Clone(everything)
	standalone[standaloneContext] = "true"
	byDefault, _ := deployed(t)
	for name, tmpl := range map[string]template{"by default": byDefault, "with all options": synthesize(t, everything),
		"with all options, by tag": synthesize(t, byTag), "standalone": synthesize(t, standalone)} {
		if err := checkPartition(tmpl); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	byDefault.Resources["Topic"].Properties["DisplayName"] = map[string]any{"Fn::Sub": "of arn:aws:states:::x"}
	if checkPartition(byDefault) == nil {
		t.Error("a template with a partition passes the check")
	}
}

// checkPartition returns an error for each resource and output that names the
// partition aws.
func checkPartition(tmpl template) error {
	var wrong []error
	look := func(what string, value any) {
		text, err := json.Marshal(value)
		if at := strings.Index(string(text), "arn:aws:"); at >= 0 {
			err = fmt.Errorf("%.80s", text[at:])
		}
		if err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", what, err))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(tmpl.Resources)) {
		look(name, tmpl.Resources[name])
	}
	for _, name := range slices.Sorted(maps.Keys(tmpl.Outputs)) {
		look("output "+name, tmpl.Outputs[name])
	}
	return errors.Join(wrong...)
}
