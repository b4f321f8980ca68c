package rehearsal

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/statemachine"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// provisionedRightly checks that a version has the provisioned concurrency that
// moves if, and only if, the alias is on it.
func (t trial) provisionedRightly(end alias.Content, result Result) error {
	p := t.subject.scenario.Provisioned
	if p == nil || p.Baseline == 0 {
		return nil
	}
	want := map[string]int32{end.Version: int32(p.Baseline)}
	if maps.Equal(result.Provisioned, want) || strings.Contains(result.Reason, "version 7 keeps its provisioned concurrency, which is still billed") {
		return nil
	}
	return fmt.Errorf("%s, the alias is on version %s, and there is the provisioned concurrency %v", result.Outcome, end.Version, result.Provisioned)
}

// TestAStopBetweenPromotionAndRelease: an answer is lost from the promotion on, and the
// rollout is stopped before Finalize is retried. The cleanup releases what is left.
func TestAStopBetweenPromotionAndRelease(t *testing.T) {
	t.Parallel()
	workflow, err := definition(statemachine.Definition)
	if err != nil {
		t.Fatal(err)
	}
	all := subjects()
	moved := trial{workflow: workflow, template: deployedTemplate(t), deliveries: 1, combined: true}
	moved.subject = all[slices.IndexFunc(all, func(s subject) bool { return s.name == "moved" })]
	plain, err := moved.try()
	if err != nil {
		t.Fatal(err)
	}
	deleted := 1 + slices.Index(plain.calls, "DeleteProvisionedConcurrencyConfig")
	for call := deleted - 2; call <= deleted; call++ {
		moved.disturb = func(o *observed) {
			o.atCall(call-1, func() { o.inject(localaws.Fault{Operation: localaws.Every, Kind: localaws.CutAfter, Count: 1}) })
			lost := false
			o.atReply(call, func() { lost = true })
			o.onEvent = func(int, *execution) {
				if lost {
					o.machine.executions[0].Stop("", "")
				}
			}
		}
		if o, err := moved.try(); err != nil || o.outcome != Stopped {
			t.Errorf("after %s: %s, %v", plain.calls[call-1], o.outcome, err)
		}
	}
}
