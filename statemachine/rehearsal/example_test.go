package rehearsal_test

import (
	"fmt"

	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
)

// The AWS Compute Blog's rollout, with a new version that turns bad halfway
// through.
func ExampleRun() {
	const input = `{
		"function-name": "MyFunction", "alias-name": "MyAlias", "new-version": "2",
		"type": "linear", "steps": 10, "interval": 120
	}`
	scenario, _ := rehearsal.LoadBuiltIn("late-errors")
	result, err := rehearsal.Run(rehearsal.Options{Input: []byte(input), Scenario: scenario, Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s after %s: %d bad requests, alias on version %s\n",
		result.Outcome, rehearsal.Clock(result.Seconds), result.BadRequests, result.AliasAfter.Version)
	// Output: rolled-back after 0:12:00: 40 bad requests, alias on version 1
}
