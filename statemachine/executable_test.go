package statemachine_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/statemachine"
)

// TestTheMemoryLimitLeavesMemoryForTheRest: the executable's pages, and what Lambda runs beside it, are not in Go's limit.
func TestTheMemoryLimitLeavesMemoryForTheRest(t *testing.T) {
	const rest = 24 // MB: the largest executable has 17 MB
	limit, err := strconv.Atoi(strings.TrimSuffix(statemachine.RuntimeSettings()["GOMEMLIMIT"], "MiB"))
	if err != nil || limit <= 0 || limit > statemachine.MemoryMB-rest {
		t.Errorf("the limit is %d MiB, %v, of %d MB", limit, err, statemachine.MemoryMB)
	}
}
