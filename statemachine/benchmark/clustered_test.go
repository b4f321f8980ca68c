package main

import (
	"math"
	"testing"
)

func TestClusteredCells(t *testing.T) {
	seen := map[string]bool{}
	broken := 0
	for _, c := range published().clustered() {
		if c.harmless() || c.stress.shared() || seen[c.name()] {
			t.Errorf("%s: harmless, under another stress, or a second time", c.name())
		}
		seen[c.name()] = true
		if c.breakage() {
			broken++
		}
	}
	if len(seen) != 6*27*6 || broken != 6*3*2*3 {
		t.Errorf("%d cells, %d of them broken", len(seen), broken)
	}
}

// TestHarmIsFoundWhereErrorsComeTogether holds the share of total breakage that the first
// check finds, which the previous rule shows to be possible, and that
// strict finds it at all where environments are sick for minutes.
func TestHarmIsFoundWhereErrorsComeTogether(t *testing.T) {
	g := published()
	g.changes, g.perSecond = []change{{"100%", 0, 1}}, []float64{10, 100}
	all := g.clustered()
	p := plan{clustered: all, runsWorse: 30}
	results := p.run(func(int, int) {})
	each := len(all) / len(clustering())
	for i, s := range clustering() {
		of := results[i*each : (i+1)*each]
		for rule, name := range ruleNames() {
			f := foundIn(of, rule)
			least := map[string]found{
				"this project":                {power: 0.95, first: 0.55},
				"this project, previous rule": {power: 0.95, first: 0.8},
				"this project, strict":        {power: 0.6},
			}[name]
			if f.power < least.power || f.first < least.first || math.IsNaN(f.ratio) {
				t.Errorf("%s, %s: %+v, want at least %+v", s, name, f, least)
			}
		}
	}
}
