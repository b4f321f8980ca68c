package study_test

import (
	"math"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal/study"
)

// some are the blog's plan, which is the input's own, one that finds little, and
// one that false alarms are rare in.
var some = []study.NamedPlan{study.UsualPlans[0], study.UsualPlans[4], {Name: "small steps", Fields: `{"type": "geometric", "steps": 4, "interval": 180}`}}

// TestAdviceComesFromSimulation asks for a plan against a new version that errs
// in a hundredth of its requests.
func TestAdviceComesFromSimulation(t *testing.T) {
	t.Parallel()
	world, err := rehearsal.ParseScenario([]byte(`{"requests-per-second": 20, "baseline": {"error-rate": 0.001}, "new-version": {"error-rate": 1}}`))
	if err != nil {
		t.Fatal(err)
	}
	var over, of atomic.Int64
	q := study.Question{Input: []byte(blogInput), Plans: some, Scenario: world, Harm: 0.01, Runs: 10, Seed: 1, FalseAlarms: 0.04, Unseen: 3600}
	advice, err := study.Advise(t.Context(), q, func(n, all int) { over.Store(max(over.Load(), int64(n))); of.Store(int64(all)) })
	if err != nil {
		t.Fatal(err)
	}
	if over.Load() != of.Load() || over.Load() == 0 {
		t.Errorf("%d of %d rehearsals were reported", over.Load(), of.Load())
	}
	plans := map[string]study.PlanAdvice{}
	for _, plan := range advice.Plans {
		plans[plan.Name] = plan
		if plan.FalseAlarms.Count > 1 || plan.SecondsToPromote == 0 {
			t.Errorf("%s with a harmless version: %+v", plan.Name, plan)
		}
	}
	blog, atOnce := plans["the input's own (blog post: linear, 10 steps of 2 min)"], plans["CodeDeploy: AllAtOnce"]
	if len(plans) != 3 || blog.SecondsToPromote != 1200 || blog.Found.Count != 10 || blog.SmallestHarm < 0.001 || blog.SmallestHarm > 0.02 {
		t.Errorf("the blog's plan, of %d: %+v", len(plans), blog)
	}
	// It is promoted after a minute, and an hour more of 20 requests a second, of
	// which nine in a thousand are bad beyond the baseline's, make 659. Of ten that
	// miss it, a third might still find it.
	if e := atOnce.MeanExcess; atOnce.Found.Count > 0 || e.Mean < 655 || e.Mean > 670 || e.High > 670 || e.Low > 0.7*e.Mean || atOnce.SmallestHarm < 2*blog.SmallestHarm {
		t.Errorf("all at once: %+v", atOnce)
	}
	if best := strings.Join(advice.Best, "; "); !strings.Contains(best, "small steps") || strings.Contains(best, "AllAtOnce") {
		t.Errorf("best are %s", best)
	}
}

// TestTheSearchStopsWhenItIsDecided counts the rehearsals: at a rate that few rollouts
// find, some misses decide, and the answer is still one that all rehearsals give.
func TestTheSearchStopsWhenItIsDecided(t *testing.T) {
	t.Parallel()
	world, _ := rehearsal.LoadBuiltIn("healthy")
	q := study.Question{Input: []byte(blogInput), Scenario: world, Harm: 0.5, Runs: 2, Seed: 1}
	var rehearsed, of atomic.Int64
	advice, err := study.Advise(t.Context(), q, func(_, all int) { rehearsed.Add(1); of.Store(int64(all)) })
	if err != nil {
		t.Fatal(err)
	}
	if rehearsed.Load() >= of.Load() {
		t.Errorf("%d of %d rehearsals were made", rehearsed.Load(), of.Load())
	}
	world.NewVersion.ErrorRate = advice.Plans[0].SmallestHarm
	all, err := study.Repeat(t.Context(), rehearsal.Options{Input: q.Input, Scenario: world, Seed: q.Seed}, q.SearchRuns(), nil)
	if err != nil || all.HarmFound.Share < 0.9 || all.HarmFound.Count == all.Runs {
		t.Errorf("at %v: %+v, %v", world.NewVersion.ErrorRate, all.HarmFound, err)
	}
}

