package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/release"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
)

// standingLook is how a rollout with a standing is shown: after others with a smaller order.
type standingLook struct {
	order int
	bad   bool
}

// notStarted is the standing of rollouts that still wait when their release has ended.
const notStarted release.Standing = "not-started"

// looks are those of all standings.
var looks = map[release.Standing]standingLook{
	release.NotRestored: {1, true}, release.RollbackFailed: {2, true}, release.AliasChanged: {3, true}, release.TimedOut: {4, true},
	release.Stopped: {5, true}, release.Refused: {6, true}, release.RolledBack: {7, true},
	release.UnderWay: {8, false}, release.Ready: {9, false}, release.Waiting: {10, false}, notStarted: {10, false}, release.TakenBack: {11, false},
	release.OnBaseline: {12, false}, release.Promoted: {13, false}, release.Unchanged: {14, false},
}

// byAttention puts first what needs attention.
func byAttention(a, b ReleaseMember) int {
	red := func(m ReleaseMember) int { return map[bool]int{true: 0, false: 1}[m.Red] }
	return cmp.Or(red(a)-red(b), looks[a.Standing].order-looks[b.Standing].order, a.Wave-b.Wave, cmp.Compare(a.Name, b.Name))
}

func word(s release.Standing) string { return strings.ReplaceAll(string(s), "-", " ") }

// classOf returns the class of a rollout's bar, of which the style sheet has the colour.
func classOf(m ReleaseMember) string {
	switch {
	case m.Red:
		return "bad"
	case m.Standing == release.Promoted, m.Standing == release.Unchanged:
		return "good"
	case m.Standing.Ended() && m.Standing != notStarted:
		return "warn"
	}
	return "open"
}

// memberRow is a row of the table of rollouts.
type memberRow struct {
	Name, Wave, Alias, Version, Standing, Sign, Tone string
	Started, Ended, Bad, Text                        string
}

// memberTable is a table of rollouts.
type memberTable struct {
	ID, Title string
	Rows      []memberRow
	Bad       bool // it has the numbers of bad requests
}

func rowsOf(id, title string, rows []memberRow, bad bool) memberTable {
	return memberTable{id, title, rows, bad}
}

// The lengths of reasons in the table, and how many may have the longer one.
const longReason, shortReason, longReasons = 400, 80, 100

// memberRows returns the rows of the rollouts that ended badly, and of the others. The
// members are sorted by byAttention.
func memberRows(p ReleasePage) (red, others []memberRow) {
	for i, m := range p.Members {
		row := memberRow{
			Name: rollout.OneLine(m.Name), Alias: rollout.OneLine(strings.Trim(m.Function+":"+m.Alias, ":")), Version: rollout.OneLine(m.NewVersion),
			Standing: word(m.Standing), Tone: classOf(m), Started: clockOf(m.Started), Ended: clockOf(m.Ended),
		}
		row.Sign = map[string]string{"bad": cross, "good": tick, "warn": back, "open": dash}[row.Tone]
		if m.Wave > 0 {
			row.Wave = fmt.Sprint(m.Wave)
		}
		if m.Unverified {
			row.Standing += ", unverified"
		}
		if p.Rehearsed != nil {
			row.Bad = rollout.Thousands(m.BadRequests)
		}
		if why := strings.Trim(rollout.OneLine(m.Error)+": "+rollout.OneLine(m.Reason), ": "); m.Red {
			most := shortReason
			if i < longReasons {
				most = longReason
			}
			row.Text = rollout.Shorten(why, most)
			red = append(red, row)
			continue
		} else if m.Error == rollout.ReleaseRolledBack {
			row.Text = "with the release"
		}
		others = append(others, row)
	}
	return red, others
}

func clockOf(seconds float64) string {
	if seconds <= 0 {
		return ""
	}
	return rehearsal.Clock(seconds)
}

// clock returns a time since the release's start.
func (p ReleasePage) clock(at time.Time) string { return rehearsal.Clock(p.since(at)) }

func (p ReleasePage) since(at time.Time) float64 { return max(0, at.Sub(p.Start).Seconds()) }

// waveChart is the timeline of the rollouts of a wave: of few, each with its name.
type waveChart struct {
	Title  string
	Height float64
	Bars   []barPath
	Names  []namedBar
	Lines  string // the path of the decisions
}

type namedBar struct {
	Name  string
	Bars  []barPath
	Lines string
}

// barPath has all bars of a class: of many rollouts, one path is smaller than their shapes.
type barPath struct {
	Class, Path string
}

