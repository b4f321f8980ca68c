package health

import (
	"reflect"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// TestRecentQueriesAreThoseOfTheCheck, whichever field of it differs from the check before, and
// with those of metric gates.
func TestRecentQueriesAreThoseOfTheCheck(t *testing.T) {
	base := Query{Function: "f", Alias: "live", Baseline: "1", NewVersion: "2", Over: [thresholds]float64{100, 200}, Bounds: []float64{300}}
	r := new(recentQueries)
	first := r.queriesOf(&base)
	if again := r.queriesOf(&base); &again[0] != &first[0] {
		t.Error("the queries are made again")
	}
	for i := range reflect.TypeOf(base).NumField() {
		other := base
		switch field := reflect.ValueOf(&other).Elem().Field(i).Addr().Interface().(type) {
		case *string:
			*field = "other"
		case *bool:
			*field = !*field
		case *time.Time:
			*field = time.Unix(0, 0)
		case *rollout.Window:
			field.To = time.Unix(0, 0)
		case *[thresholds]float64:
			field[1] = 0
		case *[]float64:
			*field = []float64{301}
		case *[]GateQueries:
			*field = []GateQueries{{Queries: []MetricQuery{{ID: "g0"}}}, {Queries: []MetricQuery{{ID: "g1"}}}}
		default:
			t.Fatalf("no value for %T", field)
		}
		for _, q := range []Query{other, base, other, other, base} {
			if got, want := r.queriesOf(&q), q.queries(); !reflect.DeepEqual(got, want) {
				t.Errorf("field %d:\n%v\nwant\n%v", i, got, want)
			}
		}
	}
	bounds := []float64{300}
	base.Bounds = bounds
	r.queriesOf(&base)
	bounds[0] = 5
	if got, want := r.queriesOf(&base), base.queries(); !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
