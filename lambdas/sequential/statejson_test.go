package sequential

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/lambdas/jsonappend"
)

// TestStatesAreAppendedAsEncodingJSONWrites them, whatever their numbers and those that are
// zero.
func TestStatesAreAppendedAsEncodingJSONWrites(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	odd := []float64{0, math.Copysign(0, -1), 1, 1e-7, 1e21, math.MaxFloat64, math.SmallestNonzeroFloat64}
	number := func() float64 {
		if random.IntN(3) == 0 {
			return odd[random.IntN(len(odd))]
		}
		return (random.Float64() - 0.5) * math.Pow(10, float64(random.IntN(60)-30))
	}
	state := func() (s State) {
		if random.IntN(3) > 0 {
			s.logE = number()
		}
		if random.IntN(3) > 0 {
			for i := range s.weights {
				s.weights[i] = math.Abs(number())
			}
		}
		return s
	}
	exact := func() (s ExactState) {
		if random.IntN(3) > 0 {
			s.logE, s.weights = number(), [exactAlternatives + 1]float64{random.Float64(), number()}
		}
		return s
	}
	count := func() Count { return Count{random.Int64N(3), random.Int64N(2)} }
	shares := func() (s ShareState) {
		if random.IntN(3) > 0 {
			s = ShareState{Shares: number(), Minutes: random.Int64N(3), Bets: state(), Baseline: count(), Lately: [2]float64{number(), number()}}
		}
		return s
	}
	for range 3_000 {
		robust, control := RobustState{exact(), state(), exact(), shares()}, ControlState{state(), state(), state(), shares()}
		single, clusters := state(), Clusters{Requests: random.Int64N(1e9), Errors: random.Int64N(10), Hours: random.Int64N(72), Size: random.Float64() * 100, Last: random.Float64(), Rate: random.Float64() / 1e9, Excess: [excesses]float64{random.Float64()}}
		all := struct {
			Robust     RobustState         `json:"robust,omitzero"`
			Control    ControlState        `json:"control,omitzero"`
			Single     State               `json:"single"`
			Proof      NonInferiorityState `json:"proof"`
			Clusters   *Clusters           `json:"clusters"`
			Count      Count               `json:"count"`
			Dispersion Dispersion          `json:"dispersion"`
			Expected   Expectation         `json:"expected"`
		}{
			robust, control, single, NonInferiorityState{sums: [proofBets]float64{number(), number()}, requests: number()},
			&clusters, count(), Dispersion{number(), random.Int64N(3)}, Expectation{number(), number()},
		}
		var text jsonappend.Text
		text.Open()
		jsonappend.Some(&text, "robust", &robust, (*RobustState).Append)
		jsonappend.Some(&text, "control", &control, (*ControlState).Append)
		for _, each := range []struct {
			name  string
			value interface{ Append(*jsonappend.Text) }
		}{{"single", &single}, {"proof", &all.Proof}, {"clusters", &clusters}, {"count", all.Count}, {"dispersion", all.Dispersion}, {"expected", all.Expected}} {
			text.Name(each.name)
			each.value.Append(&text)
		}
		text.Close()
		want, err := json.Marshal(all)
		if got, ok := text.Bytes(); !ok || err != nil || string(got) != string(want) {
			t.Fatalf("%s, %v; encoding/json writes %s, %v", got, ok, want, err)
		}
	}
	for of, fields := range map[reflect.Type]int{
		reflect.TypeFor[RobustState](): 4, reflect.TypeFor[ControlState](): 4, reflect.TypeFor[ShareState](): 5, reflect.TypeFor[Clusters](): 7,
		reflect.TypeFor[Count](): 2, reflect.TypeFor[Dispersion](): 2, reflect.TypeFor[Expectation](): 2,
	} {
		if n := of.NumField(); n != fields {
			t.Errorf("%s has %d fields: the values here have %d", of, n, fields)
		}
	}
}

// TestNumbersThatJSONDoesNotHave are an error.
func TestNumbersThatJSONDoesNotHave(t *testing.T) {
	for _, x := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		for _, state := range []interface{ Append(*jsonappend.Text) }{&State{logE: x}, &ExactState{logE: x}, &NonInferiorityState{requests: x}, &NonInferiorityState{sums: [proofBets]float64{x}}} {
			var to jsonappend.Text
			state.Append(&to)
			if text, ok := to.Bytes(); ok {
				t.Errorf("%v becomes %s", x, text)
			}
			if text, err := json.Marshal(state); err == nil {
				t.Errorf("%v becomes %s", x, text)
			}
		}
	}
}
