package rehearsal_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
)

var update = flag.Bool("update", false, "write what is seen into the scenario files")

const blogInput = `{
  "function-name": "MyFunction",
  "alias-name": "MyAlias",
  "new-version": "2",
  "steps": 10,
  "interval" : 120,
  "type": "linear"
}
`

// rehearse runs a rollout in a built-in scenario.
func rehearse(t testing.TB, input, scenario string, change func(*rehearsal.Options)) rehearsal.Result {
	t.Helper()
	world, ok := rehearsal.LoadBuiltIn(scenario)
	if !ok {
		t.Fatalf("there is no scenario %s", scenario)
	}
	options := rehearsal.Options{Input: []byte(input), Scenario: world, Seed: 1}
	if change != nil {
		change(&options)
	}
	result, err := rehearsal.Run(options)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// TestScenarioFiles rehearses each file in testdata: an input, a scenario, and
// what is to be seen. `go test -update` writes what is seen.
func TestScenarioFiles(t *testing.T) {
	for _, file := range rehearsal.ScenarioFiles(t) {
		t.Run(file.Name(), func(t *testing.T) {
			result, err := rehearsal.Run(file.Options)
			if err != nil {
				t.Fatal(err)
			}
			seen := describe(result)
			if *update {
				for i := range file.Archive.Files {
					if file.Archive.Files[i].Name == "seen" {
						file.Archive.Files[i].Data = []byte(seen)
					}
				}
				if err := os.WriteFile(file.Path, txtar.Format(file.Archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(file.Seen, seen); diff != "" && !*update {
				t.Error(diff)
			}
		})
	}
}

// describe says what a reviewer looks at: the outcome, the alias, and the path
// with what was decided on it.
func describe(r rehearsal.Result) string {
	var text strings.Builder
	fmt.Fprintf(&text, "outcome: %s\n", r.Outcome)
	if r.Error != "" {
		fmt.Fprintf(&text, "error: %s\n", r.Error)
	}
	fmt.Fprintf(&text, "reason: %s\n", strings.ReplaceAll(r.Reason, "\n", "\n  "))
	if r.AliasAfter != nil {
		fmt.Fprintf(&text, "alias: %s\n", alias.Routing{Version: r.AliasAfter.Version, Weights: r.AliasAfter.Weights})
	}
	if len(r.Provisioned) > 0 {
		fmt.Fprintf(&text, "provisioned: %v\n", r.Provisioned)
	}
	fmt.Fprintf(&text, "told: %s\n", strings.Join(r.Notified, ", "))
	for i := 0; i < len(r.Path); {
		n := repeats(r.Path[i:])
		switch {
		case n > 1:
			fmt.Fprintf(&text, "  %d × %s\n", n, strings.Join(r.Path[i:i+3], ", "))
			i += 3 * n
		default:
			fmt.Fprintf(&text, "  %s\n", r.Path[i])
			i++
		}
	}
	return requestIDs.ReplaceAllString(text.String(), "RequestID: …")
}

// requestIDs are numbered through all calls, and no reviewer looks at them.
var requestIDs = regexp.MustCompile(`RequestID: [0-9a-f-]+`)

// repeats counts how often the first three states come again in a row.
func repeats(path []string) int {
	n := 0
	for len(path) >= 3*(n+1) && path[0] == path[3*n] && path[1] == path[3*n+1] && path[2] == path[3*n+2] {
		n++
	}
	return n
}

func TestTheBlogsExampleIsPromotedInTwentyMinutes(t *testing.T) {
	r := rehearse(t, blogInput, "healthy", nil)
	var weights []float64
	for _, line := range r.Lines {
		if line.State == "UpdateAlias" {
			weights = append(weights, line.Weight)
		}
	}
	if diff := cmp.Diff([]float64{.1, .2, .3, .4, .5, .6, .7, .8, .9, 1}, weights); diff != "" {
		t.Error(diff)
	}
	if r.Outcome != rehearsal.Promoted || r.Seconds != 20*60 {
		t.Errorf("%s after %v s", r.Outcome, r.Seconds)
	}
	if diff := cmp.Diff(&rehearsal.AliasState{Version: "2", Description: "Rehearsed"}, r.AliasAfter); diff != "" {
		t.Error(diff)
	}
}

// TestTheHistoryIsCountedExactly compares what the tasks count of it with the
// history of rollouts, with and without retries.
func TestTheHistoryIsCountedExactly(t *testing.T) {
	for _, scenario := range []string{"healthy", "throttled"} {
		r := rehearse(t, blogInput, scenario, nil)
		var end rollout.State
		if err := json.Unmarshal(r.Output, &end); err != nil {
			t.Fatal(err)
		}
		failures := 0
		for _, line := range r.Lines {
			if line.Error != "" && (line.State == "CalculateWeights" || line.State == "Finalize") {
				failures++ // those two don't count: they are once
			}
		}
		if counted := end.Progress.Events + rollout.EventsOfEnd + int64(3*failures); counted != r.Events {
			t.Errorf("%s: counted %d events, there were %d", scenario, counted, r.Events)
		}
	}
}

// TestAMonthOfHourlyChecks is the longest rollout in the documentation.
func TestAMonthOfHourlyChecks(t *testing.T) {
	t.Parallel()
	r := rehearse(t, `{"function-name": "f", "alias-name": "live", "new-version": "2", "steps": 30, "interval": 86400, "check-interval": 3600}`, "healthy", nil)
	if r.Outcome != rehearsal.Promoted || r.Seconds != 30*86400 {
		t.Errorf("%s after %v s: %s", r.Outcome, r.Seconds, r.Reason)
	}
	if checks := count(r.Path, "HealthCheck"); checks != 720 {
		t.Errorf("%d checks", checks)
	}
}

func count(path []string, state string) int {
	n := 0
	for _, name := range path {
		if name == state {
			n++
		}
	}
	return n
}

// TestTheErrorsScenarioIsSeenInTheFirstStep and what it cost until then.
func TestTheErrorsScenarioIsSeenInTheFirstStep(t *testing.T) {
	r := rehearse(t, blogInput, "errors", nil)
	if r.Seconds > 120 || r.Lines[len(r.Lines)-1].Step != 1 {
		t.Errorf("rolled back after %v s", r.Seconds)
	}
	if r.BadRequests == 0 || r.BadRequests != r.Served["2"].Errors {
		t.Errorf("%d bad requests, served %+v", r.BadRequests, r.Served)
	}
}

// TestARehearsedRollbackSaysWhereTheAliasIs without repeating the readings.
func TestARehearsedRollbackSaysWhereTheAliasIs(t *testing.T) {
	r := rehearse(t, `{"function-name": "f", "alias-name": "live", "new-version": "8", "type": "custom", "weights": [0.5, 1], "interval": 60, "approval": {"before-weights": [1], "timeout": 120}}`, "healthy", nil)
	var said []string
	for _, line := range r.Lines {
		if line.State == "Rollback" {
			said = append(said, line.Text)
		}
	}
	want := []string{"Rolled back at 50%: 100% on version 8 was not approved in time. Alias live of f is back on version 7."}
	if diff := cmp.Diff(want, said); diff != "" {
		t.Error(diff)
	}
}

// TestTheNewVersionNeverGetsMoreThanItsWeight follows every change of the alias.
func TestTheNewVersionNeverGetsMoreThanItsWeight(t *testing.T) {
	r := rehearse(t, blogInput, "throttled", nil)
	last := 0.0
	for _, line := range r.Lines {
		if line.Weight < last || line.Weight > float64(line.Step)/10+1e-9 {
			t.Errorf("at %v s, in step %d, the weight is %v after %v", line.At, line.Step, line.Weight, last)
		}
		last = line.Weight
	}
}

func TestTheSameSeedGivesTheSameRehearsal(t *testing.T) {
	for _, listen := range []string{"", "127.0.0.1:0"} {
		change := func(o *rehearsal.Options) { o.Listen = listen }
		if diff := cmp.Diff(rehearse(t, blogInput, "throttled", nil), rehearse(t, blogInput, "throttled", change), ignoreAddresses); diff != "" {
			t.Errorf("listening on %q: %s", listen, diff)
		}
	}
	other := rehearse(t, blogInput, "throttled", func(o *rehearsal.Options) { o.Seed = 2 })
	if cmp.Equal(rehearse(t, blogInput, "throttled", nil), other) {
		t.Error("another seed gives the same")
	}
}

// ignoreAddresses compares lines by what they say but for the text of an
// attempt that failed, which names the address of the local AWS.
var ignoreAddresses = cmp.Transformer("text", func(l rehearsal.Entry) rehearsal.Entry {
	if l.Error != "" {
		l.Text = ""
	}
	return l
})

func TestOnlyLoopbackIsListenedOn(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", ":8080", "192.0.2.1:80", "somewhere"} {
		_, err := rehearsal.Run(rehearsal.Options{Input: []byte(blogInput), Listen: address})
		if err == nil {
			t.Errorf("listens on %s", address)
		}
	}
}

func TestBadScenariosAreRefused(t *testing.T) {
	for _, test := range []struct{ scenario, want string }{
		{`[]`, "the scenario is not valid"},
		{`{} {}`, "line 1, column 4"},
		{`{"request-per-second": 1}`, "request-per-second"},
		{`{"requests-per-second": -1, "metric-delay": -2, "baseline": {"error-rate": 1.5}}`, "requests-per-second must be a number from 0 to 1000000; given: -1\nmetric-delay"},
		{`{"changes": [{"new-version": {"error-rate": 1}}]}`, "changes[0] must have either after or after-share"},
		{`{"changes": [{"after": 1, "after-share": 0.5}]}`, "changes[0] must have either after or after-share"},
		{`{"changes": [{"after": 60}]}`, "changes[0] must change something"},
		{`{"changes": [{"after": 60, "alias": {"weight": 7}}]}`, "changes[0].alias.weight must be a number from 0 to 1"},
		{`{"changes": [{"after": 60, "baseline": {"errors": 7}}]}`, "changes[0].baseline.errors is not a known field"},
		{`{"faults": [{"operation": "UpdateAllias", "kind": "throttled"}]}`, "UpdateAllias"},
		{`{"faults": [{"task": "UpdateAllias", "kind": "inactive"}]}`, `faults[0].task must be one of *, CalculateWeights, UpdateAlias, HealthCheck, Rollback, Finalize, PlanRelease, CheckRelease, RevertRelease (did you mean "UpdateAlias"?)`},
		{`{"faults": [{"task": "UpdateAlias", "operation": "GetAlias", "kind": "inactive"}]}`, "faults[0] must have either an operation"},
		{`{"faults": [{"task": "*", "kind": "throttled"}]}`, "faults[0].kind must be one of inactive, out-of-memory"},
		{`{"faults": [{"task": "*", "kind": "inactive", "count": -1}]}`, "faults[0].count must be a whole number"},
		{`{"faults": [{"operation": "GetAlias", "kind": "inactive"}]}`, "faults[0].kind must be one of throttled"},
		{`{"faults": [{"operation": "UpdateAlias", "kind": "sleepy"}]}`, "sleepy"},
	} {
		_, err := rehearsal.ParseScenario([]byte(test.scenario))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", test.scenario, err)
		}
	}
}
