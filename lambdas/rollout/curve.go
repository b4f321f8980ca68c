package rollout

import (
	"errors"
	"math"
)

// Curve is a weight curve: how the new version's share of the traffic grows from
// step to step.
type Curve string

// The weight curves. In their formulas i counts the steps from 1 to n.
const (
	// Linear grows by equal shares: w(i) = i/n.
	Linear Curve = "linear"
	// Exponential doubles its increment at each step: w(i) = (2^i − 1)/(2^n − 1).
	Exponential Curve = "exponential"
	// Geometric grows from the first weight f to 1 in equal ratios:
	// w(i) = f^((n−i)/(n−1)).
	Geometric Curve = "geometric"
	// Canary has two steps: the first weight, then 1.
	Canary Curve = "canary"
	// AllAtOnce has a single step of weight 1.
	AllAtOnce Curve = "all-at-once"
	// Custom takes its weights from the request.
	Custom Curve = "custom"
)

var curves = []Curve{Linear, Exponential, Geometric, Canary, AllAtOnce, Custom}

// The first weights of the curves that have one, if the request gives none.
const (
	defaultGeometricStart = 0.01
	defaultCanaryStart    = 0.1
)

// shares returns a curve's n weights at full precision. It is defined for n ≥ 1
// (Geometric and Canary: n ≥ 2) and first in (0, 1).
func (c Curve) shares(n int, first float64) []float64 {
	shares := make([]float64, n)
	for i := range shares {
		step := float64(i + 1)
		switch c {
		case Linear:
			shares[i] = step / float64(n)
		case Exponential:
			shares[i] = (math.Exp2(step) - 1) / (math.Exp2(float64(n)) - 1)
		case Geometric, Canary: // a canary is the geometric curve of two steps
			shares[i] = math.Pow(first, (float64(n)-step)/float64(n-1))
		case AllAtOnce:
			shares[i] = 1
		}
	}
	return shares
}

// weights returns a curve's shares rounded to four decimals. It returns an error if
// two steps would have the same weight, or the first step none.
func (c Curve) weights(n int, first float64) ([]float64, error) {
	weights := roundAll(c.shares(n, first))
	if strictlyIncreasing(weights) {
		return weights, nil
	}
	most := n - 1
	for most > 0 && !strictlyIncreasing(roundAll(c.shares(most, first))) {
		most--
	}
	return nil, errors.New(wantFewerSteps(most, c))
}

// Round rounds a weight to the four decimals that a plan distinguishes.
func Round(weight float64) float64 {
	return math.Round(weight*1e4) / 1e4
}

func roundAll(weights []float64) []float64 {
	rounded := make([]float64, len(weights))
	for i, weight := range weights {
		rounded[i] = Round(weight)
	}
	return rounded
}

// strictlyIncreasing reports whether weights strictly increase from above 0.
func strictlyIncreasing(weights []float64) bool {
	last := 0.0
	for _, weight := range weights {
		if !(weight > last) {
			return false
		}
		last = weight
	}
	return true
}
