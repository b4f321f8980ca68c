package main

import (
	"fmt"
	"strconv"
)

// step is one weight of a schedule, the new version's share of the traffic,
// and for how many minutes it stays.
type step struct {
	weight  float64
	minutes int
}

// schedule describes how a rollout's weight grows. All end below full weight, where
// there is no baseline left to compare with.
type schedule struct {
	name  string
	steps []step
}

// minutes returns how long the schedule takes if nothing holds it.
func (s schedule) minutes() (sum int) {
	for _, step := range s.steps {
		sum += step.minutes
	}
	return sum
}

func schedules() []schedule {
	linear := schedule{name: "10–90%"}
	for tens := 1; tens <= 9; tens++ {
		linear.steps = append(linear.steps, step{float64(tens) / 10, 2})
	}
	doubling := schedule{name: "1, 2, 4 … 64%"}
	for percent := 1; percent <= 64; percent *= 2 {
		doubling.steps = append(doubling.steps, step{float64(percent) / 100, 2})
	}
	return []schedule{linear, {"10% for 5 min", []step{{0.1, 5}}}, doubling}
}

// change describes what the new version does to the error rate: times·rate + plus.
type change struct {
	name        string
	times, plus float64
}

func changes() []change {
	return []change{
		same, {"2×", 2, 0}, {"5×", 5, 0}, {"+1 point", 1, 0.01}, {"+5 points", 1, 0.05}, {"50%", 0, 0.5}, {"100%", 0, 1},
	}
}

var same = change{"same", 1, 0}

// cell is one kind of rollout, drawn many times.
type cell struct {
	perSecond float64 // requests of both versions, per second
	rate      float64 // the share of the baseline's requests that fail
	change    change
	schedule  schedule
	stress    stress
}

// newRate returns the share of the new version's requests that fail.
func (c cell) newRate() float64 {
	return c.change.times*c.rate + c.change.plus
}

// harmless reports whether every rollback in this cell is a false alarm.
func (c cell) harmless() bool {
	return c.change == same
}

// name returns the cell's unique name, which seeds its randomness.
func (c cell) name() string {
	name := fmt.Sprintf("%s/s, %s, %s, %s", plain(c.perSecond), percent(c.rate), c.change.name, c.schedule.name)
	if c.stress != calm {
		name += ", " + string(c.stress)
	}
	return name
}

func plain(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

func percent(share float64) string {
	return strconv.FormatFloat(100*share, 'g', 3, 64) + "%"
}

// grid lists what is crossed into cells: each change without stress, and each
// stress with equal rates.
type grid struct {
	perSecond []float64
	rates     []float64
	changes   []change
	schedules []schedule
	stresses  []stress
}

// published returns the grid that the product's figures are from.
func published() grid {
	return grid{
		perSecond: []float64{1, 10, 100},
		rates:     []float64{0.0001, 0.001, 0.01},
		changes:   changes(),
		schedules: schedules(),
		stresses:  stresses(),
	}
}

// second returns a grid of other traffic, rates, changes and schedules, on which
// nothing was tuned.
func second() grid {
	geometric := schedule{name: "2, 6, 18, 54%"}
	for percent := 2; percent <= 54; percent *= 3 {
		geometric.steps = append(geometric.steps, step{float64(percent) / 100, 4})
	}
	return grid{
		perSecond: []float64{3, 30, 300},
		rates:     []float64{0.0003, 0.003, 0.03},
		changes: []change{
			same, {"3×", 3, 0}, {"8×", 8, 0}, {"+0.5 points", 1, 0.005}, {"+3 points", 1, 0.03}, {"25%", 0, 0.25}, {"100%", 0, 1},
		},
		schedules: []schedule{
			{"5, 25, 50%", []step{{0.05, 3}, {0.25, 3}, {0.5, 3}}}, {"20% for 10 min", []step{{0.2, 10}}}, geometric,
		},
		stresses: stresses(),
	}
}

// grids returns all grids by the names that the command knows.
func grids() map[string]grid {
	return map[string]grid{"published": published(), "second": second()}
}

// part returns a part of a grid, for a first look.
func (g grid) part() grid {
	g.perSecond, g.rates = []float64{g.perSecond[0], g.perSecond[2]}, g.rates[1:]
	g.changes = []change{same, g.changes[2], g.changes[4], g.changes[6]}
	g.schedules = []schedule{g.schedules[0], g.schedules[2]}
	return g
}

func (g grid) cells() []cell {
	var cells []cell
	for _, s := range g.schedules {
		for _, perSecond := range g.perSecond {
			for _, rate := range g.rates {
				for _, change := range g.changes {
					cells = append(cells, cell{perSecond, rate, change, s, calm})
				}
				for _, stress := range g.stresses {
					cells = append(cells, cell{perSecond, rate, same, s, stress})
				}
			}
		}
	}
	return cells
}
