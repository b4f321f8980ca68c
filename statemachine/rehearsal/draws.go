package rehearsal

import (
	"math"
	"math/rand/v2"
	"sync"

	"gonum.org/v1/gonum/stat/distuv"
)

// poisson is a Poisson distribution with a mean above 0. Its draws are those of gonum's, from the same random numbers. What
// depends only on the mean is computed once.
type poisson struct{ mean, a, b, invAlpha, acceptance, logMean float64 }

// newPoisson returns the Poisson distribution with that mean.
func newPoisson(mean float64) poisson {
	b := 0.931 + 2.53*math.Sqrt(mean)
	return poisson{
		mean: mean, a: -0.059 + 0.02483*b, b: b,
		invAlpha: 1.1239 + 1.1328/(b-3.4), acceptance: 0.9277 - 3.6224/(b-2), logMean: math.Log(mean),
	}
}

// manyMean is from which mean on a distribution is not drawn event by event.
const manyMean = 10

// draw draws a number of events.
func (p *poisson) draw(random *rand.Rand) int64 {
	if p.mean < manyMean {
		n := int64(0)
		for t := random.ExpFloat64(); t < p.mean; t += random.ExpFloat64() {
			n++
		}
		return n
	}
	for { // W. Hörmann's transformed rejection
		u := random.Float64() - 0.5
		v := random.Float64()
		us := 0.5 - math.Abs(u)
		k := math.Floor((2*p.a/us+p.b)*u + p.mean + 0.43)
		if us >= 0.07 && v <= p.acceptance {
			return int64(k)
		}
		if k <= 0 || us < 0.013 && v > us {
			continue
		}
		if math.Log(v*p.invAlpha/(p.a/(us*us)+p.b)) <= k*p.logMean-p.mean-logFactorial(k) {
			return int64(k)
		}
	}
}

// logFactorial returns the logarithm of k!, for a whole number k.
func logFactorial(k float64) float64 {
	if known := logFactorials(); k < float64(len(known)) {
		return known[int(k)]
	}
	log, _ := math.Lgamma(k + 1)
	return log
}

// logFactorials returns the logarithms of small factorials.
var logFactorials = sync.OnceValue(func() *[1024]float64 {
	var all [1024]float64
	for k := range all {
		all[k], _ = math.Lgamma(float64(k) + 1)
	}
	return &all
})

// binomial draws how many of n events occur, each with probability p. The draw is that of gonum's distribution, from the same
// random numbers.
func binomial(random *rand.Rand, n int64, p float64) int64 {
	switch {
	case n <= 0 || p <= 0:
		return 0
	case p >= 1:
		return n
	}
	rare := p
	if p > 0.5 {
		rare = 1 - p
	}
	k := int64(0)
	switch {
	case n < 25:
		for range n {
			if random.Float64() < rare {
				k++
			}
		}
	case float64(n)*rare < 1:
		k = rareBinomial(random, n, rare)
	default:
		return int64(math.Round(distuv.Binomial{N: float64(n), P: p, Src: random}.Rand()))
	}
	if rare != p {
		return n - k
	}
	return k
}

// rareBinomial is binomial for at least 25 events of which less than one occurs in the mean: draws of a Poisson distribution,
// of which some are rejected.
func rareBinomial(random *rand.Rand, n int64, p float64) int64 {
	const logMost = 2.6e-2
	all := float64(n)
	mean := all * p
	logOthers := log1p(-p)
	for {
		k := int64(0)
		for t := 0.0; k < n; k++ {
			if t += random.ExpFloat64(); t >= mean {
				break
			}
		}
		occurred := float64(k)
		others := all - occurred
		t := (others+0.5)*log1p(-occurred/all) + occurred - others*logOthers + 1/(12*others) - mean + logMost
		if random.ExpFloat64() >= t {
			return k
		}
	}
}

// log1p returns nearly the logarithm of 1 + z, for small z: a Padé approximant.
func log1p(z float64) float64 { return (1 + 0.5*z) * z / (1 + (1+1.0/6*z)*z) }

// arrivals draws numbers of requests. Their mean is most often that of the last draw.
type arrivals struct{ last poisson }

// draw draws a number of requests with the given mean.
func (a *arrivals) draw(random *rand.Rand, mean float64) int64 {
	if mean <= 0 {
		return 0
	}
	if a.last.mean != mean {
		a.last = newPoisson(mean)
	}
	return a.last.draw(random)
}
