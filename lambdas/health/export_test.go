package health

import (
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Check is Update on a copy, which it returns.
func (e Evidence) Check(s rollout.State, now time.Time, seen Measurements) (Evidence, rollout.Health, error) {
	health, err := e.Update(&s, now, &seen)
	return e, health, err
}
