package sequential

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// roundTrip writes a value and reads it into another.
func roundTrip(t fataler, from, to any) int {
	data, err := json.Marshal(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, to); err != nil {
		t.Fatal(err)
	}
	return len(data)
}

// TestStatesGoOnExactly folds a sequence at once, and in two parts with a round
// trip through JSON between them, for counts of every size: the states are the
// same, bit for bit, and those folded from are as they were.
func TestStatesGoOnExactly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h, p := harm(t, drawHarm(t)), proof(t, NonInferiorityParams{Ratio: 1.1, Eta: rapid.Float64Range(0.05, 1).Draw(t, "eta of the proof"), Beta: 0.05})
		b := control(t, HistoricalControlParams{Record: drawCount(t, "record", MaxCount), Tolerance: 2, Eta: 1, Alpha: 0.01, Averaged: 2})
		minutes := rapid.SliceOfN(drawMinute(MaxCount), 0, 40).Draw(t, "minutes")
		cut := rapid.IntRange(0, len(minutes)).Draw(t, "cut")

		first := [2]State{h.Fold(State{}, minutes[:cut]...), b.Fold(State{}, minutes[:cut]...)}
		proven := p.Fold(NonInferiorityState{}, minutes[:cut]...)
		kept := first
		var read [2]State
		var readProven NonInferiorityState
		for i := range first {
			if size := roundTrip(t, first[i], &read[i]); size > 300 {
				t.Fatalf("a state of %d bytes", size)
			}
		}
		if size := roundTrip(t, proven, &readProven); size > 250 {
			t.Fatalf("a state of the proof of %d bytes", size)
		}
		if got, want := h.Fold(read[0], minutes[cut:]...), h.Fold(State{}, minutes...).begun(); got.begun() != want {
			t.Fatalf("harm: %+v, want %+v", got, want)
		}
		if got, want := b.Fold(read[1], minutes[cut:]...), b.Fold(State{}, minutes...).begun(); got.begun() != want {
			t.Fatalf("historical control: %+v, want %+v", got, want)
		}
		if got, want := p.Fold(readProven, minutes[cut:]...), p.Fold(NonInferiorityState{}, minutes...); got != want {
			t.Fatalf("proof: %+v, want %+v", got, want)
		}
		if first != kept {
			t.Fatal("folding changed the state that it began with")
		}
		for _, x := range []float64{h.Fold(first[0], minutes...).LogE(), b.Fold(first[1], minutes...).LogE(), p.LogE(proven, 0), p.LogE(proven, 1), p.Bound(proven)} {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				t.Fatal("evidence that is no number")
			}
		}
	})
}

// TestOneSidedMinutesChangeNothing: without requests of either version nothing
// is compared.
func TestOneSidedMinutesChangeNothing(t *testing.T) {
	h, p := harm(t, DefaultHarmParams()), proof(t, DefaultNonInferiorityParams())
	b := control(t, HistoricalControlParams{Record: Count{100, 1}, Tolerance: 2, Eta: 1, Alpha: 0.01, Averaged: 1})
	s, proven := h.Fold(State{}, minute(t, 90, 1, 10, 2)), p.Fold(NonInferiorityState{}, minute(t, 90, 1, 10, 2))
	for _, m := range []Minute{{}, minute(t, 10, 3, 0, 0), minute(t, 0, 0, 10, 10)} {
		if h.Fold(s, m) != s || p.Fold(proven, m) != proven {
			t.Errorf("%+v changes the state", m)
		}
	}
	if m := minute(t, 10, 3, 0, 0); b.Fold(s, m) != s {
		t.Errorf("%+v changes the state of the historical control", m)
	}
	if quiet := h.Fold(s, minute(t, 90, 0, 10, 0)); quiet == s || quiet.LogE() != s.LogE() {
		t.Errorf("a minute without errors goes from %+v to %+v: only the weights move", s, quiet)
	}
}

