package rehearsal

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// TestDurationsAreLognormal: the cells' shares and values, and the draws of few
// and of many.
func TestDurationsAreLognormal(t *testing.T) {
	d := newDurations(sigma)
	mean, longer := 0.0, 1.0
	for i, value := range d {
		mean += value * cellShare(i)
		next := longer - cellShare(i)
		// The share above a value is between those above its cell's ends.
		if share := math.Erfc((math.Log(value)+sigma*sigma/2)/sigma/math.Sqrt2) / 2; share > longer || share < next {
			t.Errorf("value %d, %v: a share of %v takes longer, not one from %v to %v", i, value, share, next, longer)
		}
		if i < cells-cellsOfBand && longer/next > 1.25 {
			t.Errorf("from value %d to the next, the share above shrinks from %v to %v", i, longer, next)
		}
		longer = next
	}
	if math.Abs(mean-1) > 1e-9 || longer != 0 {
		t.Errorf("the mean is %v, and a share of %v is in no cell", mean, longer)
	}

	random := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int64{1, 63, 64, 65, 1000, 100_000} {
		draws := 10 + 200_000/n
		count, squares := [cells]float64{}, [cells]float64{}
		for range draws {
			drawn := int64(0)
			for _, v := range d.draw(nil, random, n, time.Hour) {
				i := 0
				for time.Duration(d[i]*float64(time.Hour)) != v.Duration {
					i++
				}
				count[i] += float64(v.Count)
				squares[i] += math.Pow(float64(v.Count)-float64(n)*cellShare(i), 2)
				drawn += v.Count
			}
			if drawn != n {
				t.Fatalf("drew %d of %d", drawn, n)
			}
		}
		for i := range cells {
			all, p := float64(draws*n), cellShare(i)
			if !near(count[i], all*p, all*p) {
				t.Errorf("drawing %d at a time: cell %d has %v of %v, not a share of %v", n, i, count[i], all, p)
			}
			if variance := squares[i] / float64(draws) / (float64(n) * p * (1 - p)); n == 1000 && math.Abs(variance-1) > 0.5 {
				t.Errorf("drawing %d at a time: the variance of cell %d is %v times the multinomial one", n, i, variance)
			}
		}
	}
}

// TestClustersKeepTheMeanAndSwellTheVariance draws minutes in many parts each:
// clusters go on from one part to the next, and not into the next minute.
func TestClustersKeepTheMeanAndSwellTheVariance(t *testing.T) {
	const minutes, part, parts = 40_000, 4, 30
	for _, b := range []VersionProfile{{ErrorRate: 0.1}, {ErrorRate: 0.1, Cluster: 1}, {ErrorRate: 0.1, Cluster: 3}, {ErrorRate: 0.01, Cluster: 10}, {ErrorRate: 0.5, Cluster: 200}} {
		random := rand.New(rand.NewPCG(1, 1))
		const n = float64(part * parts)
		mean := n * b.ErrorRate
		c := clusters{}
		var sum, squares, products, last float64
		for minute := range minutes {
			failed := int64(0)
			for i := range parts {
				failed += c.failures(random, b, part, started.Add(time.Duration(minute)*time.Minute+time.Duration(i)*time.Second))
			}
			deviation := float64(failed) - mean
			sum += deviation
			squares += deviation * deviation
			products += deviation * last
			last = deviation
		}
		// The variance of a Markov chain's sum, r being the correlation of
		// adjacent invocations: an error follows an error by its cluster, or by chance.
		m := max(b.Cluster, 1)
		begins := b.ErrorRate / (b.ErrorRate + m*(1-b.ErrorRate))
		r := (1 - 1/m) * (1 - begins)
		variance := mean * (1 - b.ErrorRate) * ((1+r)/(1-r) - 2*r*(1-math.Pow(r, n))/n/(1-r)/(1-r))
		if math.Abs(sum) > 5*math.Sqrt(minutes*variance) {
			t.Errorf("%+v: %v errors a minute more than %v", b, sum/minutes, mean)
		}
		if got := squares / minutes; math.Abs(got/variance-1) > 0.1 {
			t.Errorf("%+v: the variance is %v, not %v", b, got, variance)
		}
		if got := products / squares; math.Abs(got) > 5/math.Sqrt(minutes) {
			t.Errorf("%+v: one minute and the next correlate by %v", b, got)
		}
	}
	c := clusters{}
	for rate, want := range map[float64]int64{0: 0, 1: 10} {
		if got := c.failures(nil, VersionProfile{ErrorRate: rate, Cluster: 5}, 10, started); got != want {
			t.Errorf("at a rate of %v, %d of 10 fail", rate, got)
		}
	}
}
