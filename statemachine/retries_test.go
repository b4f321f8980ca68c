package statemachine_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
	"github.com/lambda-rollout/lambda-rollout/statemachine"
)

// handlers are the Retry and the Catch of a state.
type handlers struct {
	Resource string
	Retry    []struct {
		ErrorEquals                      []string
		IntervalSeconds, MaxDelaySeconds int
		MaxAttempts                      *int
		BackoffRate                      float64
		JitterStrategy                   string
	}
	Catch []struct {
		ErrorEquals []string
		Next        string
	}
}

func readHandlers(definition string) (map[string]handlers, error) {
	var machine struct{ States map[string]handlers }
	err := json.Unmarshal([]byte(definition), &machine)
	return machine.States, err
}

// retriedTypes are the error types of package task that are final in no state,
// and simpleTypes those that only the one-function deployer returns.
var (
	retriedTypes = []string{"ServiceUnavailable", "Throttled", "Unexpected"}
	simpleTypes  = []string{"RollbackFailed", "RolledBack", "TooLong"}
)

// TestWhatIsNotFinalIsRetried holds the workflow's Retry and Catch to task.Final,
// and both to the error types of package task.
func TestWhatIsNotFinalIsRetried(t *testing.T) {
	types := task.ErrorNames()
	if diff := cmp.Diff(slices.Sorted(slices.Values(errorTypes(t, "../lambdas/task"))), slices.Sorted(slices.Values(types))); diff != "" {
		t.Errorf("task.ErrorNames (-the package's types +listed): %s", diff)
	}
	if err := checkRetries(statemachine.Definition, types); err != nil {
		t.Error(err)
	}
	for name, broken := range map[string]string{
		"a final error is missing":     strings.Replace(statemachine.Definition, `["AllocationFailed", "AliasChanged", "AccessDenied", "Redriven"]`, `["AllocationFailed", "AliasChanged", "AccessDenied"]`, 1),
		"an error that is not final":   strings.Replace(statemachine.Definition, `["AccessDenied", "Redriven"]`, `["AccessDenied", "Redriven", "Throttled"]`, 1),
		"a list of what is retried":    strings.Replace(statemachine.Definition, `"ErrorEquals": ["States.ALL"],`+"\n          \"Int", `"ErrorEquals": ["Throttled"],`+"\n          \"Int", 1),
		"a final error that is tried":  strings.Replace(statemachine.Definition, `"MaxAttempts": 0`, `"MaxAttempts": 1`, 1),
		"a retry without jitter":       strings.Replace(statemachine.Definition, `"JitterStrategy": "FULL"`, `"JitterStrategy": "NONE"`, 1),
		"a catcher of a name unknown":  strings.Replace(statemachine.Definition, `{ "ErrorEquals": ["AliasChanged"], "Res`, `{ "ErrorEquals": ["AliasChange"], "Res`, 1),
		"a refusal that is no refusal": strings.Replace(statemachine.Definition, `{ "ErrorEquals": ["RolloutUnderWay", "VersionNotFound"], "Res`, `{ "ErrorEquals": ["RolloutUnderWay", "VersionNotFound", "VersionDeleted"], "Res`, 1),
		"a late refusal rolled back":   strings.Replace(statemachine.Definition, `{ "ErrorEquals": ["RolloutUnderWay", "VersionNotFound"], "Res`, `{ "ErrorEquals": ["RolloutUnderWay"], "Res`, 1),
		"a refusal that is not caught": strings.Replace(statemachine.Definition, `{ "ErrorEquals": ["InvalidRequest", `, `{ "ErrorEquals": [`, 1),
	} {
		if broken == statemachine.Definition || checkRetries(broken, types) == nil {
			t.Errorf("the check passes a workflow with %s", name)
		}
	}
	if checkRetries(statemachine.Definition, append(types, "NewError")) == nil {
		t.Error("the check passes an error type that is neither final nor retried")
	}
}

// checkRetries checks each state that calls a function, and that every error type
// is final in some state or retried in all.
func checkRetries(definition string, types []string) error {
	states, err := readHandlers(definition)
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for _, name := range slices.Concat(retriedTypes, simpleTypes) {
		known[name] = true
	}
	var wrong []error
	for name, state := range states {
		if !strings.HasSuffix(state.Resource, "Arn}") {
			continue
		}
		final := task.Final(name)
		for _, e := range final {
			if slices.Contains(retriedTypes, e) {
				wrong = append(wrong, fmt.Errorf("%s is said to be retried, and final in %s", e, name))
			}
			known[e] = true
		}
		if err := state.check(final); err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", name, err))
		}
	}
	slices.Sort(types)
	if diff := cmp.Diff(types, slices.Sorted(maps.Keys(known))); diff != "" {
		wrong = append(wrong, fmt.Errorf("error types (-package task +final or retried): %s", diff))
	}
	return errors.Join(wrong...)
}

