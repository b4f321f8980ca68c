package study

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// meanExcess returns the mean of the excess bad requests of rollouts, of which some
// ended before their promotion and others missed the harm. Misses are rare and
// costly, so an interval from the values alone can't be trusted: even if a hundred
// rollouts all find the harm, one in thirty may miss it. The bounds are therefore
//
//	low  = (1-p)·a + p·m  with a, m, p at their lower bounds
//	high = (1-p)·a + p·m  with a, m, p at their upper bounds
//
// where p is the share missed (Clopper and Pearson's bounds), a the mean of those
// that ended (Student's), and m the cost of a miss: from the lower to the higher of
// cost, which follows from the plan, and the mean of the observed misses. The
// bounds of p and a hold with 97.5% each, so both hold with 95% (Bonferroni). If
// fewer than two rollouts ended, a is anything from 0 to m.
func meanExcess(ended, missed []float64, cost float64) Mean {
	all := slices.Concat(ended, missed)
	lowMiss, highMiss := cost, cost
	if len(missed) > 0 {
		seen := stat.Mean(missed, nil)
		lowMiss, highMiss = min(cost, seen), max(cost, seen)
	}
	lowEnded, highEnded := 0., highMiss
	if n := float64(len(ended)); n >= 2 {
		mean, deviation := stat.MeanStdDev(ended, nil)
		margin := distuv.StudentsT{Sigma: 1, Nu: n - 1}.Quantile(1-oneSided/2) * deviation / math.Sqrt(n)
		lowEnded, highEnded = max(0, mean-margin), mean+margin
	}
	lowShare, highShare := clopperPearson(len(missed), len(all), oneSided/2)
	mix := func(ended, missed, share float64) float64 { return (1-share)*ended + share*missed }
	return Mean{
		Mean: stat.Mean(all, nil),
		Low:  min(mix(lowEnded, lowMiss, lowShare), mix(lowEnded, lowMiss, highShare)),
		High: max(mix(highEnded, highMiss, lowShare), mix(highEnded, highMiss, highShare)),
	}
}

// LeastFound is the share of harmful versions that a plan must find to be one to choose
// from: more often than not.
const LeastFound = 0.5

// best returns the names of the plans to choose from; see Advice.
func best(all []PlanAdvice, falseAlarms float64) []string {
	fit := slices.DeleteFunc(slices.Clone(all), func(p PlanAdvice) bool {
		return p.FalseAlarms.Share > falseAlarms || p.Found.Share < LeastFound
	})
	slices.SortStableFunc(fit, func(a, b PlanAdvice) int { return cmp.Compare(a.MeanExcess.Mean, b.MeanExcess.Mean) })
	var names []string
	for _, plan := range fit {
		if plan.MeanExcess.Low <= fit[0].MeanExcess.High {
			names = append(names, plan.Name)
		}
	}
	return names
}
