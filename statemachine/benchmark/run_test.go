package main

import (
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func (p plan) quietly() []result {
	return p.run(func(int, int) {})
}

// TestFiguresDontDependOnTheCores, nor on what else is simulated; but on the
// seed.
func TestFiguresDontDependOnTheCores(t *testing.T) {
	g := published()
	g.perSecond, g.rates, g.schedules = []float64{1}, []float64{0.01}, g.schedules[2:]
	g.changes, g.stresses = []change{same, changes()[2]}, []stress{bursts, clusters20}
	p := plan{g, nil, nil, 105, 120, 101, 1}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	alone := p.quietly()
	runtime.GOMAXPROCS(5)
	options := cmp.AllowUnexported(result{}, cell{}, change{}, schedule{}, step{}, bound{}, figures{})
	if diff := cmp.Diff(alone, p.quietly(), options); diff != "" {
		t.Errorf("on 5 cores: %s", diff)
	}
	p.grid.stresses = p.grid.stresses[1:]
	fewer := p.quietly()
	if diff := cmp.Diff(alone[len(alone)-1], fewer[len(fewer)-1], options); diff != "" {
		t.Errorf("with fewer cells: %s", diff)
	}
	p.seed = 2
	if cmp.Equal(fewer, p.quietly(), options) {
		t.Error("another seed leads to the same figures")
	}
}

// TestTheQuickBenchmark holds what the product claims to what a quick run
// shows, and that such a run can show the opposite: of other rules, and of
// the previous one under clusters of errors.
func TestTheQuickBenchmark(t *testing.T) {
	p := plan{published().part(), nil, nil, 100, 30, 15, 1}
	p.grid.stresses = []stress{ramp, clusters20, sickMinutes, lateSuccesses}
	results := p.quietly()
	names := ruleNames()
	by := map[string]summary{}
	for _, s := range summarize(names, results) {
		by[s.name] = s
	}
	ours, strict, best := by["this project"], by["this project, strict"], by["an oracle that knows both rates"]
	before := by["this project, previous rule"]
	fishers, alarm := by["Fisher's exact test each minute"], by["alarm: 1 error in a minute"]
	for _, s := range []summary{before, ours, strict, best} {
		if !s.keeps() || s.unshared[lateSuccesses].breaks() {
			t.Errorf("%s breaks 1%%: %+v, %+v, %+v", s.name, s.same, s.shared, s.unshared[lateSuccesses])
		}
	}
	for _, s := range []summary{fishers, alarm, by["alarm: over 5%, 3 of 3 minutes"]} {
		if s.keeps() {
			t.Errorf("%s keeps 1%%: %+v, %+v", s.name, s.same, s.shared)
		}
	}
	for _, stress := range []stress{clusters20, sickMinutes} {
		if !before.unshared[stress].breaks() || ours.unshared[stress].breaks() {
			t.Errorf("%s: %v, previous rule %v", stress, ours.unshared[stress], before.unshared[stress])
		}
	}
	for _, test := range []struct {
		what             string
		got, least, most float64
	}{
		{"the oracle's failures ÷ bound", best.ratio, 1, 1.5},
		{"ours", ours.ratio, best.ratio, 1.55},
		{"the previous rule's", before.ratio, best.ratio, 1.55},
		{"ours, strict", strict.ratio, ours.ratio, 6},
		{"the alarm's", alarm.ratio, 0.5, 1},
		{"the oracle's power", best.power, 0.97, 1},
		{"ours", ours.power, 0.97, 1},
		{"minutes", ours.minutes, 1, 5},
		{"p95 of minutes", ours.minutes95, ours.minutes, 10},
	} {
		if !(test.got >= test.least && test.got <= test.most) {
			t.Errorf("%s: %.3f, want from %.3f to %.3f", test.what, test.got, test.least, test.most)
		}
	}
}

func TestFiguresOfEndings(t *testing.T) {
	var endings []ending
	for i := range 41 { // failures 1 … 41
		endings = append(endings, ending{i < 10, 5, int64(41 - i)})
	}
	want := figures{runs: 41, rolledBack: 10, minutes: 5, minutes95: 5, failures: 21, failures95: 39, medianMinutes: 5, medianFailures: 21}
	if got := figuresOf(endings); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// TestWhatBreaks: 1% and what chance makes of it does not, 3% does.
func TestWhatBreaks(t *testing.T) {
	for _, test := range []struct {
		rolledBack, runs int
		want             bool
	}{{0, 1000, false}, {10, 1000, false}, {20, 1000, false}, {31, 1000, true}, {600, 50000, false}, {650, 50000, true}, {1, 1, false}, {4, 4, true}} {
		w := worst{figures{runs: test.runs, rolledBack: test.rolledBack}}
		if got := w.breaks(); got != test.want {
			t.Errorf("%d of %d: %v, want %v", test.rolledBack, test.runs, got, test.want)
		}
	}
}
