package rollout

import (
	"cmp"
	"maps"
	"slices"
	"sort"
)

// MaxState is the largest input or output of a state, or payload of a task, that Step
// Functions accepts, in bytes of JSON in UTF-8.
// See docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html.
const MaxState = 256 << 10

// MaxEvidence bounds State.Evidence, in bytes. A test of package health enforces it.
const MaxEvidence = 17 << 10

// Limits of what a rollout adds to its data, in bytes of JSON.
const (
	maxReadings = 16 << 10
	maxBrief    = 6000      // of Brief, before quotes and backslashes are escaped
	maxCause    = 3 * 32768 // Step Functions' limit is in characters of UTF-16
	maxName     = 3 * 256   // an error's name, likewise
	maxError    = 300       // of a FailedDelivery
	maxBy       = 256       // of an Order
	maxCommand  = 60        // of an unknown Order
	maxOrder    = 2*(maxBy+maxCommand) + 400
	maxDelivery = 2*maxError + 600 // a FailedDelivery
	maxHeld     = 1200             // a Held, with the names of three time zones
	maxZone     = 500              // a Zone: a year has a few changes
	maxZoneName = 40               // in Plan.Zones
	maxUndo     = 7*256 + 1200     // with a description of 256 characters, none of them plain

	// maxGrowth is how much a rollout may add to the data that a request determines:
	// all of it at once, and the call of a task or the input of a continuation around
	// it.
	maxGrowth = MaxEvidence + maxReadings + // health
		2*2*(maxBrief+50) + // its reason, and the outcome's
		maxCause + 2*maxName + // what was caught, and the outcome's error
		(keptOrders+1)*maxOrder + MaxFailedDeliveries*maxDelivery +
		6*256 + maxUndo + // the alias's description
		1<<10 + // the plan's warnings
		1<<10 + // owner, revision, counts, times
		2<<10 // around it
)

// longestAlarm has the longest values of a SeenAlarm.
var longestAlarm = SeenAlarm{OK: true, Gaps: true}

// checkSize refuses a request whose rollout could exceed the data that an execution
// holds, and names the largest part.
func (req *Request) checkSize(r *reader, steps []Step) {
	g := req.Gates
	size := func(values ...any) (bytes int) {
		for _, value := range values {
			bytes += len(Encode(value))
		}
		return bytes
	}
	plan := "steps"
	if len(req.Weights) > 0 {
		plan = "weights"
	}
	parts := map[string]int{plan: size(steps, req.Weights), "hooks": size(req.Hooks)}
	for _, kind := range gateKinds() {
		list, _ := kind.of(g)
		parts["health."+kind.name] = size(list)
	}
	parts["health.alarms"] += size(g.Alarms) // all may be red at the start
	progress := Progress{Alarms: make([]SeenAlarm, len(g.Alarms))}
	for i := range progress.Alarms {
		progress.Alarms[i] = longestAlarm
	}
	parts["health.alarms"] += size(progress.Alarms)
	for _, gate := range g.named() { // some of them there, the others in the outcome
		progress.Conclusive = append(progress.Conclusive, gate.name)
	}
	parts["windows"] = size(req.Windows) + len(req.Windows)*(maxZone+maxZoneName)
	parts["freeze"] = size(req.Freezes)
	total := len(req.Windows)*(maxZone+maxZoneName) + size(State{Request: *req, Plan: Plan{Gates: g, Steps: steps, RedAlarms: g.Alarms}, Progress: progress})
	if req.restrictsShifts() {
		total += maxHeld + maxOrder // Progress.Held and Progress.Pending
	}
	over := total + maxGrowth - MaxState
	if over <= 0 {
		return
	}
	paths := slices.SortedFunc(maps.Keys(parts), func(a, b string) int {
		return cmp.Or(cmp.Compare(parts[b], parts[a]), cmp.Compare(a, b))
	})
	largest := paths[0]
	if parts[largest] <= over {
		r.add(Problem{Path: "$", Given: inBytes(total), Want: wantRoom(total-over, largest, paths[1])})
		return
	}
	r.add(Problem{Path: largest, Given: inBytes(parts[largest]), Want: wantLess(parts[largest] - over)})
}

// Bounded returns the readings with Plain reasons. If these are too long for the
// execution's data, the longest are cut.
func Bounded(readings []Reading) []Reading {
	bounded := slices.Clone(readings)
	for i := range bounded {
		bounded[i].Reason = Shorten(bounded[i].Reason, maxReadings)
	}
	cut := func(most int) []Reading {
		all := slices.Clone(bounded)
		for i := range all {
			all[i].Reason = shortened(all[i].Reason, most)
		}
		return all
	}
	if mostBytes(bounded) <= maxReadings || len(Encode(bounded)) <= maxReadings {
		return bounded
	}
	return cut(sort.Search(maxReadings, func(most int) bool { return len(Encode(cut(most+1))) > maxReadings }))
}

// mostBytes returns how many bytes readings have in the execution's data at most, which is
// known without encoding them: no byte of a text takes more than six.
func mostBytes(readings []Reading) int {
	most := len("[]")
	for _, r := range readings {
		most += len(`{"gate":"","reading":"","verdict":"","reason":""},`) + 6*(len(r.Gate)+len(r.Status)+len(r.Verdict)+len(r.Reason))
	}
	return most
}
