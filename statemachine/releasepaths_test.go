package statemachine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
	"github.com/lambda-rollout/lambda-rollout/lambdas/release"
	"github.com/lambda-rollout/lambda-rollout/statemachine"
	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
)

// releaseText is the definition of releases with each task's ARN replaced by its name.
func releaseText(partition string) string {
	text, err := asl.Substitute(statemachine.ReleaseDefinition, statemachine.SubstitutionsOf(statemachine.ReleaseFunctions(), partition, func(f statemachine.Function) string {
		return "arn:" + partition + ":lambda:eu-west-1:123456789012:function:" + f.Name
	}))
	if err != nil {
		panic(err)
	}
	return text
}

// playRelease runs the workflow of releases on a script, as play runs that of rollouts. An
// answer of CheckRelease is a decision, and a result behind a colon ("end:promoted").
func playRelease(t *testing.T, s script) (asl.History, asl.Result) {
	t.Helper()
	definition, err := asl.Parse([]byte(releaseText("aws")))
	if err != nil {
		t.Fatal(err)
	}
	known := append(knownErrors(t), "MyNewException")
	for _, answers := range s {
		for _, answer := range answers {
			if name, failed := strings.CutPrefix(answer, "!"); failed && !strings.Contains(name, ".") && !slices.Contains(known, name) {
				t.Fatalf("no task ends with an error of the name %s", name)
			}
		}
	}
	clock := asl.NewClock(time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC))
	calls := map[string]int{}
	next := func(name, otherwise string) string {
		answer := otherwise
		if answers := s[name]; len(answers) > 0 {
			answer = answers[min(calls[name], len(answers)-1)]
		}
		calls[name]++
		return answer
	}
	var history asl.History
	execution, err := definition.Start(asl.Options{
		Clock: clock, StateMachineARN: machineARN, Input: json.RawMessage(`{"release": "r"}`), OnEvent: history.Record,
		StartExecution: func(start asl.StartExecution) (*asl.Execution, error) {
			if err := sameMachine(start); err != nil {
				return nil, err
			}
			if err := sameInput(start.Input); err != nil {
				return nil, err
			}
			answer := next("Continue", "ended:promoted")
			if name, refused := strings.CutPrefix(answer, "!"); refused {
				return nil, &asl.TaskError{Name: name, Cause: "Continue"}
			}
			return releasePart(clock, answer)
		},
		Invoke: func(_ context.Context, resource string, input json.RawMessage) (json.RawMessage, error) {
			name := arn.Name(resource)
			if strings.Contains(string(input), `"phase":"members"`) {
				name = "PlanMembers"
			}
			answer := next(name, map[string]string{"PlanRelease": "plan", "PlanMembers": "check", "CheckRelease": "end:promoted"}[name])
			if errorName, failed := strings.CutPrefix(answer, "!"); failed {
				return nil, &asl.TaskError{Name: errorName, Cause: fmt.Sprintf(`{"errorMessage":"%s said \"no\"","errorType":%q}`, name, errorName)}
			}
			return releaseData(answer), nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := clock.Run(); err != nil {
		t.Fatal(err)
	}
	return history, execution.Result()
}

// releaseData is a state of a release with a decision, and a result behind a colon.
func releaseData(answer string) json.RawMessage {
	decision, result, _ := strings.Cut(answer, ":")
	return fmt.Appendf(nil, `{"begin": %[1]q, "progress": {"wait": 60, "continuation": "part"}, "health": {"decision": %[1]q}, "outcome": {"result": %[2]q, "error": "Unhealthy", "reason": "it was bad"}}`, decision, result)
}

// releasePart is an execution that continues a release, and that ends with data, or fails.
func releasePart(clock *asl.Clock, ending string) (*asl.Execution, error) {
	text := fmt.Sprintf(`{"StartAt": "End", "States": {"End": {"Type": "Pass", "Result": %s, "End": true}}}`, releaseData(ending))
	if ending == "fail" {
		text = `{"StartAt": "End", "States": {"End": {"Type": "Fail", "Error": "ReleaseNotChecked", "Cause": "it was bad"}}}`
	}
	definition, err := asl.Parse([]byte(text))
	if err != nil {
		return nil, err
	}
	return definition.Start(asl.Options{Clock: clock, Invoke: func(context.Context, string, json.RawMessage) (json.RawMessage, error) { return nil, nil }})
}

// TestPathsOfReleases runs the workflow of releases on every kind of answer that its tasks
// can give.
func TestPathsOfReleases(t *testing.T) {
	const (
		begin = "PlanRelease Begin PlanMembers Begin CheckRelease Decide "
		ends  = " Another execution, whose name begins with conclude-, ends it within minutes."
	)
	for _, test := range []struct {
		name   string
		script script
		want   string
	}{
		{"promoted", script{"CheckRelease": {"watch", "watch", "end:promoted"}}, begin + "Wait CheckRelease Decide Wait CheckRelease Decide End Promoted"},
		{"many members", script{"PlanMembers": {"plan", "plan", "check"}}, "PlanRelease Begin PlanMembers Begin PlanMembers Begin PlanMembers Begin CheckRelease Decide End Promoted"},
		{"nothing to do", script{"CheckRelease": {"end:unchanged"}}, begin + "End Unchanged"},
		{"rolled back", script{"CheckRelease": {"revert", "end:rolled-back"}}, begin + "RevertRelease Wait CheckRelease Decide End Rolled back | Unhealthy: it was bad"},
		{"split", script{"CheckRelease": {"revert", "revert", "end:split"}}, begin + "RevertRelease Wait CheckRelease Decide RevertRelease Wait CheckRelease Decide End Not together | Unhealthy: it was bad"},
		{"each for itself", script{"CheckRelease": {"end:partly-promoted"}}, begin + "End Not all promoted | Unhealthy: it was bad"},
		{"a beginning that is not known", script{"PlanRelease": {"dance"}}, "PlanRelease Begin CheckRelease Decide End Promoted"},
		{"ending another's release", script{"PlanRelease": {"check"}}, "PlanRelease Begin CheckRelease Decide End Promoted"},
		{"refused", script{"PlanRelease": {"!InvalidRequest"}}, `PlanRelease Explain refusal Refused | InvalidRequest: PlanRelease said "no"`},
		{"members refused", script{"PlanMembers": {"plan", "!MembersRefused"}}, `PlanRelease Begin PlanMembers Begin PlanMembers Explain refusal Refused | MembersRefused: PlanMembers said "no"`},
		{"a conclusion that is not needed", script{"PlanRelease": {"!NotConcluded"}}, `PlanRelease Explain refusal Refused | NotConcluded: PlanRelease said "no"`},
		{"a start that can't be had", script{"PlanRelease": {"!Throttled"}},
			`PlanRelease Explain failed start Not started | NotStarted: This release could not start, and nothing was changed. The last error was: {"Error":"Throttled","Cause":"{\"errorMessage\":\"PlanRelease said \\\"no\\\"\",\"errorType\":\"Throttled\"}"}`},
		{"members that can't be checked", script{"PlanMembers": {"!States.Timeout"}},
			`PlanRelease Begin PlanMembers Explain failed start Not started | NotStarted: This release could not start, and nothing was changed. The last error was: {"Error":"States.Timeout","Cause":"{\"errorMessage\":\"PlanMembers said \\\"no\\\"\",\"errorType\":\"States.Timeout\"}"}`},
		{"retried", script{"PlanRelease": {"!Throttled", "plan"}, "PlanMembers": {"!Lambda.Unknown", "check"}, "CheckRelease": {"!AccessDenied", "!States.Timeout", "revert", "end:rolled-back"}, "RevertRelease": {"!ServiceUnavailable", "!AccessDenied", ""}},
			begin + "RevertRelease Wait CheckRelease Decide End Rolled back | Unhealthy: it was bad"},
		{"a check that can't be done", script{"CheckRelease": {"!Throttled"}},
			`PlanRelease Begin PlanMembers Begin CheckRelease Explain failed check Not checked | ReleaseNotChecked: The release could not be checked any more.` + ends + ` The last error was: {"Error":"Throttled","Cause":"{\"errorMessage\":\"CheckRelease said \\\"no\\\"\",\"errorType\":\"Throttled\"}"}`},
		{"a reversal that can't be done", script{"CheckRelease": {"revert"}, "RevertRelease": {"!Throttled"}},
			begin + `RevertRelease Explain failed check Not checked | ReleaseNotChecked: The release could not be checked any more.` + ends + ` The last error was: {"Error":"Throttled","Cause":"{\"errorMessage\":\"RevertRelease said \\\"no\\\"\",\"errorType\":\"Throttled\"}"}`},
		{"a decision that is not known", script{"CheckRelease": {"dance"}}, begin + "Unknown decision Not checked | UnknownDecision: The release's data has an unknown decision." + ends},
		{"a result that is not known", script{"CheckRelease": {"end:dance"}}, begin + "End Unknown decision Not checked | UnknownDecision: The release's data has an unknown decision." + ends},
		{"a result that is missing", script{"CheckRelease": {"end"}}, begin + "End Unknown decision Not checked | UnknownDecision: The release's data has an unknown decision." + ends},
		{"going on in other executions", script{"CheckRelease": {"hand-over"}, "Continue": {"hand-back", "ended:promoted"}}, begin + "Continue Continued Continue Continued End Promoted"},
		{"rolled back in another execution", script{"CheckRelease": {"hand-over"}, "Continue": {"ended:rolled-back"}}, begin + "Continue Continued End Rolled back | Unhealthy: it was bad"},
		{"another execution that fails", script{"CheckRelease": {"hand-over", "end:rolled-back"}, "Continue": {"fail"}}, begin + "Continue Wait CheckRelease Decide End Rolled back | Unhealthy: it was bad"},
		{"an end of another execution that is not known", script{"CheckRelease": {"hand-over", "watch", "end:promoted"}, "Continue": {"dance"}}, begin + "Continue Continued CheckRelease Decide Wait CheckRelease Decide End Promoted"},
		{"in another execution", script{"PlanRelease": {"check"}, "CheckRelease": {"watch", "hand-back"}}, "PlanRelease Begin CheckRelease Decide Wait CheckRelease Decide Handed back"},
		{"a part, which waits first", script{"PlanRelease": {"watch"}, "CheckRelease": {"hand-back"}}, "PlanRelease Begin Wait CheckRelease Decide Handed back"},
		{"ended in another execution", script{"PlanRelease": {"check"}, "CheckRelease": {"ended:rolled-back"}}, "PlanRelease Begin CheckRelease Decide Handed back"},
	} {
		t.Run(test.name, func(t *testing.T) {
			history, result := playRelease(t, test.script)
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

// TestTheWorkflowKnowsEachWordOfReleases compares the words that the Choice states look for
// with those of package release.
func TestTheWorkflowKnowsEachWordOfReleases(t *testing.T) {
	for variable, words := range map[string][]string{
		"$.begin":           {string(release.BeginPlan), string(release.BeginWatch)}, // the default is to check
		"$.health.decision": {string(release.StepWatch), string(release.StepRevert), string(release.StepEnd), string(release.StepEnded), string(release.StepHandOver), string(release.StepHandBack)},
		"$.outcome.result":  {string(release.ResultPromoted), string(release.ResultUnchanged), string(release.ResultRolledBack), string(release.ResultSplit), string(release.ResultPartly)},
	} {
		got := map[string]bool{}
		for line := range strings.Lines(statemachine.ReleaseDefinition) {
			if _, rest, ok := strings.Cut(line, `{ "Variable": "`+variable+`", "StringEquals": "`); ok {
				word, _, _ := strings.Cut(rest, `"`)
				got[word] = true
			}
		}
		for _, word := range words {
			if !got[word] {
				t.Errorf("no Choice state looks for %s = %s", variable, word)
			}
			delete(got, word)
		}
		if len(got) > 0 {
			t.Errorf("of %s, no one writes %v", variable, got)
		}
	}
}
