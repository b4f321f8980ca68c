package health

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/sequential"
)

// TestEvidenceIsEncodedAsEncodingJSONWrites it, whatever is zero in it.
func TestEvidenceIsEncodedAsEncodingJSONWrites(t *testing.T) {
	for seed := range uint64(3_000) {
		random := rand.New(rand.NewPCG(seed, 2))
		var e Evidence
		if seed > 0 { // the first is the start
			fill(random, reflect.ValueOf(&e).Elem())
		}
		got, err := e.encode(10)
		want, wantErr := json.Marshal(&e)
		if err != nil || wantErr != nil || string(got) != string(want) {
			t.Fatalf("seed %d: %s, %v; encoding/json writes %s, %v", seed, got, err, want, wantErr)
		}
	}
}

// fill sets a part of the fields that are exported, and states, to numbers that JSON has.
func fill(random *rand.Rand, v reflect.Value) {
	var err error
	if random.IntN(4) == 0 {
		return
	}
	switch of := v.Addr().Interface().(type) {
	case *time.Time:
		*of = time.Unix(random.Int64N(4e9), random.Int64N(2)*1e6).In(time.FixedZone("", random.IntN(2)*3600))
	case *sequential.State: // its fields are its package's
		err = json.Unmarshal([]byte(`{"log-e":-1e-7,"weights":[0.3,0.1,0.1,0.1,0.1,0.1,0.1,0.1]}`), of)
	case *sequential.ExactState:
		*of = sequential.RobustFrom(sequential.State{}).Size
	case *sequential.NonInferiorityState:
		err = json.Unmarshal([]byte(`{"sums":[1e30,0.5,0,-1,1e-9,7],"requests":7}`), of)
	default:
		fillKind(random, v)
	}
	if err != nil {
		panic(err)
	}
}

func fillKind(random *rand.Rand, v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(random.Int64N(1 << random.IntN(50)))
	case reflect.Float64:
		v.SetFloat(random.Float64() * math.Pow(10, float64(random.IntN(40)-10)))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(random, v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), random.IntN(4), 4))
		fallthrough
	case reflect.Array:
		for i := range v.Len() {
			fill(random, v.Index(i))
		}
	case reflect.Struct:
		for field, value := range v.Fields() {
			if field.IsExported() {
				fill(random, value)
			}
		}
	default:
		panic("the evidence has a " + v.Type().String())
	}
}

// TestEvidenceThatJSONDoesNotHave is the error of encoding/json.
func TestEvidenceThatJSONDoesNotHave(t *testing.T) {
	e := someEvidence(nil)
	e.Snapshot.Slowest = math.NaN()
	_, want := json.Marshal(e)
	for _, recent := range []*Recent{nil, new(Recent)} {
		if text, err := recent.Encode(e); err == nil || want == nil || err.Error() != want.Error() {
			t.Errorf("%s, %v; want %v", text, err, want)
		}
	}
}
