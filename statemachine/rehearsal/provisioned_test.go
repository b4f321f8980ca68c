package rehearsal

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
)

const (
	ignoring = `{"function-name": "f", "alias-name": "live", "new-version": "8", "type": "all-at-once", "interval": 60, "provisioned-concurrency": "ignore"}`
	moving   = `{"function-name": "f", "alias-name": "live", "new-version": "8", "type": "all-at-once", "interval": 60, "provisioned-concurrency": "move"}`
)

// stoppedAfter is a scenario in which the rollout is stopped.
func stoppedAfter(seconds float64, p Provisioned) Scenario {
	s, _ := LoadBuiltIn("healthy")
	s.Provisioned, s.Changes = &p, []Change{{After: seconds, Stop: true}}
	return s
}

// TestAStopWhileAWSAllocates says what the alias is then: AWS goes on with the
// promotion, and all requests go to one version at any time.
func TestAStopWhileAWSAllocates(t *testing.T) {
	for name, test := range map[string]struct {
		fails string
		want  AliasState
	}{
		"which succeeds": {"", AliasState{Version: "8", Description: "Rehearsed"}},
		"which fails":    {"FUNCTION_ERROR_INIT_FAILURE", AliasState{Version: "8", Weights: map[string]float64{"7": 1}, Description: "Rehearsed"}},
	} {
		shared := false
		result, err := Run(Options{Input: []byte(ignoring), Scenario: stoppedAfter(80, Provisioned{Alias: 5, Fails: test.fails}), Seed: 1,
			adjust: func(r *run) {
				r.before = func(string) {
					a, _ := r.server.Alias("f", "live")
					shared = shared || a.Weight != 0 && a.Weight != 1
				}
			}})
		if err != nil {
			t.Fatal(err)
		}
		if result.Outcome != Stopped || shared {
			t.Errorf("%s: %s: %s; shared traffic: %v", name, result.Outcome, result.Reason, shared)
		}
		if diff := cmp.Diff(&test.want, result.AliasAfter); diff != "" {
			t.Errorf("%s: the alias (-want +got): %s", name, diff)
		}
	}
}

// TestAStopWhileARolloutAllocates: the cleanup deletes what was asked for, and
// takes the marker off.
func TestAStopWhileARolloutAllocates(t *testing.T) {
	for _, after := range []float64{10, 130} { // before any traffic, and at 100%
		result, err := Run(Options{Input: []byte(moving), Scenario: stoppedAfter(after, Provisioned{Baseline: 5}), Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[string]int32{"7": 5}, result.Provisioned); result.Outcome != Stopped || diff != "" {
			t.Errorf("after %v s: %s; provisioned (-want +got): %s", after, result.Outcome, diff)
		}
		if diff := cmp.Diff(&AliasState{Version: "7", Description: "Rehearsed"}, result.AliasAfter); diff != "" {
			t.Errorf("after %v s: the alias (-want +got): %s", after, diff)
		}
	}
}

// TestTheNextRolloutWaitsForAWS: one that is started while AWS moves the alias's
// provisioned concurrency is refused with what is going on, and the first goes on.
func TestTheNextRolloutWaitsForAWS(t *testing.T) {
	scenario := stoppedAfter(80, Provisioned{Alias: 5})
	scenario.Changes = nil
	var next *execution
	result, err := Run(Options{Input: []byte(ignoring), Scenario: scenario, Seed: 1,
		adjust: func(r *run) {
			onEvent := r.machine.onEvent
			r.machine.onEvent = func(e *execution, event asl.Event) {
				onEvent(e, event)
				if e.state == "Wait for allocation" && next == nil {
					next = new(execution) // once
					var err error
					if next, err = r.machine.start(second, json.RawMessage(strings.Replace(ignoring, `"8"`, `"6"`, 1))); err != nil {
						t.Error(err)
					}
				}
			}
		}})
	if err != nil {
		t.Fatal(err)
	}
	if result.Outcome != Promoted || result.AliasAfter.Version != "8" {
		t.Errorf("%s: %s; the alias is %+v", result.Outcome, result.Reason, result.AliasAfter)
	}
	if end := next.Result(); end.Error != "ProvisionedConcurrency" || !strings.Contains(end.Cause, "AWS is moving the provisioned concurrency of alias live of f to version 8") {
		t.Errorf("the next one ended with %s: %s", end.Error, end.Cause)
	}
}
