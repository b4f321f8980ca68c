package rehearsal

import (
	"slices"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// TestTheOneFunctionPutsBackWhatItCan: behind it stands no cleanup.
func TestTheOneFunctionPutsBackWhatItCan(t *testing.T) {
	for name, test := range map[string]struct {
		world   string
		outcome Outcome
		disturb func(*observed)
	}{
		"someone changes the text before the marker": {"simple", AliasChanged, func(o *observed) {
			o.atReply(6, func() { o.foreignWrite(deeds[3].do) })
		}},
		"nothing can be written for seven minutes": {"simple and bad", RolledBack, func(o *observed) {
			o.lasting(8, "UpdateAlias", localaws.ServerError, 7*time.Minute)
		}},
		"the very first call is throttled": {"simple", Promoted, func(o *observed) {
			o.inject(localaws.Fault{Operation: "GetAlias", Kind: localaws.Throttled, Count: 1})
		}},
	} {
		all := worlds()
		of := all[slices.IndexFunc(all, func(s subject) bool { return s.name == test.world })]
		o, err := trial{subject: of, deliveries: 1, disturb: test.disturb}.try()
		if err != nil || o.outcome != test.outcome {
			t.Errorf("%s: %s, not %s: %v", name, o.outcome, test.outcome, err)
		}
	}
}
