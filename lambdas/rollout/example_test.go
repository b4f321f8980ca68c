package rollout_test

import (
	"fmt"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

func ExampleDecode() {
	request, err := rollout.Decode([]byte(`{"function-name": "MyFunction", "alias-name": "MyAlias", "new-version": 2, "type": "linear", "steps": 4, "interval": 120}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	steps, _ := request.Schedule() // can't fail after Decode
	for _, step := range steps {
		fmt.Println(rollout.Weight(step.Weight), "for", step.Seconds, "s")
	}

	_, err = rollout.Decode([]byte(`{"function-name": "MyFunction", "alias-name": "MyAlias", "new-version": 2, "type": "liner", "steps": 4, "interval": 0}`))
	fmt.Println(err)
	// Output:
	// 25% for 120 s
	// 50% for 120 s
	// 75% for 120 s
	// 100% for 120 s
	// the request has 2 problems; nothing was changed:
	// - interval must be a whole number from 1 to 31536000; given: 0
	// - type must be one of linear, exponential, geometric, canary, all-at-once, custom, or a name as CodeDeploy's, such as Linear10PercentEvery1Minute or Canary25Percent45Minutes (did you mean "linear"?); given: "liner"
}

// A rollout in two steps of one minute, checked three times.
func ExampleState_Check() {
	request, _ := rollout.Decode([]byte(`{"function-name": "MyFunction", "alias-name": "MyAlias", "new-version": 2, "type": "canary", "interval": 60}`))
	steps, _ := request.Schedule()
	state := rollout.State{Request: request, Plan: rollout.Plan{Baseline: "1", Steps: steps, Gates: request.Gates}}
	state, _ = state.Shifted("the alias's revision after the shift to 10%")

	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	check := func(verdict rollout.Verdict, reason string) {
		now = now.Add(time.Duration(state.Progress.Wait) * time.Second)
		state, _ = state.BeginCheck(now)
		state = state.Check(now, rollout.Health{Readings: []rollout.Reading{rollout.Judged("errors", verdict, reason)}, Recent: 1000}, rollout.Instructions{})
		fmt.Printf("%s: %s\n", state.Health.Decision, state.Health.Reason)
	}
	check(rollout.VerdictHold, "version 2 failed 3 of 1,000 requests, version 1 none of 9,000")
	check(rollout.VerdictProven, "version 2 failed 3 of 2,000 requests, version 1 20 of 18,000")
	state, _ = state.Shifted("its revision after the shift to 100%")
	check(rollout.VerdictRollBack, "version 2 failed 40 of 1,000 requests, 0.22% are tolerated")
	fmt.Println(state.RollbackReason())
	// Output:
	// watch: step 1 of 2 is held for up to 10 minutes: version 2 may be worse; errors (in doubt): version 2 failed 3 of 1,000 requests, version 1 none of 9,000
	// advance: step 1 of 2 ended; errors (proven): version 2 failed 3 of 2,000 requests, version 1 20 of 18,000
	// roll-back: version 2 failed 40 of 1,000 requests, 0.22% are tolerated
	// Unhealthy Rolled back at 100%: version 2 failed 40 of 1,000 requests, 0.22% are tolerated. Alias MyAlias of MyFunction is back on version 1.
}
