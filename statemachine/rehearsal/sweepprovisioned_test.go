package rehearsal

import (
	"fmt"
	"maps"
	"strings"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
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
