package chart

import (
	"fmt"
	"math"
	"strings"
)

// Numbers returns the ticks of an axis at round numbers: 1, 2 or 5 times a power of ten
// apart, and at least least apart. say formats their values.
func Numbers(least float64, say func(float64) string) func(min, max float64, most int) ([]Tick, string) {
	return func(low, high float64, most int) ([]Tick, string) {
		step := roundStep((high-low)/float64(max(most, 1)), least)
		return every(step, low, high, most, say), ""
	}
}

// roundStep returns the smallest round number that is at least want and least.
func roundStep(want, least float64) float64 {
	want = max(want, least, math.SmallestNonzeroFloat64*1e20)
	power := math.Pow(10, math.Floor(math.Log10(want)))
	for _, times := range []float64{1, 2, 5} {
		if step := times * power; step >= want*(1-1e-9) {
			return step
		}
	}
	return 10 * power
}

// every returns the ticks at the multiples of step in a range.
func every(step, low, high float64, most int, say func(float64) string) (ticks []Tick) {
	first := math.Ceil(low/step - 1e-9)
	for i := range most + 2 {
		at := (first+float64(i))*step + 0 // adding 0 makes 0 of -0
		if at > high+step*1e-9 {
			break
		}
		ticks = append(ticks, Tick{at, say(at)})
	}
	return ticks
}

const minute, hour, day = 60.0, 3600.0, 86400.0

// RoundTimes are the steps of time axes, in seconds.
var RoundTimes = []float64{
	1, 2, 5, 10, 15, 30, minute, 2 * minute, 5 * minute, 10 * minute, 15 * minute, 30 * minute,
	hour, 2 * hour, 3 * hour, 6 * hour, 12 * hour, day, 2 * day, 7 * day, 14 * day, 28 * day, 91 * day, 364 * day,
}

// Times returns the ticks of a time axis, whose values are seconds from 0 on, at round times.
// The unit is how they are written.
func Times(low, high float64, most int) ([]Tick, string) {
	step := RoundTimes[len(RoundTimes)-1]
	for _, round := range RoundTimes {
		if (high-low)/round <= float64(most) {
			step = round
			break
		}
	}
	if (high-low)/step > float64(most) {
		return []Tick{{low, clock(low, step)}, {high, clock(high, step)}}, unit(step, high)
	}
	return every(step, max(low, 0), high, most, func(at float64) string { return clock(at, step) }), unit(step, high)
}

// unit names the unit of times up to high that are a step apart.
func unit(step, high float64) string {
	if step >= day {
		return "days"
	}
	text := "hours:minutes"
	if step < minute {
		text += ":seconds"
	}
	if high >= day {
		text = "days and " + text
	}
	return text
}

// clock formats a time for an axis with that step.
func clock(at, step float64) string {
	if step >= day {
		return fmt.Sprintf("%.0f", at/day)
	}
	seconds := int64(min(at, 1e15))
	text := fmt.Sprintf("%d:%02d:%02d", seconds/3600%24, seconds/60%60, seconds%60)
	if step >= minute {
		text = strings.TrimSuffix(text, ":00")
	}
	if days := seconds / int64(day); days > 0 {
		text = fmt.Sprintf("%dd %s", days, text)
	}
	return text
}

// verticalTicks returns how many ticks fit in a height.
func verticalTicks(height float64) int { return max(2, int(height/34)) }

// ticks returns the ticks within the axis.
func (a Axis) ticks(most int) []Tick {
	ticks, _ := a.within(most)
	return ticks
}

func (a Axis) within(most int) (ticks []Tick, unit string) {
	if a.Ticks == nil {
		return nil, ""
	}
	all, unit := a.Ticks(a.Min, a.Max, most)
	slack := (a.Max/2 - a.Min/2) * 1e-6
	for _, t := range all {
		if t.At >= a.Min-slack && t.At <= a.Max+slack {
			ticks = append(ticks, t)
		}
	}
	return ticks, unit
}

// roomForTicks returns how much room the texts of the vertical axis take.
func (c Chart) roomForTicks(f Frame) float64 {
	widest := 0.0
	for _, t := range c.Y.normal().ticks(verticalTicks(f.Height)) {
		widest = max(widest, textWidth(t.Text))
	}
	return min(math.Ceil(widest+3*gap), f.Width/2)
}

// tickAt is a tick of the horizontal axis, and the middle of its text.
type tickAt struct {
	Tick
	middle float64
}

// across returns the ticks of the horizontal axis: as many as fit side by side in a picture of
// that width.
func (a area) across(x Axis, width float64) ([]tickAt, string) {
	const least, between = 50, 24 // of a tick, and between two texts
	for most := int((a.x.to - a.x.from) / least); ; most-- {
		ticks, unit := x.within(max(most, 1))
		var all []tickAt
		end, fits := math.Inf(-1), true
		for _, t := range ticks {
			half := textWidth(t.Text) / 2
			middle := min(max(a.x.at(t.At), half), width-half)
			if middle-half < end+between {
				fits = false
				continue
			}
			end = middle + half
			all = append(all, tickAt{t, middle})
		}
		if fits || most <= 1 {
			return all, unit
		}
	}
}
