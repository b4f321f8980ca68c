package rehearsal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// everything is all that a rehearsal shows, and what it left in the local AWS.
type everything struct {
	Result    string
	Calls     []localaws.Call
	Published []localaws.Published
	Events    []localaws.Event
	Aliases   []localaws.Alias
}

// everythingOf rehearses, over the wire or not.
func everythingOf(o Options, wired bool) (everything, error) {
	var a everything
	var server *localaws.Server
	var modified error
	o.wired = wired
	adjust := o.adjust
	o.adjust = func(r *run) {
		server = r.server
		r.after = func(c localaws.Call) { a.Calls = append(a.Calls, c) }
		if adjust != nil {
			adjust(r)
		}
		r.machine.wrap = leavesItsState(r, r.machine.wrap, &modified)
	}
	result, err := Run(o)
	if err := errors.Join(err, modified); err != nil {
		return a, err
	}
	text, err := json.Marshal(result)
	a.Result, a.Published, a.Events, a.Aliases = string(text), server.Published(), server.Events(), server.Aliases()
	return a, err
}

// leavesItsState wraps invocations, and reports a task that modifies the state that it takes: the timeline still reads it.
func leavesItsState(r *run, wrap func(asl.Invoke) asl.Invoke, modified *error) func(asl.Invoke) asl.Invoke {
	return func(call asl.Invoke) asl.Invoke {
		if wrap != nil {
			call = wrap(call)
		}
		return func(ctx context.Context, resource string, input json.RawMessage) (json.RawMessage, error) {
			text, state := r.states.text, r.states.state
			answer, err := call(ctx, resource, input)
			if text == nil {
				return answer, err
			}
			var now bytes.Buffer
			encoder := json.NewEncoder(&now)
			encoder.SetEscapeHTML(false)
			if failed := encoder.Encode(state); failed != nil || strings.TrimSpace(now.String()) != string(text) {
				*modified = fmt.Errorf("%s modifies its input %s: it becomes %s, %v", resource, text, now.String(), failed)
			}
			return answer, err
		}
	}
}

// identityCases are rehearsals of everything that there is: built-in scenarios with several seeds, scenario files, with their
// gates, and what is disturbed in the sweep.
func identityCases(t *testing.T) map[string]Options {
	cases := map[string]Options{}
	for _, name := range BuiltIn() {
		for seed := range uint64(3) {
			scenario, _ := LoadBuiltIn(name)
			cases[fmt.Sprintf("%s %d", name, seed)] = Options{Input: []byte(blogs), Scenario: scenario, Seed: seed}
		}
	}
	for _, f := range ScenarioFiles(t) {
		cases[f.Path] = f.Options
	}
	for _, s := range append(subjects(), heldSubject()) {
		cases["sweep: "+s.name] = Options{Input: []byte(s.input), Scenario: s.scenario, Seed: 1, Simple: s.simple, adjust: func(r *run) {
			o := &observed{run: r, nested: s.nested}
			after := r.after
			o.observe(r)
			observe := r.after
			r.after = func(c localaws.Call) {
				after(c)
				observe(c)
			}
			r.description = longDescription
			if s.people != nil {
				s.people(o)
			}
		}}
	}
	return cases
}

// TestTheWireMakesNoDifference: calls that go without it have the same effects and answers, at the same times.
func TestTheWireMakesNoDifference(t *testing.T) {
	t.Parallel()
	cases := identityCases(t)
	var names []string
	for name := range cases {
		names = append(names, name)
	}
	differences := make([]string, len(names))
	OnAllCores(len(names), func(i int) {
		wired, err := everythingOf(cases[names[i]], true)
		if err != nil {
			differences[i] = err.Error()
			return
		}
		typed, err := everythingOf(cases[names[i]], false)
		if err != nil {
			differences[i] = err.Error()
			return
		}
		differences[i] = cmp.Diff(wired, typed)
	})
	for i, difference := range differences {
		if difference != "" {
			t.Errorf("%s: %s", names[i], strings.TrimSpace(difference))
		}
	}
	if len(names) < 100 {
		t.Errorf("only %d rehearsals", len(names))
	}
	t.Logf("%d rehearsals", len(names))
}
