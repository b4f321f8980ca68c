package sequential_test

import (
	"fmt"
	"math"

	"github.com/lambda-rollout/lambda-rollout/lambdas/sequential"
)

// A new version has a tenth of the traffic, and fails more often than the baseline
// beside it. The evidence may be looked at after every minute.
func ExampleHarm_Fold() {
	test, err := sequential.NewHarm(sequential.DefaultHarmParams())
	if err != nil {
		panic(err)
	}
	var state sequential.State
	for at, failed := range []int64{0, 2, 1, 3} {
		minute, err := sequential.NewMinute(
			sequential.Count{Requests: 540, Errors: 1}, // the baseline
			sequential.Count{Requests: 60, Errors: failed},
		)
		if err != nil {
			panic(err)
		}
		state = test.Fold(state, minute)
		fmt.Printf("minute %d: evidence 10^%.1f, harm %v\n", at+1, state.LogE()/math.Ln10, state.LogE() >= test.Threshold())
	}
	// Output:
	// minute 1: evidence 10^-0.2, harm false
	// minute 2: evidence 10^0.4, harm false
	// minute 3: evidence 10^0.7, harm false
	// minute 4: evidence 10^2.3, harm true
}
