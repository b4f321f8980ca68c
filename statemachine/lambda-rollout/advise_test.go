package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/terminal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal/study"
)

func TestAdviceOptions(t *testing.T) {
	quiet := filepath.Join(t.TempDir(), "quiet.json")
	if err := os.WriteFile(quiet, []byte(`{"requests-per-second": 0}`), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ args, want string }{
		{"-harm 0", "above the baseline's 0.001, at most 1; given: 0"},
		{"-false-alarms 4", `--false-alarms must be a number from 0 to 1; given: "4"`},
		{"-unseen -1", `--unseen must be a number from 0 to 31622400; given: "-1"`},
		{"-unseen Inf", `given: "Inf"`},
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
		var out strings.Builder
		showAdvice(page{out: &out}, q, advice)
		if text := out.String(); !strings.Contains(text, want) || strings.Contains(text, "Surely") || !strings.Contains(text, "In these rehearsals") {
			t.Errorf("%s\nwant %s", text, want)
		}
	}
}

// TestAdviceInEachFormat rehearses a few short plans.
func TestAdviceInEachFormat(t *testing.T) {
	answer := sync.OnceValues(func() (study.Advice, error) {
		conditions, _ := rehearsal.LoadBuiltIn("healthy")
		return study.Advise(t.Context(), study.Question{
			Input: []byte(canary), Scenario: conditions, Harm: 0.1, Runs: 4, Seed: 1, FalseAlarms: 0.04, Unseen: 3600,
			Plans: []study.NamedPlan{study.UsualPlans[4], {Name: "geometric from 10%, 2 steps of 1 min", Fields: `{"type": "geometric", "first-weight": 0.1, "steps": 2, "interval": 60}`}},
		}, nil)
	})
	inEachFormat(t, "advise", func(out *bytes.Buffer, columns int, format string) int {
		c := &command{stdin: strings.NewReader(canary), stdout: out, stderr: out, columns: columns}
		c.study = func(_ context.Context, q study.Question, _ func(int, int)) (study.Advice, error) {
			if string(q.Input) != canary || q.Runs != 4 || q.Harm != 0.1 || len(q.Plans) != len(study.UsualPlans) {
				t.Errorf("it asks %+v", q)
			}
			return answer()
		}
		return c.run(t.Context(), []string{"advise", "--input", "-", "--runs", "4", "--harm", "0.1", "-o", format})
	})
}

// inEachFormat holds what a subcommand prints in each format to golden files.
func inEachFormat(t *testing.T, name string, run func(out *bytes.Buffer, columns int, format string) int) {
	t.Helper()
	for _, columns := range []int{0, 40, 80, 200} {
		for _, format := range map[bool][]string{true: {"json", "markdown"}, false: {"text"}}[columns == 0] {
			var out bytes.Buffer
			if code := run(&out, columns, format); code != promoted {
				t.Fatalf("exits with %d and says %s", code, &out)
			}
			file := name + "-" + format
			if columns > 0 {
				file = fmt.Sprintf("%s-%d", name, columns)
			}
			golden(t, file, out.String())
			for line := range strings.SplitSeq(out.String(), "\n") {
				if columns > 0 && terminal.Cells(line) > columns {
					t.Errorf("at %d columns, a line has more: %s", columns, line)
				}
			}
		}
	}
}

const canary = `{"function-name": "f", "alias-name": "live", "new-version": 3, "type": "canary", "interval": 60}`

// TestThePlanToChooseStandsOut in its colour, and in Markdown.
func TestThePlanToChooseStandsOut(t *testing.T) {
	a := study.Advice{Plans: []study.PlanAdvice{{Name: "one"}, {Name: "two"}}, Best: []string{"two", "one"}}
	for _, out := range []page{{width: 40}, {width: 80}, {width: 200}, {}, {markdown: true}} {
		var text bytes.Buffer
		out.out, out.coloured = &text, !out.markdown
		out.table(adviceTable(a))
		want, other := "\x1b[32mtwo", "\x1b[32mone"
		if out.markdown {
			want, other = "| **two** |", "| **one** |"
		}
		if !strings.Contains(text.String(), want) || strings.Contains(text.String(), other) {
			t.Errorf("at %d: %q", out.width, &text)
		}
	}
}
