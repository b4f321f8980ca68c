package rehearsal

import (
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lambda-rollout/lambda-rollout/statemachine"
)

// clients are those of AWS that each of the workflow's functions is to link:
// what is linked is initialized at each start, used or not.
var clients = map[string][]string{
	"CalculateWeights": {},
	"UpdateAlias":      {},
	"HealthCheck":      {},
	"Rollback":         {},
	"Finalize":         {},
}

const blogs = `{"function-name": "MyFunction", "alias-name": "MyAlias", "new-version": "2", "steps": 10, "interval": 120, "type": "linear"}`

// TestRolloutsByTheDeployedExecutables carries out rollouts by the functions'
// executables as processes. Everything must be as it is when the same code runs
// in this one.
func TestRolloutsByTheDeployedExecutables(t *testing.T) {
	stage := newStage(t)
	for _, f := range statemachine.Functions() {
		stage.add(t, f.Name, f.Package, clients[f.Name]...)
	}
	for _, test := range []struct {
		name, input, scenario string
		want                  Outcome
		replayed              []string // by which functions, to see how fast they are
	}{
		{"healthy", blogs, "healthy", Promoted, []string{"CalculateWeights", "UpdateAlias", "HealthCheck", "Finalize"}},
		{"errors", blogs, "errors", RolledBack, nil},
		{"stopped", blogs, "stopped", Stopped, []string{"Rollback"}},
		{"hooks and topics", strings.Replace(blogs, `"type"`, `"hooks": {"pre-traffic": ["hook"]}, "type"`, 1), "healthy", RolledBack, nil},
		{"wrong input", `{"function-name": "MyFunction"}`, "healthy", Refused, nil},
	} {
		options := Options{Input: []byte(test.input), Seed: 1}
		options.Scenario, _ = LoadBuiltIn(test.scenario)
		want, err := Run(options)
		if err != nil {
			t.Fatal(err)
		}
		options.adjust = stage.enter
		got, err := Run(options)
		if err != nil {
			t.Fatalf("%s: %v\n%s", test.name, err, stage.output())
		}
		if want.Outcome != test.want {
			t.Errorf("%s: %s because of %s", test.name, want.Outcome, want.Reason)
		}
		if diff := cmp.Diff(want, got, withoutRequestIDs); diff != "" {
			t.Errorf("%s (-in process +by processes): %s\n%s", test.name, diff, stage.output())
		}
		for _, name := range test.replayed {
			stage.replay(t, name)
		}
	}
	stage.crashes(t)
	stage.figures(t)
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
	failures := []string{}
	for _, line := range r.Lines {
		if line.Error != "" {
			failures = append(failures, line.State+" "+line.Error)
		}
	}
	if diff := cmp.Diff([]string{"HealthCheck Runtime.ExitError"}, failures); diff != "" || r.Outcome != Promoted {
		t.Errorf("after a crash it is %s because of %s; attempts that failed (-want +got): %s", r.Outcome, r.Reason, diff)
	}
}

// TestTheOneFunctionDeployersExecutable carries out the shortest rollouts by
// SimpleDeploy's executable, which sleeps in real time.
func TestTheOneFunctionDeployersExecutable(t *testing.T) {
	t.Parallel()
	_ = cmpopts.EquateEmpty
	_ = time.Second
}
