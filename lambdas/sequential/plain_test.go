package sequential

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// The formulas as they are written down, which the faster ones equal bit for bit: the history of
// a rollout is the same whichever release folded its minutes.

type plainExact struct{ *Exact }

// logFactors returns the ℓ of a minute that compares both versions.
func (x plainExact) logFactors(m Minute) (logs [exactAlternatives]float64) {
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
	for j, g := range x.worse {
		worse := g * odds / (1 + g*odds)
		if j == exactAlternatives-1 {
			worse = max(worse, breakage)
		}
		nearest, at := x.nearest(expected, worse, bn, cn)
		log := kb*math.Log(expected/nearest) + (nb-kb)*(math.Log1p(-expected)-math.Log1p(-nearest))
		log += kc*math.Log(worse/at) + (nc-kc)*(math.Log1p(-worse)-math.Log1p(-at))
		logs[j] = x.eta * log
	}
	return logs
}

// nearest returns p° and t(p°), see Exact. p° is the zero of a derivative: negative
// where the baseline's rate is as expected, positive where the tolerated
// rate is the alternative's. The zero is found by Newton's method, between two bounds.
func (x plainExact) nearest(expected, worse, nb, nc float64) (p, at float64) {
	low, high := expected, 1.0
	p = min((nc*worse+nb*expected)/(nc*x.ratio+nb), 1)
	if p <= low {
		p = low
	}
	for range 100 {
		t, slope := x.tolerated(p)
		value, grows := 1.0, 0.0
		if t < worse {
			u := (1-worse)/(1-t) - worse/t
			value = nc*slope*u + nb*((1-expected)/(1-p)-expected/p)
			bend := 0.0
			if x.ratio > 1 {
				bend = -2 * slope * (x.ratio - 1) / (1 + (x.ratio-1)*p)
			}
			grows = nc*(bend*u+slope*slope*((1-worse)/((1-t)*(1-t))+worse/(t*t))) + nb*((1-expected)/((1-p)*(1-p))+expected/(p*p))
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

type plainHarm struct{ *Harm }

// logFactors returns the ℓ of a minute in which both versions had requests.
func (h plainHarm) logFactors(m Minute) (logs [alternatives]float64) {
	nb, kb := float64(m.baseline.Requests), float64(m.baseline.Errors)
	nc, kc := float64(m.newVersion.Requests), float64(m.newVersion.Errors)
	tolerated, margin, all := h.ratio*nc, h.margin, kb+kc
	if h.strict {
		room := nb + 1 + (nc-2)*h.ratio
		if nc == 1 {
			room = max(room, h.ratio)
		}
		tolerated *= 1 + max(0, h.ratio-1)/room
		margin *= 1 + h.ratio/room
	}
	// Both r and a are taken as distances from 1, which stay exact when one
	// version has nearly all requests.
	theta := tolerated / (tolerated + nb)
	for j, g := range h.worse {
		log := 0.0
		if all > 0 {
			log = -math.Log1p(theta * (g - 1)) // −ln r
			if h.strict {
				log += math.Log((kc*g + kb) / all)
			} else {
				log = kc*h.logWorse[j] + all*log
			}
		}
		if margin > 0 {
			log -= nc * margin * (nb * (g - 1) / (tolerated*g + nb))
		}
		logs[j] = h.eta * log
	}
	return logs
}

// same reports whether two numbers are the same bit for bit, but for the sign of zero.
func same(a, b float64) bool { return math.Float64bits(a+0) == math.Float64bits(b+0) }

// drawJudged draws a minute with or without traffic, errors, an expectation and a weight.
func drawJudged(t *rapid.T) Minute {
	m := drawMinute(1_000_000_000).Draw(t, "minute")
	if rapid.Bool().Draw(t, "few") {
		m = drawMinute(6).Draw(t, "few requests").Routed(rapid.Float64Range(0.01, 0.99).Draw(t, "weight"))
	}
	return m.Expecting(rapid.OneOf(rapid.Float64Range(0, 1), rapid.Float64Range(0, 0.01), rapid.SampledFrom([]float64{0, 1e-9, 0.5, 0.99, 1})).Draw(t, "rate"))
}

// TestFactorsAreThoseOfTheFormula, of each test, in each minute.
func TestFactorsAreThoseOfTheFormula(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, m := drawHarm(t), drawJudged(t)
		x, err := NewExact(ExactParams{Ratio: p.Ratio, Margin: p.Margin, Eta: p.Eta, Alpha: p.Alpha})
		if err != nil {
			t.Fatal(err)
		}
		h := harm(t, p)
		plain, logs := plainExact{&x}.logFactors(m), x.logFactors(m)
		for j := range logs {
			if m.compares() && !same(plain[j], logs[j]) {
				t.Fatalf("Exact %d: %v, want %v", j, logs[j], plain[j])
			}
		}
		if m.baseline.Requests == 0 || m.newVersion.Requests == 0 {
			return
		}
		plainLogs, factors := plainHarm{h}.logFactors(m), h.Factors(&m)
		for j := range plainLogs {
			if !same(plainLogs[j], factors.logs[j]) {
				t.Fatalf("Harm %d: %v, want %v", j, factors.logs[j], plainLogs[j])
			}
		}
	})
}

// plainFold folds a minute into each test of a Robust by itself.
func plainFold(r *Robust, s RobustState, m Minute) RobustState {
	if !m.compares() {
		return s
	}
	s.Strict = r.strict.Fold(s.Strict, r.clusters.alike(m))
	if r.mix[0] > 0 {
		s.Size = r.size.Fold(s.Size, m)
	}
	if r.mix.shares() {
		s.Exact, s.ShareState = r.exact.Fold(s.Exact, m), r.compare(s.ShareState, &m)
	}
	return s
}

// plainLog is L of a Robust.
func plainLog(m mixture, s RobustState) float64 {
	shares := math.Log(max(1+s.Shares, math.SmallestNonzeroFloat64))
	var weighted []float64
	for i, log := range [...]float64{s.Size.LogE(), s.Strict.LogE(), min(s.Exact.LogE(), shares), min(s.Exact.LogE(), s.Bets.LogE())} {
		if m[i] > 0 {
			weighted = append(weighted, math.Log(m[i])+log)
		}
	}
	return logMean(weighted) + math.Log(float64(len(weighted)))
}

// TestRobustIsItsTests folded one by one.
func TestRobustIsItsTests(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawHarm(t)
		c := Clusters{Requests: 1000, Hours: rapid.SampledFrom([]int64{0, 72}).Draw(t, "hours"), Size: rapid.Float64Range(1, 30).Draw(t, "size"), Last: rapid.SampledFrom([]float64{1, 3}).Draw(t, "last"), Rate: 0.01, Excess: [excesses]float64{0.01, 0.001}}
		r, err := NewRobust(RobustParams{ExactParams: ExactParams{Ratio: p.Ratio, Margin: p.Margin, Eta: p.Eta, Alpha: p.Alpha}, Clusters: c, Strict: p.Strict})
		if err != nil {
			t.Fatal(err)
		}
		var s, want RobustState
		for range rapid.IntRange(1, 10).Draw(t, "minutes") {
			m := drawJudged(t)
			s, want = r.Fold(s, m), plainFold(&r, want, m)
		}
		if s != want || !same(r.LogE(s), plainLog(r.mix, want)) {
			t.Fatalf("%+v, L = %v\nwant %+v, L = %v", s, r.LogE(s), want, plainLog(r.mix, want))
		}
	})
}