// check holds the Retry and the Catch of a state to its final errors.
func (h handlers) check(final []string) error {
	slices.Sort(final)
	if len(h.Retry) != 2 {
		return fmt.Errorf("%d retriers, want that of the final errors and that of all others", len(h.Retry))
	}
	first, rest := h.Retry[0], h.Retry[1]
	if diff := cmp.Diff(final, slices.Sorted(slices.Values(first.ErrorEquals))); diff != "" || first.MaxAttempts == nil || *first.MaxAttempts != 0 {
		return fmt.Errorf("the final errors, which are not retried (-want +got): %s", diff)
	}
	if !slices.Equal(rest.ErrorEquals, []string{"States.ALL"}) || rest.MaxAttempts == nil || *rest.MaxAttempts < 8 ||
		rest.IntervalSeconds > 2 || rest.BackoffRate != 2 || rest.MaxDelaySeconds != 60 || rest.JitterStrategy != "FULL" {
		return fmt.Errorf("all others are retried as %+v", rest)
	}
	var refused []string // by the workflow: these end as Refused
	for _, c := range h.Catch {
		for _, name := range c.ErrorEquals {
			if name != "States.ALL" && !slices.Contains(final, name) {
				return fmt.Errorf("%s is caught, and is not final", name)
			}
		}
		if c.Next == "Explain refusal" {
			refused = append(refused, c.ErrorEquals...)
		}
	}
	want := slices.Clone(final)
	if slices.Contains(final, "Redriven") { // not before the first write: then another user's change and lack of access are no refusals
		want = slices.DeleteFunc(want, func(name string) bool {
			return !slices.Contains(task.Refusals(), name) || name == "AliasChanged" || name == "AccessDenied"
		})
	}
	if diff := cmp.Diff(want, slices.Sorted(slices.Values(refused)), cmpopts.EquateEmpty()); diff != "" {
		return fmt.Errorf("refusals (-final +caught): %s", diff)
	}
	return nil
}

// TestTheRunbookListsTheRefusals holds the runbook's table of refusals to package task.
func TestTheRunbookListsTheRefusals(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "docs", "runbook.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## Refusals\n")
	section, _, _ = strings.Cut(section, "\n#")
	var listed []string
	for line := range strings.Lines(section) {
		if cells := strings.Split(line, "|"); len(cells) > 2 {
			for i, part := range strings.Split(cells[1], "`") {
				if i%2 == 1 {
					listed = append(listed, part)
				}
			}
		}
	}
	if diff := cmp.Diff(slices.Sorted(slices.Values(task.Refusals())), slices.Sorted(slices.Values(listed))); diff != "" {
		t.Errorf("refusals (-package task +docs/runbook.md): %s", diff)
	}
}

// nestedRetries are the errors after which starting a nested execution is
// retried: StartExecution's transient errors, from the model of its API, and the
// errors that any call can end with, each by the names that AWS's integrations
// have given such errors. States.ALL and States.TaskFailed are not among them:
// they match the failure of the execution that was started.
var nestedRetries = []string{
	"StepFunctions.ThrottlingException", "StepFunctions.TooManyRequestsException", "StepFunctions.KmsThrottlingException",
	"StepFunctions.ExecutionLimitExceeded", "StepFunctions.ExecutionLimitExceededException",
	"StepFunctions.InternalFailure", "StepFunctions.InternalServerException",
	"StepFunctions.ServiceUnavailable", "StepFunctions.ServiceUnavailableException",
	"StepFunctions.AWSStepFunctionsException", "StepFunctions.SfnException", "StepFunctions.SdkClientException",
}

// TestAFailedPartIsNotStartedAgain looks at Continue's Retry, which has to name
// what it retries, and runs each of the names, and the failure of a part.
func TestAFailedPartIsNotStartedAgain(t *testing.T) {
	states, err := readHandlers(statemachine.Definition)
	if err != nil {
		t.Fatal(err)
	}
	if retry := states["Continue"].Retry; len(retry) != 1 || !slices.Equal(retry[0].ErrorEquals, nestedRetries) {
		t.Errorf("Continue retries %+v", retry)
	}
	for _, name := range nestedRetries {
		history, _ := play(t, script{"HealthCheck": {"hand-over"}, "Continue": {"!" + name, "promote"}})
		if path := strings.Join(history.Path(), " "); !strings.HasSuffix(path, "Decide Continue Continued Promoted") {
			t.Errorf("%s: %s", name, path)
		}
	}
	history, _ := play(t, script{"HealthCheck": {"hand-over"}, "Continue": {"fail", "promote"}})
	if path := strings.Join(history.Path(), " "); !strings.HasSuffix(path, "Decide Continue Rollback Restored Rolled back") {
		t.Errorf("after a part that failed: %s", path)
	}
}

// errorTypes are the names of the exported struct types of a package that embed
// error or refusal.
func errorTypes(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		source, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, source, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(node ast.Node) bool {
			spec, ok := node.(*ast.TypeSpec)
			if !ok {
				return true
			}
			if s, ok := spec.Type.(*ast.StructType); ok && len(s.Fields.List) == 1 && slices.Contains([]string{"error", "refusal"}, fmt.Sprint(s.Fields.List[0].Type)) && ast.IsExported(spec.Name.Name) {
				names = append(names, spec.Name.Name)
			}
			return true
		})
	}
	return names
}
