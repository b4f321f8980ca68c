package sequential

import (
	"fmt"
	"math"
)

// maxRatio is the largest ratio of error rates that a parameter may tolerate.
const maxRatio = 1000

// within returns an error for a parameter outside [low, high], and NaN.
func within(name string, value, low, high float64) error {
	if value >= low && value <= high {
		return nil
	}
	return fmt.Errorf("%s %v: must be from %v to %v", name, value, low, high)
}

// above returns an error for a parameter outside (low, high], and NaN.
func above(name string, value, low, high float64) error {
	if value > low && value <= high {
		return nil
	}
	return fmt.Errorf("%s %v: must be above %v and at most %v", name, value, low, high)
}

// between returns an error for a parameter outside (low, high), and NaN.
func between(name string, value, low, high float64) error {
	if value > low && value < high {
		return nil
	}
	return fmt.Errorf("%s %v: must be above %v and below %v", name, value, low, high)
}

// logMean returns ln of the mean of e^x over the given x, without overflow.
func logMean(x []float64) float64 {
	most := x[0]
	for _, v := range x[1:] {
		most = max(most, v)
	}
	if math.IsInf(most, 0) {
		return most
	}
	sum := 0.0
	for _, v := range x {
		sum += math.Exp(v - most)
	}
	return most + math.Log(sum/float64(len(x)))
}

// poissonTail returns P(X ≥ k) for X Poisson with a mean, for k above it.
func poissonTail(mean float64, k int64) float64 {
	if mean <= 0 {
		return 0
	}
	factorial, _ := math.Lgamma(float64(k) + 1)
	term := math.Exp(float64(k)*math.Log(mean) - mean - factorial)
	sum := 0.0
	for i := k; i < k+2000 && term > sum*1e-9; i++ {
		sum += term
		term *= mean / float64(i+1)
	}
	return sum
}
