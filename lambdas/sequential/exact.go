package sequential

import (
	"math"
)

// The mixture of [Exact]: that of [Harm], an alternative nearer to what is
// tolerated, which a version with millions of requests a minute can show, and one
// between 50 times and nearly all, which an exact test can tell from both.
const (
	exactAlternatives = 9
	exactPriorSame    = 0.0506
	exactPriorNear    = 0.0350
	exactPriorWorse   = 0.1143 // of each other one
)

// timesWorseExact are the alternatives: the new version's odds of failing are g
// times those that are tolerated.
func timesWorseExact() [exactAlternatives]float64 {
	return [...]float64{1.05, 1.2, 1.5, 2, 4, 10, 50, 400, 1000}
}

// exactPrior is π, with "no worse" first.
func exactPrior() [exactAlternatives + 1]float64 {
	prior := [exactAlternatives + 1]float64{exactPriorSame, exactPriorNear}
	for j := 2; j < len(prior); j++ {
		prior[j] = exactPriorWorse
	}
	return prior
}

// ExactParams define harm.
type ExactParams struct {
	// Ratio and Margin, ρ0 in (0, 1000] and δ in [0, 1], say what is tolerated:
	// p_c ≤ t(p_b), with p_c the new version's rate of errors, p_b the baseline's,
	// and t(p) = ρ0·p/(1 + (ρ0−1)·p) + δ, of which the first part says that the odds of
	// failing are at most ρ0 times as high. Where few requests fail, that is ρ0·p.
	// For ρ0 below 1, t(p) = ρ0·p + δ.
	Ratio, Margin float64
	// Eta, η in (0, 1], is how much each request tells: 1/φ, see [Dispersion].
	Eta float64
	// Alpha, α in (0, 1), is the highest tolerated chance of ever finding harm
	// where there is none.
	Alpha float64
}

// Exact is the two-sample test for rolling back that also counts the requests
// that succeed. H0: in every minute p_c ≤ t(p_b), see [ExactParams], whatever p_b is, and
// however it drifts. It is [Harm] where few requests fail, and finds more
// where many do.
//
// A minute multiplies alternative g of its mixture by e^ℓ. The alternative is that
// the baseline's rate is p_b*, what [Minute.Expecting] says, and the new version's p_c*, whose
// odds are g times those of t(p_b*); for the last g p_c* is at least 95 %. With p° the
// p for which (p, t(p)) is nearest to the alternative, that is the minimum of
//
//	n_c·KL(p_c*, t(p)) + n_b·KL(p_b*, p)
//
// the factor is their likelihood ratio:
//
//	ℓ = η·[k_c·ln(p_c*/t°) + (n_c−k_c)·ln((1−p_c*)/(1−t°)) + k_b·ln(p_b*/p°) + (n_b−k_b)·ln((1−p_b*)/(1−p°))]
//
// Its expectation under H0 is at most 1 for any p_b* that is fixed before the
// minute (Turner and Grünwald 2023, arXiv 2302.11401): at η = 1, the ln of it is a sum of
// logarithms of linear functions of the true rates. That is concave, 0 at (p°, t°), and
// grows in no direction within H0, as H0 is convex and p° a minimum. With η < 1 it
// follows from Jensen's inequality. A p_b* that is far off costs only evidence.
//
// A minute of few requests ([Minute.Routed]) is taken request by request: each went to
// the new version with the chance w, whatever became of it, so w and 1−w stand for n_c
// and n_b in what p° minimizes, and there may be none of the other version.
//
// Errors are taken to be independent given the rates, see [Harm].
type Exact struct {
	ratio, margin, eta, threshold float64
	worse                         [exactAlternatives]float64
}

// NewExact makes the test. It refuses parameters out of their range, naming all of
// them.
func NewExact(p ExactParams) (Exact, error) {
	if err := checkHarm(p.Ratio, p.Margin, p.Eta, p.Alpha); err != nil {
		return Exact{}, err
	}
	return Exact{ratio: p.Ratio, margin: p.Margin, eta: p.Eta, threshold: -math.Log(p.Alpha), worse: timesWorseExact()}, nil
}

// Threshold returns ln(1/α): harm is found when L reaches it.
func (x *Exact) Threshold() float64 { return x.threshold }

// Fold returns the state after more minutes, in their order.
func (x *Exact) Fold(s ExactState, minutes ...Minute) ExactState {
	for i := range minutes {
		if m := &minutes[i]; m.compares() {
			logs := x.logRatios(m)
			s = s.multiply(logs.tempered(x.eta), m.share())
		}
	}
	return s
}

// exactLogs are the ℓ of a minute.
type exactLogs [exactAlternatives]float64

// tempered returns the ℓ at η, of those at η = 1.
func (l exactLogs) tempered(eta float64) exactLogs {
	for j := range l {
		l[j] *= eta
	}
	return l
}

// logFactors returns the ℓ of a minute that compares both versions.
func (x *Exact) logFactors(m Minute) exactLogs { return x.logRatios(&m).tempered(x.eta) }

