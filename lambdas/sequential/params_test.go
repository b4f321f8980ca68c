package sequential

import (
	"math"
	"strings"
	"testing"
)

// TestInvalidInputIsRefused: each with all that is wrong at once.
func TestInvalidInputIsRefused(t *testing.T) {
	nan := math.NaN()
	for name, test := range map[string]struct {
		make func() error
		want []string
	}{
		"a minute": {
			func() error { _, err := NewMinute(Count{-1, 0}, Count{5, 6}); return err },
			[]string{"baseline: -1 requests", "new version: 6 errors: must be at most the 5 requests"},
		},
		"another minute": {
			func() error { _, err := NewMinute(Count{1, -2}, Count{MaxCount + 1, 0}); return err },
			[]string{"baseline: -2 errors", "new version: 1000000000001 requests"},
		},
		"harm": {
			func() error {
				_, err := NewHarm(HarmParams{Ratio: nan, Margin: -1, Eta: 0, Alpha: 1})
				return err
			},
			[]string{"ratio NaN", "margin -1", "eta 0", "alpha 1"},
		},
		"harm, other side": {
			func() error {
				_, err := NewHarm(HarmParams{Ratio: math.Inf(1), Margin: nan, Eta: nan, Alpha: nan})
				return err
			},
			[]string{"ratio +Inf", "margin NaN", "eta NaN", "alpha NaN"},
		},
		"proof": {
			func() error {
				_, err := NewNonInferiority(NonInferiorityParams{Ratio: -1, Eta: 1.5, Beta: 0})
				return err
			},
			[]string{"ratio -1", "eta 1.5", "beta 0"},
		},
		"historical control": {
			func() error {
				_, err := NewHistoricalControl(HistoricalControlParams{Record: Count{1, 2}, Margin: 2, Eta: nan, Alpha: -1})
				return err
			},
			[]string{"record: 2 errors", "tolerance 0", "margin 2", "eta NaN", "alpha -1", "averaged 0"},
		},
	} {
		err := test.make()
		if err == nil {
			t.Errorf("%s: not refused", name)
			continue
		}
		for _, want := range test.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q doesn't say %q", name, err, want)
			}
		}
		if lines := strings.Count(err.Error(), "\n") + 1; lines != len(test.want) {
			t.Errorf("%s: %d problems, want %d:\n%v", name, lines, len(test.want), err)
		}
	}
}

func TestTheEdgesOfTheRangesAreTaken(t *testing.T) {
	for _, p := range []HarmParams{DefaultHarmParams(), {Ratio: 1e-300, Margin: 1, Eta: 1e-300, Alpha: 1e-300}, {Ratio: 1000, Eta: 1, Alpha: 0.999}} {
		h := harm(t, p)
		s := h.Fold(State{}, minute(t, MaxCount, 1, 1, 1), minute(t, 1, 1, MaxCount, MaxCount), minute(t, MaxCount, MaxCount, MaxCount, 0))
		if l := s.LogE(); math.IsNaN(l) || math.IsInf(l, 0) {
			t.Errorf("%+v: log E is %v", p, l)
		}
	}
	for _, p := range []NonInferiorityParams{DefaultNonInferiorityParams(), {Ratio: 0, Eta: 1e-300, Beta: 1e-300}, {Ratio: 1000, Eta: 1, Beta: 0.999}} {
		made := proof(t, p)
		s := made.Fold(NonInferiorityState{}, minute(t, MaxCount, 1, 1, 1), minute(t, 1, 1, MaxCount, MaxCount))
		if u := made.Bound(s); !(u >= 0 && u <= 1) {
			t.Errorf("%+v: the bound is %v", p, u)
		}
	}
}
