package health_test

import (
	"encoding/json"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health"
)

// TestSamplesAreReadStrictly refuses what no sample was written as.
func TestSamplesAreReadStrictly(t *testing.T) {
	var s health.Sample
	if err := json.Unmarshal([]byte(" [ 4 ,\n3,2, 1 ] "), &s); err != nil || s != (health.Sample{Requests: 4, Errors: 3, Slow: [2]int64{2, 1}}) {
		t.Errorf("%+v, %v", s, err)
	}
	for _, text := range []string{`null`, `[]`, `[1,2,3]`, `[1,2,3,4,5]`, `[[1,2,3,4]]`, `[1,2,3,-4]`, `[1,2,3,0.5]`, `[1,2,3,1e3]`, `[1,2,3,"4"]`, `"1,2,3,4"`, `[1,2,3,null]`, `{}`, `7`, `[1,2,3,9007199254740993]`} {
		if err := json.Unmarshal([]byte(text), &s); err == nil {
			t.Errorf("%s is read as %+v", text, s)
		}
	}
}
