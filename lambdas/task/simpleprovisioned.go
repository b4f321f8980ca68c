package task

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// allocate requests the new version's provisioned concurrency, if the rollout moves
// some, and waits until it is available.
func (t Simple) allocate(ctx context.Context, execution string, s *rollout.State) error {
	for s.Begin == rollout.BeginAllocate || s.Begin == rollout.BeginAllocating {
		err := t.try(ctx, "Allocate", s, func() (rollout.State, error) {
			return t.Shift.Handle(ctx, Call{Execution: execution, Phase: Allocate, Now: t.Now(), Rollout: *s})
		})
		if err == nil && s.Begin == rollout.BeginAllocating {
			err = t.wait(ctx, time.Duration(s.Progress.Wait)*time.Second)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// finalize promotes, and waits until AWS has moved the alias's provisioned
// concurrency. If there is no time for that, it returns AllocationFailed, as
// nothing could take back the promotion later.
func (t Simple) finalize(ctx context.Context, execution string, s *rollout.State) error {
	for {
		err := t.try(ctx, "Finalize", s, func() (rollout.State, error) {
			return t.Promote.Handle(ctx, Call{Execution: execution, Now: t.Now(), Rollout: *s})
		})
		if err == nil && s.IsInTransit() {
			if err = t.wait(ctx, time.Duration(s.Progress.Wait)*time.Second); err == nil {
				continue
			}
		}
		var changed AliasChanged
		var failed AllocationFailed
		if err == nil || !s.IsInTransit() || errors.As(err, &changed) || errors.As(err, &failed) {
			return err
		}
		return AllocationFailed{fmt.Errorf("the provisioned concurrency of the alias was not allocated for version %s in time: %w", s.NewVersion, err)}
	}
}

// caught returns an error as the workflow would have caught it.
func caught(err error) *rollout.Caught {
	return &rollout.Caught{Error: errorName(err), Cause: err.Error()}
}
