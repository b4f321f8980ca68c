package rehearsal

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
)

// forgery is an input that claims to continue a rollout, with a state that its
// author wrote: one step to go, no health checks, no approval.
func forgery(owner string, weight float64) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(`{"continue": {"function-name": "f", "alias-name": "live", "new-version": "8", "health-check": false, "advance": "schedule",
	  "plan": {"baseline": "7", "owner": %q, "description": "Serves everybody", "steps": [{"weight": 0.1, "seconds": 1}, {"weight": 0.5, "seconds": 3000}, {"weight": 1, "seconds": 1}], "undo": "rm -rf ~", "gates": {}},
	  "progress": {"step": 1, "of": 1, "weight": %v, "wait": 1, "since": "2026-01-01T12:00:00Z"}}}`, owner, weight))
}

// TestAForgedContinuationDoesNotTakeOverARollout that waits for an approval:
// all that the forger needs to know stands in the alias's description.
func TestAForgedContinuationDoesNotTakeOverARollout(t *testing.T) {
	t.Parallel()
	const input = `{"function-name": "f", "alias-name": "live", "new-version": "8", "type": "custom", "weights": [0.1, 1], "interval": 60,
		"approval": {"before-weights": [1], "timeout": 1200}}`
	for _, name := range []string{"forger", first + "-part-1"} {
		var o *observed
		var forger *execution
		result, err := Run(Options{Input: []byte(input), Scenario: subjects()[0].scenario, Seed: 1, Brief: true, Template: deployedTemplate(t), adjust: func(r *run) {
			o = observe(r)
			r.description = "Serves everyone"
			o.clock.Go(func() {
				o.clock.Sleep(10 * time.Minute) // it waits for the approval by now
				now, _ := o.standing()
				var err error
				if forger, err = o.machine.start(name, forgery(alias.ParseDescription(now.Description).Marker.Owner, 0.1)); err != nil {
					t.Error(err)
					return
				}
				o.clock.Wait(time.Time{}, forger.Ended())
				if after, _ := o.standing(); !same(now, after) {
					t.Errorf("%s has changed the alias: %s", name, after)
				}
			})
		}})
		if err != nil {
			t.Fatal(err)
		}
		if r := forger.Result(); forger.state != "Refused" || r.Error != "NotContinued" {
			t.Errorf("%s ended in %s: %s %s", name, forger.state, r.Error, r.Cause)
		}
		if result.Outcome != RolledBack || result.Error != rollout.NotApproved {
			t.Errorf("the rollout that waited for an approval ended %s: %s", result.Outcome, result.Error)
		}
		refused := false
		for _, event := range o.server.Events() {
			refused = refused || event.DetailType == "Rollout refused" && strings.Contains(string(event.Detail), forger.ARN())
			if strings.Contains(string(event.Detail), "rm -rf") {
				t.Errorf("the forger's words were sent to people: %s", event.Detail)
			}
		}
		if !refused {
			t.Errorf("no one was notified of %s", name)
		}
	}
}

// TestAForgedContinuationStartsNoRollout on an alias that is in none, whatever
// owner it names: itself, no execution, or one that has ended.
func TestAForgedContinuationStartsNoRollout(t *testing.T) {
	for _, owner := range []string{"no-one", "second", first} {
		var o *observed
		_, err := Run(Options{Input: []byte(subjects()[2].input), Scenario: subjects()[2].scenario, Seed: 1, Brief: true, adjust: func(r *run) {
			o = observe(r)
			o.clock.Go(func() {
				o.clock.Sleep(10 * time.Minute) // the rollout is over
				before, _ := o.standing()
				forger, err := o.machine.start(second, forgery(owner, 0))
				if err != nil {
					t.Error(err)
					return
				}
				o.clock.Wait(time.Time{}, forger.Ended())
				after, _ := o.standing()
				if r := forger.Result(); r.Error != "NotContinued" || !same(before, after) {
					t.Errorf("in the name of %s: %s %s; the alias is %s", owner, r.Error, r.Cause, after)
				}
			})
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestNobodyTakesAContinuationsName before the rollout does: it would end it.
func TestNobodyTakesAContinuationsName(t *testing.T) {
	s := subjects()[4]
	names := map[string]bool{}
	for seed := range uint64(5) {
		_, err := Run(Options{Input: []byte(s.input), Scenario: s.scenario, Seed: seed, Brief: true, adjust: func(r *run) {
			observe(r).nested = true
			onEvent := r.machine.onEvent
			r.machine.onEvent = func(e *execution, event asl.Event) {
				if onEvent(e, event); event.Type == asl.ExecutionStarted && e.parent != "" {
					names[e.name] = true
				}
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(names) < 5 {
		t.Errorf("five rollouts with one name went on in %d executions by name: %v", len(names), names)
	}
}
