package health

import (
	"slices"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/sequential"
)

// Evidence holds what the errors and latency gates know of a rollout's minutes. It
// travels in the execution's state, and takes a few kilobytes of JSON however long
// the rollout is (at most rollout.MaxEvidence). Its zero value is the start.
//
// The last minutes, a quarter of an hour or a little more, are kept as they are, and read again at each
// check, because CloudWatch's minutes may still change. Older minutes are folded
// into a few numbers, for good. So each check judges all minutes as they are known
// by then, and not as they were when they were first seen.
type Evidence struct {
	// History is read at the first check; nil until then.
	History *BaselineHistory `json:"before,omitempty"`
	// Until is how far the minutes are folded; zero before the first check.
	Until time.Time `json:"until,omitzero"`
	// Clusters is what the alias's last days say of how errors come together; nil
	// until the first check.
	Clusters *sequential.Clusters `json:"clusters,omitempty"`
	Totals
	// Step is the current step, and StepRequests counts the new version's requests
	// in it that are folded and could be compared.
	Step         int   `json:"step"`
	StepRequests int64 `json:"step-requests"`
	// WarmUp has the minutes of shifts that are not folded yet, including minutes
	// whose data may still come.
	WarmUp []time.Time `json:"cold,omitempty"`
	// Shifts are those that the minutes that are not folded yet have to do with.
	Shifts []WeightChange `json:"shifts,omitempty"`
	// Minutes has those that are not folded yet, in their order. Minutes without any
	// data are left out.
	Minutes []Minute `json:"minutes"`
	// Snapshot is what the last check saw of the alias as a whole.
	Snapshot AliasSnapshot `json:"lately"`

	known folds  // of the minutes that are not folded yet
	found *found // by the check that returned it; nil if it was decoded
}

// Totals is the part of the evidence that minutes are folded into.
type Totals struct {
	// Errors compares failed requests, and Slow those above the thresholds of the
	// History.
	Errors ErrorComparison        `json:"errors"`
	Slow   [thresholds]Comparison `json:"slow"`
	// Bounds counts the new version's requests above the absolute bounds of the latency
	// gate. Slowdowns says in how many minutes slow requests spoke for harm.
	Bounds    [rollout.MaxLatencyBounds]BoundTest `json:"bounds,omitzero"`
	Slowdowns Slowdowns                           `json:"slowdowns,omitzero"`
	// Proof bounds how much higher the new version's error rate is; Spread is how
	// much errors cluster.
	Proof  sequential.NonInferiorityState `json:"proof"`
	Spread sequential.Dispersion          `json:"spread"`
	// Expected is how often the baseline has failed in its last folded minutes.
	Expected sequential.Expectation `json:"expected,omitzero"`
}

// AliasSnapshot counts what the alias as a whole served in the minutes that a check
// read. It goes into reasons and into no decision.
type AliasSnapshot struct {
	// Requests counts the alias's requests, whichever version served them, and
	// Throttles those that no version served.
	Requests  int64 `json:"requests"`
	Throttles int64 `json:"throttles"`
	// Slowest is the longest duration of the new version, in milliseconds.
	Slowest float64 `json:"slowest"`
}

// Measurements holds what a check reads from CloudWatch.
type Measurements struct {
	// Minutes has the minutes of the query's window that have data, in their order.
	Minutes []Minute
	// History is nil unless the query has Record set.
	History *BaselineHistory
	// Past has the alias's minutes of the last days before the window, one after the
	// other, without those that two versions served; nil unless the query has
	// Days set, and if they could not be read.
	Past     []sequential.Count
	Snapshot AliasSnapshot
	// Gates has the series of metric gates, by the ids of their queries; nil if
	// there are none.
	Gates map[string]Series
}

// The bounds of how long after its end a minute in CloudWatch is taken to change. A
// request is counted in the minute in which it began, but only after it has ended. So it is
// metricsTake longer than the function's timeout. What ends later than
// rollout.CountedWithin, as few functions can, is not counted.
const (
	leastLateness = 15 * time.Minute
	metricsTake   = 3 * time.Minute
	mostLateness  = rollout.CountedWithin*time.Second + metricsTake
)

// lateness returns how long the minutes of a state's rollout are kept as they are, and read
// again, see Evidence.
func lateness(s *rollout.State) time.Duration {
	longest := time.Duration(s.Plan.Timeout)*time.Second + metricsTake
	return min(max(longest.Truncate(time.Minute), leastLateness), mostLateness)
}

// keptMinutes bounds how long CloudWatch keeps single minutes, less a day.
const keptMinutes = 14 * 24 * time.Hour

// Unread returns the time that a check at now must read: all that is not folded
// yet. The state's BeginCheck must have been called with now.
func (e *Evidence) Unread(s *rollout.State, now time.Time) rollout.Window {
	from := e.Until
	if from.IsZero() {
		from = s.Progress.Began.Truncate(time.Minute)
	}
	if oldest := now.Add(-keptMinutes).Truncate(time.Minute); oldest.After(from) {
		from = oldest
	}
	return rollout.Window{From: from, To: now}
}

