package rehearsal

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/lambda-rollout/lambda-rollout/lambdas/release"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
)

// ReleaseEntry is an entry of a release's timeline. Those of members have all but their
// health checks.
type ReleaseEntry struct {
	// Member is the member's name; empty for an entry of the release itself.
	Member string `json:"member,omitempty"`
	Entry
}

// releaseKept is how many events of a history are kept at each end in a release: enough to
// read the plan and the last state, of a thousand members.
const releaseKept = 16

// releaseSeen is what was seen of the executions of a release.
type releaseSeen struct {
	text string // of the last check's entry
	size int    // of the largest output of a task, in bytes
	last release.State
	// ready is when a check first found a member ready, in seconds since the start.
	ready map[string]float64
}

// see records what a task of the release returned.
func (s *releaseSeen) see(now release.State, at float64) {
	s.last = now
	for name, line := range now.Members {
		if _, known := s.ready[name]; !known && line.Standing == release.Ready {
			if s.ready == nil {
				s.ready = map[string]float64{}
			}
			s.ready[name] = at
		}
	}
}

// add completes, keeps and passes an entry on.
func (r *releaseRun) add(e ReleaseEntry) {
	if !r.brief {
		r.lines = append(r.lines, e)
	}
	if r.watch != nil {
		r.watch(e)
	}
}

// byHand adds what a user does to a member.
func (r *releaseRun) byHand(m *member, text string) {
	r.addOf(m, Entry{State: "by hand", Text: text})
}

// addOf adds an entry of a member that happens now.
func (r *releaseRun) addOf(m *member, e Entry) {
	e.At = r.clock.Now().Sub(r.timeline.start).Seconds()
	r.add(ReleaseEntry{Member: m.name, Entry: e})
}

// onMember processes the next event of a rollout.
func (r *releaseRun) onMember(in *execution, e asl.Event) {
	if r.members == nil {
		return
	}
	if e.Type == asl.ExecutionStarted {
		m, first := r.members.started(in)
		if m == nil {
			return
		}
		if first {
			r.err = errors.Join(r.err, m.begin(r.clock.Now(), m.scenario, m.seed))
			m.timeline.begin(r.timeline.start, Options{Brief: true, Watch: func(e Entry) { r.add(ReleaseEntry{m.name, e}) }})
			r.letUsersAct(m, in)
		}
		return
	}
	m := r.members.of[in.ARN()]
	if m == nil {
		return
	}
	if e.Type == asl.LambdaFunctionSucceeded && in.state == "HealthCheck" {
		return // there are too many
	}
	m.timeline.event(in, e)
	r.timeline.err = errors.Join(r.timeline.err, m.timeline.err)
	m.timeline.err = nil
}

// onRelease processes the next event of a release's execution.
func (r *releaseRun) onRelease(in *execution, e asl.Event) {
	switch {
	case e.Type == asl.LambdaFunctionSucceeded:
		r.seen.size = max(r.seen.size, len(e.Output))
		r.releaseTask(in.state, e)
	case e.Type == asl.ExecutionRedriven:
		r.timeline.add(e.Timestamp, r.timeline.redriven(in, e))
	case slices.Contains(attemptFailures, e.Type):
		r.timeline.add(e.Timestamp, attemptFailed(in.state, e))
	case e.Type == asl.ExecutionStarted && in.parent == "" && in != r.releases.executions[0]:
		r.timeline.add(e.Timestamp, Entry{State: "start", Text: "execution " + in.name + " concludes the release"})
	case strings.HasSuffix(string(e.Type), "StateEntered"):
		in.state = e.State
		if in == r.releases.executions[0] && !r.brief {
			r.timeline.path = append(r.timeline.path, e.State)
		}
	}
}

// releaseTask adds the entry of a task of the release, unless it would repeat the last
// one.
func (r *releaseRun) releaseTask(name string, e asl.Event) {
	var now release.State
	if err := json.Unmarshal(e.Output, &now); err != nil {
		r.timeline.err = errors.Join(r.timeline.err, fmt.Errorf("the output of %s: %w", name, err))
		return
	}
	before := r.seen.last
	r.seen.see(now, e.Timestamp.Sub(r.timeline.start).Seconds())
	line := Entry{State: name}
	switch {
	case now.Outcome != nil:
		line.Text = now.Outcome.Reason
	case name == "PlanRelease" || name == "PlanMembers":
		if now.Progress.Planned == before.Progress.Planned {
			return
		}
		line.Text = fmt.Sprintf("%d of %d rollouts checked", now.Progress.Planned, len(now.Members))
	case name == "RevertRelease":
		line.Text = fmt.Sprintf("%d rollouts are on their baselines again", standing(now, release.TakenBack, release.OnBaseline))
	case now.Health == nil:
		return
	default:
		line.Text = now.Health.Reason
		line.Decision = rollout.Decision(now.Health.Decision)
	}
	if line.Text == r.seen.text {
		return
	}
	r.seen.text = line.Text
	r.timeline.add(e.Timestamp, line)
}

// standing returns how many members of a release have one of the standings.
func standing(s release.State, wanted ...release.Standing) (n int) {
	for _, line := range s.Members {
		if slices.Contains(wanted, line.Standing) {
			n++
		}
	}
	return n
}

// cleanedMember adds what a cleanup of rollouts did, and reports whether it put an alias
// back or failed.
func (r *releaseRun) cleanedMember(answer json.RawMessage, err error) (busy bool) {
	if err != nil {
		r.timeline.add(r.clock.Now(), Entry{State: "Cleanup", Error: "cleanup failed", Text: err.Error()})
		return true
	}
	var all []task.CleanupResult
	r.err = errors.Join(r.err, json.Unmarshal(answer, &all))
	for _, one := range all {
		m := r.members.of[one.Execution]
		if m == nil {
			continue
		}
		line := Entry{State: "Cleanup", Text: leftAlone + ": " + one.SkippedBecause}
		if one.Alias == rollout.AliasPutBack {
			busy = true
			line.Text = "the alias was put back on version " + m.was.Version
		}
		if line.Text != m.left {
			r.addOf(m, line)
		}
		m.left = line.Text
	}
	return busy
}

// concluded adds what a cleanup of releases did, and reports whether it started an
// execution or failed.
func (r *releaseRun) concluded(answer json.RawMessage, err error) (busy bool) {
	if err != nil {
		r.timeline.add(r.clock.Now(), Entry{State: "Cleanup", Error: "conclusion failed", Text: err.Error()})
		return true
	}
	var started []string
	r.err = errors.Join(r.err, json.Unmarshal(answer, &started))
	return len(started) > 0
}