// The timeline's width in its own units, how many rollouts have names beside their bars, and
// in pixels the height of all bars and that of one, which is at least that of a red one.
const (
	chartWidth     = 1000
	mostNamed      = 40
	barsHeight     = 600.
	mostBar        = 12.
	leastBar       = 0.6
	leastRedBar    = 3.
	namedBarHeight = 12.
)

// waveCharts returns the timeline of all waves, the labels of its axis, the key, and the
// timeline in a sentence.
func waveCharts(p ReleasePage) (charts []waveChart, axis []string, keys []Key, says string) {
	end := p.Seconds
	byWave := map[int][]ReleaseMember{}
	for _, m := range p.Members {
		end = max(end, m.Ended)
		byWave[m.Wave] = append(byWave[m.Wave], m)
	}
	if len(p.Members) == 0 || end <= 0 {
		return nil, nil, nil, ""
	}
	scale := func(at float64) float64 { return min(max(at, 0), end) / end * chartWidth }
	lines := ""
	for _, d := range []*release.Decision{p.Decision, p.Reversal} {
		if d != nil && !d.At.IsZero() {
			lines += fmt.Sprintf("M%.1f 0V10000", scale(p.since(d.At)))
		}
	}
	high := min(mostBar, max(leastBar, barsHeight/float64(len(p.Members))))
	seen := map[string]bool{}
	for _, wave := range sortedWaves(byWave) {
		members := byWave[wave]
		c := waveChart{Title: plural(int64(len(members)), "rollout"), Lines: lines}
		if wave > 0 {
			c.Title = fmt.Sprintf("Wave %d: %s", wave, c.Title)
		}
		paths := map[string]*strings.Builder{}
		for _, m := range members {
			if len(p.Members) <= mostNamed {
				own := map[string]*strings.Builder{}
				bar(own, m, 0, namedBarHeight, end, scale)
				c.Names = append(c.Names, namedBar{rollout.OneLine(m.Name), barPaths(own, seen), lines})
				continue
			}
			of := high
			if m.Red {
				of = max(high, leastRedBar)
			}
			bar(paths, m, c.Height, of, end, scale)
			c.Height += of
		}
		c.Bars = barPaths(paths, seen)
		charts = append(charts, c)
	}
	for _, part := range []float64{0, 0.25, 0.5, 0.75, 1} {
		axis = append(axis, rehearsal.Clock(end*part))
	}
	for _, k := range []Key{{Class: "bar-ready", Text: "ready, waiting for the others"}, {Class: "bar-good", Text: "promoted"}, {Class: "bar-bad", Text: "ended badly"}, {Class: "bar-warn", Text: "back with the release"}, {Class: "bar-open", Text: "under way"}} {
		if seen[strings.TrimPrefix(k.Class, "bar-")] {
			keys = append(keys, k)
		}
	}
	if lines != "" {
		keys = append(keys, Key{Class: "bar-decided", Text: "the release’s decision"})
	}
	return charts, axis, keys, "When each rollout ran, from the release’s start to " + rehearsal.Clock(end) + ": " + counts(p.Members) + ". The table has the times."
}

// bar adds a rollout's bar: until it was ready, and from then to its end.
func bar(paths map[string]*strings.Builder, m ReleaseMember, y, high, end float64, scale func(float64) float64) {
	if m.Standing == release.Waiting || m.Standing == notStarted || m.Started <= 0 && m.Ended <= 0 {
		return
	}
	add := func(class string, from, to float64) {
		if paths[class] == nil {
			paths[class] = &strings.Builder{}
		}
		wide := max(scale(to)-scale(from), 1.5)
		fmt.Fprintf(paths[class], "M%.1f %.1fh%.1fv%.1fh-%.1fz", scale(from), y, wide, high*0.9, wide)
	}
	until := m.Ended
	if until <= 0 {
		until = end
	}
	add(classOf(m), min(m.Started, until), until)
	if m.Ready > 0 && m.Ready < until {
		add("ready", m.Ready, until)
	}
}

// barPaths returns paths in the order in which they are drawn, and notes their classes.
func barPaths(paths map[string]*strings.Builder, seen map[string]bool) (all []barPath) {
	for _, class := range []string{"open", "warn", "good", "bad", "ready"} {
		if path := paths[class]; path != nil {
			seen[class] = true
			all = append(all, barPath{class, path.String()})
		}
	}
	return all
}

func sortedWaves(waves map[int][]ReleaseMember) (numbers []int) {
	for number := range waves {
		numbers = append(numbers, number)
	}
	slices.Sort(numbers)
	return numbers
}
