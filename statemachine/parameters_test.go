package statemachine_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
	"github.com/lambda-rollout/lambda-rollout/statemachine"
)

// TestTasksAreHandedWhatTheyRead: each state that calls a function hands it every
// field of its input. One that is missing reads as zero, and nothing would fail.
func TestTasksAreHandedWhatTheyRead(t *testing.T) {
	if missing := notHanded(t, statemachine.Definition); len(missing) > 0 {
		t.Errorf("not handed over: %q", missing)
	}
	broken := strings.Replace(statemachine.Definition, `"redrives.$": "$$.Execution.RedriveCount",`, "", 1)
	if missing := notHanded(t, broken); len(missing) != 1 {
		t.Errorf("without one, %q are missed", missing)
	}
}

// notHanded returns the fields that states don't hand to their tasks.
func notHanded(t *testing.T, definition string) []string {
	t.Helper()
	var machine struct {
		States map[string]struct {
			Resource   string
			Parameters map[string]any
		}
	}
	if err := json.Unmarshal([]byte(definition), &machine); err != nil {
		t.Fatal(err)
	}
	var missing []string
	for name, state := range machine.States {
		if !strings.HasPrefix(state.Resource, "${") {
			continue
		}
		input := reflect.TypeFor[task.Call]()
		if name == "CalculateWeights" {
			input = reflect.TypeFor[task.Start]()
		}
		for i := range input.NumField() {
			field, option, _ := strings.Cut(input.Field(i).Tag.Get("json"), ",")
			if option == "" && state.Parameters[field+".$"] == nil {
				missing = append(missing, name+"."+field)
			}
		}
	}
	return missing
}

// TestTheFirstState is the one whose input is not taken for a rollout's data.
func TestTheFirstState(t *testing.T) {
	var machine struct{ StartAt string }
	if err := json.Unmarshal([]byte(statemachine.Definition), &machine); err != nil || machine.StartAt != rollout.FirstState {
		t.Errorf("the workflow starts at %q, want %q; %v", machine.StartAt, rollout.FirstState, err)
	}
}
