package task

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// The refusals: errors of a rollout that the alias, its versions or the stack, as
// they are, do not allow. All are final, and nothing has been changed. The text
// of each says what to do about it.
type (
	// InvalidRequest refuses an input that can't be carried out. Its text lists
	// all problems of the input.
	InvalidRequest struct{ error }
	// FunctionNotFound means that this account and Region have no such function.
	FunctionNotFound struct{ refusal }
	// AliasNotFound means that the function has no such alias.
	AliasNotFound struct{ refusal }
	// VersionNotFound means that the new version does not exist.
	VersionNotFound struct{ refusal }
	// AliasNotPublished means that the alias points at $LATEST, or at
	// $LATEST.PUBLISHED.
	AliasNotPublished struct{ refusal }
	// VersionNotReady means that the new version can't be invoked, or that its last
	// update failed.
	VersionNotReady struct{ refusal }
	// VersionsDiffer means that Lambda does not split traffic between the two
	// versions.
	VersionsDiffer struct{ refusal }
	// AliasSplit means that the alias's traffic is split, and not by a rollout.
	AliasSplit struct{ refusal }
	// RolloutUnderWay means that the alias belongs to another rollout.
	RolloutUnderWay struct{ refusal }
	// ProvisionedConcurrency means that the alias or the new version has provisioned
	// concurrency that does not allow this rollout.
	ProvisionedConcurrency struct{ refusal }
	// AlarmNotFound means that an alarm of the request does not exist.
	AlarmNotFound struct{ refusal }
	// AlarmsRed means that alarms are already in ALARM, and that the request asks
	// to refuse then.
	AlarmsRed struct{ refusal }
	// GateNotAllowed means that the request names a gate or a topic that was not
	// enabled when the stack was deployed.
	GateNotAllowed struct{ refusal }
	// NotContinued means that the input claims to continue a rollout that has not
	// been handed to this execution.
	NotContinued struct{ refusal }
	// NotInRelease means that the input claims to be of a release that has not started
	// this execution, or has ended.
	NotInRelease struct{ refusal }
	// TooLong means that the plan can't end before the one-function deployer's time
	// is over. Only [Simple] returns it.
	TooLong struct{ refusal }
)

// The other final errors. In which states each is final is in [Final].
type (
	// AliasChanged means that another user changed the alias.
	AliasChanged struct{ error }
	// AccessDenied means that the function's role lacks a permission. A rollback is
	// retried nevertheless.
	AccessDenied struct{ error }
	// AllocationFailed means that AWS has not allocated the provisioned concurrency
	// that the new version is to have.
	AllocationFailed struct{ error }
	// VersionDeleted means that the new version was deleted after the rollout had
	// written the alias.
	VersionDeleted struct{ error }
	// Redriven means that the execution was redriven after it had ended. A rollout
	// whose alias was put back does not continue.
	Redriven struct{ error }
)

// The errors that are retried.
type (
	// Throttled means that AWS had too many requests.
	Throttled struct{ error }
	// ServiceUnavailable means that AWS failed or could not be reached, or that
	// something between this function and AWS answered in its place. The call may
	// have had its effect.
	ServiceUnavailable struct{ error }
	// Unexpected is any other error. It is not known to be final.
	Unexpected struct{ error }
)

// The ends of a rollout that only [Simple] returns as errors.
type (
	// RolledBack means that all of the alias's traffic is on the baseline again. Its
	// text is the reason.
	RolledBack struct{ error }
	// RollbackFailed means that the alias may still be split. Its text has the
	// command line that puts it back.
	RollbackFailed struct{ error }
)

// refusal is the error in each refusal's type.
type refusal struct{ error }

func (refusal) refuses() {}

// Error returns the text, bounded by rollout.Brief: it may quote AWS.
func (r refusal) Error() string { return rollout.Brief(r.error.Error()) }

// nothingChanged begins the text of each refusal.
const nothingChanged = "nothing was changed: "

// refusef formats a refusal, as fmt.Errorf does.
func refusef(format string, args ...any) refusal {
	return refusal{fmt.Errorf(nothingChanged+format, args...)}
}

// Refuses reports whether an error that a task returned is a refusal: nothing
// has been changed.
func Refuses(err error) bool {
	var invalid InvalidRequest
	var refused interface{ refuses() }
	return errors.As(err, &invalid) || errors.As(err, &refused)
}

// refusals returns one error of each type with which CalculateWeights refuses a
// rollout. AliasChanged and AccessDenied are among them: before the first write
// they, too, mean that nothing has been changed.
func refusals() []error {
	return []error{
		InvalidRequest{}, FunctionNotFound{}, AliasNotFound{}, AliasNotPublished{}, AliasSplit{}, AliasChanged{}, RolloutUnderWay{}, VersionNotFound{},
		VersionNotReady{}, VersionsDiffer{}, ProvisionedConcurrency{}, AlarmNotFound{}, AlarmsRed{}, GateNotAllowed{}, NotContinued{}, NotInRelease{}, AccessDenied{},
	}
}

// Refusals returns the names of the errors with which CalculateWeights refuses a
// rollout. The workflow's Catch and docs/runbook.md list the same.
func Refusals() []string { return namesOf(refusals()...) }

// ErrorNames returns the names of all errors that the tasks and [Simple] return:
// the refusals first, then those that are final in a later state, those that are
// retried, and those of Simple alone.
func ErrorNames() []string {
	return namesOf(append(refusals(),
		AllocationFailed{}, VersionDeleted{}, Redriven{},
		Throttled{}, ServiceUnavailable{}, Unexpected{},
		TooLong{}, RolledBack{}, RollbackFailed{})...)
}

// namesOf returns the names of errors as a Lambda function reports them: those
// of their types.
func namesOf(errs ...error) []string {
	names := make([]string, 0, len(errs))
	for _, err := range errs {
		names = append(names, NameOf(err))
	}
	return names
}

// NameOf returns the name of an error of this package as a Lambda function reports it: that
// of its type.
func NameOf(err error) string { return reflect.TypeOf(err).Name() }
