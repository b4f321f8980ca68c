package health_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health"
)

// TestMinutesAreWrittenAsTheirFieldsSay holds the minutes' own writing to that of
// encoding/json.
func TestMinutesAreWrittenAsTheirFieldsSay(t *testing.T) {
	type fields health.Minute // without its methods
	sample := health.Sample{Requests: 1 << 40, Errors: 7, Slow: [2]int64{3, 1}}
	for _, m := range []health.Minute{
		{},
		{At: time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC), Baseline: sample, Shifted: true},
		{At: time.Date(2026, 1, 2, 3, 4, 5, 60_000, time.UTC), NewVersion: sample, Untimed: true, Weight: 0.125},
		{Above: []int64{12, 0, 7}},
	} {
		want, err := json.Marshal(fields(m))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := json.Marshal(m); string(got) != string(want) || err != nil {
			t.Errorf("%s, %v; want %s", got, err, want)
		}
	}
	if n := reflect.TypeFor[health.Minute]().NumField(); n != 8 {
		t.Errorf("%d fields: the minutes here know 8", n)
	}
	if got, err := json.Marshal(health.Minute{At: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}); err == nil {
		t.Errorf("%s: no such time can be read again", got)
	}
}

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
