package main

import (
	"fmt"
	"strings"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
)

// liveView summarizes the current state of a rollout in up to three rows.
type liveView struct {
	last      rehearsal.Entry
	decision  rollout.Decision
	strongest health.Strength // relative to its threshold
	before    [2]rollout.Counts
	rates     [2][]float64 // error rates between checks, of the baseline and the new version
}

// sparks limits how many checks back the sparklines reach.
const sparks = 16

// add updates the view with an entry of the timeline.
func (p *liveView) add(l rehearsal.Entry) {
	p.last = l
	if l.Decision == "" {
		return
	}
	p.decision, p.strongest = l.Decision, health.Strength{}
	for _, s := range l.Evidence {
		if p.strongest.Gate == "" || s.Log10/s.Threshold > p.strongest.Log10/p.strongest.Threshold {
			p.strongest = s
		}
	}
	for i, counts := range []*rollout.Counts{l.Baseline, l.NewVersion} {
		if counts == nil {
			continue
		}
		rate := 0.0
		if served := counts.Requests - p.before[i].Requests; served > 0 {
			rate = float64(counts.Errors-p.before[i].Errors) / float64(served)
		}
		p.before[i] = *counts
		p.rates[i] = append(p.rates[i], rate)
		p.rates[i] = p.rates[i][max(0, len(p.rates[i])-sparks):]
	}
}

// rows returns the view's rows, without line breaks; none before there is a plan.
func (p *liveView) rows(c *console) []string {
	if p.last.Planned <= 0 {
		return nil
	}
	rows := []string{fmt.Sprintf("weight    %s %6s  step %d of %d, %s of %s",
		c.paint("36", c.bar(p.last.Weight)), rollout.Weight(p.last.Weight), p.last.Step, p.last.Of, rehearsal.Clock(p.last.At), rehearsal.Clock(p.last.Planned))}
	if len(p.rates[0]) > 0 {
		highest := 0.0
		for _, rates := range p.rates {
			for _, rate := range rates {
				highest = max(highest, rate)
			}
		}
		latest := func(i int) string { return rollout.Percent(p.rates[i][len(p.rates[i])-1]) }
		rows = append(rows, fmt.Sprintf("errors    new %s %6s  baseline %s %s",
			c.paint("36", sparkline(p.rates[1], highest)), latest(1), sparkline(p.rates[0], highest), latest(0)))
	}
	if s := p.strongest; s.Gate != "" {
		rows = append(rows, fmt.Sprintf("evidence  %s by chance %s (%s): %s",
			c.bar(s.Log10/s.Threshold), health.Chance(s.Log10), printableRow(s.Gate), c.paint(decisionColour[string(p.decision)], printableRow(string(p.decision)))))
	}
	return rows
}

// printableRow returns text without control characters and line breaks.
func printableRow(text string) string {
	return strings.ReplaceAll(rehearsal.Printable(text), "\n", " ")
}

// sparkline draws each value as a bar of one to eight eighths of the highest,
// padded to the width of sparks values.
func sparkline(values []float64, highest float64) string {
	const bars = "▁▂▃▄▅▆▇█"
	levels := []rune(bars)
	var line strings.Builder
	for _, value := range values {
		level := 0
		if highest > 0 {
			level = int(value / highest * float64(len(levels)-1))
		}
		line.WriteRune(levels[level])
	}
	return line.String() + strings.Repeat(" ", sparks-len(values))
}
