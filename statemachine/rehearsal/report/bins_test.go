package report

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/chart"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal/study"
)

func TestBins(t *testing.T) {
	upTo := func(n int, step float64) (values []float64) {
		for i := range n {
			values = append(values, float64(i)*step)
		}
		return values
	}
	for name, test := range map[string]struct {
		values []float64
		unit   float64
		rounds []float64
		want   string // low-high×count, and where the first begins and the last ends
	}{
		"one value":        {[]float64{7}, 1, roundNumbers(), "7-7×1 in 6.5 to 7.5"},
		"all zero":         {[]float64{0, 0, 0}, 1, roundNumbers(), "0-0×3 in -0.5 to 0.5"},
		"small numbers":    {[]float64{0, 1, 1, 3}, 1, roundNumbers(), "0-0×1 1-1×2 3-3×1 in -0.5 to 3.5"},
		"as many as shown": {upTo(2, 39), 1, roundNumbers(), "0-0×1 39-39×1 in -0.5 to 39.5"},
		"one too many":     {upTo(2, 40), 1, roundNumbers(), "0-1×1 40-41×1 in -0.5 to 41.5"},
		"checks":           {[]float64{60, 60, 180}, 60, chart.RoundTimes, "60-60×2 180-180×1 in 30 to 210"},
		"checks all alike": {[]float64{7200, 7200}, 60, chart.RoundTimes, "7200-7200×2 in 7170 to 7230"},
		"off the checks":   {[]float64{60, 90}, 60, chart.RoundTimes, "60-60×1 90-90×1 in 45 to 105"},
		"no whole seconds": {[]float64{0.5, 60.25, 61, 119.75}, 60, chart.RoundTimes, "0-10×1 60-70×2 110-120×1 in 0 to 120"},
		"outliers":         {append(upTo(1000, 0.1), 5000), 1, roundNumbers(), ""},
	} {
		bins := binsOf(test.values, test.unit, test.rounds)
		var texts []string
		total := 0
		for i, b := range bins {
			texts = append(texts, fmt.Sprintf("%v-%v×%d", b.low, b.high, b.count))
			total += b.count
			if i > 0 && (b.from < bins[i-1].to || b.to-b.from != bins[0].to-bins[0].from) {
				t.Errorf("%s: the bar %+v does not follow on %+v", name, b, bins[i-1])
			}
		}
		got := fmt.Sprintf("%s in %v to %v", strings.Join(texts, " "), bins[0].from, bins[len(bins)-1].to)
		if test.want != "" && got != test.want || total != len(test.values) || len(bins) > mostBins+1 {
			t.Errorf("%s: %d bars of %d values: %s, want %s", name, len(bins), total, got, test.want)
		}
	}
}

// TestManyBins sorts each of thousands of values into the bar that it is in.
func TestManyBins(t *testing.T) {
	var values []float64
	for i := range 5000 {
		values = append(values, float64(i*i%9973))
	}
	slices.Sort(values)
	bins := binsOf(values, 1, roundNumbers())
	for _, b := range bins {
		count := 0
		for _, value := range values {
			if b.low <= value && value <= b.high {
				count++
			}
		}
		if count != b.count {
			t.Errorf("%+v has %d values", b, count)
		}
	}
	// Twice the interquartile range, 5000 or so, over the cube root of 5000 is 585.
	if width := bins[0].to - bins[0].from; width != 500 {
		t.Errorf("a bar is %v wide", width)
	}
}

func TestPagesOfManyAtTheEdges(t *testing.T) {
	all := func(outcome rehearsal.Outcome, runs int) study.Distribution {
		return study.Distribution{Runs: runs, FirstSeed: 1, BadRequests: spread(make([]float64, runs)...),
			Outcomes: []study.OutcomeShare{{Outcome: outcome, Share: study.Share{Count: runs, Share: 1, High: 1}}}}
	}
	one := all(rehearsal.RolledBack, 1)
	one.SecondsToRollback = new(spread(60))
	months := all(rehearsal.RolledBack, 2)
	months.SecondsToRollback = new(spread(3*86400, 300*86400))
	for want, p := range map[string]ManyPage{
		"<h1 id=\"outcome\">The one rollout was rolled back<":  {Distribution: one, Input: []byte(example)},
		"<td id=\"rollback-worst\">300d 0:00:00</td>":          {Distribution: months},
		"No rollout was rolled back":                           {Distribution: all(rehearsal.Promoted, 3)},
		"They can’t be identified here":                        {Distribution: all(rehearsal.Promoted, 4)},
		"All 5 rollouts were refused":                          {Distribution: all(rehearsal.Refused, 5), Input: []byte("nonsense")},
		"The input is not valid":                               {Distribution: all(rehearsal.Refused, 6), Input: []byte("{}")},
		"weights: 10%, 20%, 30%, 40%, 50%, 60%, 70%":           {Distribution: one, Input: []byte(example)},
		"&lt;script&gt;alert(3)&lt;/script&gt; in the command": {Distribution: one, Command: Commands{Single: "<script>alert(3)</script> in the command"}},
		"&lt;script&gt;alert(1)&lt;/script&gt;":                {Distribution: one, Input: []byte(hostile), ScenarioName: hostile, Scenario: rehearsal.Scenario{Description: hostile}},
	} {
		page := string(writtenMany(t, p))
		if !strings.Contains(page, want) || strings.Contains(page, "<script") || strings.Contains(page, "NaN") || strings.Contains(page, "Inf") {
			t.Errorf("there is no %s in the page, or what must not be there", want)
		}
	}
	for outcome := range verdicts {
		if outcome == rehearsal.Running {
			continue // of recorded rollouts alone
		}
		two := headline(all(outcome, 2).Outcomes[0], 3)
		one := headline(all(outcome, 1).Outcomes[0], 3)
		if endings[outcome] == "" || strings.Contains(one, " were ") || !strings.HasPrefix(two, "2 of "+rollout.Thousands(3)+" rollouts ") {
			t.Errorf("%s: %q, %q", outcome, one, two)
		}
	}
}
