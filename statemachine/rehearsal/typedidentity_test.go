package rehearsal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
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
	return everythingIn(func(observe func(r *run, adjust func())) (any, error) {
		o.wired = wired
		adjust := o.adjust
		o.adjust = func(r *run) {
			observe(r, func() {
				if adjust != nil {
					adjust(r)
				}
			})
		}
		return Run(o)
	})
}

// everythingOfRelease rehearses a release, over the wire or not.
func everythingOfRelease(o ReleaseOptions, wired bool) (everything, error) {
	return everythingIn(func(observe func(r *run, adjust func())) (any, error) {
		o.wired = wired
		o.adjust = func(r *releaseRun) { observe(&r.run, func() {}) }
		return RunRelease(o)
	})
}

// everythingIn returns what a rehearsal shows that calls observe before it runs.
func everythingIn(rehearse func(observe func(r *run, adjust func())) (any, error)) (everything, error) {
	var a everything
	var server *localaws.Server
	var modified error
	result, err := rehearse(func(r *run, adjust func()) {
		server = r.server
		r.after = func(c localaws.Call) { a.Calls = append(a.Calls, c) }
		adjust()
		r.machine.wrap = leavesItsState(r, r.machine.wrap, &modified)
	})
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
// gates, and what is disturbed in the sweep, without permissions and with those of the stack.
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
	template := deployedTemplate(t)
	for name, o := range maps.Clone(cases) {
		if o.Template == nil && !o.Simple && (strings.HasPrefix(name, "sweep: ") || strings.HasSuffix(name, " 0")) {
			o.Template = template
			cases[name+", with permissions"] = o
		}
	}
	return cases
}

// releaseIdentityCases are releases of three members: one that is promoted in waves, and one that is rolled back because of a
// member, each with the limits of AWS and without.
func releaseIdentityCases(t *testing.T) map[string]ReleaseOptions {
	const bad = `{"latency": 0.05, "members": {"m001": {"changes": [{"after-share": 0.4, "new-version": {"error-rate": 0.2}}]}}}`
	cases := map[string]ReleaseOptions{}
	for name, limits := range map[string][]localaws.Limit{"without limits": nil, "with limits": localaws.AWSLimits()} {
		cases["healthy "+name] = ReleaseOptions{Input: releaseInput(t, 3, 120, map[string]any{"waves": waves(3, 2)}), Scenario: scenarioOf(t, `{}`), Seed: 2, Limits: limits}
		cases["bad "+name] = ReleaseOptions{Input: releaseInput(t, 3, 120, nil), Scenario: scenarioOf(t, bad), Seed: 1, Limits: limits}
	}
	return cases
}

// TestTheWireMakesNoDifference: calls that go without it have the same effects and answers, at the same times.
func TestTheWireMakesNoDifference(t *testing.T) {
	t.Parallel()
	cases := map[string]func(wired bool) (everything, error){}
	for name, o := range identityCases(t) {
		cases[name] = func(wired bool) (everything, error) { return everythingOf(o, wired) }
	}
	for name, o := range releaseIdentityCases(t) {
		cases["release: "+name] = func(wired bool) (everything, error) { return everythingOfRelease(o, wired) }
	}
	names := slices.Sorted(maps.Keys(cases))
	differences := make([]string, len(names))
	OnAllCores(len(names), func(i int) {
		wired, err := cases[names[i]](true)
		if err != nil {
			differences[i] = err.Error()
			return
		}
		typed, err := cases[names[i]](false)
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
