package rehearsal

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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
	o.wired = wired
	adjust := o.adjust
	o.adjust = func(r *run) {
		server = r.server
		r.after = func(c localaws.Call) { a.Calls = append(a.Calls, c) }
		if adjust != nil {
			adjust(r)
		}
	}
	result, err := Run(o)
	if err != nil {
		return a, err
	}
	text, err := json.Marshal(result)
	a.Result, a.Published, a.Events, a.Aliases = string(text), server.Published(), server.Events(), server.Aliases()
	return a, err
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
