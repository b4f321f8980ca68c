package main

import (
	"fmt"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/sequential"
)

// latencyRule judges the durations of one rollout after the other.
type latencyRule interface {
	// name is for the table.
	name() string
	// begin resets the rule, and starts a rollout. The record is of the baseline's hour
	// before it.
	begin(record *health.BaselineHistory)
	// check returns what a check at now finds. The minutes are those that are over, from
	// that of the first shift on. The state's BeginCheck has been called with now.
	check(s rollout.State, now time.Time, minutes []timedMinute) rollout.Health
}

// latencyRules returns those that are compared, each ready for one rollout at a time.
func latencyRules() []latencyRule {
	return []latencyRule{&p99Alarm{limit: 0}, &p99Alarm{limit: 1}, &previousLatency{}, &ourLatency{}}
}

// latencyFound returns the health of a rule that has no other gate.
func latencyFound(verdict rollout.Verdict) rollout.Health {
	return rollout.Health{Readings: []rollout.Reading{rollout.Judged("latency", verdict, "")}}
}

// alarmTimes are the multiples of the record's p99 above which the alarms breach.
func alarmTimes() [2]float64 { return [...]float64{2, 1.25} }

// p99Alarm is CodeDeploy with an alarm on the p99 of the new version's Duration, above
// a fixed multiple of the baseline's in three of three periods of a minute. A minute
// without data does not breach (TreatMissingData: notBreaching).
type p99Alarm struct {
	limit    int // of alarmTimes
	seen     int // minutes
	breaches int // in a row, the newest minutes'
}

func (a *p99Alarm) name() string {
	return fmt.Sprintf("alarm: p99 over %v×, 3 of 3 minutes", alarmTimes()[a.limit])
}

func (a *p99Alarm) begin(*health.BaselineHistory) { *a = p99Alarm{limit: a.limit} }

func (a *p99Alarm) check(_ rollout.State, _ time.Time, minutes []timedMinute) rollout.Health {
	const periods = 3
	for ; a.seen < len(minutes) && a.breaches < periods; a.seen++ {
		a.breaches++
		if m := minutes[a.seen]; 100*m.overAlarms[a.limit] <= m.NewVersion.Requests {
			a.breaches = 0
		}
	}
	if a.breaches == periods {
		return latencyFound(rollout.VerdictRollBack)
	}
	return latencyFound(rollout.VerdictInconclusive)
}

// previousLatency is this project's latency gate as it was before it had a warm-up,
// a minimum of requests, and a second minute that confirms a slowdown. It counts
// requests above the record's p95 and p99, but not in the minute after a shift. Beside
// the baseline it takes the mean of both [sequential.Harm], at full weight that of both
// [sequential.HistoricalControl]. No metrics are late in these worlds, so it has no
// allowance for that.
type previousLatency struct {
	beside, alone [2]sequential.State
	record        [2]sequential.Count // of the baseline, before and during the rollout
	folded        int                 // minutes
}

func (*previousLatency) name() string { return newPrevious().name() }

func (p *previousLatency) begin(record *health.BaselineHistory) {
	*p = previousLatency{}
	for i, share := range []float64{0.05, 0.01} {
		p.record[i] = sequential.Count{Requests: record.Timed, Errors: int64(share*float64(record.Timed)) + 1}
	}
}

func (p *previousLatency) check(s rollout.State, _ time.Time, minutes []timedMinute) rollout.Health {
	gate, since := s.Plan.Gates.Latency, s.Progress.Since
	harm, err := sequential.NewHarm(sequential.HarmParams{Ratio: gate.Ratio, Eta: 1, Alpha: gate.Alpha})
	must(err)
	_, alone := s.AtFullWeight()
	for ; p.folded < len(minutes) && (!alone || minutes[p.folded].At.Before(since)); p.folded++ {
		if m := minutes[p.folded]; !justShifted(m, since) {
			p.foldBeside(m, &harm)
		}
	}
	before := sequential.LogMeanE(p.beside[0].LogE(), p.beside[1].LogE())
	now, threshold := before, harm.Threshold()
	if alone {
		now, threshold = p.judgeAlone(*gate, since, minutes)
	}
	switch {
	case before >= harm.Threshold(), now >= threshold:
		return latencyFound(rollout.VerdictRollBack)
	case now >= sequential.HoldLogE:
		return latencyFound(rollout.VerdictHold)
	}
	return latencyFound(rollout.VerdictInconclusive)
}

// justShifted reports whether a minute is within one of the last shift.
func justShifted(m timedMinute, since time.Time) bool {
	return !m.At.Before(since.Truncate(time.Minute)) && m.At.Before(since.Add(time.Minute))
}

func (p *previousLatency) foldBeside(m timedMinute, harm *sequential.Harm) {
	for i := range p.record {
		baseline := sequential.Count{Requests: m.Baseline.Requests, Errors: m.Baseline.Slow[i]}
		newVersion := sequential.Count{Requests: m.NewVersion.Requests, Errors: m.NewVersion.Slow[i]}
		p.beside[i] = harm.Fold(p.beside[i], compared(baseline, newVersion))
		p.record[i].Requests += baseline.Requests
		p.record[i].Errors += baseline.Errors
	}
}

// judgeAlone folds the minutes at full weight, and returns their evidence and
// its threshold.
func (p *previousLatency) judgeAlone(gate rollout.LatencyGate, since time.Time, minutes []timedMinute) (logE, threshold float64) {
	for i := range p.record {
		control, err := sequential.NewHistoricalControl(sequential.HistoricalControlParams{
			Record: p.record[i], Tolerance: gate.Tolerance, Eta: 1, Alpha: gate.Alpha, Averaged: len(p.record),
		})
		must(err)
		threshold = control.Threshold()
		for _, m := range minutes[p.folded:] {
			if !justShifted(m, since) {
				served := sequential.Count{Requests: m.NewVersion.Requests, Errors: m.NewVersion.Slow[i]}
				p.alone[i] = control.Fold(p.alone[i], compared(sequential.Count{}, served))
			}
		}
	}
	p.folded = len(minutes)
	return sequential.LogMeanE(p.alone[0].LogE(), p.alone[1].LogE()), threshold
}

// ourLatency is this project's health check: the code that decides, on what CloudWatch
// would show.
type ourLatency struct {
	record   *health.BaselineHistory
	evidence health.Evidence
}

func (*ourLatency) name() string { return newOurs(false).name() }

func (o *ourLatency) begin(record *health.BaselineHistory) { *o = ourLatency{record: record} }

func (o *ourLatency) check(s rollout.State, now time.Time, minutes []timedMinute) rollout.Health {
	seen := health.Measurements{History: o.record}
	for _, m := range minutes[o.evidence.Unread(&s, now).From.Unix()/60:] {
		if m.Baseline.Requests+m.NewVersion.Requests > 0 {
			seen.Minutes = append(seen.Minutes, m.Minute)
		}
	}
	found, err := o.evidence.Update(&s, now, &seen)
	must(err)
	return found
}
