package rehearsal

import (
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/statemachine"
)

// sdkClients are those of AWS that each function is to link, beside ofTheConfig:
// what is linked is initialized at every start, used or not. With all of them in
// each, a start took half as long again. Each reads or writes the alias (lambda),
// and links cloudwatch with package health, in whose words tasks talk of alarms.
var sdkClients = map[string][]string{
	"CalculateWeights": {"lambda", "cloudwatch", "sfn"},
	"UpdateAlias":      {"lambda", "sns", "eventbridge"},                                        // it notifies of steps
	"HealthCheck":      {"lambda", "cloudwatch", "sns", "eventbridge", "ssm", "secretsmanager"}, // and reads orders, and endpoints' secrets
	"Rollback":         {"lambda", "sns", "eventbridge", "sfn"},                                 // and notifies of ends, which it looks up
	"Finalize":         {"lambda"},
	"SimpleDeploy":     {"lambda", "cloudwatch", "sns", "eventbridge", "ssm", "secretsmanager"}, // it does all of them but the lookup
}

const blogs = `{"function-name": "MyFunction", "alias-name": "MyAlias", "new-version": "2", "steps": 10, "interval": 120, "type": "linear"}`

// TestRolloutsByTheDeployedExecutables carries out rollouts by the functions'
// executables as processes. Everything must be as it is when the same code runs
// in this one.
func TestRolloutsByTheDeployedExecutables(t *testing.T) {
	t.Parallel()
	stage := newStage(t)
	for _, f := range statemachine.Functions() {
		stage.add(t, f.Name, f.Package, sdkClients[f.Name])
	}
	for _, test := range []struct {
		name, input, scenario string
		want                  Outcome
		replayed              []string // by which functions, to see how fast they are
	}{
		{"healthy", blogs, "healthy", Promoted, []string{"CalculateWeights", "UpdateAlias", "HealthCheck", "Finalize"}},
		{"errors", blogs, "errors", RolledBack, nil},
		{"stopped", blogs, "stopped", Stopped, []string{"Rollback"}},
		{"a hook that is not there", strings.Replace(blogs, `"type"`, `"hooks": {"pre-traffic": ["hook"]}, "type"`, 1), "healthy", RolledBack, nil},
		{"wrong input", `{"function-name": "MyFunction"}`, "healthy", Refused, nil},
	} {
		options := Options{Input: []byte(test.input), Seed: 1}
		options.Scenario, _ = LoadBuiltIn(test.scenario)
		want, err := Run(options)
		if err != nil {
			t.Fatal(err)
		}
		if want.Outcome != test.want || test.want == Refused && want.Error != "InvalidRequest" {
			t.Errorf("%s: %s with %s because of %s", test.name, want.Outcome, want.Error, want.Reason)
		}
		options.adjust = stage.enter
		stage.same(t, test.name, options, want)
		for _, name := range test.replayed {
			stage.replay(t, name)
		}
	}
	stage.crashes(t)
	for _, f := range statemachine.Functions() {
		stage.print(t, f.Name)
	}
}

// same carries out a rollout by the processes, which must go as it is wanted. A
// call that took too long in real time, as on a machine that is busy with
// something else, is no difference of theirs: then it is carried out again.
func (s *stage) same(t *testing.T, name string, o Options, want Result) {
	t.Helper()
	for attempt := 1; ; attempt++ {
		got, err := Run(o)
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, s.output())
		}
		diff := cmp.Diff(want, got, withoutRequestIDs)
		if diff == "" {
			return
		}
		if attempt == 3 || !tookTooLong(got) {
			t.Fatalf("%s (-in this process +by processes): %s\n%s", name, diff, s.output())
		}
		t.Logf("%s is carried out again, as a call took too long: %s", name, diff)
	}
}

// tookTooLong reports whether a task met a limit in real time.
func tookTooLong(r Result) bool {
	return slices.ContainsFunc(r.Lines, func(l Entry) bool {
		return l.Error == "Sandbox.Timedout" || strings.Contains(l.Text, "deadline exceeded") || strings.Contains(l.Text, "no answer within")
	})
}

var requestIDs = regexp.MustCompile(`RequestID: [-0-9a-f]+`)

// withoutRequestIDs compares texts by all but the IDs of calls, which are
// numbered as they come.
var withoutRequestIDs = cmp.Transformer("text", func(text string) string {
	return requestIDs.ReplaceAllString(text, "RequestID")
})

// crashes ends HealthCheck's process in the middle of a check: the workflow
// tries again, in another process.
func (s *stage) crashes(t *testing.T) {
	t.Helper()
	check := s.instances[functionARN("HealthCheck")]
	before := check.PID()
	options := Options{Input: []byte(blogs), Seed: 1, adjust: func(r *run) {
		s.enter(r)
		r.before = func(operation string) {
			if operation == "GetMetricData" && check.PID() == before {
				process, err := os.FindProcess(before)
				if err := errors.Join(err, process.Kill()); err != nil {
					t.Error(err)
				}
			}
		}
	}}
	options.Scenario, _ = LoadBuiltIn("healthy")
	r, err := Run(options)
	if err != nil {
		t.Fatal(err)
	}
	crashes := 0
	for _, line := range r.Lines {
		if line.State == "HealthCheck" && line.Error == "Runtime.ExitError" {
			crashes++
		}
	}
	if crashes != 1 || r.Outcome != Promoted {
		t.Errorf("after %d crashes it is %s because of %s", crashes, r.Outcome, r.Reason)
	}
}
