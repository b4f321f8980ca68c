package sequential

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// What clusters are learned from, as it was written first: see plain_test.go.
func plainLearnClusters(minutes []Count) Clusters {
	c, bouts := plainLearn(minutes)
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
	c, _ = plainLearn(rest)
	c.Hours = hours
	return c
}

type plainSums struct{ requests, errors []int64 }

func plainSumsOf(minutes []Count) plainSums {
	s := plainSums{make([]int64, len(minutes)+1), make([]int64, len(minutes)+1)}
	for i, m := range minutes {
		s.requests[i+1], s.errors[i+1] = s.requests[i]+m.Requests, s.errors[i]+m.Errors
	}
	return s
}

func (s plainSums) between(from, to int) (requests, errors float64) {
	from, to = max(from, 0), min(to, len(s.requests)-1)
	return float64(s.requests[to] - s.requests[from]), float64(s.errors[to] - s.errors[from])
}

func (s plainSums) blockRates(long int) []float64 {
	var rates []float64
	for from := 0; from < len(s.requests)-1; from += long {
		rate := -1.0
		if n, k := s.between(from, from+long); n > 0 {
			rate = k / n
		}
		rates = append(rates, rate)
	}
	return rates
}

func (s plainSums) overallRate() float64 {
	var known []float64
	for _, rate := range s.blockRates(hourLong) {
		if rate >= 0 {
			known = append(known, rate)
		}
	}
	slices.Sort(known)
	median := known[len(known)/2]
	requests, errors := 0.0, 1.0
	for from := 0; from < len(s.requests)-1; from += hourLong {
		n, k := s.between(from, from+hourLong)
		requests, errors = requests+n, errors+min(k, 4*median*n+4)
	}
	return errors / requests
}

func (s plainSums) localRate(at int, overall float64, blocks []float64) float64 {
	around, failed := s.between(at-localHalf, at+localHalf+1)
	own, ownFailed := s.between(at, at+1)
	around, failed = around-own, failed-ownFailed
	if around == 0 {
		return overall
	}
	rate := (failed + 2) / (around + 2/overall)
	if rate <= 1.5*overall {
		return rate
	}
	var near []float64
	for i := max(0, at/blockLong-6); i < min(len(blocks), at/blockLong+7); i++ {
		if blocks[i] >= 0 {
			near = append(near, blocks[i])
		}
	}
	slices.Sort(near)
	return min(rate, max(overall, near[len(near)/2]))
}

func plainLearn(minutes []Count) (Clusters, []bout) {
	s := plainSumsOf(minutes)
	c := Clusters{Requests: s.requests[len(minutes)], Errors: s.errors[len(minutes)], Size: 1, Last: 1, Rate: 1}
	if c.Requests == 0 {
		return Clusters{}, nil
	}
	overall, blocks := s.overallRate(), s.blockRates(blockLong)
	few := 1 / (100 * float64(len(minutes)))
	expected, over := make([]float64, len(minutes)), make([]float64, len(minutes))
	var bouts []bout
	var runs []int // lengths of runs of odd minutes
	odd := 0
	for i, m := range minutes {
		rate := s.localRate(i, overall, blocks)
		mu := float64(m.Requests) * rate
		d := float64(m.Errors) - mu
		expected[i], over[i] = mu, d
		for j := range c.Excess {
			if d >= excess(j) {
				c.Excess[j]++
			}
		}
		usual := max(mu, float64(m.Requests)*min(overall, 2*rate))
		if m.Errors < 2 || d <= 3*math.Sqrt(mu) || poissonTail(usual, m.Errors) >= few {
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
	phi, own, late := plainDispersions(expected, over, float64(c.Errors))
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

func plainDispersions(expected, over []float64, errors float64) (phi, own, late float64) {
	sum, squares, variance, products, pairs := 0.0, 0.0, 0.0, 0.0, 0.0
	for i, mu := range expected {
		sum += mu
		squares += over[i] * over[i]
		variance += 2*mu*mu + mu
		pairs += mu * mu
		for j := i + 1; j <= i+lags && j < len(over); j++ {
			products += 2 * over[i] * over[j]
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

// TestClustersAreThoseOfTheFormula of histories with bouts, drift and minutes without requests.
func TestClustersAreThoseOfTheFormula(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		busy := rapid.SampledFrom([]int64{1, 30, 5000}).Draw(t, "requests")
		rate := rapid.SampledFrom([]float64{0, 0.001, 0.05, 0.9}).Draw(t, "rate")
		idle, bouts := rapid.Float64Range(0, 1).Draw(t, "idle"), rapid.Float64Range(0, 0.01).Draw(t, "bouts")
		minutes := make([]Count, rapid.IntRange(1, 1500).Draw(t, "minutes"))
		sick := 0
		for i := range minutes {
			if random.Float64() < bouts {
				sick = 1 + random.IntN(6)
			}
			if sick--; random.Float64() < idle {
				continue
			}
			n := random.Int64N(busy + 1)
			drift := float64(1 + i/97%5) // from hour to hour
			k := min(n, int64(float64(n)*rate*drift*random.Float64()))
			if sick > 0 {
				k = random.Int64N(n + 1)
			}
			minutes[i] = Count{n, k}
		}
		if got, want := LearnClusters(minutes), plainLearnClusters(minutes); got != want {
			t.Fatalf("%+v, want %+v", got, want)
		}
	})
}
