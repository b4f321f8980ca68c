package sequential

import (
	"math"
	"testing"
)

func TestPhi(t *testing.T) {
	for name, test := range map[string]struct {
		minutes []Minute
		want    float64
	}{
		"nothing known": {nil, 1},
		"single errors": {[]Minute{minute(t, 90, 1, 10, 0), minute(t, 90, 0, 10, 1)}, 1},
		"one-sided":     {[]Minute{minute(t, 50, 9, 0, 0), minute(t, 0, 0, 50, 9)}, 1},
		"evenly spread": {[]Minute{minute(t, 50, 10, 50, 10)}, 1},
		// (10 − 10·0.5)²/0.25 = 100 over 10 errors.
		"together": {[]Minute{minute(t, 50, 0, 50, 10)}, 120.0 / 30},
		// (4 − 4·0.2)²/0.16 = 64, and (0 − 6·0.2)²/0.16 = 9, over 10 errors.
		"two minutes":   {[]Minute{minute(t, 80, 0, 20, 4), minute(t, 80, 6, 20, 0)}, 93.0 / 30},
		"a great many":  {[]Minute{minute(t, 1, 0, MaxCount-1, MaxCount-1)}, 1},
		"and all aside": {[]Minute{minute(t, MaxCount, MaxCount, 1, 0)}, 1},
	} {
		if got := (Dispersion{}).Fold(test.minutes...).Phi(); math.Abs(got-test.want) > 1e-9 {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

// TestPhiFindsTheSizeOfClusters: about 1 for independent errors, above 3 for
// clusters of 5 (geometric ones count for more than their mean).
func TestPhiFindsTheSizeOfClusters(t *testing.T) {
	phi := func(w world) float64 {
		source := seeded(t, 1)
		var d, read Dispersion
		for range 2000 {
			kb, kc := w(source, 4500, 500, 0.002, 1)
			d = d.Fold(minute(t, 4500, kb, 500, kc))
		}
		roundTrip(t, d, &read)
		if read != d {
			t.Errorf("%+v is read as %+v", d, read)
		}
		return d.Phi()
	}
	if got := phi(independent); got > 1.1 {
		t.Errorf("independent errors: %v", got)
	}
	if got := phi(clustered(5)); got < 3 || got > 10 {
		t.Errorf("clusters of 5: %v", got)
	}
}
