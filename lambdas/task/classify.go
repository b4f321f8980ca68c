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

// The errors that a task ends with, beside the refusals. Their type names are the names in the
// workflow's ErrorEquals; their text is what a person reads in its Cause. Which are final, and
// in which state, is in Final.
type (
	// InvalidRequest refuses an input that can't be carried out. Final.
	InvalidRequest struct{ error }
	// AliasChanged means that somebody else changed the alias. Final.
	AliasChanged struct{ error }
	// AccessDenied means that the function's role lacks a permission. Final,
	// but for a rollback, which keeps trying.
	AccessDenied struct{ error }
	// Throttled means that AWS had too many requests. Worth a retry.
	Throttled struct{ error }
	// ServiceUnavailable means that AWS failed or could not be reached, or that
	// something in between answered in its place. The call may have had its
	// effect. Worth a retry.
	ServiceUnavailable struct{ error }
	// AllocationFailed means that AWS has not allocated the provisioned concurrency
	// that the new version is to have. Final.
	AllocationFailed struct{ error }
	// Unexpected is any other error. It is not known to be final, so it is retried.
	Unexpected struct{ error }
	// VersionDeleted means that the new version was deleted after the rollout had
	// written the alias. Final.
	VersionDeleted struct{ error }
	// Redriven means that the execution was redriven after it had ended; a rollout
	// that was put back does not go on. Final.
	Redriven struct{ error }
)

// classify gives an error the one type that it leaves the task with, and a text
// that is short enough to be read as an execution's cause.
func classify(err error) error {
	if err != nil && rollout.Brief(err.Error()) != err.Error() {
		err = truncatedError{err}
	}
	return toTaskError(err)
}

// truncatedError is an error with its text cut short.
type truncatedError struct{ error }

func (b truncatedError) Error() string { return rollout.Brief(b.error.Error()) }
func (b truncatedError) Unwrap() error { return b.error }

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
		return refused // its own text is short
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
		return AccessDenied{fmt.Errorf("%w (is the function there, and opted in to rollouts, by its tag lambda-rollout=enabled or by the stack's list?)", err)}
	}
	return Unexpected{err}
}

// Refuses tells whether an error that a task ended with means that nothing was
// touched.
func Refuses(err error) bool {
	var invalid InvalidRequest
	var refused interface{ refuses() }
	return errors.As(err, &invalid) || errors.As(err, &refused)
}
