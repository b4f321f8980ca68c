package rollout

import (
	"fmt"
	"slices"
	"time"
)

// Warnings returns, in sentences, what the state's plan can't find, which of its shifts
// may be throttled, and what a rollback doesn't take back: CalculateWeights puts them
// into the plan, and its start and its promotion show them. They depend only on the
// request, the steps, the timeout and the kind of function.
func (s State) Warnings() []string {
	var warnings []string
	if s.HealthCheck {
		warnings = s.notFound()
	}
	if waits := s.waits(); waits != "" {
		warnings = append(warnings, waits)
	}
	if s.Plan.ManagedInstances {
		warnings = append(warnings, s.mayThrottle())
	}
	if s.Plan.Durable {
		warnings = append(warnings, staysDurable(s.NewVersion))
	}
	return warnings
}

// notFound returns what health checks of the state's plan can't find.
func (s State) notFound() []string {
	var warnings []string
	if g := s.Plan.Gates.Latency; g != nil && len(s.Plan.Steps) > 0 {
		switch hold := s.Plan.Gates.Errors.MaxHold; {
		case Total(s.Plan.Steps) < latencyHold:
			warnings = append(warnings, tooShortForLatency)
		case !g.judges(s.Plan.Steps) && hold < g.WarmUp+latencyHold:
			warnings = append(warnings, latencyNever(g.WarmUp, hold))
		}
	}
	if total := Total(s.Plan.Steps); total < s.Plan.Timeout {
		warnings = append(warnings, shorterThanTimeout(total, s.Plan.Timeout))
	}
	if s.Plan.Timeout > CountedWithin {
		warnings = append(warnings, notCountedLater(s.Plan.Timeout))
	}
	return warnings
}

// CountedWithin is how long a request may take, in seconds, for health checks to count it
// however it ends: the longest timeout of a function, but for asynchronous invocations of
// managed instances.
const CountedWithin = 900

// latencyHold is how long, in seconds, the first minute takes and its metrics, which show that
// a version may be slow; and how much longer than the warm-up such a step has to be held
// for minutes that count.
const latencyHold = 180

// judges reports whether some step has two whole minutes that count for latency without
// being held.
func (g *LatencyGate) judges(steps []Step) bool {
	return slices.ContainsFunc(steps, func(s Step) bool { return s.Seconds >= max(60, g.WarmUp)+120 })
}

// doublesWithin is the time, in seconds, within which the traffic of a version on managed
// instances may double, but not more than double, without being throttled:
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-managed-instances-scaling.html
const doublesWithin = 300

// doubles returns the first weight that later steps more than double within
// doublesWithin, and the highest that is reached by then; zeros if there is none. The
// shift to the first step, from no traffic, counts only if there is no other step.
func doubles(steps []Step) (from, to float64) {
	if len(steps) == 1 {
		return 0, steps[0].Weight
	}
	for i, first := range steps {
		between := int64(0)
		for _, step := range steps[i+1:] {
			if between >= doublesWithin {
				break
			}
			if Round(step.Weight) > Round(2*first.Weight) {
				from, to = first.Weight, step.Weight
			}
			between += step.Seconds
		}
		if to > 0 {
			break
		}
	}
	return from, to
}

func (s State) mayThrottle() string {
	text := "Managed instances may throttle requests when a version's traffic more than doubles within 5 minutes:"
	if from, to := doubles(s.Plan.Steps); to > 0 {
		text += fmt.Sprintf(" version %s's does between %s and %s, and", s.NewVersion, Weight(from), Weight(to))
	}
	text += fmt.Sprintf(" version %s's does in a rollback from more than 50%%.", s.Plan.Baseline)
	switch {
	case !s.HealthCheck:
		return text
	case s.Plan.Gates.Errors.Throttles:
		return text + " Throttled requests count as errors (health.errors.throttles)."
	}
	return text + " Throttled requests don't count as errors: set health.errors.throttles."
}

func staysDurable(version string) string {
	return fmt.Sprintf("Durable executions stay on the version on which they began: a rollback doesn't move those of version %s. Health checks don't count how they end: only their own metrics do, such as DurableExecutionFailed and DurableExecutionTimedOut.", version)
}

const tooShortForLatency = "The plan is too short to judge latency: it is over before the metrics of its first minutes are there."

func latencyNever(warmUp, hold int64) string {
	return fmt.Sprintf("Latency is never judged: no step is two minutes longer than the warm-up of %s (health.latency.warm-up), and none may be held for so long (health.errors.max-hold is %s).", seconds(warmUp), seconds(hold))
}

func shorterThanTimeout(total, timeout int64) string {
	return fmt.Sprintf("The plan takes %s, and a request may take up to %s: requests that hang may end only after it.", seconds(total), seconds(timeout))
}

func notCountedLater(timeout int64) string {
	return fmt.Sprintf("A request may take up to %s, and one that takes more than %s is not counted.", seconds(timeout), seconds(CountedWithin))
}

func seconds(n int64) string { return duration(time.Duration(n) * time.Second) }

// warned returns a text, followed by the plan's warnings except those in without.
func (s State) warned(text string, without ...string) string {
	for _, warning := range s.Plan.Warnings {
		if !slices.Contains(without, warning) {
			text = sentence(text) + " " + warning
		}
	}
	return text
}
