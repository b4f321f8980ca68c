package main

import (
	"cmp"
	"fmt"
	"io"
	"sync"
	"time"
)

// latencyWorlds returns the rows of the fourth table, in its order.
func latencyWorlds() []latencyWorld {
	const (
		linear = `"type": "linear", "steps": 10, "interval": 120`
		slowly = `"type": "linear", "steps": 10, "interval": 600`
		minute = `"type": "Linear10PercentEvery1Minute"`
		hours  = `"type": "custom", "weights": [0.01, 1], "interval": 14400, "check-interval": 600`
		hour   = `"type": "custom", "weights": [0.01, 1], "interval": 3600, "check-interval": 300`
	)
	var all []latencyWorld
	add := func(name string, w latencyWorld, slower ...float64) {
		w.name = name
		w.plan, w.perMinute = cmp.Or(w.plan, linear), cmp.Or(w.perMinute, 600)
		w.warm, w.cold, w.idle = cmp.Or(w.warm, 1), cmp.Or(w.cold, 1), cmp.Or(w.idle, 5)
		for _, w.slower = range slower {
			all = append(all, w)
		}
	}
	const midMinute = 40 * time.Second
	add("steady", latencyWorld{}, 1, 1.5, 1.2, 1.1)
	add("steady, steps of 1 min", latencyWorld{plan: minute}, 1, 1.5)
	add("steady, shifts in mid-minute", latencyWorld{offset: midMinute}, 1, 1.5)
	const first = " as slow at first, normal after "
	add("3×"+first+"3 min", latencyWorld{warm: 3, warmUp: 3}, 1, 1.5)
	add("3×"+first+"3 min, shifts in mid-minute", latencyWorld{warm: 3, warmUp: 3, offset: midMinute}, 1)
	add("2×"+first+"3 min", latencyWorld{warm: 2, warmUp: 3}, 1)
	add("1.5×"+first+"5 min", latencyWorld{warm: 1.5, warmUp: 5}, 1)
	add("each environment 3×"+first+"1 min", latencyWorld{warm: 3, warmUp: 1, perShift: true}, 1)
	add("each environment 1.5×"+first+"5 min", latencyWorld{warm: 1.5, warmUp: 5, perShift: true}, 1)
	add("each environment 2×"+first+"3 min", latencyWorld{warm: 2, warmUp: 3, perShift: true}, 1)
	add("each environment 3×"+first+"3 min", latencyWorld{warm: 3, warmUp: 3, perShift: true}, 1)
	add("each environment 3×"+first+"3 min, steps of 10 min", latencyWorld{warm: 3, warmUp: 3, perShift: true, plan: slowly}, 1)
	add("first requests 10× as slow, 30 a minute, 1% for 4 h", latencyWorld{cold: 10, perMinute: 30, plan: hours}, 1)
	add("first requests 10× as slow, 10 a minute, 1% for 1 h", latencyWorld{cold: 10, perMinute: 10, idle: 10, plan: hour}, 1)
	return all
}

// runLatency simulates the worlds on all cores, and calls progress after each block. It
// returns how each rule did in each world. The figures are the same whatever the number
// of cores.
func (p plan) runLatency(worlds []latencyWorld, progress func(done, of int)) [][]figures {
	runs := make([]int, len(worlds))
	endings := make([][][]ending, len(worlds)) // by world, rule and run
	for i, w := range worlds {
		runs[i] = p.runsWorse
		if w.harmless() {
			runs[i] = p.runsStress
		}
		for range latencyRules() {
			endings[i] = append(endings[i], make([]ending, runs[i]))
		}
	}
	jobs := jobsOf(runs)
	var lock sync.Mutex
	done := 0
	onAllCores(jobs, func() func(job) {
		rules := latencyRules()
		return func(j job) {
			s := newLatencySimulation(worlds[j.cell], p.seed)
			for run := j.first; run < j.first+j.runs; run++ {
				for i, r := range rules {
					endings[j.cell][i][run] = s.follow(r, run)
				}
			}
			lock.Lock()
			defer lock.Unlock()
			done++
			progress(done, len(jobs))
		}
	})
	found := make([][]figures, len(worlds))
	for i, of := range endings {
		for _, e := range of {
			found[i] = append(found[i], figuresOf(e))
		}
	}
	return found
}

// legendOfLatency says what the fourth table shows.
func legendOfLatency(p plan) string {
	times := alarmTimes()
	return fmt.Sprintf(`Latency: worlds in which no request fails, each with an equal version (over %d runs) and with slower ones (%d runs): the share that is rolled back, **bold** as above, and
the median of the minutes until then, or until the rollout's end. Traffic is 10/s and
the weight grows from 10 to 100%% by 10, 2 minutes each, unless the world says otherwise. The alarms are on the new version's p99, above %v× or %v× the
baseline's in the hour before.

`, p.runsStress, p.runsWorse, times[0], times[1])
}

// writeLatency prints a row per world: what became of its rollouts under each rule.
func writeLatency(w io.Writer, worlds []latencyWorld, found [][]figures) {
	var names []string
	for _, r := range latencyRules() {
		names = append(names, r.name())
	}
	writeWorldsHead(w, names)
	for i, world := range worlds {
		row := []string{world.name, world.version()}
		for _, f := range found[i] {
			share := worst{f}.String()
			if !world.harmless() {
				share = shortPercent(f.share())
			}
			row = append(row, fmt.Sprintf("%s, %.0f min", share, f.medianMinutes))
		}
		writeRow(w, row...)
	}
}
