// Package health reads how the new version is doing. A gate is one source of
// health; its reading is pass, fail or inconclusive, with a reason. An error
// means that the gate could not be read, which is neither.
package health

import (
	"fmt"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Requests are the requests of both versions behind the alias in a window.
type Requests struct {
	Baseline, NewVersion rollout.Counts
}

// Errors is the errors gate: any error of the new version fails it (the blog
// post's rule). Without a request of the new version it is inconclusive.
func Errors(baseline, newVersion string, seen Requests) rollout.Reading {
	reading := rollout.Reading{Gate: "errors", Verdict: rollout.Pass}
	switch {
	case seen.NewVersion.Errors > 0:
		reading.Verdict = rollout.Fail
	case seen.NewVersion.Invocations == 0:
		reading.Verdict = rollout.Inconclusive
	}
	reading.Reason = fmt.Sprintf("version %s: %s, version %s: %s",
		newVersion, seen.NewVersion, baseline, seen.Baseline)
	return reading
}