// logRatios returns the ℓ, at η = 1, of a minute that compares both versions.
func (x *Exact) logRatios(m *Minute) (logs exactLogs) {
	nb, kb := float64(m.baseline.Requests), float64(m.baseline.Errors)
	nc, kc := float64(m.newVersion.Requests), float64(m.newVersion.Errors)
	cn, bn := nc, nb
	if m.weight > 0 {
		cn, bn = m.weight, 1-m.weight
	}
	expected := min(max(m.rate, minRate), maxExpected)
	tolerated, _ := x.tolerated(expected)
	if tolerated >= maxTolerated {
		return logs
	}
	odds := tolerated / (1 - tolerated)
	succeeds := math.Log1p(-expected)
	for j, g := range x.worse {
		worse := g * odds / (1 + g*odds)
		if j == exactAlternatives-1 {
			worse = max(worse, breakage)
		}
		nearest, at := x.nearest(expected, worse, bn, cn)
		log := (nb - kb) * (succeeds - math.Log1p(-nearest))
		if kb > 0 {
			log = kb*math.Log(expected/nearest) + log
		}
		if kc > 0 {
			log += kc*math.Log(worse/at) + (nc-kc)*(math.Log1p(-worse)-math.Log1p(-at))
		} else {
			log += nc * (math.Log1p(-worse) - math.Log1p(-at))
		}
		logs[j] = log
	}
	return logs
}

const (
	// The bounds of a rate that is expected, and where all is tolerated beside it.
	minRate      = 1e-9
	maxExpected  = 0.99
	maxTolerated = 0.9999
	// breakage is the rate, at least, of the alternative that nearly all fails.
	breakage = 0.95
)

// tolerated returns t(p), the new version's highest rate under H0 where the
// baseline's is p, and how fast it grows.
func (x *Exact) tolerated(p float64) (rate, slope float64) {
	if x.ratio <= 1 {
		return x.ratio*p + x.margin, x.ratio
	}
	scale := 1 + (x.ratio-1)*p
	return x.ratio*p/scale + x.margin, x.ratio / (scale * scale)
}

// nearest returns p° and t(p°), see Exact. p° is the zero of a derivative: negative
// where the baseline's rate is as expected, positive where the tolerated
// rate is the alternative's. The zero is found by Newton's method, between two bounds.
func (x *Exact) nearest(expected, worse, nb, nc float64) (p, at float64) {
	low, high := expected, 1.0
	p = min((nc*worse+nb*expected)/(nc*x.ratio+nb), 1)
	if p <= low {
		p = low
	}
	unworse, unexpected, more := 1-worse, 1-expected, x.ratio-1
	for range 100 {
		t, slope, bend := x.ratio*p+x.margin, x.ratio, 0.0
		if x.ratio > 1 {
			scale := 1 + more*p
			t, slope = x.ratio*p/scale+x.margin, x.ratio/(scale*scale)
			bend = -2 * slope * more / scale
		}
		value, grows := 1.0, 0.0
		if t < worse {
			rest, none := 1-t, 1-p
			u := unworse/rest - worse/t
			value = nc*slope*u + nb*(unexpected/none-expected/p)
			grows = nc*(bend*u+slope*slope*(unworse/(rest*rest)+worse/(t*t))) + nb*(unexpected/(none*none)+expected/(p*p))
		}
		if value > 0 {
			high = p
		} else {
			low = p
		}
		next := p - value/grows
		if !(next > low && next < high) {
			next = (low + high) / 2
		}
		if math.Abs(next-p) <= 1e-12*p {
			p = next
			break
		}
		p = next
	}
	at, _ = x.tolerated(p)
	return p, at
}

// ExactState is the running evidence of [Exact]. Its zero value is the start: no
// evidence. As JSON it is at most 350 bytes, of the form of a [State].
type ExactState struct {
	logE    float64
	weights [exactAlternatives + 1]float64 // as State's
}

// LogE returns L, the natural logarithm of the e-value: 0 at the start, always
// finite.
func (s ExactState) LogE() float64 { return s.logE }

// multiply takes one minute into the mixture, as that of State does.
func (s ExactState) multiply(logs exactLogs, share float64) ExactState {
	prior := exactPrior()
	if s.weights[0] == 0 {
		s.weights = prior
	}
	gain, total := multiply(s.weights[:], logs[:])
	s.logE += gain
	mix(s.weights[:], prior[:], (1-share)/total, share)
	return s
}

// begun returns the state with its weights filled in.
func (s ExactState) begun() ExactState {
	if s.weights[0] == 0 {
		s.weights = exactPrior()
	}
	return s
}

// UnmarshalJSON reads what MarshalJSON wrote. It refuses what no folding can
// have led to: weights of another number, outside their range, or that don't sum to 1.
func (s *ExactState) UnmarshalJSON(data []byte) error {
	var least [exactAlternatives + 1]float64 // the share of a minute may be next to nothing
	logE, err := readState(data, s.weights[:], least[:])
	if err == nil {
		s.logE = logE
	}
	return err
}
