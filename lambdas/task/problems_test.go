package task_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// TestProblemsAreFoundAtOnce: what Handle would refuse one after the other.
func TestProblemsAreFoundAtOnce(t *testing.T) {
	pending := func(w *world) {
		w.configure("2", func(c *types.FunctionConfiguration) { c.State = types.StatePending })
	}
	for name, test := range map[string]struct {
		fields []string
		before func(*world)
		want   []string // "name path: part of the text"
	}{
		"none":          {nil, nil, nil},
		"the input":     {[]string{"bake", "-1", "interval", `"soon"`}, nil, []string{"InvalidRequest bake: must be", "InvalidRequest interval: must be"}},
		"in AWS":        {[]string{"health", `{"alarms": ["gone"], "probes": [{"name": "p"}]}`}, pending, []string{"GateNotAllowed : does not allow probes", "VersionNotReady : is Pending", "AlarmNotFound : gone"}},
		"everything":    {[]string{"health", `{"alarms": ["gone"]}`}, func(w *world) { pending(w); w.provision(); w.write("1", map[string]float64{"3": 0.2}) }, []string{"AliasSplit : already splits", "ProvisionedConcurrency : has a provisioned", "VersionNotReady : is Pending", "AlarmNotFound : gone"}},
		"behind a gate": {[]string{"health", `{"probes": [{"name": "p"}]}`}, func(w *world) { w.write("1", map[string]float64{"3": 0.2}) }, []string{"GateNotAllowed : does not allow probes", "AliasSplit : already splits"}},
		"no function, and nothing that follows from it": {[]string{"function-name", `"g"`}, nil, []string{"FunctionNotFound : no function g"}},
		"no alias":            {[]string{"alias-name", `"dead"`, "new-version", `"9"`}, nil, []string{"AliasNotFound : no alias dead", "VersionNotFound : no version 9"}},
		"an alias of $LATEST": {[]string{"new-version", `"9"`}, func(w *world) { w.write("$LATEST", nil) }, []string{"AliasNotPublished : points at $LATEST", "VersionNotFound : no version 9"}},
	} {
		w := newWorld(t)
		if test.before != nil {
			test.before(w)
		}
		writes := w.writes
		state, refusals, err := w.begin.Problems(context.Background(), task.Start{Execution: "the-execution", Now: w.now, Rollout: json.RawMessage(with(t, test.fields...))})
		if err != nil || w.writes != writes || (len(refusals) == 0) != (len(state.Plan.Steps) > 0) {
			t.Errorf("%s: %v, %d writes, %d refusals and %d steps", name, err, w.writes-writes, len(refusals), len(state.Plan.Steps))
		}
		if len(refusals) != len(test.want) {
			t.Errorf("%s: found %q, want %q", name, refusals, test.want)
		}
		for _, want := range test.want {
			head, text, _ := strings.Cut(want, ": ")
			kind, path, _ := strings.Cut(head, " ")
			if !slices.ContainsFunc(refusals, func(r task.Refusal) bool {
				return r.Name == kind && r.Path == path && strings.Contains(r.Text, text) && !strings.HasPrefix(r.Text, "nothing was changed")
			}) {
				t.Errorf("%s: %q is not in %q", name, want, refusals)
			}
		}
	}
}

// TestProblemsThatCannotBeRead are an error, and no refusal.
func TestProblemsThatCannotBeRead(t *testing.T) {
	w := newWorld(t)
	if _, err := w.server.Inject(localaws.Fault{Operation: "GetFunctionConfiguration", Kind: localaws.Unavailable}); err != nil {
		t.Fatal(err)
	}
	_, refusals, err := w.begin.Problems(context.Background(), task.Start{Execution: "the-execution", Now: w.now, Rollout: json.RawMessage(input)})
	if err == nil || len(refusals) > 0 {
		t.Errorf("%q, %v", refusals, err)
	}
}
