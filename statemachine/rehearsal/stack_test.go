package rehearsal_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
)

// TestStacks is what CloudFormation gets to see of a rollout in a stack: its status, every
// answer, and the version that the alias has in the end.
func TestStacks(t *testing.T) {
	const long = `{"function-name": "MyFunction", "alias-name": "MyAlias", "new-version": "2", "steps": "10", "interval": "600", "type": "linear"}`
	by := func(text string) string { return "FAILED " + text }
	for _, test := range []struct {
		name, input, scenario string
		stack                 rehearsal.Stack
		status, version       string
		answers               []string // as they begin
	}{
		{"first create", stackInput, "healthy", rehearsal.Stack{First: true}, "CREATE_COMPLETE", "2", []string{"SUCCESS"}},
		{"first create, with a version of the stack's", stackInput, "healthy", rehearsal.Stack{First: true, Publish: true}, "CREATE_COMPLETE", "1", []string{"SUCCESS"}},
		{"promoted", blogInput, "healthy", rehearsal.Stack{}, "UPDATE_COMPLETE", "2", []string{"SUCCESS", "SUCCESS"}},
		{"promoted, with versions of the stack's", blogInput, "healthy", rehearsal.Stack{Publish: true}, "UPDATE_COMPLETE", "2", []string{"SUCCESS", "SUCCESS"}},
		{"rolled back", blogInput, "errors", rehearsal.Stack{}, "UPDATE_ROLLBACK_COMPLETE", "1", []string{"SUCCESS", by("Rolled back at 10%: version 2 failed"), "SUCCESS"}},
		{"rolled back, with versions of the stack's", blogInput, "errors", rehearsal.Stack{Publish: true}, "UPDATE_ROLLBACK_COMPLETE", "1", []string{"SUCCESS", by("Rolled back at 10%: version 2 failed"), "SUCCESS"}},
		{"another resource fails after the promotion", blogInput, "healthy", rehearsal.Stack{Publish: true, Fails: true}, "UPDATE_ROLLBACK_COMPLETE", "1", []string{"SUCCESS", "SUCCESS", "SUCCESS"}},
		{"cancelled in the middle", blogInput, "healthy", rehearsal.Stack{CancelAfter: 300}, "UPDATE_ROLLBACK_COMPLETE", "1", []string{"SUCCESS", "SUCCESS", by("Another request for this resource came")}},
		{"the answer is lost", blogInput, "healthy", rehearsal.Stack{Lost: true}, "UPDATE_COMPLETE", "2", []string{"SUCCESS", "SUCCESS", "SUCCESS", "SUCCESS", "SUCCESS"}},
		{"each request comes twice", blogInput, "healthy", rehearsal.Stack{Twice: true}, "UPDATE_COMPLETE", "2", []string{"SUCCESS", "SUCCESS"}},
		{"longer than CloudFormation waits", long, "healthy", rehearsal.Stack{}, "ROLLBACK_COMPLETE", "1", []string{by("the request has a problem; nothing was changed:\n- Wait needs a plan of at most 50 minutes"), "SUCCESS"}},
		{"not waited for", strings.Replace(long, "}", `, "wait": "false"}`, 1), "healthy", rehearsal.Stack{}, "UPDATE_COMPLETE", "2", []string{"SUCCESS", "SUCCESS"}},
		{"stopped by hand", blogInput, "stopped", rehearsal.Stack{}, "UPDATE_ROLLBACK_COMPLETE", "1", []string{"SUCCESS", by("Stopped by an operator"), "SUCCESS"}},
		{"deleted after the update", stackInput, "healthy", rehearsal.Stack{DeleteAfter: 60}, "DELETE_COMPLETE", "2", []string{"SUCCESS", "SUCCESS", "SUCCESS"}},
		{"deleted during a rollout", strings.Replace(long, "}", `, "wait": "false"}`, 1), "healthy", rehearsal.Stack{DeleteAfter: 700}, "DELETE_COMPLETE", "1", []string{"SUCCESS", "SUCCESS", "SUCCESS"}},
	} {
		r := rehearse(t, test.input, test.scenario, func(o *rehearsal.Options) { o.Stack = &test.stack })
		if string(r.Stack.Status) != test.status || !slices.EqualFunc(r.Stack.Answers, test.answers, strings.HasPrefix) || r.Stack.Open > 0 {
			t.Errorf("%s: %s, %d open, answers %q", test.name, r.Stack.Status, r.Stack.Open, r.Stack.Answers)
		}
		if a := r.AliasAfter; a == nil || a.Version != test.version || len(a.Weights) > 0 || strings.Contains(a.Description, "[rollout") {
			t.Errorf("%s: the alias is %+v", test.name, a)
		}
		gone := slices.ContainsFunc(r.Lines, func(e rehearsal.Entry) bool { return e.Text == "After DELETE_COMPLETE" })
		if want := test.stack.Publish && test.status == "UPDATE_ROLLBACK_COMPLETE"; gone != want {
			t.Errorf("%s: the new version is deleted: %t", test.name, gone)
		}
	}
}

// TestStacksLeaveWhatPeopleDo with the alias: the stack says who has to put it right.
func TestStacksLeaveWhatPeopleDo(t *testing.T) {
	r := rehearse(t, blogInput, "contested", func(o *rehearsal.Options) { o.Stack = &rehearsal.Stack{} })
	begins := []string{"SUCCESS", "FAILED alias MyAlias of MyFunction was changed by another user and is left as it is", "FAILED The alias is not as its rollout left it, and stays as it is."}
	if r.Stack.Status != "UPDATE_ROLLBACK_FAILED" || !slices.EqualFunc(r.Stack.Answers, begins, strings.HasPrefix) || r.AliasAfter.Weights["2"] != 0.05 {
		t.Errorf("%s, %q, %+v", r.Stack.Status, r.Stack.Answers, r.AliasAfter)
	}
}