// TestAdviceWithinFalseAlarms has a baseline whose errors come in clusters, by
// which the default test is fooled.
func TestAdviceWithinFalseAlarms(t *testing.T) {
	t.Parallel()
	world, err := rehearsal.ParseScenario([]byte(`{"history": 0, "baseline": {"error-rate": 0.02, "cluster": 300}}`))
	if err != nil {
		t.Fatal(err)
	}
	q := study.Question{Input: []byte(blogInput), Plans: some, Scenario: world, Harm: 0.5, Runs: 15, Seed: 1, FalseAlarms: 0}
	advice, err := study.Advise(t.Context(), q, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, plan := range advice.Plans {
		for _, name := range advice.Best {
			if name == plan.Name && plan.FalseAlarms.Count > 0 {
				t.Errorf("%s is among the best, with false alarms %s", name, plan.FalseAlarms)
			}
		}
	}
	if len(advice.Best) == len(advice.Plans) {
		t.Error("nothing has false alarms")
	}
}

func TestAdviceThatCanNotBe(t *testing.T) {
	world, _ := rehearsal.LoadBuiltIn("healthy")
	for want, q := range map[string]study.Question{
		"the harm must be an error rate above the baseline's 0.001": {Input: []byte(blogInput), Harm: 0.001},
		"health-check false":                            {Input: []byte(strings.Replace(blogInput, "{", `{"health-check": false, `, 1)), Harm: 0.5},
		"false alarms must be from 0 to 1; given: -0.1": {Input: []byte(blogInput), Harm: 0.5, FalseAlarms: -0.1},
		"from 0 to 31622400 seconds; given: NaN":        {Input: []byte(blogInput), Harm: 0.5, Unseen: math.NaN()},
		"the input is not a JSON object":                {Input: []byte(`[]`), Harm: 0.5},
		"steps is missing":                              {Input: []byte(`{"function-name": "f", "alias-name": "live", "new-version": "2", "interval": 60}`), Harm: 0.5},
	} {
		q.Scenario, q.Runs, q.Plans = world, 2, some
		if _, err := study.Advise(t.Context(), q, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// TestAdviceAsksNobody has an input whose approval is in the way of its own plan,
// and a plan that the rest of the input rules out.
func TestAdviceAsksNobody(t *testing.T) {
	t.Parallel()
	world, _ := rehearsal.LoadBuiltIn("healthy")
	input := strings.Replace(blogInput, "{", `{"approval": {"before-weights": [0.5], "timeout": 600}, `, 1)
	q := study.Question{Input: []byte(input), Plans: []study.NamedPlan{{Name: "endless", Fields: `{"type": "linear", "steps": 3, "interval": -1}`}},
		Scenario: world, Harm: 0.5, Runs: 4, Seed: 1, FalseAlarms: 0}
	advice, err := study.Advise(t.Context(), q, nil)
	if err != nil || len(advice.Plans) != 1 {
		t.Fatalf("%+v, %v", advice, err)
	}
	notes := strings.Join(advice.Notes, "\n")
	if own := advice.Plans[0]; own.FalseAlarms.Count > 0 || own.SecondsToPromote == 0 || strings.Contains(string(own.Plan), "approval") || own.Found.Count != 4 {
		t.Errorf("the input's own: %+v", own)
	}
	if !strings.Contains(notes, "approval is left out") || !strings.Contains(notes, "endless is left out") || !strings.Contains(notes, "interval") {
		t.Errorf("the notes are %s", notes)
	}
}

// TestAdviceSaysWhyTheRequestIsRefused has an input that only a rehearsal refuses.
func TestAdviceSaysWhyTheRequestIsRefused(t *testing.T) {
	world, _ := rehearsal.LoadBuiltIn("healthy")
	input := strings.Replace(blogInput, "{", `{"health": {"alarms": ["no-such-alarm"]}, `, 1)
	_, err := study.Advise(t.Context(), study.Question{Input: []byte(input), Scenario: world, Harm: 0.5, Runs: 2}, nil)
	if err == nil || !strings.Contains(err.Error(), "it is refused: ") || !strings.Contains(err.Error(), "no-such-alarm") {
		t.Errorf("%v", err)
	}
}

// TestAdviceCountsHealthAlone has a request that rolls back for want of traffic,
// with either version: that is neither a false alarm nor a find.
func TestAdviceCountsHealthAlone(t *testing.T) {
	world, _ := rehearsal.LoadBuiltIn("healthy")
	input := strings.Replace(blogInput, "{", `{"health": {"min-invocations": 1000000, "on-no-traffic": "roll-back"}, `, 1)
	advice, err := study.Advise(t.Context(), study.Question{Input: []byte(input), Scenario: world, Harm: 0.0011, Runs: 3, Seed: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if own := advice.Plans[0]; own.FalseAlarms.Count > 0 || own.Found.Count > 0 || own.SecondsToRollback != nil || own.SecondsToPromote > 0 {
		t.Errorf("%+v", own)
	}
}
