package rehearsal

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Usage counts what AWS bills, by item.
type Usage [items]int64

// The items. Bytes are counted before compression.
const (
	transitions  = iota // states entered, and retries
	healthChecks        // invocations of HealthCheck
	otherTasks          // invocations of all other functions
	pauses              // milliseconds for which functions of releases pause between calls
	metricReads         // metrics that GetMetricData was asked for: one for up to five statistics of a metric
	alarmReads          // calls of DescribeAlarms
	publishes           // to SNS topics
	busEvents           // events put on the event bus
	secretReads         // calls of GetSecretValue
	executionLog        // bytes of the executions' log
	functionLog         // bytes of the functions' logs
	traces              // recorded by X-Ray
	metricHours         // hours in which a custom metric had data, of all metrics together
	alarmMonths         // alarms
	dashboards          // dashboards, for a month
	items
)

// wholeChecks limits how many checks a plan may have to be rehearsed completely when its
// usage is counted; longer ones would take more than seconds.
const wholeChecks = 1500

// Count returns what a rollout uses that is promoted on schedule: without waiting
// for approvals, and with no step that ends early on evidence. It counts in a
// rehearsal of the rollout. For a long rollout it counts in shorter ones, and adds
// up what each check, each execution and each hour with a metric's data uses. It
// returns an error if the rollout is not promoted in the options' scenario.
func Count(o Options) (Usage, error) {
	plan, err := plainly(o.Input)
	if err != nil {
		return Usage{}, err
	}
	o.Brief = true
	plan.start = o.Scenario.start()
	length, err := plan.walk(0)
	if err != nil {
		return Usage{}, err
	}
	if length.checks+length.looks <= wholeChecks || len(plan.steps) > manySteps {
		return plan.measure(o, 0)
	}
	return plan.compose(o, length)
}

// manySteps limits how many steps a plan may have to be counted in shorter rehearsals:
// with more, it would be long even with a few checks per step.
const manySteps = 100

// plannedInput is an execution's input whose usage is counted.
type plannedInput struct {
	fields  map[string]json.RawMessage
	request rollout.Request
	steps   []rollout.Step
	start   time.Time
}

// plainly reads an input, without the fields that make it depart from its schedule.
func plainly(input []byte) (plannedInput, error) {
	var p plannedInput
	if _, err := rollout.Decode(input); err != nil {
		return p, err
	}
	if err := json.Unmarshal(input, &p.fields); err != nil {
		return p, err
	}
	delete(p.fields, "advance")
	delete(p.fields, "approval")
	text, err := p.shortened(0)
	if err != nil {
		return p, err
	}
	if p.request, err = rollout.Decode(text); err != nil {
		return p, err
	}
	p.steps, err = p.request.Schedule()
	return p, err
}

// shortened returns the input with that many checks per step, and without windows and
// freezes; with 0, unchanged.
func (p plannedInput) shortened(checksPerStep int64) ([]byte, error) {
	fields := maps.Clone(p.fields)
	if checksPerStep > 0 {
		for _, name := range []string{"steps", "first-weight", "bake", "windows", "freeze"} {
			delete(fields, name)
		}
		weights := make([]float64, len(p.steps)) // a preset takes no other interval
		for i, step := range p.steps {
			weights[i] = step.Weight
		}
		var err error
		if fields["weights"], err = json.Marshal(weights); err != nil {
			return nil, err
		}
		fields["type"] = json.RawMessage(`"custom"`)
		fields["interval"] = json.RawMessage(fmt.Sprint(checksPerStep * p.request.CheckInterval))
	}
	return json.Marshal(fields)
}

// length holds what a plan's usage depends on.
type length struct {
	checks int64
	looks  int64 // for orders, before the first shift
	parts  int64 // executions in which it continues
	// hours is the number of hours in which the alias's weight is logged, plus those
	// in which a decision is, for each decision. Both are metrics; all other metrics
	// have data as often in a short plan as in a long one.
	hours int64
}

