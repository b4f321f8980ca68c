package rehearsal

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sfn"

	runtime "github.com/aws/aws-lambda-go/lambda"

	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// listener notes the statuses that EventBridge's events of executions' ends have,
// and answers in the cleanup's place: a failure would be delivered again.
type listener struct {
	runtime.Handler
	statuses []string
	swept    int // since the last of them
}

func (d *listener) Invoke(ctx context.Context, input []byte) ([]byte, error) {
	var event struct {
		Detail *struct{ Status string }
	}
	if json.Unmarshal(input, &event) == nil && event.Detail != nil {
		d.statuses, d.swept = append(d.statuses, event.Detail.Status), 0
		return []byte("[]"), nil
	}
	if strings.Contains(string(input), `"sweep"`) {
		d.swept++
	}
	return d.Handler.Invoke(ctx, input)
}

func TestARolloutThatIsRedriven(t *testing.T) {
	for name, changes := range map[string]string{
		"long after it was stopped":          `{"after": 330, "stop": true}, {"after": 1500, "redrive": true}`,
		"when all was settled":               `{"after": 330, "stop": true}, {"after": 90000, "redrive": true}`,
		"before its end is known":            `{"after": 330, "stop": true}, {"after": 330.5, "redrive": true}`,
		"at the instant it was stopped":      `{"after": 330, "stop": true, "redrive": true}`,
		"and stopped, and redriven, at once": `{"after": 330, "stop": true, "redrive": true}, {"after": 330, "stop": true, "redrive": true}`,
		"and stopped again":                  `{"after": 330, "stop": true}, {"after": 1500, "redrive": true}, {"after": 1510, "stop": true}`,
	} {
		t.Run(name, func(t *testing.T) {
			world, err := ParseScenario([]byte(`{"changes": [` + changes + `]}`))
			if err != nil {
				t.Fatal(err)
			}
			var r *run
			heard := &listener{}
			result, err := Run(Options{Input: []byte(blogPost), Scenario: world, Seed: 1, adjust: func(of *run) {
				r = of
				heard.Handler = r.machine.functions[functionARN("Rollback")]
				r.machine.functions[functionARN("Rollback")] = heard
			}})
			if err != nil {
				t.Fatal(err)
			}
			e := r.machine.executions[0]
			redrives := strings.Count(changes, "redrive")
			if got := e.Result(); got.Redrives != redrives || got.Status == "RUNNING" {
				t.Errorf("%d redrives, %s", got.Redrives, got.Status)
			}
			out, err := sfn.NewFromConfig(r.server.Config()).DescribeExecution(t.Context(), &sfn.DescribeExecutionInput{ExecutionArn: ptr(e.ARN())})
			if err != nil || int(*out.RedriveCount) != redrives || !out.RedriveDate.Equal(e.Result().Redriven) {
				t.Errorf("DescribeExecution says %v, %v: %v", out.RedriveCount, out.RedriveDate, err)
			}
			if len(heard.statuses) != redrives+1 || heard.statuses[0] != "ABORTED" || heard.statuses[redrives] != string(e.Status()) {
				t.Errorf("of %d ends EventBridge delivers %q", redrives+1, heard.statuses)
			}
			if e.endedBadly() && heard.swept < 2 {
				t.Errorf("after the last end it is swept %d times", heard.swept)
			}
			if len(result.AliasAfter.Weights) > 0 {
				t.Errorf("%s: the alias is left at %+v", result.Outcome, *result.AliasAfter)
			}
			if !slices.ContainsFunc(result.Lines, func(l Entry) bool {
				return l.State == "Wait" && strings.Contains(l.Text, "redriven (1): the execution continues here; it had been stopped at 0:05:30")
			}) {
				t.Error("nothing is said of it")
			}
		})
	}
}

func ptr[T any](v T) *T { return &v }

func TestARedriveInVain(t *testing.T) {
	for changes, want := range map[string]string{
		`{"after": 60, "redrive": true}`:                                    "the rollout can't be redriven: Execution is RUNNING and cannot be redriven",
		`{"after": 90000, "redrive": true}`:                                 "the rollout can't be redriven: Execution is SUCCEEDED and cannot be redriven",
		`{"after": 330, "stop": true}, {"after": 1300000, "redrive": true}`: "the rollout can't be redriven: Execution redrivable period exceeded",
	} {
		world, err := ParseScenario([]byte(`{"changes": [` + changes + `]}`))
		if err != nil {
			t.Fatal(err)
		}
		result, err := Run(Options{Input: []byte(blogPost), Scenario: world, Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(result.Lines, func(l Entry) bool { return strings.Contains(l.Text, want) }) {
			t.Errorf("%s: nothing says %q", changes, want)
		}
	}
	world, _ := ParseScenario([]byte(`{"changes": [{"after": 60, "redrive": true}]}`))
	if _, err := Run(Options{Input: []byte(blogPost), Scenario: world, Simple: true}); err == nil || !strings.Contains(err.Error(), "can't be redriven") {
		t.Errorf("by the one-function deployer: %v", err)
	}
}

// TestARolloutThatFailedFailsAgain holds to docs/control.md that a Fail state is
// entered again, and that nothing else happens to the alias.
func TestARolloutThatFailedFailsAgain(t *testing.T) {
	for name, test := range map[string]struct {
		input, scenario string
		outcome         Outcome
		path            string // since the redrive
	}{
		"rolled back": {blogPost, `{"new-version": {"error-rate": 0.5}, "changes": [{"after": 4000, "redrive": true}]}`, RolledBack, "Rolled back"},
		"refused":     {strings.Replace(blogPost, "linear", "lineal", 1), `{"changes": [{"after": 4000, "redrive": true}]}`, Refused, "Refused"},
	} {
		t.Run(name, func(t *testing.T) {
			world, err := ParseScenario([]byte(test.scenario))
			if err != nil {
				t.Fatal(err)
			}
			var writes int
			var before asl.Result
			var path []string
			result, err := Run(Options{Input: []byte(test.input), Scenario: world, Seed: 1, adjust: func(r *run) {
				onEvent := r.machine.onEvent
				r.machine.onEvent = func(e *execution, event asl.Event) {
					switch {
					case event.Type == asl.ExecutionRedriven:
						before.Error, before.Cause = e.end.Error, e.end.Cause
						path = []string{}
						r.after = func(c localaws.Call) {
							if c.Operation == "UpdateAlias" {
								writes++
							}
						}
					case path != nil && strings.HasSuffix(string(event.Type), "StateEntered"):
						path = append(path, event.State)
					}
					onEvent(e, event)
				}
			}})
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(path, ", "); result.Outcome != test.outcome || got != test.path {
				t.Errorf("%s, after the states %s", result.Outcome, got)
			}
			if result.Error != before.Error || result.Reason != before.Cause || writes > 0 {
				t.Errorf("it ends with %s: %s after %d writes, and ended with %s: %s", result.Error, result.Reason, writes, before.Error, before.Cause)
			}
		})
	}
}
