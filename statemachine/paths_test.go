package statemachine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
	"github.com/lambda-rollout/lambda-rollout/statemachine"
	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
)

// machine is the definition with each task's ARN replaced by its name.
func machine(t *testing.T) *asl.Definition {
	t.Helper()
	text, err := asl.Substitute(statemachine.Definition, statemachine.Substitutions("aws", func(f statemachine.Function) string {
		return "arn:aws:lambda:eu-central-1:123456789012:function:" + f.Name
	}))
	if err != nil {
		t.Fatal(err)
	}
	definition, err := asl.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return definition
}

// script answers each task in turn: with a decision, which is what the
// workflow looks at, or with an error's name ("!Throttled").
type script map[string][]string

// play runs the workflow on a script. A task whose answers have run out goes
// on with its last one.
func play(t *testing.T, s script) (asl.History, asl.Result) {
	t.Helper()
	for _, answers := range s {
		for _, answer := range answers {
			if name, failed := strings.CutPrefix(answer, "!"); failed && !strings.Contains(name, ".") && !slices.Contains(task.ErrorNames(), name) {
				t.Fatalf("no task ends with an error of the name %s", name)
			}
		}
	}
	clock := asl.NewClock(time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC))
	calls := map[string]int{}
	var history asl.History
	execution, err := machine(t).Start(asl.Options{
		Clock: clock,
		StartExecution: func(start asl.StartExecution) (*asl.Execution, error) {
			if err := errors.Join(sameMachine(start), sameInput(start.Input)); err != nil {
				return nil, err
			}
			calls["Continue"]++
			answers := s["Continue"]
			answer := answers[min(calls["Continue"], len(answers))-1]
			if errorName, refused := strings.CutPrefix(answer, "!"); refused {
				return nil, &asl.TaskError{Name: errorName, Cause: "Continue"}
			}
			return part(clock, answer)
		},
		StateMachineARN: machineARN,
		Input:           json.RawMessage(`{"function-name": "f"}`),
		Invoke: func(_ context.Context, resource string, input json.RawMessage) (json.RawMessage, error) {
			name := arn.Name(resource)
			if strings.Contains(string(input), `"phase":"allocate"`) {
				name = "Allocate"
			}
			answers := s[name]
			answer := map[string]string{"CalculateWeights": "shift", "Allocate": "shift", "Finalize": "promoted"}[name]
			if len(answers) > 0 {
				answer = answers[min(calls[name], len(answers)-1)]
			}
			calls[name]++
			if errorName, failed := strings.CutPrefix(answer, "!"); failed {
				return nil, &asl.TaskError{Name: errorName, Cause: fmt.Sprintf(`{"errorMessage":"%s said \"no\"","errorType":%q}`, name, errorName)}
			}
			return fmt.Appendf(nil, `{"plan": {"undo": "aws lambda undo"}, "begin": %[1]q, "progress": {"wait": 60, "continuation": "part"}, "health": {"decision": %[1]q}, "outcome": {"result": %[1]q, "error": "Unhealthy", "reason": "it was bad"}}`, answer), nil
		},
		OnEvent: history.Record,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := clock.Run(); err != nil {
		t.Fatal(err)
	}
	return history, execution.Result()
}

// part is an execution that the rollout goes on in, and that ends with a
// decision, or fails.
func part(clock *asl.Clock, ending string) (*asl.Execution, error) {
	text := fmt.Sprintf(`{"StartAt": "End", "States": {"End": {"Type": "Pass", "Result": {"health": {"decision": %q}, "progress": {"continuation": "part"}}, "End": true}}}`, ending)
	if ending == "fail" {
		text = `{"StartAt": "End", "States": {"End": {"Type": "Fail", "Error": "Unhealthy", "Cause": "it was bad"}}}`
	}
	definition, err := asl.Parse([]byte(text))
	if err != nil {
		return nil, err
	}
	return definition.Start(asl.Options{Clock: clock, Invoke: func(context.Context, string, json.RawMessage) (json.RawMessage, error) { return nil, nil }})
}

// sameMachine and sameInput check that a rollout goes on in its own machine,
// with its whole state.
func sameMachine(start asl.StartExecution) error {
	if start.StateMachineARN != machineARN || start.Name != "part" {
		return fmt.Errorf("goes on in %s as %q", start.StateMachineARN, start.Name)
	}
	return nil
}

func sameInput(input json.RawMessage) error {
	var in struct {
		Continue  map[string]any `json:"continue"`
		StartedBy string         `json:"AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID"`
	}
	if err := json.Unmarshal(input, &in); err != nil {
		return err
	}
	if in.Continue["progress"] == nil || in.StartedBy == "" {
		return fmt.Errorf("goes on with %s", input)
	}
	return nil
}

const machineARN = "arn:aws:states:eu-central-1:123456789012:stateMachine:lambda-rollout"

// TestPaths runs the workflow on every kind of answer that its tasks can give:
// the states it passes, and what it ends with.
func TestPaths(t *testing.T) {
	const (
		begin  = "CalculateWeights Begin UpdateAlias Wait HealthCheck Decide "
		failed = " | RollbackFailed: Manual action needed: the alias may still send traffic to the new version. Put it back with: aws lambda undo (The last error was: "
	)
	for _, test := range []struct {
		name   string
		script script
		want   string
	}{
		{"promoted", script{"HealthCheck": {"watch", "advance", "promote"}},
			begin + "Wait HealthCheck Decide UpdateAlias Wait HealthCheck Decide Finalize Allocated Promoted"},
		{"rolled back", script{"HealthCheck": {"roll-back"}},
			begin + "Rollback Restored Rolled back | Unhealthy: it was bad"},
		{"a decision that is not known", script{"HealthCheck": {"dance"}},
			begin + "Rollback Restored Rolled back | Unhealthy: it was bad"},
		{"refused", script{"CalculateWeights": {"!InvalidRequest"}},
			`CalculateWeights Explain refusal Refused | InvalidRequest: CalculateWeights said "no"`},
		{"refused by preflight", script{"CalculateWeights": {"!VersionNotReady"}},
			`CalculateWeights Explain refusal Refused | VersionNotReady: CalculateWeights said "no"`},
		{"nothing to do", script{"CalculateWeights": {"unchanged"}},
			"CalculateWeights Begin Unchanged"},
		{"a beginning that is not known", script{"CalculateWeights": {"dance"}},
			"CalculateWeights Begin Rollback Restored Rolled back | Unhealthy: it was bad"},
		{"another rollout was first", script{"UpdateAlias": {"!RolloutUnderWay"}},
			`CalculateWeights Begin UpdateAlias Explain refusal Refused | RolloutUnderWay: UpdateAlias said "no"`},
		{"going on in other executions", script{"HealthCheck": {"hand-over"}, "Continue": {"hand-back", "hand-back", "promote"}},
			begin + "Continue Continued Continue Continued Continue Continued Promoted"},
		{"rolled back in another execution", script{"HealthCheck": {"hand-over"}, "Continue": {"hand-back", "fail"}},
			begin + "Continue Continued Continue Rollback Restored Rolled back | Unhealthy: it was bad"},
		{"an end of another execution that is not known", script{"HealthCheck": {"hand-over"}, "Continue": {"watch"}},
			begin + "Continue Continued Rollback Restored Rolled back | Unhealthy: it was bad"},
		{"in another execution", script{"CalculateWeights": {"watch"}, "HealthCheck": {"hand-back"}},
			"CalculateWeights Begin Wait HealthCheck Decide Handed back"},
		{"promoted after all", script{"HealthCheck": {"promote"}, "Finalize": {"!ServiceUnavailable"}, "Rollback": {"promoted"}},
			begin + "Finalize Rollback Restored Promoted"},
		{"refused for lack of access", script{"CalculateWeights": {"!AccessDenied"}},
			`CalculateWeights Explain refusal Refused | AccessDenied: CalculateWeights said "no"`},
		{"a start that can't be had", script{"CalculateWeights": {"!Throttled"}},
			`CalculateWeights Explain failed start Name failed start Not started | Throttled: This execution could not start, and nothing was changed. The last error was: {"Error":"Throttled","Cause":"{\"errorMessage\":\"CalculateWeights said \\\"no\\\"\",\"errorType\":\"Throttled\"}"}`},
		{"a start that times out", script{"CalculateWeights": {"!States.Timeout"}},
			`CalculateWeights Explain failed start Name failed start Name timeout Not started | TimedOut: This execution could not start, and nothing was changed. The last error was: {"Error":"States.Timeout","Cause":"{\"errorMessage\":\"CalculateWeights said \\\"no\\\"\",\"errorType\":\"States.Timeout\"}"}`},
		{"a start without the permission to call", script{"CalculateWeights": {"!States.Permissions"}},
			`CalculateWeights Explain failed start Name failed start Name by its ending Not started | NotStarted: This execution could not start, and nothing was changed. The last error was: {"Error":"States.Permissions","Cause":"{\"errorMessage\":\"CalculateWeights said \\\"no\\\"\",\"errorType\":\"States.Permissions\"}"}`},
		{"retried", script{"CalculateWeights": {"!Throttled", "shift"}, "UpdateAlias": {"!ServiceUnavailable", "!States.Timeout", ""}, "HealthCheck": {"!Lambda.Unknown", "promote"}, "Finalize": {"!Throttled", "promoted"}},
			begin + "Finalize Allocated Promoted"},
		{"functions of ours that are idle, or die", script{"CalculateWeights": {"!Lambda.ResourceNotReadyException", "shift"}, "UpdateAlias": {"!Lambda.CodeArtifactUserPendingException", "!Sandbox.Timedout", ""}, "HealthCheck": {"!Runtime.OutOfMemory", "promote"}, "Finalize": {"!Lambda.NameOfNextYearException", "!Unexpected", "promoted"}},
			begin + "Finalize Allocated Promoted"},
		{"provisioned concurrency of the alias", script{"HealthCheck": {"promote"}, "Finalize": {"allocating", "allocating", "promoted"}},
			begin + "Finalize Allocated Wait for allocation Finalize Allocated Wait for allocation Finalize Allocated Promoted"},
		{"provisioned concurrency that can't be had", script{"HealthCheck": {"promote"}, "Finalize": {"allocating", "!AllocationFailed"}},
			begin + "Finalize Allocated Wait for allocation Finalize Rollback Restored Rolled back | Unhealthy: it was bad"},
		{"a promotion whose answers were all lost, with provisioned concurrency", script{"HealthCheck": {"promote"}, "Finalize": {"!AccessDenied", "promoted"}, "Rollback": {"allocating"}},
			begin + "Finalize Rollback Restored Wait for allocation Finalize Allocated Promoted"},
		{"an end of the promotion that is not known", script{"HealthCheck": {"promote"}, "Finalize": {"dance"}},
			begin + "Finalize Allocated Rollback Restored Rolled back | Unhealthy: it was bad"},
		{"provisioned concurrency that moves", script{"CalculateWeights": {"allocate"}, "Allocate": {"allocating", "shift"}, "HealthCheck": {"promote"}},
			"CalculateWeights Begin Allocate Begin Wait to begin Allocate Begin UpdateAlias Wait HealthCheck Decide Finalize Allocated Promoted"},
		{"provisioned concurrency before hooks", script{"CalculateWeights": {"allocate"}, "Allocate": {"!Throttled", "pre-traffic"}, "HealthCheck": {"advance", "promote"}},
			"CalculateWeights Begin Allocate Begin PreTraffic Decide UpdateAlias Wait HealthCheck Decide Finalize Allocated Promoted"},
		{"provisioned concurrency that can't be moved", script{"CalculateWeights": {"allocate"}, "Allocate": {"!AllocationFailed"}},
			"CalculateWeights Begin Allocate Rollback Restored Rolled back | Unhealthy: it was bad"},
		{"another rollout was first to allocate", script{"CalculateWeights": {"allocate"}, "Allocate": {"!RolloutUnderWay"}},
			`CalculateWeights Begin Allocate Explain refusal Refused | RolloutUnderWay: Allocate said "no"`},
		{"changed by another user before allocating", script{"CalculateWeights": {"allocate"}, "Allocate": {"!AliasChanged"}},
			`CalculateWeights Begin Allocate Explain changed alias Alias changed | AliasChanged: Allocate said "no"`},
		{"a shift that can't be done", script{"UpdateAlias": {"!ServiceUnavailable"}},
			"CalculateWeights Begin UpdateAlias Rollback Restored Rolled back | Unhealthy: it was bad"},
		{"a shift that is not allowed", script{"UpdateAlias": {"!AccessDenied"}},
			"CalculateWeights Begin UpdateAlias Rollback Restored Rolled back | Unhealthy: it was bad"},
		{"health that can't be read", script{"HealthCheck": {"!Throttled"}},
			"CalculateWeights Begin UpdateAlias Wait HealthCheck Rollback Restored Rolled back | Unhealthy: it was bad"},
		{"a broken health check", script{"HealthCheck": {"!Unexpected"}},
			"CalculateWeights Begin UpdateAlias Wait HealthCheck Rollback Restored Rolled back | Unhealthy: it was bad"},
		{"a promotion that can't be done", script{"HealthCheck": {"promote"}, "Finalize": {"!ServiceUnavailable"}},
			begin + "Finalize Rollback Restored Rolled back | Unhealthy: it was bad"},
		{"changed by another user before a shift", script{"UpdateAlias": {"!AliasChanged"}},
			`CalculateWeights Begin UpdateAlias Explain changed alias Alias changed | AliasChanged: UpdateAlias said "no"`},
		{"changed by another user before the promotion", script{"HealthCheck": {"promote"}, "Finalize": {"!AliasChanged"}},
			begin + `Finalize Explain changed alias Alias changed | AliasChanged: Finalize said "no"`},
		{"changed by another user before a rollback", script{"HealthCheck": {"roll-back"}, "Rollback": {"!AliasChanged"}},
			begin + `Rollback Explain changed alias Alias changed | AliasChanged: Rollback said "no"`},
		{"a rollback that takes its time", script{"HealthCheck": {"roll-back"}, "Rollback": {"!Throttled", "!AccessDenied", "!Unexpected", "!States.Timeout", ""}},
			begin + "Rollback Restored Rolled back | Unhealthy: it was bad"},
		{"a rollback that can't be done", script{"HealthCheck": {"roll-back"}, "Rollback": {"!Throttled"}},
			begin + "Rollback Explain failed rollback Rollback failed" + failed + `{"Error":"Throttled","Cause":"{\"errorMessage\":\"Rollback said \\\"no\\\"\",\"errorType\":\"Throttled\"}"})`},
	} {
		t.Run(test.name, func(t *testing.T) {
			history, result := play(t, test.script)
			got := strings.Join(history.Path(), " ")
			if result.Status != asl.Succeeded {
				got += " | " + result.Error + ": " + result.Cause
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestARollbackIsTriedForHalfAnHour bounds how long it takes until a person is
// called: not before half an hour, and within an hour.
func TestARollbackIsTriedForHalfAnHour(t *testing.T) {
	_, result := play(t, script{"HealthCheck": {"roll-back"}, "Rollback": {"!Throttled"}})
	if took := result.Stop.Sub(result.Start); took < 30*time.Minute || took > time.Hour {
		t.Errorf("gave up after %s", took)
	}
}
