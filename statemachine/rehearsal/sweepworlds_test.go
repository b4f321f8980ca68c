package rehearsal

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// subjects are the rollouts that single disturbances are tried on.
func subjects() []subject {
	hour := 3600.0 // days of history would take most of the sweep's time
	world := func(errorRate float64) Scenario {
		return Scenario{History: &hour, RequestsPerSecond: 50, Baseline: VersionProfile{Duration: 0.1}, NewVersion: VersionProfile{ErrorRate: errorRate, Duration: 0.1}}
	}
	late := world(0)
	late.Changes = []Change{{After: 40, NewVersion: &VersionProfile{ErrorRate: 0.5, Duration: 0.1}}}
	request := func(fields string) string {
		return `{"function-name": "f", "alias-name": "live", "new-version": "8", ` + fields + `}`
	}
	provisioned := func(errorRate float64, p Provisioned) Scenario {
		s, soon := world(errorRate), 20.0
		p.Seconds = &soon
		s.Provisioned = &p
		return s
	}
	const ignore, move = `"type": "all-at-once", "interval": 20, "provisioned-concurrency": "ignore"`, `"type": "all-at-once", "interval": 20, "provisioned-concurrency": "move"`
	return []subject{
		{name: "good", input: request(`"type": "custom", "weights": [0.3, 1], "interval": 60`), scenario: world(0), outcome: Promoted},
		{name: "bad", input: request(`"type": "custom", "weights": [0.3, 1], "interval": 60`), scenario: world(0.5), outcome: RolledBack},
		{name: "short", input: request(`"type": "all-at-once", "interval": 20`), scenario: world(0), outcome: Promoted},
		{name: "with bake", input: request(`"type": "canary", "interval": 30, "bake": 60, "check-interval": 30`), scenario: world(0), outcome: Promoted},
		{name: "long", input: request(`"type": "all-at-once", "interval": 80, "check-interval": 30`), scenario: world(0), outcome: Promoted, nested: true},
		{name: "long and bad", input: request(`"type": "all-at-once", "interval": 80, "check-interval": 30`), scenario: late, outcome: RolledBack, nested: true},
		{name: "provisioned", input: request(ignore), scenario: provisioned(0, Provisioned{Alias: 5}), outcome: Promoted},
		{name: "provisioned in vain", input: request(ignore), scenario: provisioned(0, Provisioned{Alias: 5, Fails: "FUNCTION_ERROR_INIT_FAILURE"}), outcome: RolledBack},
		{name: "provisioned, long", input: request(`"type": "all-at-once", "interval": 60, "check-interval": 30, "provisioned-concurrency": "ignore"`), scenario: provisioned(0, Provisioned{Alias: 5}), outcome: Promoted, nested: true},
		{name: "moved", input: request(move), scenario: provisioned(0, Provisioned{Baseline: 5}), outcome: Promoted},
		{name: "moved and bad", input: request(`"type": "custom", "weights": [0.3, 1], "interval": 60, "provisioned-concurrency": "move"`), scenario: provisioned(0.5, Provisioned{Baseline: 5}), outcome: RolledBack},
	}
}

// heldSubject is a rollout whose first shift waits before provisioned concurrency is allocated
// and again after it, and whose promotion waits too. It is no part of worlds, whose
// combinations are drawn by their number.
func heldSubject() subject {
	soon, moved := 20.0, subjects()[0]
	moved.scenario.Provisioned = &Provisioned{Baseline: 5, Seconds: &soon}
	moved.name, moved.input = "held", `{"function-name": "f", "alias-name": "live", "new-version": "8", "type": "all-at-once", "interval": 20, "provisioned-concurrency": "move",
		"freeze": [{"from": "2026-01-01T00:00:00Z", "to": "2026-01-01T12:00:30Z"}, {"from": "2026-01-01T12:00:45Z", "to": "2026-01-01T12:01:15Z"}, {"from": "2026-01-01T12:01:30Z", "to": "2026-01-01T12:02:00Z"}]}`
	return moved
}

// worlds are the rollouts that are disturbed by combinations: those of the single
// disturbances, one with every kind of gate, and one by the one-function deployer.
func worlds() []subject {
	all := subjects()
	quiet := Scenario{History: all[0].scenario.History, RequestsPerSecond: 20, Baseline: usual, NewVersion: usual}
	gated := quiet
	gated.Dependencies = Dependencies{
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
		subject{name: "not called", input: all[0].input, scenario: uncalled, outcome: Promoted},
		subject{name: "simple", input: all[0].input, scenario: all[0].scenario, outcome: Promoted, simple: true},
		subject{name: "simple and bad", input: all[1].input, scenario: all[1].scenario, outcome: RolledBack, simple: true},
	)
}

// approves has someone approve of the first rollout, some time after it has asked.
func approves(o *observed) {
	o.clock.Go(func() {
		o.clock.Sleep(150 * time.Second)
		o.approved = map[string]bool{first: true}
		o.orders("approve")
	})
}
