package main

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// figures describes how a rule did in one cell.
type figures struct {
	runs, rolledBack int
	first            int // rolled back by the first check
	// Mean and 95th percentile over all runs: minutes until the rollback, or
	// the schedule's end, and failed requests of the new version until then.
	minutes, minutes95   float64
	failures, failures95 float64
	// Medians of both.
	medianMinutes, medianFailures float64
}

// share returns the share of runs that were rolled back; 0 if there were none.
func (f figures) share() float64 { return float64(f.rolledBack) / float64(max(1, f.runs)) }

func figuresOf(endings []ending) figures {
	f := figures{runs: len(endings)}
	minutes, failures := make([]int64, len(endings)), make([]int64, len(endings))
	for i, e := range endings {
		if e.rolledBack {
			f.rolledBack++
			if e.minutes == 1 {
				f.first++
			}
		}
		minutes[i], failures[i] = int64(e.minutes), e.failures
	}
	f.minutes, f.minutes95 = meanAnd95th(minutes)
	f.failures, f.failures95 = meanAnd95th(failures)
	f.medianMinutes, f.medianFailures = median(minutes), median(failures)
	return f
}

// meanAnd95th sorts the values; the 95th percentile is the smallest value that
// at least 95% of them don't exceed.
func meanAnd95th(values []int64) (mean, p95 float64) {
	slices.Sort(values)
	sum := int64(0)
	for _, v := range values {
		sum += v
	}
	n := len(values)
	return float64(sum) / float64(n), float64(values[(95*n+99)/100-1])
}

// median returns the median of sorted values.
func median(sorted []int64) float64 {
	n := len(sorted)
	return float64(sorted[(n-1)/2]+sorted[n/2]) / 2
}

// result is a cell and how each rule did in it, in the order of the rules.
type result struct {
	cell  cell
	bound bound
	rules []figures
}

// summary describes how a rule did altogether.
type summary struct {
	name string
	// Worst share of harmless rollouts rolled back, over the cells with equal
	// rates: without stress, with shared stress, and with each other stress.
	same, shared worst
	unshared     map[stress]worst

	// Over the worse cells with enough information (see bound): the mean
	// chance of a rollback; the geometric mean of failures ÷ bound; the means of
	// minutes and of their 95th percentiles; the geometric means of failed
	// requests and of their 95th percentiles.
	power, ratio         float64
	minutes, minutes95   float64
	failures, failures95 float64
}

// worst is the cell with the highest share of false alarms. It is zero if there
// was no cell.
type worst struct {
	figures figures
}

func (w *worst) take(f figures) {
	if w.figures.runs == 0 || f.share() > w.figures.share() {
		w.figures = f
	}
}

// breaks reports whether so many false alarms are more than chance explains
// (p < 1e-6) for a rule that keeps α.
func (w worst) breaks() bool {
	f := w.figures
	return f.rolledBack > 0 && distuv.Binomial{N: float64(f.runs), P: alpha}.Survival(float64(f.rolledBack-1)) < 1e-6
}

// keeps reports whether the rule keeps α with equal rates, steady or
// under shared stress. Ratios of rules that don't can't be compared: a rule
// that calls everything harm finds some quickly.
func (s summary) keeps() bool {
	return !s.same.breaks() && !s.shared.breaks()
}

// falseAlarms returns the worst share over the cells that keeps looks at.
func (s summary) falseAlarms() float64 {
	return max(s.same.figures.share(), s.shared.figures.share())
}

// summarize condenses the results of all cells into a summary per rule.
func summarize(names []string, results []result) []summary {
	summaries := make([]summary, len(names))
	for i, name := range names {
		summaries[i].name = name
		summaries[i].add(results, i)
	}
	return summaries
}

func (s *summary) add(results []result, rule int) {
	cells := 0.0
	s.unshared = map[stress]worst{}
	for _, r := range results {
		f := r.rules[rule]
		switch stress := r.cell.stress; {
		case !r.cell.harmless():
			if r.bound.informative() {
				cells++
				s.power += f.share()
				s.ratio += math.Log(f.failures / r.bound.failures)
				s.minutes += f.minutes
				s.minutes95 += f.minutes95
				s.failures += math.Log(f.failures)
				s.failures95 += math.Log(f.failures95)
			}
		case stress == calm:
			s.same.take(f)
		case stress.shared():
			s.shared.take(f)
		default:
			w := s.unshared[stress]
			w.take(f)
			s.unshared[stress] = w
		}
	}
	s.power /= cells
	s.ratio = math.Exp(s.ratio / cells)
	s.minutes /= cells
	s.minutes95 /= cells
	s.failures = math.Exp(s.failures / cells)
	s.failures95 = math.Exp(s.failures95 / cells)
}
