package report

import (
	"math"
	"slices"

	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal/study"
)

// bin is a bar of a histogram: how many values are from low to high, both
// included where values are whole; else it is up to high.
type bin struct {
	low, high float64
	count     int
	// from and to are where the bar begins and ends: a bar of a single whole
	// value stands around it.
	from, to float64
}

// The most values that have a bar each, and where they are more, how many bars
// there are room for, empty ones too.
const mostSingle, fewestBins, mostBins = 40, 10, 60

// binsOf sorts values, the least of them first, into bins of one width; those
// without a value are left out. Whole values that are all multiples of a part of
// unit have a bar each, if they are few. Else the width is a round one of up to
// twice the interquartile range over the cube root of the values' number
// (Freedman and Diaconis, 1981: outliers don't widen it), within those bounds.
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

// partOf is the largest part of unit that all values are multiples of; 0 if they
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

// roundWidth is the largest round width up to the one wanted, but at least least.
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

// roundNumbers are 1, 2, 5, 10 and so on.
func roundNumbers() []float64 {
	var all []float64
	for power := 1.0; power < 1e15; power *= 10 {
		all = append(all, power, 2*power, 5*power)
	}
	return all
}
