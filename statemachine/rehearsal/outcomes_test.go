package rehearsal_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
)

// strictly is the blog's input with the strict mode of the errors gate.
var strictly = strings.Replace(blogInput, `"steps"`, `"health": {"errors": {"strict": true}}, "steps"`, 1)

// TestScenariosEndAsTheyShould rehearses each built-in scenario over and over.
// The share of those that end otherwise may be wrong by so much at most: what
// the gates promise of false alarms (1% each for errors and for latency, beside
// the baseline and at full weight), or what a scenario of harm is to be seen
// with. Chance is allowed for: the test fails if the count would come about once
// in a million times or less.
func TestScenariosEndAsTheyShould(t *testing.T) {
	t.Parallel()
	const (
		promoted   = "promoted, version 2"
		unverified = "promoted unverified, version 2"
		rolledBack = "rolled-back, version 1"
		alarms     = 0.04 // four tests, each wrong with a chance of 1% at most
		misses     = 0.02
		runs       = 100
	)
	tests := map[string]struct {
		input string
		want  string
		wrong float64
	}{
		"healthy":          {blogInput, promoted, alarms},
		"drift":            {blogInput, promoted, alarms},
		"burst":            {blogInput, promoted, alarms},
		"late-metrics":     {blogInput, unverified, alarms}, // the first step is over before anything is known of it
		"sick-environment": {strictly, promoted, alarms},
		"throttled":        {blogInput, promoted, alarms},
		"idle":             {blogInput, promoted, alarms},
		"low-traffic":      {blogInput, unverified, alarms},
		"no-traffic":       {blogInput, unverified, 0},
		"errors":           {blogInput, rolledBack, misses},
		"late-errors":      {blogInput, rolledBack, misses},
		"slow":             {blogInput, rolledBack, misses},
		"worse-2x":         {blogInput, rolledBack, misses},
		"worse-5x":         {blogInput, rolledBack, misses},
		"stopped":          {blogInput, "stopped, version 1", 0},
		"contested":        {blogInput, "alias-changed, version 1 with 5% on version 2", 0},
	}
	names := rehearsal.BuiltIn()
	if missing := slices.Compare(names, slices.Sorted(maps.Keys(tests))); missing != 0 {
		t.Errorf("the scenarios are %q", names)
	}
	for _, name := range names {
		test := tests[name]
		got := outcomes(t, test.input, name, runs)
		wrong := runs - got[test.want]
		if unlikely(wrong, runs, test.wrong) {
			t.Errorf("%s: %d of %d end otherwise than %s: %v", name, wrong, runs, test.want, got)
		}
	}
}

// outcomes counts how rehearsals with so many seeds end.
func outcomes(t *testing.T, input, scenario string, runs int) map[string]int {
	counts := map[string]int{}
	var mutex sync.Mutex
	rehearsal.OnAllCores(runs, func(seed int) {
		r := rehearse(t, input, scenario, func(o *rehearsal.Options) { o.Seed, o.Brief = uint64(seed), true })
		outcome := string(r.Outcome)
		if r.Unverified {
			outcome += " unverified"
		}
		mutex.Lock()
		counts[fmt.Sprintf("%s, %s", outcome, alias.Routing{Version: r.AliasAfter.Version, Weights: r.AliasAfter.Weights})]++
		mutex.Unlock()
	})
	return counts
}

// unlikely reports whether so many of n, or more, would come about with a chance
// of less than one in a million if each does with chance p.
func unlikely(count, n int, p float64) bool {
	if count == 0 {
		return false
	}
	return p == 0 || distuv.Binomial{N: float64(n), P: p}.Survival(float64(count)-1) < 1e-6
}

// TestTheBoundOfOutcomesCanBeMissed: without strict, clusters of errors in one
// version look like harm.
func TestTheBoundOfOutcomesCanBeMissed(t *testing.T) {
	got := outcomes(t, blogInput, "sick-environment", 100)
	if rolledBack := got["rolled-back, version 1"]; !unlikely(rolledBack, 100, 0.04) {
		t.Errorf("%v: strict is for nothing", got)
	}
}
