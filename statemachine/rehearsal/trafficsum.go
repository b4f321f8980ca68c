package rehearsal

import (
	"maps"
	"time"

	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
)

// trafficSum is what the versions served up to a time.
type trafficSum struct {
	at      time.Time
	served  map[string]Tally
	periods []Period
}

// sum returns what the versions have served so far.
func (t *traffic) sum() trafficSum {
	sum := trafficSum{at: t.done, served: maps.Clone(t.served)}
	if t.series != nil {
		sum.periods = t.series.until(t.done)
	}
	return sum
}

// conclude keeps the sum once the rollout is over and its traffic is on one version: what
// is drawn after that belongs to no rollout.
func (t *traffic) conclude() {
	if !t.over || t.counted != nil {
		return
	}
	if routing, ok := t.aws.RoutingAt(t.function, t.alias, t.done); !ok || routing.Weight == 0 || routing.Weight == 1 {
		sum := t.sum()
		t.counted = &sum
	}
}

// happened processes the next event of an execution's history.
func (r *run) happened(in *execution, e asl.Event) {
	if all := r.machine.executions; len(all) > 0 && all[0] == in && (ends[e.Type] != "" || e.Type == asl.ExecutionRedriven) {
		r.follow(ends[e.Type] != "")
	}
	r.timeline.event(in, e)
}

// follow notes, after the traffic up to now is drawn, that the rollout is over, or that it
// is redriven.
func (r *run) follow(over bool) {
	if r.traffic == nil {
		return
	}
	r.catchUp()
	r.traffic.over, r.traffic.counted = over, nil
}

// count fills in what was served.
func (t *traffic) count(result *Result, start time.Time) {
	var sum trafficSum
	if t.counted != nil {
		sum = *t.counted
	} else {
		sum = t.sum()
	}
	result.Served, result.Periods = sum.served, sum.periods
	result.BadRequests = sum.served[t.next].Errors
	result.ServedSeconds = sum.at.Sub(start).Seconds()
}