// walk follows the plan, shortened to that many checks per step, as the tasks do
// with a healthy new version, and returns its length.
func (p plannedInput) walk(checksPerStep int64) (length, error) {
	var l length
	text, err := p.shortened(checksPerStep)
	if err != nil {
		return l, err
	}
	s := rollout.State{}
	if s.Request, err = rollout.Decode(text); err != nil {
		return l, err
	}
	if s.Plan.Steps, err = s.Schedule(); err != nil {
		return l, err
	}
	timing, err := s.Timing(s.Plan.Steps, p.start)
	if err != nil {
		return l, err
	}
	s.Plan.Started, s.Plan.Zones = p.start, timing.Zones
	now, decision := p.start, rollout.Advance
	latest := map[rollout.Decision]int64{} // hours; the weight's is that of no decision
	log := func(decided ...rollout.Decision) {
		for _, d := range append(decided, "") {
			if hour := now.Unix() / 3600; latest[d] != hour {
				latest[d] = hour
				l.hours++
			}
		}
	}
	s.Progress.Events = rollout.EventsOfStart
	for s = s.AwaitWindow(now); s.AwaitsFirstShift(); {
		now = now.Add(time.Duration(s.Progress.Wait) * time.Second)
		s = s.AddEvents(rollout.EventsOfCheck, 0).CheckFirstShift(now, "", rollout.Instructions{})
		l.looks++
		log(s.Health.Decision)
		if d := s.Health.Decision; d == rollout.HandOver || d == rollout.HandBack {
			l.parts++
			s = s.Resume()
		}
	}
	if s.LooksBefore() {
		s = s.AddEvents(rollout.EventsOfCheck, 0)
		log(decision)
	}
	for {
		switch decision {
		case rollout.Advance:
			if s, err = s.AddEvents(rollout.EventsOfShift, 0).Shifted(""); err != nil {
				return l, err
			}
			log()
		case rollout.HandOver, rollout.HandBack:
			l.parts++
			s = s.Resume()
		case rollout.Watch:
		default:
			return l, nil
		}
		now = now.Add(time.Duration(s.Progress.Wait) * time.Second)
		if s, err = s.AddEvents(rollout.EventsOfCheck, 0).BeginCheck(now); err != nil {
			return l, err
		}
		s = s.Check(now, rollout.Health{Recent: math.MaxInt64}, rollout.Instructions{})
		l.checks++
		decision = s.Health.Decision
		log(decision)
	}
}

// measure counts the usage in a rehearsal of the plan, shortened to that many checks
// per step.
func (p plannedInput) measure(o Options, checksPerStep int64) (Usage, error) {
	var err error
	if o.Input, err = p.shortened(checksPerStep); err != nil {
		return Usage{}, err
	}
	var m meter
	o.adjust = m.watch
	result, err := Run(o)
	return m.counted("rollout", result.Outcome, result.Reason, result.Transitions, err)
}

// counted returns what was used by a rehearsal that ended so, of a rollout or a release. The
// error is that of the rehearsal or of the meter, or says that it was not promoted.
func (m *meter) counted(noun string, outcome Outcome, reason string, entered int64, err error) (Usage, error) {
	switch {
	case err != nil:
		return Usage{}, err
	case m.err != nil:
		return Usage{}, m.err
	case outcome != Promoted:
		return Usage{}, fmt.Errorf("costs are those of a promoted %s, but in this scenario it ends as %s: %s", noun, outcome, reason)
	}
	m.used[transitions] = entered
	return m.used, nil
}

// CountRelease returns what a release uses, with its rollouts. It counts in a rehearsal, and
// returns an error if the release is not promoted in the options' scenario.
func CountRelease(o ReleaseOptions) (Usage, error) {
	var m meter
	o.Brief = true
	o.adjust = func(r *releaseRun) { m.watch(&r.run) }
	result, err := RunRelease(o)
	return m.counted("release", result.Outcome, result.Reason, result.Transitions, err)
}

// compose adds up the usage of a long plan. Two rehearsals that differ only in their
// checks show what a check adds, and a third what another execution adds. A look for
// orders before the first shift is a check that reads no metrics and alarms. The hours
// with a metric's data are not proportional to the checks: they are counted in
// walks.
func (p plannedInput) compose(o Options, whole length) (Usage, error) {
	steps := int64(len(p.steps))
	var used [3]Usage
	var lengths [3]length
	for i, checks := range []int64{200, 500, 1130} {
		perStep := checks/steps + 1
		var err error
		if lengths[i], err = p.walk(perStep); err != nil {
			return Usage{}, err
		}
		if used[i], err = p.measure(o, perStep); err != nil {
			return Usage{}, err
		}
	}
	if lengths[0].parts != 0 || lengths[1].parts != 0 || lengths[2].parts != 1 {
		return Usage{}, fmt.Errorf("the shortened plans continue in %d, %d and %d executions, which should be none, none and one", lengths[0].parts, lengths[1].parts, lengths[2].parts)
	}
	between := lengths[1].checks - lengths[0].checks
	var total Usage
	for i := range total {
		check := float64(used[1][i]-used[0][i]) / float64(between)
		part := float64(used[2][i]-used[1][i]) - check*float64(lengths[2].checks-lengths[1].checks)
		checks := whole.checks - lengths[1].checks
		if i != metricReads && i != alarmReads && i != secretReads {
			checks += whole.looks
		}
		total[i] = used[1][i] + int64(math.Round(check*float64(checks)+part*float64(whole.parts)))
	}
	total[metricHours] = used[1][metricHours] + whole.hours - lengths[1].hours
	return total, nil
}
