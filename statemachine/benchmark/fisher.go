package main

import (
	"math"

	"github.com/lambda-rollout/lambda-rollout/lambdas/sequential"
)

// fisher is the obvious rule with a statistics package at hand: Fisher's exact
// test, one-sided, of all requests since the first shift. It is repeated every
// minute, and rolls back at p < 1%. Neither the repetition nor that the weight and
// the rates have changed meanwhile is accounted for.
type fisher struct{}

func (*fisher) name() string { return "Fisher's exact test each minute" }
func (*fisher) begin(cell)   {}

func (*fisher) check(v view) verdict {
	var baseline, newVersion sequential.Count
	for _, m := range v.minutes {
		baseline.Requests += m.baseline.Requests
		baseline.Errors += m.baseline.Errors
		newVersion.Requests += m.newVersion.Requests
		newVersion.Errors += m.newVersion.Errors
	}
	if fisherP(baseline, newVersion) < 0.01 {
		return rollBack
	}
	return goOn
}

// fisherP returns the chance that, of all errors dealt to requests at random, at
// least as many fall on the new version: the hypergeometric distribution's upper
// tail. It returns 1 where the new version has no more than its share of the errors:
// the tail is about a half or more there.
func fisherP(baseline, newVersion sequential.Count) float64 {
	n, k := float64(newVersion.Requests), float64(newVersion.Errors)
	all, errors := n+float64(baseline.Requests), k+float64(baseline.Errors)
	if k*all <= errors*n {
		return 1
	}
	term := math.Exp(logChoose(errors, k) + logChoose(all-errors, n-k) - logChoose(all, n))
	sum := term
	for x := k; x < min(errors, n) && term > 1e-17*sum; x++ {
		term *= (errors - x) * (n - x) / ((x + 1) * (all - errors - n + x + 1))
		sum += term
	}
	return sum
}

// logChoose returns ln of n over k.
func logChoose(n, k float64) float64 {
	return logFactorial(n) - logFactorial(k) - logFactorial(n-k)
}

func logFactorial(n float64) float64 {
	log, _ := math.Lgamma(n + 1)
	return log
}
