package rehearsal

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// worlds are the rollouts that are disturbed by combinations: those of the single
// disturbances, one with every kind of gate, and one by the one-function deployer.
func worlds() []subject {
	all := subjects()
	quiet := Scenario{RequestsPerSecond: 20, Baseline: usual, NewVersion: usual}
	gated := quiet
	gated.Neighbours = Neighbours{
		Functions: map[string]Function{"before": {Answer: []byte(`{"status": "SUCCEEDED"}`)}, "after": {Answer: []byte(`{"status": "SUCCEEDED"}`), Duration: 2}},
		Probed:    &Function{Answer: []byte(`{"ok": true}`)},
		Alarms:    map[string]types.StateValue{"busy": types.StateValueOk},
	}
	const gates = `{"function-name": "f", "alias-name": "live", "new-version": "8", "type": "custom", "weights": [0.3, 1], "interval": 60,
		"health": {"alarms": ["busy"], "probes": [{"name": "p", "payload": {}, "expect": {"ok": true}}]},
		"hooks": {"pre-traffic": ["before"], "post-traffic": ["after"]}, "approval": {"before-weights": [1], "timeout": 300}}`
	uncalled := quiet
	uncalled.RequestsPerSecond = 0
	return append(all,
		subject{name: "gated", input: gates, scenario: gated, outcome: Promoted, people: approves},
		subject{name: "not approved", input: gates, scenario: gated, outcome: RolledBack},
		subject{name: "nobody calls", input: all[0].input, scenario: uncalled, outcome: Promoted},
		subject{name: "simple", input: all[0].input, scenario: all[0].scenario, outcome: Promoted, simple: true},
		subject{name: "simple and bad", input: all[1].input, scenario: all[1].scenario, outcome: RolledBack, simple: true},
	)
}

// approves has somebody approve of the first rollout, some time after it has asked.
func approves(o *observed) {
	o.clock.Go(func() {
		o.clock.Sleep(150 * time.Second)
		o.approved = map[string]bool{first: true}
		o.orders("approve")
	})
}
