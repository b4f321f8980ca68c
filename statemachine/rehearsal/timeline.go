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

// Entry is one thing that happened: a task's end, an attempt that failed, or
// the execution's end.
type Entry struct {
	// At is the time since the rollout's start, in seconds.
	At float64 `json:"at"`
	// State is the workflow's state in which it happened.
	State string `json:"state"`
	// Step of Of steps is the current one, at Weight; 0 before the first.
	Step   int     `json:"step"`
	Of     int     `json:"of"`
	Weight float64 `json:"weight"`
	// Baseline and NewVersion are the requests that a check saw.
	Baseline   *rollout.Counts  `json:"baseline,omitempty"`
	NewVersion *rollout.Counts  `json:"new-version,omitempty"`
	Decision   rollout.Decision `json:"decision,omitempty"`
	// Evidence is what a check has against the new version, gate by gate.
	Evidence []health.Strength `json:"evidence,omitempty"`
	// Error names what failed in an attempt, or ended the execution.
	Error string `json:"error,omitempty"`
	Text  string `json:"text"`
	// Planned is how long the plan takes, in seconds.
	Planned float64 `json:"-"`
}

// timeline turns the events of executions into lines. A nested execution's stand
// among those of the one that started it.
type timeline struct {
	start time.Time
	watch func(Entry)
	brief bool
	lines []Entry
	path  []string // the states, in the order in which they were entered
	last  rollout.State
	err   error
}

func (s *timeline) begin(start time.Time, o Options) {
	s.start, s.watch, s.brief = start, o.Watch, o.Brief
}

// event takes one event of an execution's history.
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

func (s *timeline) add(at time.Time, line Entry) {
	line.At = at.Sub(s.start).Seconds()
	line.Step, line.Of, line.Weight = s.last.Progress.Step, s.last.Progress.Of, s.last.Progress.Weight
	line.Planned = float64(rollout.Total(s.last.Plan.Steps))
	if !s.brief {
		s.lines = append(s.lines, line)
	}
	if s.watch != nil {
		s.watch(line)
	}
}

func (s *timeline) taskEnded(name string, e asl.Event) {
	if s.brief && s.watch == nil && name == "HealthCheck" {
		return // nobody will know
	}
	var now rollout.State
	if err := json.Unmarshal(e.Output, &now); err != nil {
		s.err = fmt.Errorf("the output of %s: %w", name, err)
		return
	}
	if err := possible(name, now); err != nil {
		s.err = fmt.Errorf("the output of %s: %w", name, err)
		return
	}
	s.task(name, e.Timestamp, now)
}

// possible refuses what no task returns, and a file may have all the same.
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

// task takes the state that a task has returned.
func (s *timeline) task(name string, at time.Time, now rollout.State) {
	s.last = now
	line := Entry{State: name}
	switch name {
	case "CalculateWeights":
		if now.Begin == rollout.BeginWatch || now.Begin == rollout.BeginUnchanged {
			line.Text = map[rollout.Begin]string{
				rollout.BeginWatch:     "goes on in another execution, as the history of the one before was filling up",
				rollout.BeginUnchanged: "nothing to do",
			}[now.Begin]
			break
		}
		line.Text = fmt.Sprintf("from version %s to version %s in %d steps and %s",
			now.Plan.Baseline, now.NewVersion, len(now.Plan.Steps), Clock(float64(rollout.Total(now.Plan.Steps))))
	case "UpdateAlias":
		line.Text = fmt.Sprintf("step %d of %d: %s on version %s", now.Progress.Step, now.Progress.Of, rollout.Weight(now.Progress.Weight), now.NewVersion)
	case "Allocate":
		line.Text = allocates(now)
	case "HealthCheck", "PreTraffic", "PostTraffic":
		line.Decision, line.Text = now.Health.Decision, lineEach(now.Health.Readings, now.Health.Reason)
		line.Baseline, line.NewVersion = &now.Health.Baseline, &now.Health.NewVersion
		if !s.brief {
			line.Evidence = s.evidence(now)
		}
	default:
		if now.Outcome != nil {
			line.Text = now.Outcome.Reason
			if now.Health != nil { // whose readings stand in the line above
				line.Text, _, _ = strings.Cut(lineEach(now.Health.Readings, line.Text), "\n")
			}
		}
	}
	s.add(at, line)
}

// evidence is what the last check had weighed: its state has it to the last bit.
func (s *timeline) evidence(now rollout.State) []health.Strength {
	if len(now.Evidence) == 0 || now.Health.Window.To.IsZero() {
		return nil
	}
	var known health.Evidence
	err := json.Unmarshal(now.Evidence, &known)
	if err == nil {
		var weighed health.Assessment
		if weighed, err = known.Assess(now, now.Health.Window.To); err == nil {
			var strengths []health.Strength
			if strengths, err = weighed.Strengths(); err == nil {
				return strengths
			}
		}
	}
	s.err = errors.Join(s.err, fmt.Errorf("the evidence of the check at %s: %w", now.Health.Window.To, err))
	return nil
}

// lineEach gives each gate's reading a line of its own.
func lineEach(readings []rollout.Reading, reason string) string {
	for _, r := range readings {
		reason = strings.ReplaceAll(reason, "; "+r.Gate+" ", "\n"+r.Gate+" ")
	}
	return reason
}

// Clock writes seconds as h:mm:ss, with days in front if there are any.
func Clock(seconds float64) string {
	total := int64(seconds)
	text := fmt.Sprintf("%d:%02d:%02d", total/3600%24, total/60%60, total%60)
	if days := total / 86400; days > 0 {
		return fmt.Sprintf("%dd %s", days, text)
	}
	return text
}
