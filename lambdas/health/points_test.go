package health

import (
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"
)

// TestSeriesAreTheValuesByTheSecond, in whatever order and pages they come.
func TestSeriesAreTheValuesByTheSecond(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 3_000 {
		var p points
		var given, pages []MetricResult
		want, ids := map[string]map[int64]float64{}, []string{"a", "b", "c"}
		for range random.IntN(6) {
			result := MetricResult{ID: ids[random.IntN(len(ids))]}
			if want[result.ID] == nil {
				want[result.ID] = map[int64]float64{}
			}
			at := random.Int64N(30)
			for range random.IntN(10) {
				result.Times, result.Values = append(result.Times, time.Unix(at, random.Int64N(2)*5)), append(result.Values, random.Float64())
				want[result.ID][at] = result.Values[len(result.Values)-1]
				if at += 1 + random.Int64N(3); random.IntN(10) == 0 {
					at = random.Int64N(30)
				}
			}
			given = append(given, result)
			result.Times, result.Values = slices.Clone(result.Times), slices.Clone(result.Values)
			pages = append(pages, result)
			p.add(result)
		}
		if !reflect.DeepEqual(pages, given) {
			t.Fatal("a result is modified")
		}
		seconds, first := map[int64]bool{}, random.Int64N(20)-5
		var all []series
		for _, id := range ids {
			s := p.series(id)
			all = append(all, s)
			for range 40 {
				second := random.Int64N(50) - 5
				known, ok := want[id][second]
				if value, is := s.value(second); value != known || is != ok {
					t.Fatalf("%v at %d: %v, %v; want %v, %v", s, second, value, is, known, ok)
				}
			}
			for second := range want[id] {
				if second >= first {
					seconds[second] = true
				}
			}
		}
		if got, want := appendTimes(nil, first, all...), slices.Sorted(maps.Keys(seconds)); !slices.Equal(got, want) {
			t.Fatalf("from %d on there are values at %v, want %v", first, got, want)
		}
	}
}
