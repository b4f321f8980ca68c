package main

import (
	"fmt"
	"io"
	"math"
	"strings"
)

// clustering returns the stresses under which errors of one version come together.
func clustering() []stress {
	return []stress{clusters5, clusters20, fifthOf20, sickMinute, sickMinutes, repeats}
}

// clustered returns the grid's cells with a worse version, under each stress that
// makes errors come together.
func (g grid) clustered() []cell {
	var cells []cell
	for _, s := range clustering() {
		for _, c := range g.cells() {
			if !c.harmless() {
				c.stress = s
				cells = append(cells, c)
			}
		}
	}
	return cells
}

// found describes how well a rule finds harm under a stress: over the worse cells
// with enough information, the mean chance of a rollback and the geometric mean of
// failures ÷ bound; and over those with total breakage and at least oftenEnough
// requests a second, the mean chance of a rollback by the first check.
type found struct{ power, ratio, first float64 }

const oftenEnough = 10

// breakage reports whether the new version fails all requests, and has enough of them
// to show it within a minute.
func (c cell) breakage() bool { return c.newRate() == 1 && c.perSecond >= oftenEnough }

// foundIn returns what the rule found in the results of one stress. Those with an equal
// version are ignored.
func foundIn(results []result, rule int) found {
	var f found
	cells, broken := 0.0, 0.0
	for _, r := range results {
		figures := r.rules[rule]
		if !r.cell.harmless() && r.bound.informative() {
			cells++
			f.power += figures.share()
			f.ratio += math.Log(figures.failures / r.bound.failures)
		}
		if r.cell.breakage() {
			broken++
			f.first += float64(figures.first) / float64(figures.runs)
		}
	}
	return found{f.power / cells, math.Exp(f.ratio / cells), f.first / broken}
}

// writeClustered prints a row per stress, and one without: how well each rule finds
// harm. summaries are of the grid's results, with which ofGrid begins, and ofClustered
// the results of its clustered cells.
func writeClustered(w io.Writer, summaries []summary, ofGrid, ofClustered []result) {
	head := []string{"errors"}
	for _, s := range summaries {
		head = append(head, s.name)
	}
	writeRow(w, head...)
	writeRow(w, append([]string{"---"}, strings.Fields(strings.Repeat(" ---:", len(summaries)))...)...)
	row := func(name string, results []result, breaks func(summary) bool) {
		cells := []string{name}
		for i, s := range summaries {
			f := foundIn(results, i)
			ratio := fmt.Sprintf("%.2f", f.ratio)
			if breaks(s) {
				ratio = "(" + ratio + ")"
			}
			cells = append(cells, fmt.Sprintf("%.3f, %s, %s", f.power, ratio, shortPercent(f.first)))
		}
		writeRow(w, cells...)
	}
	row("independent", ofGrid, func(s summary) bool { return !s.keeps() })
	for i, stress := range clustering() {
		each := len(ofClustered) / len(clustering())
		row(string(stress), ofClustered[i*each:(i+1)*each], func(s summary) bool { return s.unshared[stress].breaks() })
	}
}
