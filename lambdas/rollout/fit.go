package rollout

import "slices"

// curve returns the request's weight curve, or that of its preset; false if its type
// names neither.
func (req Request) curve() (Curve, bool) {
	if p, ok := findPreset(req.Type); ok {
		return p.curve, true
	}
	return Curve(req.Type), slices.Contains(curves, Curve(req.Type))
}

// validateCurve checks that the fields that determine the curve are present,
// possible and consistent, and sets those that follow from the type.
func (req *Request) validateCurve(r *reader) {
	curve, ok := req.curve()
	if !ok {
		if req.Type != "" { // what is no string has been refused already
			r.refuse("type", wantTypeOf(req.Type))
		}
		return
	}
	if p, ok := findPreset(req.Type); ok {
		req.fixed(r, "steps", int64(len(p.weights)))
		req.fixed(r, "interval", p.seconds)
		req.Steps, req.Interval = len(p.weights), p.seconds
		req.onlyFor(r, "first-weight", false)
		req.onlyFor(r, "weights", false)
		if curve == Canary {
			req.FirstWeight = p.weights[0]
		}
		return
	}
	switch curve {
	case Canary:
		req.fixed(r, "steps", 2)
		req.Steps = 2
	case AllAtOnce:
		req.fixed(r, "steps", 1)
		req.Steps = 1
	case Custom:
		if !r.has("weights") {
			r.refuse("weights", wantWeights)
		} else if len(req.Weights) > 0 {
			req.fixed(r, "steps", int64(len(req.Weights)))
		}
		req.Steps = len(req.Weights)
	default:
		if !r.has("steps") {
			r.refuse("steps", wantSteps(curve))
		} else if curve == Geometric && req.Steps == 1 {
			r.refuse("steps", wantTwoSteps)
		}
	}
	if !r.has("interval") {
		r.refuse("interval", wantInterval)
	}
	req.onlyFor(r, "first-weight", curve == Geometric || curve == Canary)
	req.onlyFor(r, "weights", curve == Custom)
	if !r.has("first-weight") {
		req.FirstWeight = firstWeight(curve)
	}
}

// fixed refuses a field that contradicts the value that the type implies.
func (req *Request) fixed(r *reader, path string, value int64) {
	if given, ok := asWhole(r.fields[path]); r.has(path) && (!ok || given != value) {
		r.refuse(path, wantFixed(value, req.Type))
	}
}

// onlyFor refuses a field that the type does not use.
func (req *Request) onlyFor(r *reader, path string, used bool) {
	if !used && r.has(path) {
		r.refuse(path, wantOtherType(req.Type))
	}
}

// firstWeight returns a curve's default first weight; 0 for the curves that have
// none to choose.
func firstWeight(c Curve) float64 {
	switch c {
	case Geometric:
		return defaultGeometricStart
	case Canary:
		return defaultCanaryStart
	}
	return 0
}

// checkSchedule refuses a request whose fields are valid one by one, but lead to
// steps with equal weights, to more than a year, or to more data than an execution
// holds.
func (req *Request) checkSchedule(r *reader) {
	steps, err := req.Schedule()
	if err != nil {
		path := "steps"
		if len(req.Weights) > 0 {
			path = "weights"
		}
		r.refuse(path, err.Error())
		return
	}
	req.checkApproval(r, steps)
	switch total := Total(steps); {
	case total > Year:
		r.add(Problem{Path: "$", Want: wantYear(req, total)})
	case total+req.MaxPause > Year && r.has("max-pause"):
		r.refuse("max-pause", wantShorterPause(Year-total))
	default: // a plan of nearly a year leaves less than the default
		req.MaxPause = max(minMaxPause, min(req.MaxPause, Year-total))
	}
	req.checkSize(r, steps)
}
