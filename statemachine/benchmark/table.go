package main

import (
	"fmt"
	"io"
	"math"
	"strings"
)

// writeTable prints a row per rule, in Markdown.
func writeTable(w io.Writer, summaries []summary) {
	head, align := []string{"rule", "false alarms, same rates", "shared stress"}, []string{"---", "---:", "---:"}
	for _, stress := range unshared() {
		head, align = append(head, string(stress)), append(align, "---:")
	}
	writeRow(w, append(head, "harm found", "failed requests ÷ bound", "minutes, mean / p95", "failed requests, mean / p95")...)
	writeRow(w, append(align, strings.Fields("---: ---: ---: ---:")...)...)
	for _, s := range summaries {
		ratio := fmt.Sprintf("%.2f", s.ratio)
		if !s.keeps() {
			ratio = "(" + ratio + ")"
		}
		row := []string{s.name, s.same.String(), s.shared.String()}
		for _, stress := range unshared() {
			row = append(row, s.unshared[stress].String())
		}
		writeRow(w, append(row,
			fmt.Sprintf("%.3f", s.power), ratio,
			fmt.Sprintf("%.1f / %.1f", s.minutes, s.minutes95),
			fmt.Sprintf("%.0f / %.0f", s.failures, s.failures95))...)
	}
}

// String returns the share of false alarms; with a mark if it breaks α.
func (w worst) String() string {
	switch text := shortPercent(w.figures.share()); {
	case w.figures.runs == 0:
		return "–"
	case w.breaks():
		return "**" + text + "**"
	default:
		return text
	}
}

// shortPercent writes a share with about two digits. One that is not 1 is not shown
// as 100%.
func shortPercent(share float64) string {
	switch percent := 100 * share; {
	case share > 0.999 && share < 1:
		return fmt.Sprintf("%.4g%%", math.Floor(percent*100)/100)
	case percent >= 10:
		return fmt.Sprintf("%.3g%%", percent)
	default:
		return fmt.Sprintf("%.2g%%", percent)
	}
}

// legend says what the columns of the first two tables mean.
func legend(p plan, results []result) string {
	informative, worse := 0, 0
	for _, r := range results {
		if !r.cell.harmless() {
			worse++
			if r.bound.informative() {
				informative++
			}
		}
	}
	return fmt.Sprintf(`False alarms are the share of harmless rollouts that are rolled back, in the worst cell, over %d runs a cell (under
stress: %d); **bold** is clearly above 1%%. The rest is over the %d of %d cells with a worse version that hold enough information to find it (2·ln 100),
%d runs a cell. Harm found: the mean share of rollouts that are rolled back. Failed requests ÷ bound: the geometric mean of the failed
requests that the new version serves until it is rolled back (all of them if it never is), relative to the least that a rule with
1%% false alarms needs; in (brackets) if the rule breaks 1%% with equal rates or under shared stress: such figures can't be compared.
Minutes and failed requests: until the rollback or the schedule's end, mean and 95th percentile of each cell; minutes averaged over
the cells, failed requests by the geometric mean. Seed %d.

Where errors of one version come together, how well each rule finds a worse version: harm found; failed requests ÷ bound, in (brackets)
if it breaks 1%% in this row's world; and the share of total breakage that the first check finds, at %d requests a second and more (%d runs a cell):

`, p.runsSame, p.runsStress, informative, worse, p.runsWorse, p.seed, oftenEnough, p.runsWorse)
}

// legendOfScenes says what the third table's columns mean.
func legendOfScenes(p plan) string {
	return fmt.Sprintf(`Worlds, each with an equal version (the share that is rolled back; over %d runs, **bold** as above) and with worse ones (the share that is rolled
back, then the medians of its failed requests and of the minutes until then, or until the schedule's end; %d runs):

`, p.runsStress, p.runsWorse)
}

// writeCells prints a row per cell: the share of rollouts rolled back under each
// rule and, where there is harm to be found, failed requests ÷ bound.
func writeCells(w io.Writer, names []string, results []result) {
	writeRow(w, append([]string{"cell", "information", "bound"}, names...)...)
	writeRow(w, append([]string{"---"}, strings.Fields(strings.Repeat(" ---:", 2+len(names)))...)...)
	for _, r := range results {
		row := []string{r.cell.name(), "", ""}
		if !r.cell.harmless() {
			row[1], row[2] = fmt.Sprintf("%.3g", r.bound.information), fmt.Sprintf("%.3g", r.bound.failures)
		}
		for _, f := range r.rules {
			text := shortPercent(f.share())
			if !r.cell.harmless() {
				text += fmt.Sprintf(", %.2f", f.failures/r.bound.failures)
			}
			row = append(row, text)
		}
		writeRow(w, row...)
	}
}

// writeRow prints one row of a Markdown table. The writer that main
// flushes in the end reports what could not be written.
func writeRow(w io.Writer, columns ...string) {
	fmt.Fprintf(w, "| %s |\n", strings.Join(columns, " | "))
}
