package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal/study"
)

func TestAdviceOptions(t *testing.T) {
	quiet := filepath.Join(t.TempDir(), "quiet.json")
	if err := os.WriteFile(quiet, []byte(`{"requests-per-second": 0}`), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ args, want string }{
		{"-harm 0", "above the baseline's 0.001, at most 1; given: 0"},
		{"-false-alarms 4", "from 0 to 1; given: 4"},
		{"-unseen -1", "seconds; given: -1"},
		{"-unseen Inf", "seconds; given: +Inf"},
		{"-scenario " + quiet, "no traffic: nothing to compare"},
		{"-seed 18446744073709551615 -runs 3", "the first must be at most 18446744073709551613"},
	} {
		code, stdout, stderr := typed("", append([]string{"advise"}, strings.Fields(test.args)...)...)
		if code != refused || stdout != "" || !strings.Contains(stderr, test.want) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%s: exits with %d and says %s%s", test.args, code, stdout, stderr)
		}
	}
}

// TestConclusions says no more than was measured.
func TestConclusions(t *testing.T) {
	plan := func(name string, alarms float64) study.PlanAdvice {
		return study.PlanAdvice{Name: name, FalseAlarms: study.Share{Share: alarms, Low: 0, High: 0.2}, Found: study.Share{Share: 0.5}}
	}
	blind := plan("blind", 0)
	blind.Found.Share = 0.49
	q := study.Question{FalseAlarms: 0.04, Runs: 100, Harm: 0.01}
	a, b, bad := plan("a", 0.02), plan("b", 0.04), plan("bad", 0.1)
	for want, advice := range map[string]study.Advice{
		"no plan kept false alarms at 4% or less":                                                                      {Plans: []study.PlanAdvice{bad}},
		"the only plan that kept false alarms at 4% or less and found the harm: a, with 2%":                            {Plans: []study.PlanAdvice{bad, blind, a}, Best: []string{"a"}},
		"no plan that kept false alarms at 4% or less found an error rate of 1% in half of the rollouts. Longer steps": {Plans: []study.PlanAdvice{bad, blind}},
		"lies below those of the others":                                                                               {Plans: []study.PlanAdvice{bad, a, b}, Best: []string{"a"}},
		"do not separate it from: b.":                                                                                  {Plans: []study.PlanAdvice{a, b}, Best: []string{"a", "b"}},
		"roughly, from 25 rehearsals at each rate":                                                                     {},
		"what is left out\n":                                                                                           {Notes: []string{"what is left out"}},
	} {
		if text := adviceText(q, advice); !strings.Contains(text, want) || strings.Contains(text, "Surely") || !strings.Contains(text, "In these rehearsals") {
			t.Errorf("%s\nwant %s", text, want)
		}
	}
}
