package jsonappend

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// document is what the test writes, once by its fields.
type document struct {
	Empty   struct{}    `json:"empty"`
	Floats  []float64   `json:"floats"`
	Ints    []int64     `json:"ints"`
	Nothing []int64     `json:"nothing"`
	Times   []time.Time `json:"times"`
	Is      bool        `json:"is"`
	Last    int64       `json:"last"`
}

func (d document) write(t *Text) {
	t.Open()
	t.Name("empty")
	t.Open()
	t.Close()
	t.Name("floats")
	t.Floats(d.Floats)
	t.Name("ints")
	t.Ints(d.Ints)
	t.Name("nothing")
	t.Null()
	t.Name("times")
	List(t, d.Times, func(at *time.Time, t *Text) { t.Time(*at) })
	t.Name("is")
	t.Bool(d.Is)
	t.Name("last")
	t.Int(d.Last)
	t.Close()
}

// TestTextsAreThoseOfEncodingJSON, whatever their values.
func TestTextsAreThoseOfEncodingJSON(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	odd := []float64{0, math.Copysign(0, -1), 1, -1, 1e-6, 9.99e-7, 1e-7, 1e-9, 1e-10, 1e-100, 1e20, 1e21, 1e22, 1.5e300, math.MaxFloat64, math.SmallestNonzeroFloat64}
	for range 5_000 {
		d := document{Floats: make([]float64, random.IntN(4)), Ints: make([]int64, random.IntN(4)), Times: make([]time.Time, random.IntN(3)), Is: random.IntN(2) == 0, Last: random.Int64() - math.MaxInt64/2}
		for i := range d.Floats {
			d.Floats[i] = (random.Float64() - 0.5) * math.Pow(10, float64(random.IntN(60)-30))
			if random.IntN(3) == 0 {
				d.Floats[i] = odd[random.IntN(len(odd))]
			}
		}
		for i := range d.Ints {
			d.Ints[i] = random.Int64() >> random.IntN(64) * int64(1-2*random.IntN(2))
		}
		for i := range d.Times {
			zone := time.FixedZone("", (random.IntN(200)-100)*900)
			d.Times[i] = time.Unix(random.Int64N(4e9), random.Int64N(1e9)/1000*int64(random.IntN(2)*1000)).In(zone)
		}
		text := New(10)
		d.write(&text)
		want, err := json.Marshal(d)
		if got, ok := text.Bytes(); !ok && err == nil || ok && (err != nil || string(got) != string(want)) {
			t.Fatalf("%s, %v; encoding/json writes %s, %v", got, ok, want, err)
		}
	}
}

// TestWhatJSONDoesNotHave is no JSON, whatever follows it.
func TestWhatJSONDoesNotHave(t *testing.T) {
	for _, d := range []document{
		{Floats: []float64{math.NaN()}}, {Floats: []float64{math.Inf(1), 1}}, {Floats: []float64{1, math.Inf(-1)}},
		{Times: []time.Time{time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), {}}}, {Times: []time.Time{time.Unix(0, 0).In(time.FixedZone("", 24*60*60))}},
	} {
		var text Text
		d.write(&text)
		if got, ok := text.Bytes(); ok {
			t.Errorf("%+v becomes %s", d, got)
		}
		if text, err := json.Marshal(d); err == nil {
			t.Errorf("encoding/json has it: %s", text)
		}
	}
}
