package task

// Final returns the names of the errors after which the workflow's state of
// that name is not retried: another attempt would end the same way. All
// others are retried, a function's own and those of AWS: they may have passed by
// the next attempt. It returns nil for a state that calls no function.
func Final(state string) []string {
	switch state {
	case "CalculateWeights":
		return Refusals()
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
