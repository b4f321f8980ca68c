package health

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/sequential"
)

// someEvidence is evidence as a check leaves it.
func someEvidence(clusters *sequential.Clusters) *Evidence {
	at := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	return &Evidence{
		History: &BaselineHistory{Count: sequential.Count{Requests: 6000, Errors: 3}, Timed: 6000, Over: [thresholds]float64{0.1 + 0.2, 7}},
		Until:   at, Clusters: clusters, Step: 2, StepRequests: 100, WarmUp: []time.Time{at}, Shifts: []WeightChange{{At: at, Weight: 0.1}},
		Minutes: []Minute{{At: at, Baseline: Sample{Requests: 900, Errors: 1}, NewVersion: Sample{Requests: 100}, Weight: 0.1, Above: []int64{1}}},
	}
}

// TestRecentIsWhatDecodingReturns, and is returned once, as its user may modify it.
func TestRecentIsWhatDecodingReturns(t *testing.T) {
	r := new(Recent)
	text, err := r.Encode(someEvidence(nil))
	if err != nil {
		t.Fatal(err)
	}
	var decoded Evidence
	if err := json.Unmarshal(text, &decoded); err != nil {
		t.Fatal(err)
	}
	if r.text == nil {
		t.Fatal("nothing is remembered")
	}
	for range 2 { // from memory, then by decoding
		known, err := r.Decode(append(json.RawMessage{}, text...))
		if err != nil || !reflect.DeepEqual(*known, decoded) {
			t.Errorf("%+v, %v", known, err)
		}
		if r.text != nil {
			t.Error("it is remembered still")
		}
		known.Minutes[0].Weight = 0.5
	}
	if known, err := (*Recent)(nil).Decode(text); err != nil || !reflect.DeepEqual(*known, decoded) {
		t.Errorf("without a memory: %+v, %v", known, err)
	}
	if _, err := r.Encode(someEvidence(nil)); err != nil {
		t.Fatal(err)
	}
	if other, err := r.Decode([]byte(`{"minutes":[]}`)); err != nil || len(other.Minutes) != 0 || other.History != nil {
		t.Errorf("another text: %+v, %v", other, err)
	}
	if _, err := r.Decode([]byte(`{"until":1}`)); err == nil {
		t.Error("a corrupt text is decoded")
	}
	if none, err := r.Decode(nil); err != nil || !reflect.DeepEqual(*none, Evidence{}) {
		t.Errorf("no text: %+v, %v", none, err)
	}
}

// TestNewClustersAreDecoded: JSON rounds them, and the next check has to see what another
// environment would. Those that were decoded are as JSON has them.
func TestNewClustersAreDecoded(t *testing.T) {
	r := new(Recent)
	past := make([]sequential.Count, 3000)
	for i := range past {
		past[i] = sequential.Count{Requests: 97, Errors: int64(i % 7 / 6)}
	}
	learned := sequential.LearnClusters(past)
	text, err := r.Encode(someEvidence(&learned))
	if err != nil || r.text != nil {
		t.Fatalf("new clusters are remembered: %s, %v", text, err)
	}
	for range 2 {
		known, err := r.Decode(text)
		if err != nil || known.Clusters == nil || reflect.DeepEqual(*known.Clusters, learned) {
			t.Fatalf("%+v, %v", known.Clusters, err)
		}
		again, err := r.Encode(known)
		if err != nil || string(again) != string(text) || r.text == nil {
			t.Errorf("decoded clusters are not remembered: %s, %v", again, err)
		}
	}
}
