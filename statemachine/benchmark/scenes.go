package main

import (
	"fmt"
	"io"
	"strings"
)

// scene is a row of the third table: a world, with an equal version or a worse
// one.
type scene struct {
	world string
	cell  cell
}

// scenes returns the rows of the third table, in its order.
func scenes() []scene {
	linear := schedules()[0]
	var all []scene
	add := func(world string, perSecond, rate float64, s schedule, stress stress, changes ...change) {
		for _, c := range changes {
			all = append(all, scene{world, cell{perSecond, rate, c, s, stress}})
		}
	}
	points, doubled, broken := change{"+5 points", 1, 0.05}, change{"2×", 2, 0}, change{"100%", 0, 1}
	for _, s := range []stress{
		calm, clusters5, clusters20, fifthOf20, sickMinute, sickMinutes, repeats, outage, noHistory,
	} {
		name := string(s)
		if s == calm {
			name = "independent errors"
		}
		add(name+", 10/s, 1%", 10, 0.01, linear, s, same, doubled, points, broken)
	}
	add(string(risen)+", 10/s, 4%", 10, 0.04, linear, risen, same, broken)
	add(string(sickMinute)+", 3/s, 1%, at 1% for 4 h", 3, 0.01, schedule{"1% for 4 h", []step{{0.01, 240}}}, sickMinute, same, broken)
	const hourly = 1. / 3600
	days := schedule{"50% for 2 days", []step{{0.5, day}, {0.5, day}}}
	hours := schedule{name: "10–90% by the hour"}
	for tens := 1; tens <= 9; tens++ {
		hours.steps = append(hours.steps, step{float64(tens) / 10, 60})
	}
	half := change{"50%", 0, 0.5}
	for _, rate := range []float64{0.01, 0.1} {
		base := ", " + percent(rate)
		add("1 request an hour, 50% for 2 days"+base, hourly, rate, days, calm, same, half, broken)
		add("4 an hour, 10–90% by the hour"+base, 4*hourly, rate, hours, calm, same, half, broken)
		add("10 an hour, 10–90% by the hour"+base, 10*hourly, rate, hours, calm, same, half, broken)
	}
	add("half of all fail, 10/s", 10, 0.5, linear, calm, same, change{"60%", 0, 0.6})
	add("nine of ten fail, 10/s", 10, 0.9, linear, calm, same, broken)
	add("failed requests hang for 15 min, 10/s, 1%", 10, 0.01, linear, hanging, same, broken)
	return all
}

// writeScenes prints a row per scene: what became of its rollouts under each
// rule. results are the scenes', in their order.
func writeScenes(w io.Writer, names []string, scenes []scene, results []result) {
	writeWorldsHead(w, names)
	for i, s := range scenes {
		change := "equal"
		if !s.cell.harmless() {
			change = s.cell.change.name
		}
		row := []string{s.world, change}
		for _, f := range results[i].rules {
			text := worst{f}.String()
			if !s.cell.harmless() {
				text = fmt.Sprintf("%s, %.0f, %.0f min", shortPercent(f.share()), f.medianFailures, f.medianMinutes)
			}
			row = append(row, text)
		}
		writeRow(w, row...)
	}
}

// writeWorldsHead prints the head of a table of worlds and new versions, with a column
// per rule.
func writeWorldsHead(w io.Writer, names []string) {
	writeRow(w, append([]string{"world", "new version"}, names...)...)
	writeRow(w, append([]string{"---", "---"}, strings.Fields(strings.Repeat(" ---:", len(names)))...)...)
}