// TestLongRunsStayExact folds a year of minutes: without errors the evidence
// doesn't move at all, with a billion requests a minute it stays the textbook's.
func TestLongRunsStayExact(t *testing.T) {
	h := harm(t, DefaultHarmParams())
	s := h.Fold(State{}, minute(t, 90, 1, 10, 2))
	quiet := minute(t, 900_000_000, 0, 100_000_000, 0)
	after := s
	for range 500_000 {
		after = h.Fold(after, quiet)
	}
	if after.LogE() != s.LogE() {
		t.Errorf("half a million minutes without errors move the evidence from %v to %v", s.LogE(), after.LogE())
	}
	sum := 0.0
	for _, w := range after.weights {
		sum += w
	}
	if math.Abs(sum-1) > 1e-12 {
		t.Errorf("the weights sum to %v", sum)
	}

	book := newTextbook(1.1, 0, 1)
	var busy State
	for i := range int64(200_000) {
		m := minute(t, 900_000_000, 900_000+i%7, 100_000_000, 100_000+i%5*1000)
		busy = h.Fold(busy, m)
		book.fold(m)
	}
	if math.Abs(busy.LogE()-book.logE) > 1e-6*math.Abs(book.logE) {
		t.Errorf("log E is %v, the textbook's %v", busy.LogE(), book.logE)
	}
}

func TestStatesRefuseWhatNoFoldingLeadsTo(t *testing.T) {
	for data, want := range map[string]string{
		`{"log-e":0,"weights":[1]}`:                                            "1 weights: must be 8",
		`{"log-e":0,"weights":[0,0.2,0.1,0.1,0.2,0.1,0.1,0.2]}`:                "weight 0: 0: must be from",
		`{"log-e":0,"weights":[0.2,0.2,0.1,0.1,0.2,0.1,0.1,0.2]}`:              "sum of weights 1.2",
		`{"log-e":0,"weights":[-1,2,0.1,0.1,0.2,0.1,0.1,0.2]}`:                 "weight 0: -1",
		`{"log-e":1e999,"weights":[0.09,0.13,0.13,0.13,0.13,0.13,0.13,0.13]}`:  "1e999",
		`{"log-e":"none","weights":[0.09,0.13,0.13,0.13,0.13,0.13,0.13,0.13]}`: "log-e",
		`null`: "0 weights",
	} {
		s := State{logE: 1}
		if err := json.Unmarshal([]byte(data), &s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", data, err, want)
		}
		if s != (State{logE: 1}) {
			t.Errorf("%s: refused, and yet the state is %+v", data, s)
		}
	}
	var s State
	if err := json.Unmarshal([]byte(`{"log-e":-0.5,"weights":[0.09,0.13,0.13,0.13,0.13,0.13,0.13,0.13]}`), &s); err != nil || s.LogE() != -0.5 {
		t.Errorf("a right one: %v, %+v", err, s)
	}
	for data, want := range map[string]string{
		`{"sums":[1],"requests":0}`:               "1 sums: must be 6",
		`{"sums":[0,0,0,0,0,0],"requests":-1}`:    "-1 requests",
		`{"sums":[0,0,0,0,0,1e999],"requests":1}`: "1e999",
	} {
		var s NonInferiorityState
		if err := json.Unmarshal([]byte(data), &s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", data, err, want)
		}
	}
}

func TestLogMeanE(t *testing.T) {
	for _, test := range []struct {
		logs []float64
		want float64
	}{
		{nil, 0},
		{[]float64{3}, 3},
		{[]float64{math.Log(3), math.Log(5)}, math.Log(4)},
		{[]float64{1e15, 0}, 1e15 - math.Ln2},
		{[]float64{-1e15, -1e15}, -1e15},
		{[]float64{-5, -1e15}, -5 - math.Ln2},
		{[]float64{math.Inf(-1), math.Inf(-1)}, math.Inf(-1)},
	} {
		if got := LogMeanE(test.logs...); got != test.want && math.Abs(got-test.want) > 1e-12 {
			t.Errorf("%v: %v, want %v", test.logs, got, test.want)
		}
	}
}
