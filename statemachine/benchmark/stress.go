package main

import (
	"math"
	"slices"
)

// stress is a way in which the world is worse than independent errors at
// constant rates. In a grid, both versions have the same rates under
// each.
type stress string

// The stresses.
const (
	calm stress = ""

	// Shared: they affect both versions equally.
	doubling  stress = "doubling"             // the rate doubles when half of the schedule is over
	ramp      stress = "10× ramp"             // it grows tenfold over the schedule, by the same factor each minute
	bursts    stress = "shared bursts"        // in one minute of 20 it is 30 times as high
	gamma     stress = "gamma rates"          // each minute draws its factor: gamma, shape ½, mean 1
	lognormal stress = "lognormal traffic"    // each minute draws its traffic's factor: σ = 1, mean 1
	retries   stress = "retries"              // a failed request comes again, on either version, at most twice
	midMinute stress = "shifts in mid-minute" // shifts and checks happen 30 s into the minutes of the metrics

	// Local: errors of one version come together. The rates are the same.
	clusters5   stress = "clusters of 5"             // in one minute; geometric numbers with this mean
	clusters20  stress = "clusters of 20"            // likewise
	fifthOf20   stress = "a fifth in clusters of 20" // of the errors; the others come alone
	sickMinute  stress = "sick environment, 1 min"   // an environment that falls sick fails all requests for a minute
	sickMinutes stress = "sick environment, 5 min"   // likewise, for a geometric number of minutes with this mean
	repeats     stress = "repeats on a version"      // each failure comes again, on the same version, 1 and 3 minutes later

	// Late: metrics don't show at once what happened.
	lateSuccesses stress = "late successes" // the new version's successes show two minutes after its errors and the baseline
	lateMinutes   stress = "late minutes"   // the newest minute of both versions does not show yet

	// Only in worlds of the third table.
	hanging   stress = "hanging requests" // a request that fails ends, and shows, 15 minutes after it began
	outage    stress = "outage yesterday" // half of all requests failed for half an hour, a day before the rollout
	noHistory stress = "no history"       // the alias had no request before the rollout
	risen     stress = "clusters of 5, at 4× the history's rate"
)

// stresses returns those that are crossed with each cell of a grid.
func stresses() []stress {
	return []stress{
		doubling, ramp, bursts, gamma, lognormal, retries, midMinute,
		clusters5, clusters20, fifthOf20, sickMinute, sickMinutes, repeats, lateSuccesses, lateMinutes,
	}
}

// shared reports whether the stress affects both versions alike and is seen as it
// happens.
func (s stress) shared() bool {
	switch s {
	case doubling, ramp, bursts, gamma, lognormal, retries, midMinute:
		return true
	}
	return false
}

// unshared returns the stresses of a grid that are not shared: each has a column.
func unshared() []stress {
	return slices.DeleteFunc(stresses(), stress.shared)
}

// clusters returns how many errors come together on average, and of which share
// of them; 1 and 0 if all come alone.
func (s stress) clusters() (mean, share float64) {
	switch s {
	case clusters5, risen:
		return 5, 1
	case clusters20:
		return 20, 1
	case fifthOf20:
		return 20, 0.2
	}
	return 1, 0
}

// sickFor returns how many minutes an environment is sick on average; 0 if none
// ever is.
func (s stress) sickFor() float64 {
	switch s {
	case sickMinute:
		return 1
	case sickMinutes:
		return 5
	}
	return 0
}

// lasts reports whether what happens in a minute depends on the minutes before.
func (s stress) lasts() bool { return s == repeats || s.sickFor() > 0 }

// timeout returns the function's timeout, in seconds.
func (s stress) timeout() int64 {
	if s == hanging {
		return hangs * 60
	}
	return 3
}

// hangs is after how many minutes hanging requests end.
const hangs = 15

// maxRate bounds the error rate under a stress that multiplies it.
const maxRate = 0.5

// factors returns by what the stress multiplies the error rate and the traffic of a
// minute, for both versions alike. The minutes count from 0, those before the
// rollout from -1 down; so many are planned.
func (w *world) factors(at, planned int) (rate, traffic float64) {
	rate, traffic = 1, 1
	switch w.cell.stress {
	case doubling:
		if 2*at >= planned {
			rate = 2
		}
	case ramp:
		rate = math.Pow(10, min(1, float64(max(at, 0))/float64(planned-1)))
	case bursts:
		if w.random.IntN(20) == 0 {
			rate = 30
		}
	case gamma: // the square of a normal variate is gamma of shape ½, with mean 1
		z := w.random.NormFloat64()
		rate = z * z
	case lognormal:
		traffic = math.Exp(w.random.NormFloat64() - 0.5)
	case outage:
		if at >= -day && at < -day+30 {
			rate = maxRate / w.cell.rate
		}
	case noHistory:
		if at < 0 {
			traffic = 0
		}
	case risen:
		if at < 0 {
			rate = 0.25
		}
	}
	return rate, traffic
}

// day is 24 hours, in minutes.
const day = 24 * 60
