package main

import (
	"encoding/xml"
	"fmt"
	"math"
	"strings"
)

// The picture's sizes, in its own units: the plot lies within margins.
const (
	width, height           = 760, 480
	left, right             = 70, width - 30
	top, bottom             = 50, height - 64
	radius                  = 6
	perRune, lineHigh       = 6.9, 16 // of a label's text
	leastAlarms, mostAlarms = 0.001, 1
)

// picture returns an SVG image with a point per rule: to the right, how many harmless rollouts it
// rolls back in the worst cell, without stress or under shared stress; upwards,
// the failed requests until a bad version is rolled back, relative to the
// bound. Both axes are logarithmic; what is left of the first is drawn at its
// edge. Rules that break 1% are hollow. It is an SVG file that needs no other,
// and follows the reader's dark mode.
func picture(summaries []summary) string {
	y := ratioAxis(summaries)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-labelledby="title desc">
<title id="title">Health rules: false alarms and failed requests</title>
<desc id="desc">%s</desc>
<style>
text { font: 12px system-ui, sans-serif; fill: #24292f } .head { font-weight: 600; font-size: 15px } .quiet { fill: #57606a }
.plot { fill: #f6f8fa } .grid { stroke: #d0d7de } .limit { stroke: #bc4c00; stroke-width: 1.5; stroke-dasharray: 5 4 } .limit-text { fill: #bc4c00 }
.rule { fill: #0969da; stroke: #0969da; stroke-width: 2 } .broken { fill: #f6f8fa; stroke: #57606a } .leader { stroke: #8c959f }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .quiet { fill: #9198a1 } .plot { fill: #161b22 } .grid { stroke: #30363d } .limit { stroke: #f0883e } .limit-text { fill: #f0883e }
.rule { fill: #58a6ff; stroke: #58a6ff } .broken { fill: #161b22; stroke: #9198a1 } .leader { stroke: #6e7681 }
}
</style>
`, width, height, escape(described(summaries)))
	fmt.Fprintf(&b, `<text x="%d" y="26" class="head">What a health rule costs</text>`+"\n", left)
	fmt.Fprintf(&b, `<rect x="%d" y="%d" width="%d" height="%d" class="plot"/>`+"\n", left, top, right-left, bottom-top)
	writeAxes(&b, y)
	points := make([]point, len(summaries))
	for i, s := range summaries {
		points[i] = point{alarmsAt(s.falseAlarms()), y.at(s.ratio)}
	}
	for i, l := range placeLabels(summaries, points) {
		p := points[i]
		if x, y := l.nearest(p); math.Hypot(x-p.x, y-p.y) > 4*radius {
			fmt.Fprintf(&b, `<line x1="%.0f" y1="%.0f" x2="%.0f" y2="%.0f" class="leader"/>`+"\n", p.x, p.y, x, y)
		}
		x, anchor := l.x, "start"
		if l.x+l.w < p.x { // real letters may be narrower than the box
			x, anchor = l.x+l.w, "end"
		}
		fmt.Fprintf(&b, `<text x="%.0f" y="%.0f" text-anchor="%s">%s</text>`+"\n", x, l.y+lineHigh-4, anchor, escape(summaries[i].name))
	}
	for i, p := range points {
		class := "rule"
		if !summaries[i].keeps() {
			class = "rule broken"
		}
		fmt.Fprintf(&b, `<circle cx="%.1f" cy="%.1f" r="%d" class="%s"/>`+"\n", p.x, p.y, radius, class)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// described returns the picture in words.
func described(summaries []summary) string {
	var b strings.Builder
	b.WriteString("Of each rule: harmless rollouts rolled back in the worst cell with equal rates, and failed requests until a bad version is rolled back, relative to the bound.")
	for _, s := range summaries {
		fmt.Fprintf(&b, " %s: %s, %.2f times.", s.name, shortPercent(s.falseAlarms()), s.ratio)
	}
	return b.String()
}

func escape(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder takes everything
	return b.String()
}

// axis is a logarithmic one, upwards.
type axis struct{ least, most float64 }

// ratioAxis has ticks at powers of two, around all ratios and 1.
func ratioAxis(summaries []summary) axis {
	a := axis{1, 1}
	for _, s := range summaries {
		for s.ratio < a.least*0.95 && a.least > 1e-3 {
			a.least /= 2
		}
		for s.ratio > a.most*1.05 && a.most < 1e3 {
			a.most *= 2
		}
	}
	a.most *= 1.25
	a.least /= 1.25
	return a
}

func (a axis) at(ratio float64) float64 {
	share := math.Log(ratio/a.least) / math.Log(a.most/a.least)
	return bottom - min(1, max(0, share))*(bottom-top)
}

// alarmsAt is where a share of false alarms lies.
func alarmsAt(share float64) float64 {
	from, to := float64(left+20), float64(right-20)
	return from + math.Log(max(share, leastAlarms)/leastAlarms)/math.Log(mostAlarms/leastAlarms)*(to-from)
}

func writeAxes(b *strings.Builder, y axis) {
	for _, tick := range []struct {
		share float64
		text  string
	}{{0.001, "≤ 0.1%"}, {0.01, "1%"}, {0.1, "10%"}, {1, "100%"}} {
		x := alarmsAt(tick.share)
		class := "grid"
		if tick.share == alpha {
			class = "limit"
			fmt.Fprintf(b, `<text x="%.0f" y="%d" class="limit-text" text-anchor="middle">tolerated</text>`+"\n", x, top-6)
		}
		fmt.Fprintf(b, `<line x1="%.1f" y1="%d" x2="%.1f" y2="%d" class="%s"/>`+"\n", x, top, x, bottom, class)
		fmt.Fprintf(b, `<text x="%.0f" y="%d" class="quiet" text-anchor="middle">%s</text>`+"\n", x, bottom+18, tick.text)
	}
	for ratio := 0.0078125; ratio < y.most; ratio *= 2 {
		if ratio < y.least {
			continue
		}
		fmt.Fprintf(b, `<line x1="%d" y1="%.1f" x2="%d" y2="%.1f" class="grid"/>`+"\n", left, y.at(ratio), right, y.at(ratio))
		fmt.Fprintf(b, `<text x="%d" y="%.0f" class="quiet" text-anchor="end">%s×</text>`+"\n", left-8, y.at(ratio)+4, plain(ratio))
	}
	fmt.Fprintf(b, `<text x="%d" y="%d" class="quiet" text-anchor="middle">harmless rollouts rolled back, worst cell (hollow: clearly over 1%%)</text>`+"\n", (left+right)/2, height-20)
	fmt.Fprintf(b, `<text transform="translate(20 %d) rotate(-90)" class="quiet" text-anchor="middle">failed requests, 1× is the bound</text>`+"\n", (top+bottom)/2)
}
