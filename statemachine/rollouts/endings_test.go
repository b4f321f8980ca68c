package rollouts_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/servedtest"
	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/terminal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rollouts"
)

var update = flag.Bool("update", false, "write what is seen into the golden files")

// golden compares a text with a file in testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs; -update writes it (-want +got):\n%s", path, diff)
	}
}

// clientOf returns a client for the rollouts of a served AWS.
func clientOf(t *testing.T, a *servedtest.AWS) *rollouts.Client {
	t.Helper()
	c, err := rollouts.Find(t.Context(), a.Config, a.StateMachine(), "")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// read reads a rollout at the time of the served AWS.
func read(t *testing.T, a *servedtest.AWS, name string) *rollouts.Rollout {
	t.Helper()
	r, err := clientOf(t, a).Read(t.Context(), name, a.Now())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// input returns a rollout's input of five steps of two minutes, with more fields.
func input(more string) string {
	return `{"function-name": "MyFunction", "alias-name": "MyAlias", "new-version": "2", "steps": 5, "interval": 120, "type": "linear"` + more + `}`
}

// ending is a rollout that is explained.
type ending struct {
	name, scenario, input string
	// then is what happens after the start; it advances the time. Nil lets half an hour pass.
	then func(a *servedtest.AWS, execution string)
	want rollouts.Outcome
}

// after returns what happens at a time, and lets half an hour pass after it.
func after(d time.Duration, do func(a *servedtest.AWS, execution string)) func(*servedtest.AWS, string) {
	return func(a *servedtest.AWS, execution string) {
		a.Advance(d)
		do(a, execution)
		a.Advance(30 * time.Minute)
	}
}

func order(word string) func(*servedtest.AWS, string) {
	return after(5*time.Minute, func(a *servedtest.AWS, execution string) {
		a.Order(rollout.ControlParameter("it"), word)
	})
}

var endings = []ending{
	{name: "promoted", want: rollouts.Promoted},
	{name: "unverified", scenario: `{"requests-per-second": 0}`, want: rollouts.Promoted},
	{name: "unchecked", input: input(`, "health-check": false`), want: rollouts.Promoted},
	{name: "unchanged", want: rollouts.Unchanged, then: func(a *servedtest.AWS, execution string) {
		a.Advance(30 * time.Minute)
		a.Begin("again", input(""))
		a.Advance(time.Minute)
	}},
	{name: "errors", scenario: `{"changes": [{"after": 300, "new-version": {"error-rate": 0.3}}]}`, want: rollouts.RolledBack},
	{name: "latency", scenario: `{"requests-per-second": 50, "changes": [{"after": 200, "new-version": {"duration": 2}}]}`, want: rollouts.RolledBack},
	{name: "no-traffic", scenario: `{"requests-per-second": 0}`, input: input(`, "health": {"on-no-traffic": "roll-back"}`), want: rollouts.RolledBack},
	{name: "refused", input: `{"function-name": "MyFunction", "alias-name": "MyAlias", "new-version": "$LATEST", "steps": 0, "interval": 1, "type": "linear"}`, want: rollouts.Refused},
	{name: "refused-forged", input: `{"function-name": "MyFunction", "plan": {"owner": "other", "steps": [{"weight": 1}]}, "progress": {"step": 9}}`, want: rollouts.Refused},
	{name: "not-started", scenario: `{"faults": [{"operation": "GetAlias", "kind": "throttled", "until": 3600}]}`, want: rollouts.NotStarted, then: func(a *servedtest.AWS, _ string) { a.Advance(time.Hour) }},
	{name: "waits", input: input(`, "approval": {"before-weights": [0.6]}`), want: rollouts.Running, then: func(a *servedtest.AWS, _ string) { a.Advance(7 * time.Minute) }},
	{name: "not-approved", input: input(`, "approval": {"before-weights": [0.6], "timeout": 300}`), want: rollouts.RolledBack},
	{name: "ordered", want: rollouts.RolledBack, then: order("roll-back")},
	{name: "promoted-by-order", want: rollouts.Promoted, then: order("promote")},
	{name: "stopped", want: rollouts.Stopped, then: after(5*time.Minute, func(a *servedtest.AWS, execution string) { a.Stop(execution, "Enough", "seen enough\x1b[2J") })},
	{name: "stopped-silently", want: rollouts.Stopped, then: func(a *servedtest.AWS, execution string) {
		a.Advance(5 * time.Minute)
		a.Stop(execution, "", "")
	}},
	{name: "alias-changed", want: rollouts.AliasChanged, then: after(5*time.Minute, func(a *servedtest.AWS, _ string) {
		_, err := lambda.NewFromConfig(a.Config).UpdateAlias(context.Background(), &lambda.UpdateAliasInput{FunctionName: aws.String("MyFunction"), Name: aws.String("MyAlias"), Description: aws.String("mine")})
		if err != nil {
			panic(err)
		}
	})},
	{name: "rollback-failed", scenario: `{"new-version": {"error-rate": 0.5, "duration": 0.1}, "faults": [{"operation": "UpdateAlias", "kind": "throttled", "from": 30}]}`, want: rollouts.RollbackFailed,
		then: func(a *servedtest.AWS, _ string) { a.Advance(3 * time.Hour) }},
	{name: "redriven", want: rollouts.RolledBack, then: after(5*time.Minute, func(a *servedtest.AWS, execution string) {
		a.Stop(execution, "", "")
		a.Advance(time.Minute)
		if _, err := sfn.NewFromConfig(a.Config).RedriveExecution(context.Background(), &sfn.RedriveExecutionInput{ExecutionArn: &execution}); err != nil {
			panic(err)
		}
	})},
	{name: "unreadable", scenario: `{"faults": [{"task": "HealthCheck", "kind": "inactive", "first": 2}]}`, want: rollouts.RolledBack, then: func(a *servedtest.AWS, _ string) { a.Advance(3 * time.Hour) }},
}

// TestEndings explains each ending of a rollout on a served AWS.
func TestEndings(t *testing.T) {
	for _, e := range endings {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			if e.scenario == "" {
				e.scenario = "{}"
			}
			if e.input == "" {
				e.input = input("")
			}
			a := servedtest.New(t, e.scenario)
			execution := a.Begin("it", e.input)
			if e.then == nil {
				e.then = func(a *servedtest.AWS, _ string) { a.Advance(30 * time.Minute) }
			}
			e.then(a, execution)
			name := "it"
			if e.want == rollouts.Unchanged {
				name = "again"
			}
			r := read(t, a, name)
			if r.Outcome != e.want {
				t.Errorf("the outcome is %s, want %s: %s", r.Outcome, e.want, r.Reason)
			}
			explained := r.Explain(a.Now()).Text()
			golden(t, e.name, pages(explained, 80))
			for width := 40; width <= 200; width += 20 {
				for _, page := range []*rollouts.Page{r.Text(a.Now()), explained} {
					fits(t, page, width)
				}
			}
		})
	}
}

