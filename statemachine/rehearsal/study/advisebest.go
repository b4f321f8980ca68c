package study

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// meanExcess is the mean of the excess bad requests of rollouts, of which some
// ended before their promotion and others missed the harm. These are rare and dear,
// so that no interval from the values alone is to be trusted: of a hundred
// rollouts that all find it, one in thirty may still not. Its bounds are therefore
//
//	low  = (1-p)·a + p·m  with a, m, p at their lower bounds
//	high = (1-p)·a + p·m  with a, m, p at their upper bounds
//
// where p is the share missed (Clopper and Pearson's bounds), a the mean of those
// that ended (Student's), and m what a miss costs: from the lower to the higher of
// cost, which is what the plan leads to expect, and the mean of those seen. p and a
// have 97.5 % each, so that both hold in 95 % (Bonferroni). Where fewer than two
// ended, a is anything from 0 to m.
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

// best are the names of the plans to choose from.
func best(all []PlanAdvice, falseAlarms float64) []string {
	fit := slices.DeleteFunc(slices.Clone(all), func(p PlanAdvice) bool { return p.FalseAlarms.Share > falseAlarms })
	slices.SortStableFunc(fit, func(a, b PlanAdvice) int { return cmp.Compare(a.MeanExcess.Mean, b.MeanExcess.Mean) })
	var names []string
	for _, plan := range fit {
		if plan.MeanExcess.Low <= fit[0].MeanExcess.High {
			names = append(names, plan.Name)
		}
	}
	return names
}