// take adds what a check at now has measured, and folds the minutes that no longer
// change. Taking the same measurements again changes nothing. An error means that the
// stored evidence is corrupt; no metrics can cause this.
func (e *Evidence) take(s *rollout.State, now time.Time, seen *Measurements) error {
	if e.History == nil {
		e.History = seen.History
	}
	if e.Clusters == nil && seen.Past != nil {
		learned := sequential.LearnClusters(seen.Past)
		e.Clusters = &learned
	}
	e.Until = e.Unread(s, now).From
	e.Snapshot = seen.Snapshot
	if e.Step != s.Progress.Step {
		e.Step, e.StepRequests = s.Progress.Step, 0
	}
	e.Minutes = merge(e.Minutes, seen.Minutes, e.Until)
	e.Shifts = shifted(e.Shifts, s, e.Until)
	e.WarmUp = notBefore(e.Until, e.WarmUp)
	for at := s.Progress.Since.Truncate(time.Minute); at.Before(s.Progress.Since.Add(startTime)); at = at.Add(time.Minute) {
		if !slices.ContainsFunc(e.WarmUp, at.Equal) && !at.Before(e.Until) {
			e.WarmUp = append(e.WarmUp, at)
		}
	}
	for i := range e.Minutes {
		m := &e.Minutes[i]
		m.Shifted = slices.ContainsFunc(e.WarmUp, m.At.Equal)
		m.Weight, m.Mixed = e.weightIn(m)
	}
	settled := now.Add(-lateness(s)).Truncate(time.Minute)
	if !settled.After(e.Until) {
		return nil
	}
	old := 0
	for old < len(e.Minutes) && e.Minutes[old].At.Before(settled) {
		if e.Minutes[old].end().After(s.Progress.Since) {
			e.StepRequests += e.comparable(&e.Minutes[old], s)
		}
		old++
	}
	acc := newAccumulator(s, now)
	if err := acc.fold(e, e.Minutes[:old]); err != nil {
		return err
	}
	e.Minutes = e.Minutes[old:]
	e.Until, e.WarmUp = settled, notBefore(settled, e.WarmUp)
	return nil
}

// notBefore returns the times that are not before first, in a new list; nil if
// there are none.
func notBefore(first time.Time, times []time.Time) []time.Time {
	var kept []time.Time
	for _, at := range times {
		if !at.Before(first) {
			kept = append(kept, at)
		}
	}
	return kept
}

// merge merges two ordered lists of minutes into a new one, and leaves out minutes
// before folded.
func merge(known, read []Minute, folded time.Time) []Minute {
	for len(known) > 0 && known[0].At.Before(folded) {
		known = known[1:]
	}
	all := make([]Minute, 0, max(len(known), len(read))+1) // mostly, all but one are known and read
	for len(known) > 0 || len(read) > 0 {
		var next Minute
		switch {
		case len(read) == 0 || len(known) > 0 && known[0].At.Before(read[0].At):
			next, known = known[0], known[1:]
		case len(known) == 0 || read[0].At.Before(known[0].At):
			next, read = read[0], read[1:]
		default:
			next, known, read = known[0].merge(read[0]), known[1:], read[1:]
		}
		if !next.At.Before(folded) {
			all = append(all, next)
		}
	}
	return slices.Clip(all)
}

// Traffic returns how many of the new version's requests could be compared, in the
// current step or in the minutes that are not folded, whichever is more; and how
// many whole minutes of the step had some.
func (e *Evidence) Traffic(s *rollout.State, now time.Time) (recent int64, wholeMinutes int) {
	step := e.StepRequests
	for i := range e.Minutes {
		m := &e.Minutes[i]
		n := e.comparable(m, s)
		recent += n
		if m.end().After(s.Progress.Since) {
			step += n
		}
		if n > 0 && !m.At.Before(s.Progress.Since) && !m.end().After(now) {
			wholeMinutes++
		}
	}
	return max(recent, step), wholeMinutes
}

// comparable returns how many of the new version's requests in the minute can be
// compared with the baseline's, or with its record.
func (e *Evidence) comparable(m *Minute, s *rollout.State) int64 {
	if m.Baseline.Requests > 0 || m.few() {
		return m.NewVersion.Requests
	}
	if since, alone := s.AtFullWeight(); alone && !m.At.Before(since) && e.recorded() {
		return m.NewVersion.Requests
	}
	return 0
}

// recordRequests is how many requests the hour before the rollout must have had for
// older ones not to count.
const recordRequests = 1000

// record returns what the baseline served before the rollout, or the alias: in the hour
// before or, if that had few requests, in the last days, without their largest bout
// of errors.
func (e *Evidence) record() sequential.Count {
	hour := e.History.errors()
	if hour.Requests >= recordRequests || e.Clusters == nil || e.Clusters.Requests <= hour.Requests {
		return hour
	}
	return sequential.Count{Requests: e.Clusters.Requests, Errors: e.Clusters.Errors}
}

// rate returns the rate of errors that is expected of the baseline's next minute:
// the lower of that of its last minutes and that of all that is known of it, as a rate that is
// too high would hide harm.
func (e *Evidence) rate() float64 {
	return min(e.Expected.Rate(), sequential.ExpectationOf(plus(e.record(), e.Errors.Baseline)).Rate())
}

// clusters returns what is known of how errors come together.
func (e *Evidence) clusters() sequential.Clusters {
	if e.Clusters == nil {
		return sequential.Clusters{}
	}
	return *e.Clusters
}

// recorded reports whether the baseline has a record, of the time before or of the
// rollout.
func (e *Evidence) recorded() bool {
	return e.record().Requests+e.Errors.Baseline.Requests > 0
}
