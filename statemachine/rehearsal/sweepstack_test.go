package rehearsal_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
)

// stackInput is a short rollout, as the properties of a resource.
const stackInput = `{"function-name": "MyFunction", "alias-name": "MyAlias", "new-version": "2", "type": "canary", "interval": 120}`

// stackWorlds are those in which each call of the provider is swept.
var stackWorlds = []struct {
	name, scenario string
	stack          rehearsal.Stack
}{
	{"promoted", "healthy", rehearsal.Stack{}},
	{"rolled back", "errors", rehearsal.Stack{}},
	{"another resource fails", "healthy", rehearsal.Stack{Fails: true}},
	{"cancelled", "healthy", rehearsal.Stack{CancelAfter: 90}},
	{"delivered twice", "healthy", rehearsal.Stack{Twice: true}},
	{"deleted", "healthy", rehearsal.Stack{DeleteAfter: 10}},
}

// TestSweepOfStacks has each call of the provider fail in every way, and the function crash
// before and after it: no stack is left waiting, no request open, and no alias split or on
// another version than its stack.
func TestSweepOfStacks(t *testing.T) {
	t.Parallel()
	runs, wrong := 0, 0
	for _, w := range stackWorlds {
		whole := rehearseStack(t, w.scenario, w.stack)
		if problem := stackProblem(whole); problem != "" {
			t.Errorf("%s: %s", w.name, problem)
		}
		for call := 1; call <= whole.Stack.Calls; call++ {
			for _, kind := range rehearsal.ProviderFaultKinds() {
				faulty := w.stack
				faulty.Fault = rehearsal.ProviderFault{Call: call, Kind: kind}
				runs++
				if problem := stackProblem(rehearseStack(t, w.scenario, faulty)); problem != "" {
					wrong++
					t.Errorf("%s, call %d of %d, %s: %s", w.name, call, whole.Stack.Calls, kind, problem)
				}
			}
		}
	}
	t.Logf("a stack and its provider: %d cases, %d wrong", runs, wrong)
}

func rehearseStack(t *testing.T, scenario string, s rehearsal.Stack) rehearsal.Result {
	return rehearse(t, stackInput, scenario, func(o *rehearsal.Options) {
		o.Stack = &s
		none := 0.0
		o.Scenario.History = &none
	})
}

// stackProblem returns what must never be so at the end of a stack's operation; "" if all is
// well.
func stackProblem(r rehearsal.Result) string {
	status, version := string(r.Stack.Status), map[bool]string{true: "2", false: "1"}
	after := r.AliasAfter
	switch {
	case strings.HasSuffix(status, "IN_PROGRESS") || strings.HasSuffix(status, "FAILED"):
		return "the stack is " + status
	case len(after.Weights) > 0 || strings.Contains(after.Description, "[rollout"):
		return fmt.Sprintf("the alias is split: %+v", *after)
	case status != "DELETE_COMPLETE" && after.Version != version[status == "UPDATE_COMPLETE"]:
		return fmt.Sprintf("the stack is %s and the alias on version %s", status, after.Version)
	case r.Stack.Open > 0:
		return fmt.Sprintf("%d requests are open", r.Stack.Open)
	}
	return ""
}
