package main

import (
	"bytes"
	"io"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// latencyWorldOf returns the row of the fourth table, with more settings in its plan.
func latencyWorldOf(t *testing.T, name string, slower float64, settings string) latencyWorld {
	t.Helper()
	all := latencyWorlds()
	i := slices.IndexFunc(all, func(w latencyWorld) bool { return w.name == name && w.slower == slower })
	if i < 0 {
		t.Fatalf("no row %q, %g", name, slower)
	}
	if settings != "" {
		all[i].plan += `, "health": {"latency": {` + settings + `}}`
	}
	return all[i]
}

// TestLatencyWorlds is how often this project's rule rolls back, by a number of minutes,
// where it must not, and where it must. Rows with settings show that the setting is what
// keeps the promise, or the way around a known limit.
func TestLatencyWorlds(t *testing.T) {
	const (
		whole   = math.MaxInt // by the rollout's end
		bounded = `"ratio": 100, "tolerance": 100, "p99": 330`

		steady  = "steady"
		shifted = ", shifts in mid-minute"
		starts  = "3× as slow at first, normal after 3 min"
		each    = "each environment "
		few     = "first requests 10× as slow, 30 a minute, 1% for 4 h"
		fewest  = "first requests 10× as slow, 10 a minute, 1% for 1 h"
	)
	for _, test := range []struct {
		world     string
		slower    float64
		settings  string
		runs, by  int
		low, high float64 // share of the runs
	}{
		{steady, 1, "", 100, whole, 0, 0.01},
		{steady, 1.5, "", 400, 6, 0.985, 1}, // 99% in more runs
		{steady, 1.2, "", 100, whole, 0.65, 1},
		{steady + ", steps of 1 min", 1, "", 100, whole, 0, 0.01},
		{steady + ", steps of 1 min", 1.5, "", 100, 8, 0.99, 1},
		{steady + shifted, 1, "", 100, whole, 0, 0.01},
		{steady + shifted, 1.5, "", 100, 8, 0.99, 1},
		{starts, 1, "", 200, whole, 0, 0.01},
		{starts, 1, `"warm-up": 0`, 30, whole, 0.9, 1},
		{starts, 1.5, "", 100, 8, 0.99, 1},
		{starts + shifted, 1, "", 100, whole, 0, 0.01},
		{"2× as slow at first, normal after 3 min", 1, "", 100, whole, 0, 0.01},
		{"1.5× as slow at first, normal after 5 min", 1, "", 300, whole, 0, 0.01},
		{each + "3× as slow at first, normal after 1 min", 1, "", 200, whole, 0, 0.01},
		{few, 1, "", 100, whole, 0, 0.01},
		{few, 1, `"min-requests-per-minute": 0`, 10, whole, 0.9, 1},
		{fewest, 1, "", 100, whole, 0, 0.01},
		{fewest, 1, `"min-requests-per-minute": 0`, 50, whole, 0.05, 1},
		{each + starts, 1, "", 200, whole, 0, 0.02},
		{each + starts, 1, `"ratio": 10`, 100, whole, 0, 0.01},
		{each + starts + ", steps of 10 min", 1, "", 50, whole, 0, 0.02},
		{steady, 1, bounded, 100, whole, 0, 0.01},
		{steady, 1.5, bounded, 100, 8, 0.95, 1},
	} {
		w := latencyWorldOf(t, test.world, test.slower, test.settings)
		s, back := newLatencySimulation(w, 1), 0
		for run := range test.runs {
			if e := s.follow(&ourLatency{}, run); e.rolledBack && e.minutes <= test.by {
				back++
			}
		}
		found := float64(back) / float64(test.runs)
		t.Logf("%s, %s, %q: %s", w.name, w.version(), test.settings, shortPercent(found))
		if found < test.low || found > test.high {
			t.Errorf("%s, %s, %q: rolled back %s of %d, want %v to %v", w.name, w.version(), test.settings, shortPercent(found), test.runs, test.low, test.high)
		}
	}
}

// TestTheLatencyTable holds what the product claims to what the table shows, and that
// it can show the opposite, of other rules.
func TestTheLatencyTable(t *testing.T) {
	p := plan{runsStress: 40, runsWorse: 20, seed: 1}
	worlds := latencyWorlds()
	done := 0
	found := p.runLatency(worlds, func(now, of int) { done = now * len(worlds) / of })
	if done != len(worlds) {
		t.Errorf("progress ended at %d of %d", done, len(worlds))
	}
	const loose, tight, previous, ours = 0, 1, 2, 3
	breaking := [4][]string{}
	for i, w := range worlds {
		for rule, f := range found[i] {
			if w.harmless() && (worst{f}).breaks() {
				breaking[rule] = append(breaking[rule], w.name)
			}
		}
		if strings.HasSuffix(w.version(), "50% slower") && found[i][ours].share() < 0.99 {
			t.Errorf("%s: %+v", w.name, found[i][ours])
		}
	}
	const start, each = "3× as slow at first, normal after 3 min", "each environment "
	if len(breaking[ours]) > 0 {
		t.Errorf("this project breaks 1%% in %q", breaking[ours])
	}
	for _, rule := range []int{tight, previous} {
		if !slices.Contains(breaking[rule], start) {
			t.Errorf("rule %d breaks 1%% only in %q", rule, breaking[rule])
		}
	}
	slower := slices.IndexFunc(worlds, func(w latencyWorld) bool { return w.version() == "50% slower" })
	if f := found[slower][loose]; f.share() > 0.1 {
		t.Errorf("an alarm at twice the record finds 50%%: %+v", f)
	}
	var table bytes.Buffer
	writeLatency(&table, worlds, found)
	if want := "| " + each + start + " | equal | **"; !strings.Contains(table.String(), want) {
		t.Errorf("%q is not in\n%s", want, table.String())
	}
}

// TestThePageHasTheLatencyTable: docs/benchmark.md has the legend and the rows that the
// command prints.
func TestThePageHasTheLatencyTable(t *testing.T) {
	page, err := os.ReadFile("../../docs/benchmark.md")
	if err != nil {
		t.Fatal(err)
	}
	o, err := parse(nil, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(page), "\n## Latency\n\n"+legendOfLatency(o.plan))
	if !found {
		t.Fatal("docs/benchmark.md lacks the legend that the command prints")
	}
	var rows []string
	for _, row := range strings.Split(table, "\n")[2:] {
		columns := strings.Split(row, " | ")
		if len(columns) < 3 {
			break
		}
		rows = append(rows, columns[0]+" | "+columns[1])
	}
	var want []string
	for _, w := range latencyWorlds() {
		want = append(want, "| "+w.name+" | "+w.version())
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("docs/benchmark.md (-printed +page):\n%s", diff)
	}
}

func TestLatencyFiguresDontDependOnTheCores(t *testing.T) {
	p := plan{runsStress: 5, runsWorse: 103, seed: 1}
	worlds := latencyWorlds()[:3]
	run := func() [][]figures { return p.runLatency(worlds, func(int, int) {}) }
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	alone := run()
	runtime.GOMAXPROCS(5)
	if diff := cmp.Diff(alone, run(), cmp.AllowUnexported(figures{})); diff != "" {
		t.Errorf("on 5 cores: %s", diff)
	}
	p.seed = 2
	if cmp.Equal(alone, run(), cmp.AllowUnexported(figures{})) {
		t.Error("another seed leads to the same figures")
	}
}

// shares returns which shares of the requests took longer than the record's p95 and p99,
// and how many requests the new version had.
func shares(of []timedMinute) (baseline, newVersion [2]float64, requests int64) {
	var sum timedMinute
	for _, m := range of {
		sum.Baseline.Requests += m.Baseline.Requests
		sum.NewVersion.Requests += m.NewVersion.Requests
		for i := range baseline {
			sum.Baseline.Slow[i] += m.Baseline.Slow[i]
			sum.NewVersion.Slow[i] += m.NewVersion.Slow[i]
		}
	}
	for i := range baseline {
		baseline[i] = float64(sum.Baseline.Slow[i]) / float64(sum.Baseline.Requests)
		newVersion[i] = float64(sum.NewVersion.Slow[i]) / float64(sum.NewVersion.Requests)
	}
	return baseline, newVersion, sum.NewVersion.Requests
}

// patience is a rule that never rolls back.
type patience struct{ latencyRule }

func (patience) begin(*health.BaselineHistory) {}

func (patience) check(rollout.State, time.Time, []timedMinute) rollout.Health {
	return latencyFound(rollout.VerdictInconclusive)
}

// TestLatencyMinutes: the worlds have the durations that their names say.
func TestLatencyMinutes(t *testing.T) {
	const runs = 300
	for _, test := range []struct {
		world    string
		slower   float64
		at       int
		requests float64    // of the new version in a minute
		above    [2]float64 // shares of them
	}{
		{"steady", 1, 5, 180, [2]float64{0.05, 0.01}},
		{"steady, shifts in mid-minute", 1, 0, 20, [2]float64{0.05, 0.01}},
		{"steady", 1.5, 5, 180, [2]float64{0.2025, 0.0649}}, // above 1.645 − 2·ln 1.5 deviations
		{"3× as slow at first, normal after 3 min", 1, 0, 60, [2]float64{0.6, 0.37}},
		{"3× as slow at first, normal after 3 min", 1, 4, 180, [2]float64{0.05, 0.01}},
		{"each environment 3× as slow at first, normal after 3 min", 1, 4, 180, [2]float64{0.235, 0.136}},
		{"first requests 10× as slow, 30 a minute, 1% for 4 h", 1, 100, 0.3, [2]float64{0.26, 0.23}}, // e^(−5·0.3) are first ones
	} {
		s := newLatencySimulation(latencyWorldOf(t, test.world, test.slower, ""), 1)
		var drawn []timedMinute
		for run := range runs {
			s.follow(patience{}, run)
			drawn = append(drawn, s.minutes[test.at])
		}
		baseline, above, requests := shares(drawn)
		for _, pair := range [][2]float64{
			{float64(requests) / runs, test.requests}, {baseline[0], 0.05}, {above[0], test.above[0]}, {above[1], test.above[1]},
		} {
			if got, want := pair[0], pair[1]; math.Abs(got-want) > 0.25*want {
				t.Errorf("%s, minute %d: %.3g, want about %.3g", test.world, test.at, got, want)
			}
		}
	}
}

func TestP99Alarm(t *testing.T) {
	minutes := func(of ...[2]int64) []timedMinute {
		var all []timedMinute
		for _, m := range of {
			minute := timedMinute{overAlarms: [2]int64{0, m[1]}}
			minute.NewVersion.Requests = m[0]
			all = append(all, minute)
		}
		return all
	}
	ok, bad, none := [2]int64{200, 2}, [2]int64{200, 3}, [2]int64{}
	for _, test := range []struct {
		name    string
		minutes []timedMinute
		want    rollout.Verdict
	}{
		{"three in a row", minutes(ok, bad, bad, bad), rollout.VerdictRollBack},
		{"three in a row, a while ago", minutes(bad, bad, bad, ok, ok), rollout.VerdictRollBack},
		{"1% is not over 1%", minutes(bad, bad, ok, bad, bad), rollout.VerdictInconclusive},
		{"no data is no breach", minutes(bad, bad, none, bad, bad), rollout.VerdictInconclusive},
	} {
		for of, want := range []rollout.Verdict{rollout.VerdictInconclusive, test.want} {
			a := &p99Alarm{limit: of, breaches: 2}
			a.begin(nil)
			if got := a.check(rollout.State{}, time.Time{}, test.minutes).Readings[0].Verdict; got != want {
				t.Errorf("%s, alarm %d: %s, want %s", test.name, of, got, want)
			}
		}
	}
}
