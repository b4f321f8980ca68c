package sequential

import (
	"math"
	"slices"
)

// Clusters is what an alias's own history says of how errors come together. It is
// made by [LearnClusters]; its zero value is that of no history.
//
// As JSON it is at most 400 bytes.
type Clusters struct {
	// Requests and Errors are those of the history, without its largest bout.
	Requests int64 `json:"requests"`
	Errors   int64 `json:"errors"`
	// Hours is how long the history is, from its first request on.
	Hours int64 `json:"hours"`
	// Size is how many errors come together at most, at least 1, and Last for how
	// many minutes; 1 of both is no clusters.
	Size float64 `json:"size"`
	Last float64 `json:"last"`
	// Rate is an upper bound of the rate of errors, in (0, 1].
	Rate float64 `json:"rate"`
	// Excess says how often a minute had 5·2^j errors too many, at least, for each
	// request.
	Excess [excesses]float64 `json:"excess"`
}

const excesses = 10

// excess returns 5·2^j.
func excess(j int) float64 { return 5 * float64(int64(1)<<j) }

// knownRequests and knownHours are how many requests a history must have, and how long it
// must be, to say anything of clusters.
const (
	knownRequests = 50
	knownHours    = 12
)

// Known reports whether there was a history that is long enough, of enough requests.
func (c Clusters) Known() bool { return c.Requests >= knownRequests && c.Hours >= knownHours }

// The windows of [LearnClusters], in minutes.
const (
	localHalf = 30 // to each side of a minute, for its local rate
	blockLong = 10 // of the blocks whose median tells drift from a bout
	hourLong  = 60
	lags      = 5 // how far errors may repeat
	boutGap   = 2 // between odd minutes of one bout
)

// LearnClusters learns from an alias's minutes, one after the other without a gap;
// a minute without requests is a zero Count.
//
// Minute t has n requests and k errors, of which μ = n·(local rate) are expected: the mean of the
// half hours around it, without itself, pulled to the history's by two errors; where that
// is over 1.5 times the history's, at most the median of the blocks of ten minutes around
// it. With d = k − μ, a minute is odd if k ≥ 2, d > 3·√μ and P(Poisson(μ) ≥ k) < 1/(100·H), with H
// the number of minutes. Odd minutes at most two apart are a bout. The largest bout
// is left out, so that yesterday's outage does not hide tomorrow's harm, and all is
// computed again. Then:
//
//	φ     Σd²/Σμ, if that is 3 standard deviations above 1, plus 2·Σ_{lag ≤ 5} Σ d_t·d_{t+lag}/Σμ, if that is 3 above 0; else 1
//	Size  the largest of 1, 1 + 3·(φ−1), and the largest bout's Σd·(1 + 1/bouts)
//	Last  the largest of 1, 1 + lagged part/own part, and the size-biased mean run of odd minutes·(1−f)/(1+f), f their share
//	Rate  (K + 2·√(K·φ+1) + 3·φ)/N
func LearnClusters(minutes []Count) Clusters {
	c, bouts := learn(minutes)
	first := slices.IndexFunc(minutes, func(m Count) bool { return m.Requests > 0 })
	hours := int64(len(minutes)-max(0, first)) / hourLong
	if c.Requests == 0 {
		return c
	}
	if len(bouts) == 0 {
		c.Hours = hours
		return c
	}
	largest := slices.MaxFunc(bouts, func(a, b bout) int { return compareFloat(a.sum, b.sum) })
	rest := slices.Clone(minutes)
	for i := max(0, largest.from-1); i < min(len(rest), largest.to+2); i++ {
		rest[i] = Count{}
	}
	c, _ = learn(rest)
	c.Hours = hours
	return c
}

