package sequential

import (
	"encoding/json"
	"math"
	"os"
	"strconv"
	"testing"
)

// vector is a sequence of minutes with the evidence after each, computed
// elsewhere at 50 digits.
type vector struct {
	Rho0, Delta, Eta decimal
	Rows             []struct {
		Nb, Kb, Nc, Kc int64
		LogE           decimal `json:"log_e"`
		LogAccept      decimal `json:"log_accept"`
	}
}

// decimal is a number that JSON holds as a string.
type decimal float64

func (d *decimal) UnmarshalText(text []byte) error {
	value, err := strconv.ParseFloat(string(text), 64)
	*d = decimal(value)
	return err
}

func readVectors(t *testing.T) map[string]vector {
	t.Helper()
	data, err := os.ReadFile("testdata/evidence-vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors map[string]vector
	if err := json.Unmarshal(data, &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors) < 4 {
		t.Fatalf("only %d vectors", len(vectors))
	}
	return vectors
}

// The vectors have six decimals.
const vectorTolerance = 1e-6

func TestHarmAgreesWithTheVectors(t *testing.T) {
	for name, v := range readVectors(t) {
		h := harm(t, HarmParams{Ratio: float64(v.Rho0), Margin: float64(v.Delta), Eta: float64(v.Eta), Alpha: 0.01})
		var s State
		for i, row := range v.Rows {
			s = h.Fold(s, minute(t, row.Nb, row.Kb, row.Nc, row.Kc))
			if math.Abs(s.LogE()-float64(row.LogE)) > vectorTolerance {
				t.Errorf("%s, row %d: log E is %.7f, want %.6f", name, i, s.LogE(), row.LogE)
			}
		}
	}
}

func TestProofAgreesWithTheVectors(t *testing.T) {
	p := proof(t, NonInferiorityParams{Ratio: 1, Eta: 1, Beta: 0.05})
	for name, v := range readVectors(t) {
		var s NonInferiorityState
		for i, row := range v.Rows {
			s = p.Fold(s, minute(t, row.Nb, row.Kb, row.Nc, row.Kc))
			if got := p.LogE(s, 0.01); math.Abs(got-float64(row.LogAccept)) > vectorTolerance {
				t.Errorf("%s, row %d: log accept is %.7f, want %.6f", name, i, got, row.LogAccept)
			}
		}
	}
}

// TestTheVectorsTellBrokenFormulas runs the text's formula with one thing wrong
// at a time: each must miss some vector, and the right one none.
func TestTheVectorsTellBrokenFormulas(t *testing.T) {
	misses := func(broken func(*textbook)) int {
		count := 0
		for _, v := range readVectors(t) {
			book := newTextbook(float64(v.Rho0), float64(v.Delta), float64(v.Eta))
			broken(&book)
			for _, row := range v.Rows {
				book.fold(minute(t, row.Nb, row.Kb, row.Nc, row.Kc))
				if math.Abs(book.logE-float64(row.LogE)) > vectorTolerance {
					count++
				}
			}
		}
		return count
	}
	if n := misses(func(*textbook) {}); n != 0 {
		t.Errorf("the formula of the text misses %d rows", n)
	}
	for name, broken := range map[string]func(*textbook){
		"another share":             func(b *textbook) { b.share = 0.049 },
		"no share":                  func(b *textbook) { b.share = 0 },
		"another grid":              func(b *textbook) { b.grid[3] = 3 },
		"another prior":             func(b *textbook) { b.prior[0], b.prior[1] = 0.1, 0.12 },
		"no ratio":                  func(b *textbook) { b.ratio = 1 },
		"no margin":                 func(b *textbook) { b.margin = 0 },
		"tempered":                  func(b *textbook) { b.eta = 0.99 },
		"share in one-sided minute": func(b *textbook) { b.foldsAll = true },
	} {
		if misses(broken) == 0 {
			t.Errorf("%s: no vector tells", name)
		}
	}
}
