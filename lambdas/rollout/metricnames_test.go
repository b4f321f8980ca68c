package rollout_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// TestDimensionsAreMeasuredAsCloudWatchSeesThem: with their placeholders filled in.
func TestDimensionsAreMeasuredAsCloudWatchSeesThem(t *testing.T) {
	const metric = `"namespace": "N", "metric": "M", "dimensions": {"V": "%s${alias}"}`
	for _, test := range []struct {
		length int
		gate   string
		want   string // the path; empty if it is taken
	}{
		{1024 - 100, `"name": "a", "max": 1, ` + metric, ""},
		{1025 - 100, `"name": "a", "max": 1, ` + metric, "health.metrics[0].dimensions.V must have at most 1024 characters with its placeholders filled in; it has 1025"},
		{1025 - 100, `"name": "a", "max": 1, "expression": "m", "metrics": {"m": {` + metric + `}}`, "health.metrics[0].metrics.m.dimensions.V must have"},
	} {
		gate := fmt.Sprintf(test.gate, strings.Repeat("v", test.length))
		_, err := rollout.Decode([]byte(`{"function-name": "f", "alias-name": "` + strings.Repeat("l", 100) + `", "new-version": "2", "type": "canary", "interval": 60,
			"health": {"metrics": [{` + gate + `}]}}`))
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%d characters and an alias of 100: %v", test.length, err)
		}
	}
}
