package task

import (
	"errors"
	"fmt"

	"github.com/aws/smithy-go"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/awserror"
	"github.com/lambda-rollout/lambda-rollout/lambdas/health"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Classify converts err to one of this package's exported error types, whose names
// the workflow's Retry and Catch match, and truncates its message to fit an
// execution's cause. It returns nil for nil.
func Classify(err error) error {
	if err != nil && rollout.Brief(err.Error()) != err.Error() {
		err = truncatedError{err}
	}
	return toTaskError(err)
}

// truncatedError is an error with a text truncated by rollout.Brief.
type truncatedError struct{ error }

func (b truncatedError) Error() string { return rollout.Brief(b.error.Error()) }
func (b truncatedError) Unwrap() error { return b.error }

// toTaskError is Classify without the truncation.
func toTaskError(err error) error {
	var (
		failed  AllocationFailed
		foreign AliasChanged
		deleted VersionDeleted
		invalid *rollout.RequestError
		changed *alias.ConflictError
		taken   *alias.OwnedError

		redriven Redriven
		refused  interface {
			error
			refuses()
		}
		api smithy.APIError
	)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &invalid):
		return InvalidRequest{err}
	case errors.As(err, &refused):
		return refused // it truncates its own text
	case errors.As(err, &redriven):
		return redriven
	case errors.As(err, &deleted):
		return VersionDeleted{err}
	case errors.As(err, &foreign):
		return AliasChanged{err}
	case errors.As(err, &failed):
		return AllocationFailed{err}
	case errors.As(err, &taken):
		return RolloutUnderWay{refusef("%w", err)}
	case errors.As(err, &changed):
		return AliasChanged{err}
	case errors.Is(err, alias.ErrStale), errors.Is(err, errLate), errors.Is(err, ErrHistoryBehind),
		errors.Is(err, health.ErrUnavailable),
		errors.As(err, &api) && api.ErrorCode() == "ResourceConflictException": // another change of the function is under way
		return ServiceUnavailable{err}
	}
	switch awserror.Of(err) {
	case awserror.Throttled:
		return Throttled{err}
	case awserror.Unavailable, awserror.Intercepted:
		return ServiceUnavailable{err}
	case awserror.Denied:
		return AccessDenied{fmt.Errorf(denied+"%w", err)}
	}
	return Unexpected{err}
}
