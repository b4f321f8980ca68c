package task

import "reflect"

// Final returns the names of the errors after which the workflow's state of
// that name is not tried again: another attempt would end the same way. There
// is no list of errors that are retried: whatever else a state ends with, a
// function's own error or one of AWS's, may have passed by the next attempt.
func Final(state string) []string {
	switch state {
	case "CalculateWeights":
		return namesOf(append(refusals(), AliasChanged{})...)
	case "UpdateAlias":
		return namesOf(RolloutUnderWay{}, VersionNotFound{}, VersionDeleted{}, AliasChanged{}, AccessDenied{}, Redriven{})
	case "PreTraffic", "HealthCheck", "PostTraffic":
		return namesOf(AccessDenied{}, Redriven{})
	case "Allocate":
		return namesOf(RolloutUnderWay{}, AllocationFailed{}, AliasChanged{}, AccessDenied{}, Redriven{})
	case "Finalize":
		return namesOf(AllocationFailed{}, AliasChanged{}, AccessDenied{}, Redriven{})
	case "Rollback":
		return namesOf(AliasChanged{}, Redriven{})
	}
	return nil
}

// refusals returns one error of each type with which CalculateWeights ends a
// rollout that it does not begin. Lack of access is among them, as it touches
// nothing either.
func refusals() []error {
	return []error{
		InvalidRequest{}, FunctionNotFound{}, AliasNotFound{}, AliasNotPublished{}, AliasSplit{}, RolloutUnderWay{}, VersionNotFound{}, VersionNotReady{},
		VersionsDiffer{}, ProvisionedConcurrency{}, AlarmNotFound{}, AlarmsRed{}, GateNotAllowed{}, NotContinued{}, AccessDenied{},
	}
}

// namesOf returns the names of errors as a Lambda function reports them: those
// of their types.
func namesOf(errs ...error) []string {
	names := make([]string, 0, len(errs))
	for _, err := range errs {
		names = append(names, reflect.TypeOf(err).Name())
	}
	return names
}
