package main

import "math"

// stress is a departure from the model: independent errors at constant rates. Under each, both versions have the same rates.
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

	// Local: errors of one version come together, in one minute.
	clusters5  stress = "clusters of 5"  // geometric numbers with this mean; the rate is the same
	clusters20 stress = "clusters of 20" // likewise

	// Late: metrics don't show at once what happened.
	lateSuccesses stress = "late successes" // the new version's successes show two minutes after its errors and the baseline
	lateMinutes   stress = "late minutes"   // the newest minute of both versions does not show yet
)

func stresses() []stress {
	return []stress{
		doubling, ramp, bursts, gamma, lognormal, retries, midMinute,
		clusters5, clusters20, lateSuccesses, lateMinutes,
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

// clusterMean returns how many errors come together on average.
func (s stress) clusterMean() float64 {
	switch s {
	case clusters5:
		return 5
	case clusters20:
		return 20
	}
	return 1
}

// maxRate bounds the error rate under a stress.
const maxRate = 0.5

// factors returns by what the stress multiplies the error rate and the traffic of a
// minute, for both versions alike. The minutes count from 0; so many
// are planned.
func (w *world) factors(at, planned int) (rate, traffic float64) {
	rate, traffic = 1, 1
	switch w.cell.stress {
	case doubling:
		if 2*at >= planned {
			rate = 2
		}
	case ramp:
		rate = math.Pow(10, min(1, float64(at)/float64(planned-1)))
	case bursts:
		if w.random.IntN(20) == 0 {
			rate = 30
		}
	case gamma: // the square of a normal variate is gamma of shape ½, with mean 1
		z := w.random.NormFloat64()
		rate = z * z
	case lognormal:
		traffic = math.Exp(w.random.NormFloat64() - 0.5)
	}
	return rate, traffic
}
