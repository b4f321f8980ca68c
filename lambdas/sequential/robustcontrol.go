package sequential

import "math"

// RobustControlParams describe what the new version is judged against when it has all
// traffic.
type RobustControlParams struct {
	// Record is what the baseline served before and during the rollout.
	Record Count
	// Tolerance and Margin, in (0, 1000] and [0, 1], say what is tolerated, as Ratio and
	// Margin of [ExactParams] do: for a tolerance over 1, that the odds of failing are so
	// many times as high.
	Tolerance, Margin float64
	// Eta, Alpha, Clusters and Strict are those of [RobustParams].
	Eta, Alpha float64
	Clusters   Clusters
	Strict     bool
}

// RobustControl is [HistoricalControl] with the care of [Robust]: the same mixture, of
// historical controls T, S and D at the same η. The q of its B and P is the limit, and at least
// 1.1·Rate.
type RobustControl struct {
	size, strict, exact HistoricalControl
	clusters            Clusters
	mix                 mixture
}

// NewRobustControl makes the test. It refuses parameters out of their range, naming
// all of them.
func NewRobustControl(p RobustControlParams) (RobustControl, error) {
	control := func(clustered float64, strict bool) (HistoricalControl, error) {
		h, err := NewHistoricalControl(HistoricalControlParams{
			Record: p.Record, Tolerance: p.Tolerance, Margin: p.Margin, Eta: p.Eta / max(1, clustered), Alpha: p.Alpha, Averaged: 1, Strict: strict,
		})
		if err == nil {
			limit, _ := (&Exact{ratio: p.Tolerance, margin: p.Margin}).tolerated(h.rate)
			h = h.limited(min(1, limit))
		}
		return h, err
	}
	exact, err := control(1, false)
	if err != nil {
		return RobustControl{}, err
	}
	size, errSize := control(p.Clusters.Size, false)
	strict, err := control(p.Clusters.Last, true)
	if err == nil {
		err = errSize
	}
	mix := RobustParams{Clusters: p.Clusters, Strict: p.Strict}.mixture()
	return RobustControl{size: size, strict: strict, exact: exact, clusters: p.Clusters, mix: mix}, err
}

// limited returns the control with another limit.
func (b HistoricalControl) limited(limit float64) HistoricalControl {
	b.limit = limit
	for j, g := range b.worse {
		b.logMean[j] = math.Log1p(limit * (g - 1))
	}
	return b
}

// Limit returns the rate above which the new version counts as worse, in (0, 1].
func (r *RobustControl) Limit() float64 { return r.exact.limit }

// Threshold returns ln(1/(0.9·α)): harm is found when L reaches it.
func (r *RobustControl) Threshold() float64 { return r.exact.threshold }

// ControlState is the running evidence of [RobustControl]. Its zero value is the
// start. As JSON it is at most 1,000 bytes.
type ControlState struct {
	Size   State `json:"size,omitzero"`
	Strict State `json:"strict,omitzero"`
	Exact  State `json:"exact,omitzero"`
	ShareState
}

// Fold returns the state after more minutes, in their order.
func (r *RobustControl) Fold(s ControlState, minutes ...Minute) ControlState {
	for _, m := range minutes {
		if m.newVersion.Requests == 0 {
			continue
		}
		s.Strict = r.strict.Fold(s.Strict, m)
		if r.mix[0] > 0 {
			s.Size = r.size.Fold(s.Size, m)
		}
		if r.mix.shares() {
			q := max(r.exact.limit, 1.1*r.clusters.Rate)
			s.Exact, s.ShareState = r.exact.Fold(s.Exact, m), s.after(m.newVersion, q, &r.clusters, r.strict.eta)
		}
	}
	return s
}

// LogE returns L = ln E.
func (r *RobustControl) LogE(s ControlState) float64 {
	return r.mix.log(s.Size.LogE(), s.Strict.LogE(), s.Exact.LogE(), s.ShareState)
}
