package rehearsal

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/statemachine"
	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/runtimeapi"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// short is a rollout in three steps.
const short = `{"function-name": "MyFunction", "alias-name": "MyAlias", "new-version": "2", "steps": 3, "interval": 120, "type": "linear"}`

// TestTheDeployedExecutablesUnderTheEmulator runs the functions' executables under
// AWS's own emulator of its runtime, which must give the same answers as ours.
func TestTheDeployedExecutablesUnderTheEmulator(t *testing.T) {
	t.Parallel()
	emulator := filepath.Join(t.TempDir(), "emulator")
	if err := runtimeapi.BuildEmulator("../internal/runtimeapi/emulator", emulator); errors.Is(err, runtimeapi.ErrNoEmulator) {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	functions := map[string]string{"SimpleDeploy": "lambdas/simpledeploy", "StackRollout": "lambdas/stackrollout"}
	for _, f := range statemachine.Functions() {
		functions[f.Name] = f.Package
	}
	ours, theirs := newStage(t), newStage(t)
	ours.aws, theirs.aws = localaws.New(localaws.Options{}), localaws.New(localaws.Options{}) // empty ones, for the refusals
	for _, name := range slices.Sorted(maps.Keys(functions)) {
		path := newExecutable(t, functions[name]).path
		ours.start(t, name, path)
		theirs.emulate(t, name, path, emulator)
		sameRefusals(t, name, ours, theirs)
	}
	for _, test := range []struct {
		scenario string
		want     Outcome
	}{{"healthy", Promoted}, {"errors", RolledBack}} {
		options := Options{Input: []byte(short), Seed: 1}
		options.Scenario, _ = LoadBuiltIn(test.scenario)
		want, answers := ours.carryOut(t, options)
		if want.Outcome != test.want || len(answers) < 5 {
			t.Errorf("%s: %s after %d invocations because of %s", test.scenario, want.Outcome, len(answers), want.Reason)
		}
		for attempt := 1; ; attempt++ {
			got, emulated := theirs.carryOut(t, options)
			diff := cmp.Diff(answers, emulated, withoutRequestIDs) + cmp.Diff(want, got, withoutRequestIDs)
			if diff == "" {
				break
			}
			if attempt == 3 || !tookTooLong(got) {
				t.Fatalf("%s (-here +under the emulator): %s\n%s", test.scenario, diff, theirs.output())
			}
			t.Logf("%s is carried out again, as a call took too long: %s", test.scenario, diff)
		}
	}
}

// emulate starts a function under the emulator, with the same variables as start.
func (s *stage) emulate(t *testing.T, name, path, emulator string) {
	t.Helper()
	f := s.function(name, strings.Replace(path, "/proc/self/", fmt.Sprintf("/proc/%d/", os.Getpid()), 1)) // the emulator starts it
	instance, err := runtimeapi.StartEmulated(f, emulator, func(line string) { t.Log(line) })
	if err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	t.Cleanup(instance.Stop)
	s.instances[f.ARN] = instance
}

// carryOut carries out a rollout by the stage's functions, and returns its result and
// what each invocation answered.
func (s *stage) carryOut(t *testing.T, options Options) (Result, []string) {
	t.Helper()
	s.answers = nil
	options.adjust = s.enter
	result, err := Run(options)
	if err != nil {
		t.Fatalf("%v\n%s", err, s.output())
	}
	return result, s.answers
}

// sameRefusals invokes a function with inputs that it refuses, or that are no inputs:
// with both, the process starts, reads its configuration, and answers. (StackRollout
// fails for no input: Lambda would try it again.)
func sameRefusals(t *testing.T, name string, ours, theirs *stage) {
	t.Helper()
	for _, input := range []string{`{}`, `{"function-name": "MyFunction"}`, `null`, `[]`, `"text"`, `{"RequestType": "Create"}`, `{"cut`} {
		arn := functionARN(name)
		want, got := refusalOf(ours.instances[arn].Invoke(json.RawMessage(input))), refusalOf(theirs.instances[arn].Invoke(json.RawMessage(input)))
		if diff := cmp.Diff(want, got, withoutRequestIDs); diff != "" || strings.HasPrefix(want, "no answer: ") {
			t.Errorf("%s with %s: %s (-here +under the emulator): %s\n%s", name, input, want, diff, theirs.instances[arn].Output())
		}
	}
}

// refusalOf returns an answer as text.
func refusalOf(output json.RawMessage, err error) string {
	var failure *runtimeapi.Failure
	if errors.As(err, &failure) {
		return "failed: " + failure.Error()
	} else if err != nil {
		return "no answer: " + err.Error()
	}
	return "output: " + string(output)
}
