package report

import (
	"math"
	"slices"

	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal/study"
)

// bin is a bar of a histogram: it counts the values in [low, high] if all values
// are whole, and in [low, high) otherwise.
type bin struct {
	low, high float64
	count     int
	// from and to are the bar's edges: the bar of a single whole value is centred
	// on it.
	from, to float64
}

// mostSingle limits how many different values can have a bar each. If there are more,
// there are from fewestBins to mostBins bins, empty ones included.
const mostSingle, fewestBins, mostBins = 40, 10, 60

// binsOf counts values, which must be sorted and not empty, in bins of equal
// width; it leaves out empty bins. Whole values that are all multiples of a
// divisor of unit have a bar each, if they are few. Otherwise the width is a round
// number of up to twice the interquartile range over the cube root of the number
// of values (Freedman and Diaconis, 1981: outliers don't widen it), within those
// bounds.
func binsOf(values []float64, unit float64, rounds []float64) []bin {
	part := partOf(values, unit)
	span := values[len(values)-1] - values[0]
	width := part
	if part == 0 || span/part >= mostSingle {
		want := 2 * (study.Quantile(values, 0.75) - study.Quantile(values, 0.25)) / math.Cbrt(float64(len(values)))
		width = roundWidth(max(span/mostBins, part), min(want, span/fewestBins), rounds)
		if part > 0 {
			width = math.Ceil(width/part) * part
		}
	}
	var bins []bin
	for _, value := range values {
		low := math.Floor(value/width) * width
		if n := len(bins); n == 0 || bins[n-1].low != low {
			bins = append(bins, bin{low: low, high: low + width - part, from: low - part/2, to: low + width - part/2})
		}
		bins[len(bins)-1].count++
	}
	return bins
}

// partOf returns the largest divisor of unit that divides all values; 0 if some
// are not whole.
func partOf(values []float64, unit float64) float64 {
	part := int64(unit)
	for _, value := range values {
		if value != math.Trunc(value) {
			return 0
		}
		for rest := int64(value); rest != 0; {
			part, rest = rest, part%rest
		}
	}
	return float64(part)
}

// roundWidth returns the largest of rounds, which are sorted, that is at most
// want, or else the smallest that is at least least.
func roundWidth(least, want float64, rounds []float64) float64 {
	i, _ := slices.BinarySearch(rounds, least)
	for i+1 < len(rounds) && rounds[i+1] <= want {
		i++
	}
	if i == len(rounds) {
		return least
	}
	return rounds[i]
}

// roundNumbers returns 1, 2, 5, 10 and so on.
func roundNumbers() []float64 {
	var all []float64
	for power := 1.0; power < 1e15; power *= 10 {
		all = append(all, power, 2*power, 5*power)
	}
	return all
}
