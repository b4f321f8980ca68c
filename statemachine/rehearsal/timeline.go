package rehearsal

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
)

// timeline turns the events of executions into entries. Those of a nested execution
// are among those of the one that started it. The first error is kept in err.
type timeline struct {
	start time.Time
	watch func(Entry)
	brief bool
	lines []Entry
	path  []string // the states, in the order in which they were entered
	last  rollout.State
	signs string // of what was out of the ordinary at the last check
	// failed is the state whose attempt failed last; "" if it has succeeded since.
	failed string
	err    error
	known  *states // what need not be decoded; may be nil
}

// begin sets the start of the rollout, and what to keep and to watch.
func (s *timeline) begin(start time.Time, o Options) {
	s.start, s.watch, s.brief = start, o.Watch, o.Brief
}

// event processes the next event of an execution's history.
func (s *timeline) event(in *execution, e asl.Event) {
	switch e.Type {
	case asl.LambdaFunctionSucceeded:
		s.taskEnded(in.state, e)
	case asl.ExecutionRedriven:
		s.add(e.Timestamp, s.redriven(in, e))
	default:
		if slices.Contains(attemptFailures, e.Type) {
			s.add(e.Timestamp, attemptFailed(in.state, e))
		} else if strings.HasSuffix(string(e.Type), "StateEntered") {
			in.state = e.State
			if !s.brief {
				s.path = append(s.path, e.State)
			}
		}
	}
}

// add completes an entry with the time and the step, keeps it and passes it on.
func (s *timeline) add(at time.Time, line Entry) {
	line.At = at.Sub(s.start).Seconds()
	line.Step, line.Of, line.Weight = s.last.Progress.Step, s.last.Progress.Of, s.last.Progress.Weight
	line.Planned = float64(s.last.Plan.Lasts())
	switch {
	case line.Error != "":
		s.failed = line.State
	case line.State == s.failed: // it succeeds at last
		line.Routine, s.failed = false, ""
	}
	if !s.brief {
		s.lines = append(s.lines, line)
	}
	if s.watch != nil {
		s.watch(line)
	}
}

// taskEnded processes the output of a task.
func (s *timeline) taskEnded(name string, e asl.Event) {
	if s.brief && s.watch == nil && name == "HealthCheck" {
		return // nothing of it is kept
	}
	now, known := s.known.last(e.Output)
	if !known {
		if err := json.Unmarshal(e.Output, &now); err != nil {
			s.err = fmt.Errorf("the output of %s: %w", name, err)
			return
		}
	}
	if err := possible(name, now); err != nil {
		s.err = fmt.Errorf("the output of %s: %w", name, err)
		return
	}
	s.task(name, e.Timestamp, now)
}

// possible returns an error if no task returns such a state, though a file may
// contain it.
func possible(name string, now rollout.State) error {
	checks := name == "HealthCheck" || name == "PreTraffic" || name == "PostTraffic"
	switch {
	case checks && now.Health == nil:
		return errors.New("it has no health")
	case now.Progress.Step < 0 || now.Progress.Step > len(now.Plan.Steps):
		return fmt.Errorf("there is no step %d in a plan of %d", now.Progress.Step, len(now.Plan.Steps))
	}
	return nil
}

// task adds the entry of a task that has returned a state.
func (s *timeline) task(name string, at time.Time, now rollout.State) {
	before := s.last
	s.last = now
	line := Entry{State: name}
	switch name {
	case "CalculateWeights":
		if now.Begin == rollout.BeginWatch && now.Progress.Part > 0 || now.Begin == rollout.BeginUnchanged {
			line.Text = map[rollout.Begin]string{
				rollout.BeginWatch:     "continues in another execution, before the history of the previous one is full",
				rollout.BeginUnchanged: "nothing to do",
			}[now.Begin]
			break
		}
		line.Text = fmt.Sprintf("from version %s to version %s in %d steps and %s",
			now.Plan.Baseline, now.NewVersion, len(now.Plan.Steps), Clock(float64(now.Plan.Lasts())))
		if now.AwaitsFirstShift() {
			line.Text += "; " + now.HeldText()
		}
	case "UpdateAlias":
		if now.AwaitsFirstShift() {
			line.Text = now.HeldText()
			break
		}
		line.Routine = true
		line.Text = fmt.Sprintf("step %d of %d: %s on version %s", now.Progress.Step, now.Progress.Of, rollout.Weight(now.Progress.Weight), now.NewVersion)
	case "Allocate":
		line.Text = allocates(now)
	case "HealthCheck", "PreTraffic", "PostTraffic":
		line.Decision, line.Text = now.Health.Decision, rollout.Lines(now.Health.Reason, now.Health.Readings)
		counts := *now.Health // a copy, as the next task may modify the state
		line.Baseline, line.NewVersion = &counts.Baseline, &counts.NewVersion
		if !s.brief {
			line.Evidence = s.evidence(now)
		}
		if name == "HealthCheck" {
			s.sayCheck(&line, before, now)
		}
	default:
		if now.Outcome != nil {
			line.Text = now.Outcome.Reason
			if now.Health != nil { // its readings are in the entry before
				line.Essence = rollout.WithoutReadings(line.Text, now.Health.Readings)
				line.Text = rollout.Lines(line.Essence, now.Health.Readings)
			}
		}
	}
	s.add(at, line)
}

// evidence returns the evidence of the last check: what the check has found, or the same,
// recomputed exactly from its state.
func (s *timeline) evidence(now rollout.State) []health.Strength {
	if len(now.Evidence) == 0 || now.Health.Window.To.IsZero() {
		return nil
	}
	if s.known != nil {
		if strengths, found := s.known.evidence.Strengths(&now); found {
			return strengths
		}
	}
	var known health.Evidence
	err := json.Unmarshal(now.Evidence, &known)
	if err == nil {
		var assessed health.Assessment
		if assessed, err = known.Assess(now, now.Health.Window.To); err == nil {
			var strengths []health.Strength
			if strengths, err = assessed.Strengths(); err == nil {
				return strengths
			}
		}
	}
	s.err = errors.Join(s.err, fmt.Errorf("the evidence of the check at %s: %w", now.Health.Window.To, err))
	return nil
}

// Clock formats seconds as h:mm:ss, with the days in front from one day on, as in
// 1d 2:03:04.
func Clock(seconds float64) string {
	total := int64(seconds)
	text := fmt.Sprintf("%d:%02d:%02d", total/3600%24, total/60%60, total%60)
	if days := total / 86400; days > 0 {
		return fmt.Sprintf("%dd %s", days, text)
	}
	return text
}