// pages returns a page at some widths, with a line above each.
func pages(p *rollouts.Page, widths ...int) string {
	var text strings.Builder
	for _, width := range widths {
		fmt.Fprintf(&text, "%s\n%s\n", strings.Repeat("-", width), strings.Join(p.Lines(width, false), "\n"))
	}
	return text.String()
}

// fits checks that a page fits a width, and steers no terminal.
func fits(t *testing.T, p *rollouts.Page, width int) {
	t.Helper()
	for _, row := range p.Rows(width, false) {
		if terminal.Cells(row) > width {
			t.Errorf("at %d the row %q is wider", width, row)
		}
	}
	text := strings.Join(p.Lines(width, false), "\n")
	if i := strings.IndexFunc(text, func(r rune) bool { return r < ' ' && r != '\n' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == 0x202e }); i >= 0 {
		t.Errorf("at %d there is a control character in %q", width, text[max(0, i-20):min(len(text), i+20)])
	}
}

// TestWidths holds what a running rollout and one that was rolled back look like.
func TestWidths(t *testing.T) {
	a := servedtest.New(t, `{"changes": [{"after": 300, "new-version": {"error-rate": 0.3}}]}`)
	a.Begin("it", input(""))
	a.Advance(210 * time.Second)
	r := read(t, a, "it")
	golden(t, "running-widths", pages(r.Text(a.Now().Add(10*time.Second)), 40, 80, 200)+pages(r.Explain(a.Now()).Text(), 40, 80, 200))
	a.Advance(time.Hour)
	r = read(t, a, "it")
	golden(t, "rolled-back-widths", pages(r.Text(a.Now()), 40, 80, 200)+pages(r.Explain(a.Now()).Text(), 40, 80, 200))
}

func TestColoursRepeatWhatWordsSay(t *testing.T) {
	r := &rollouts.Rollout{Name: "it", Outcome: rollouts.RolledBack, Reason: "because"}
	coloured := strings.Join(r.Text(time.Time{}).Lines(80, true), "\n")
	if !strings.Contains(coloured, "\x1b[1;31mROLLED BACK\x1b[0m") {
		t.Errorf("without the colour of the outcome: %q", coloured)
	}
	for _, code := range []string{"\x1b[1;31m", "\x1b[2m", "\x1b[0m"} {
		coloured = strings.ReplaceAll(coloured, code, "")
	}
	if diff := cmp.Diff(r.Text(time.Time{}).Lines(80, false), strings.Split(coloured, "\n")); diff != "" {
		t.Errorf("the colours change the words (-without +with):\n%s", diff)
	}
}

// TestEveryGateIsExplained explains rollbacks by each gate, and by a reading that is
// inconclusive where it must pass.
func TestEveryGateIsExplained(t *testing.T) {
	for _, gate := range rollout.GateNames() {
		for _, status := range []rollout.Status{rollout.Fail, rollout.Inconclusive} {
			r := &rollouts.Rollout{
				Name: "it", Outcome: rollouts.RolledBack, Function: "F", Alias: "A", Baseline: "1", NewVersion: "2", Step: 1, Of: 2, Weight: 0.5, Checks: 3,
				Decision: rollout.RollBack, Cause: rollout.Unhealthy, Error: "AnyName", Reason: "any words",
				Gates: []rollouts.Gate{{Reading: rollout.Reading{Gate: gate, Status: status, Reason: "seen"}}, {Reading: rollout.Reading{Gate: "other", Status: rollout.Pass, Reason: "fine"}}},
			}
			why := r.Explain(time.Time{}).Why
			want := "- " + gate + " (" + map[rollout.Status]string{rollout.Fail: "fails", rollout.Inconclusive: "inconclusive"}[status] + "): seen"
			if !slices.Contains(why, want) || strings.Contains(strings.Join(why, "\n"), "AnyName") {
				t.Errorf("%s %s is explained by %q, want %q in it", gate, status, why, want)
			}
		}
	}
}