func compareFloat(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// bout is a time in which errors came together, from minute to minute, and how
// many were too many.
type bout struct {
	from, to int
	sum      float64
}

// deviation is how many errors of a minute are expected, and how many more there were.
type deviation struct{ expected, over float64 }

func learn(minutes past) (Clusters, []bout) {
	all := minutes.sum()
	c := Clusters{Requests: all.Requests, Errors: all.Errors, Size: 1, Last: 1, Rate: 1}
	if c.Requests == 0 {
		return Clusters{}, nil
	}
	overall, blocks := minutes.overallRate(), rates(minutes.blocks(blockLong))
	doubt := 2 / overall
	few := 1 / (100 * float64(len(minutes)))
	deviations := make([]deviation, len(minutes))
	var bouts []bout
	var runs []int // lengths of runs of odd minutes
	odd := 0
	around := minutes[:min(localHalf, len(minutes))].sum()
	for i, m := range minutes {
		if last := i + localHalf; last < len(minutes) {
			around.add(minutes[last])
		}
		if before := i - localHalf - 1; before >= 0 {
			around.subtract(minutes[before])
		}
		if m == (Count{}) { // as expected
			continue
		}
		others := around
		others.subtract(m)
		rate := localRate(i, others, overall, doubt, blocks)
		mu := float64(m.Requests) * rate
		d := float64(m.Errors) - mu
		deviations[i] = deviation{mu, d}
		for j := 0; j < excesses && d >= excess(j); j++ {
			c.Excess[j]++
		}
		if m.Errors < 2 || d <= 3*math.Sqrt(mu) {
			continue
		}
		usual := max(mu, float64(m.Requests)*min(overall, 2*rate))
		if poissonTail(usual, m.Errors) >= few {
			continue
		}
		odd++
		if n := len(bouts); n > 0 && i == bouts[n-1].to+1 {
			runs[len(runs)-1]++
		} else {
			runs = append(runs, 1)
		}
		if n := len(bouts); n > 0 && i-bouts[n-1].to <= boutGap+1 {
			bouts[n-1].to, bouts[n-1].sum = i, bouts[n-1].sum+d
		} else {
			bouts = append(bouts, bout{i, i, d})
		}
	}
	for j := range c.Excess {
		c.Excess[j] = (c.Excess[j] + 1) / float64(c.Requests)
	}
	phi, own, late := dispersions(deviations, float64(c.Errors))
	if phi > 1 {
		c.Size = 1 + 3*(phi-1)
	}
	if late > 0 {
		c.Last = 1 + late/max(1, own)
	}
	if len(bouts) > 0 {
		largest := slices.MaxFunc(bouts, func(a, b bout) int { return compareFloat(a.sum, b.sum) })
		c.Size = max(c.Size, largest.sum*(1+1/float64(len(bouts))))
		long, all := 0.0, 0.0
		for _, n := range runs {
			long, all = long+float64(n*n), all+float64(n)
		}
		often := float64(odd) / float64(len(minutes)) // side by side by chance
		c.Last = max(c.Last, long/all*(1-often)/(1+often))
	}
	k := float64(c.Errors)
	c.Rate = min(1, (k+2*math.Sqrt(k*phi+1)+3*phi)/float64(c.Requests))
	return c, bouts
}

// dispersions returns φ with its parts: by how much the errors of a minute vary more
// than Poisson numbers, and how they go together with those of the minutes after.
// What is not clearly there is 0, and φ at least 1. A minute is compared with the others
// around it, so that a part of its own variance is theirs: the factors with localHalf make
// up for that. Where most hours have no error, few are expected: then the errors that there
// were stand for their sum.
func dispersions(deviations []deviation, errors float64) (phi, own, late float64) {
	sum, squares, variance, products, pairs := 0.0, 0.0, 0.0, 0.0, 0.0
	for i, d := range deviations {
		mu := d.expected
		sum += mu
		squares += d.over * d.over
		variance += 2*mu*mu + mu
		pairs += mu * mu
		for _, later := range deviations[i+1 : min(i+1+lags, len(deviations))] {
			products += 2 * d.over * later.over
		}
	}
	if sum = max(sum, errors); sum == 0 {
		return 1, 0, 0
	}
	phi = 1
	own = squares / sum / (1 + 1.0/(2*localHalf))
	late = products/sum + own*2*lags/(2*localHalf+1)
	if own-1 > 3*math.Sqrt(variance)/sum {
		phi = own
	}
	if late > 6*math.Sqrt(lags*pairs)/sum*phi && late > 0.05 {
		return max(1, own) + late, own, late
	}
	return max(phi, 1), own, 0
}

// short returns the clusters with numbers of four digits.
func (c Clusters) short() Clusters {
	c.Size, c.Last, c.Rate = digits(c.Size), digits(c.Last), digits(c.Rate)
	for j, x := range c.Excess {
		c.Excess[j] = digits(x)
	}
	return c
}

// digits rounds a number that is not negative up to four digits.
func digits(x float64) float64 {
	if x == 0 {
		return 0
	}
	unit := math.Pow(10, math.Floor(math.Log10(x))-3)
	return math.Ceil(x/unit-1e-6) * unit
}
