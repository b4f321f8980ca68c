package sequential

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"
)

// TestStatesAreWrittenAsEncodingJSONWrites them, whatever their numbers.
func TestStatesAreWrittenAsEncodingJSONWrites(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	number := func() float64 {
		if random.IntN(4) == 0 {
			return []float64{0, math.Copysign(0, -1), 1, -1, 1e-6, 9.99e-7, 1e-7, 1e-9, 1e-10, 1e-100, 1e20, 1e21, 1e22, 1.5e300, math.MaxFloat64, math.SmallestNonzeroFloat64}[random.IntN(16)]
		}
		return (random.Float64() - 0.5) * math.Pow(10, float64(random.IntN(60)-30))
	}
	for range 20_000 {
		var s State
		var x ExactState
		var p NonInferiorityState
		s.logE, x.logE, p.requests = number(), number(), number()
		for _, numbers := range [][]float64{s.weights[:], x.weights[:], p.sums[:]} {
			for i := range numbers {
				numbers[i] = number()
			}
		}
		s.weights[0], x.weights[0] = 0.5, 0.5 // they have begun
		for _, each := range []struct{ state, plain any }{{s, stateJSON{s.logE, s.weights[:]}}, {x, stateJSON{x.logE, x.weights[:]}}, {p, proofStateJSON{p.sums[:], p.requests}}} {
			got, err := json.Marshal(each.state)
			want, wantErr := json.Marshal(each.plain)
			if err != nil || wantErr != nil || string(got) != string(want) {
				t.Fatalf("%s, %v; encoding/json writes %s, %v", got, err, want, wantErr)
			}
		}
	}
	for _, x := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		for _, state := range []any{State{logE: x}, ExactState{logE: x}, NonInferiorityState{requests: x}, NonInferiorityState{sums: [proofBets]float64{x}}} {
			if text, err := json.Marshal(state); err == nil {
				t.Errorf("%v becomes %s", x, text)
			}
		}
	}
}
