package rehearsal

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine"
	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// versions is the folder with one folder for each version that was released: its workflow, and
// rollouts under it, whose states the functions of every later version continue.
const versions = "testdata/versions"

// recordedRollout is what one version's rollout was called with, and what it notified of.
type recordedRollout struct {
	Input json.RawMessage   `json:"input"`
	Plan  []rollout.Step    `json:"plan"`
	Calls []recordedCall    `json:"calls"`
	Sent  []json.RawMessage `json:"sent"`
}

// recordedCall is a call of a function by the workflow; Number counts them from 1.
type recordedCall struct {
	Number   int             `json:"number"`
	Function string          `json:"function"`
	Payload  json.RawMessage `json:"payload"`
}

// fileOf returns the name of the file of a recorded rollout.
func fileOf(u upgradable) string { return strings.ReplaceAll(u.name, " ", "-") + ".json" }

// tap stands between a workflow and its functions. Calls of the cleanup pass it.
type tap struct {
	recordedRollout
	change func(call recordedCall) json.RawMessage // what the function sees instead; may be nil
}

func (r *tap) wrap(next asl.Invoke) asl.Invoke {
	number := 0
	return func(ctx context.Context, resource string, payload json.RawMessage) (json.RawMessage, error) {
		if callerOf(payload) == "" {
			return next(ctx, resource, payload)
		}
		number++
		call := recordedCall{number, taskOf(resource), bytes.Clone(payload)}
		r.Calls = append(r.Calls, call)
		if r.change != nil {
			payload = r.change(call)
		}
		answer, err := next(ctx, resource, payload)
		if number == 1 {
			var state rollout.State
			_ = json.Unmarshal(answer, &state)
			r.Plan = state.Plan.Steps
		}
		return answer, err
	}
}

// sent notes the events that were sent.
func (r *tap) sent(server *localaws.Server) {
	for _, e := range server.Events() {
		r.Sent = append(r.Sent, json.RawMessage(e.Detail))
	}
}

// upgradable is a rollout or a release that an upgrade may meet.
type upgradable struct {
	name, input string
	outcome     Outcome
	// play rehearses it under a workflow, or under the present one if that is nil.
	play func(input []byte, workflow *asl.Definition, tapped *tap) (outcome Outcome, reason string, err error)
}

// upgradables has rollouts in each phase, and releases.
func upgradables(t *testing.T) []upgradable {
	names := []string{"good", "bad", "with bake", "long and bad", "provisioned", "moved", "gated", "not approved"}
	var all []upgradable
	for _, s := range append(worlds(), heldSubject()) {
		if slices.Contains(names, s.name) || s.name == heldSubject().name {
			all = append(all, upgradable{s.name, s.input, s.outcome, s.played})
		}
	}
	for name, outcome := range map[string]Outcome{"release": Promoted, "release ordered back": RolledBack} {
		scenario := `{"history": 0}`
		if outcome == RolledBack {
			scenario = `{"history": 0, "changes": [{"after": 200, "order": "roll-back"}]}`
		}
		all = append(all, upgradable{name, string(releaseInput(t, 2, 60, nil)), outcome, releasePlayed(scenarioOf(t, scenario))})
	}
	return all
}

// played rehearses a rollout.
func (s subject) played(input []byte, workflow *asl.Definition, tapped *tap) (Outcome, string, error) {
	var server *localaws.Server
	o := Options{Input: input, Scenario: s.scenario, Seed: 1, definition: workflow}
	o.adjust = func(r *run) {
		observed := observe(r)
		observed.nested = s.nested
		if s.people != nil {
			s.people(observed)
		}
		wrap := r.machine.wrap
		r.machine.wrap = func(call asl.Invoke) asl.Invoke { return tapped.wrap(wrap(call)) }
		server = r.server
	}
	result, err := Run(o)
	if err == nil {
		tapped.sent(server)
	}
	return result.Outcome, result.Reason, err
}

// releasePlayed rehearses a release.
func releasePlayed(world Scenario) func([]byte, *asl.Definition, *tap) (Outcome, string, error) {
	return func(input []byte, workflow *asl.Definition, tapped *tap) (Outcome, string, error) {
		var server *localaws.Server
		o := ReleaseOptions{Input: input, Scenario: world, Seed: 1}
		o.adjust = func(r *releaseRun) {
			r.releases.wrap, server = tapped.wrap, r.server
			if workflow != nil {
				r.releases.definition = workflow
			}
		}
		result, err := RunRelease(o)
		if err == nil {
			tapped.sent(server)
		}
		return result.Outcome, result.Reason, err
	}
}