// plainBound is the bound of a NonInferiority, by bisection.
func plainBound(p *NonInferiority, s NonInferiorityState) float64 {
	low, high := 0.0, 1.0
	switch {
	case p.Proven(s, low):
		return low
	case !p.Proven(s, high):
		return high
	}
	for high-low > 1e-12 {
		if middle := (low + high) / 2; p.Proven(s, middle) {
			high = middle
		} else {
			low = middle
		}
	}
	return high
}

// TestTheBoundIsThatOfBisection.
func TestTheBoundIsThatOfBisection(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := proof(t, NonInferiorityParams{
			Ratio: rapid.SampledFrom([]float64{0, 1, 1.1, 1000}).Draw(t, "ratio"),
			Eta:   rapid.OneOf(rapid.Just(1.0), rapid.Float64Range(0.001, 1)).Draw(t, "eta"),
			Beta:  rapid.SampledFrom([]float64{0.05, 0.5, 1e-9}).Draw(t, "beta"),
		})
		var s NonInferiorityState
		for range rapid.IntRange(0, 12).Draw(t, "minutes") {
			m := drawMinute(MaxCount).Draw(t, "minute")
			if rapid.Bool().Draw(t, "usual") {
				n := rapid.Int64Range(1, 100_000).Draw(t, "requests")
				m = minute(t, 9*n, n/rapid.SampledFrom([]int64{1, 10, 1000}).Draw(t, "one of"), n, n/1000)
			}
			s = p.Fold(s, m)
		}
		want := plainBound(p, s)
		if got := p.Bound(s); got != want {
			t.Fatalf("%v, want %v", got, want)
		}
		parts := int64(want * boundParts)
		begin := rapid.OneOf(rapid.Int64(), rapid.Int64Range(parts-6, parts+6), rapid.Int64Range(0, boundParts)).Draw(t, "begin")
		if got := p.leastProven(s, begin); want > 0 && want < 1 && got != parts {
			t.Fatalf("%d, want %d", got, parts)
		}
	})
}