// revision is a member of a state whose value depends on how often the alias was written.
var revision = regexp.MustCompile(`"revision-id":"[^"]*"`)

// withRevisions returns a recorded payload with the revisions of the present one, in their order.
func withRevisions(recorded, present json.RawMessage) json.RawMessage {
	var compact bytes.Buffer
	if json.Compact(&compact, recorded) != nil {
		return recorded
	}
	now := revision.FindAll(present, -1)
	return revision.ReplaceAllFunc(compact.Bytes(), func(old []byte) []byte {
		if len(now) == 0 {
			return old
		}
		first := now[0]
		now = now[1:]
		return first
	})
}

// TestVersionsBefore: rollouts of versions that were released before go on with the functions of
// this one. Their plans stay, their states are read, the workflow that they began under still
// works, and what is notified has at least the same fields.
//
// To add a version when it is released: go test ./statemachine/rehearsal -run TestVersionsBefore -record-release 1.2.3
func TestVersionsBefore(t *testing.T) {
	if *recordRelease != "" {
		recordVersion(t, *recordRelease)
	}
	folders, err := filepath.Glob(filepath.Join(versions, "*"))
	if err != nil || len(folders) == 0 {
		t.Fatalf("no versions: %v", err)
	}
	for _, folder := range folders {
		rollouts, releases := workflowOf(t, folder, "rollout", statemachine.Functions()), workflowOf(t, folder, "release", statemachine.ReleaseFunctions())
		for _, u := range upgradables(t) {
			t.Run(filepath.Base(folder)+"/"+u.name, func(t *testing.T) {
				old := rollouts
				if strings.HasPrefix(u.name, "release") {
					old = releases
				}
				testUpgrade(t, u, old, readVersion(t, filepath.Join(folder, fileOf(u))))
			})
		}
	}
}

// workflowOf parses a version's workflow. Its functions have the same names in each version.
func workflowOf(t *testing.T, folder, name string, functions []statemachine.Function) *asl.Definition {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, name+".asl.json"))
	if err != nil {
		t.Fatal(err)
	}
	old, err := definitionOf(string(text), functions)
	if err != nil {
		t.Fatal(err)
	}
	return old
}

func readVersion(t *testing.T, path string) recordedRollout {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var rec recordedRollout
	if err := json.Unmarshal(text, &rec); err != nil {
		t.Fatal(err)
	}
	return rec
}

// testUpgrade plays a rollout under the old workflow to its end, and once for each recorded call with
// the old state from there on.
func testUpgrade(t *testing.T, u upgradable, old *asl.Definition, rec recordedRollout) {
	present := &tap{}
	outcome, reason, err := u.play(rec.Input, old, present)
	if err != nil || outcome != u.outcome {
		t.Fatalf("under the old workflow: %s, %s: %v", outcome, reason, err)
	}
	if !slices.Equal(present.Plan, rec.Plan) {
		t.Errorf("the plan was %v, and is %v", rec.Plan, present.Plan)
	}
	if missing := missingFields(rec.Sent, present.Sent); len(missing) > 0 {
		t.Errorf("events lack %q", missing)
	}
	for _, was := range rec.Calls {
		swapped := false
		got, why, err := u.play(rec.Input, old, &tap{change: func(call recordedCall) json.RawMessage {
			if call.Number != was.Number || call.Function != was.Function {
				return call.Payload
			}
			swapped = true
			return withRevisions(was.Payload, call.Payload)
		}})
		switch {
		case err != nil || !swapped:
			t.Errorf("call %d, of %s: it was reached: %v; %v", was.Number, was.Function, swapped, err)
		case got != outcome || why != reason:
			t.Errorf("with the old state in call %d, of %s: %s, %s; without it %s, %s", was.Number, was.Function, got, why, outcome, reason)
		}
	}
}

// missingFields returns which members of recorded events none of the same name has now, or has
// with another type.
func missingFields(recorded, present []json.RawMessage) []string {
	known, missing := map[string]bool{}, []string{}
	for _, event := range present {
		eachField(event, func(field string) { known[field] = true })
	}
	for _, event := range recorded {
		eachField(event, func(field string) {
			if !known[field] {
				missing = append(missing, field)
			}
		})
	}
	return missing
}

// eachField calls f with the event's name, and the name and the type, of each of its members.
func eachField(event json.RawMessage, f func(string)) {
	var fields map[string]any
	_ = json.Unmarshal(event, &fields)
	for name, value := range fields {
		f(fmt.Sprintf("%v: %s, %T", fields["event"], name, value))
	}
}
