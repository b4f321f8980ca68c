package rollouts

import (
	"fmt"
	"slices"

	"github.com/lambda-rollout/lambda-rollout/lambdas/release"
)

// Step is a command line about a release, with a word about what it does.
type Step struct{ Command, About string }

// Steer returns what can be done next, as command lines with a word about each.
func (r *Release) Steer() []string {
	var lines []string
	for _, s := range r.steps() {
		lines = append(lines, s.Command+" — "+s.About)
	}
	return lines
}

func (r *Release) steps() []Step {
	say := func(word, about string) Step { return Step{r.command(word), about} }
	var next []Step
	if r.Outcome != Running {
		next = append(next, say("get", "how it ended; with -v all rollouts"))
	} else {
		next = append(next, say("watch", "follow it"))
	}
	if example := r.example(); example != "" {
		next = append(next, Step{"lambda-rollout get " + example, "one of its rollouts"})
	}
	if r.Outcome != Running {
		return next
	}
	if r.Decision == nil && r.leftAs == "" {
		if r.Pause == nil {
			next = append(next, say("pause", "hold all rollouts"))
		}
		next = append(next, say("advance", "end the current step of each rollout now"), say("promote", "promote all as soon as all have started"))
	}
	return append(next, say("rollback", "roll all rollouts back"), say("stop", "end the execution; another one rolls all rollouts back"))
}

// mostExplained is how many of the rollouts that ended badly Next names.
const mostExplained = 5

// Next returns what an operator may do: of a release that waits the answers first, of one that
// runs what steers it, and of one that ended badly what explains its rollouts.
func (r *Release) Next() []Step {
	if r.Outcome != Running {
		return r.explanations()
	}
	var next []Step
	if r.Approval != nil {
		next = append(next, Step{r.command("approve"), "go on"}, Step{r.command("refuse"), "roll back"})
	}
	if r.Pause != nil {
		next = append(next, Step{r.command("resume"), "let it go on"})
	}
	for _, s := range r.steps() {
		if s.About != "one of its rollouts" && !slices.Contains(next, s) {
			next = append(next, s)
		}
	}
	return next
}

func (r *Release) explanations() []Step {
	var next []Step
	for _, m := range r.Rollouts {
		if m.Red && m.Standing != release.Waiting && len(next) < mostExplained {
			next = append(next, Step{"lambda-rollout explain " + shellWord(m.Rollout), "why " + m.Name + " ended"})
		}
	}
	return next
}

// example returns the execution of a rollout that has started; "" for none.
func (r *Release) example() string {
	for _, m := range r.Rollouts {
		if m.Standing != release.Waiting {
			return shellWord(m.Rollout)
		}
	}
	return ""
}

// Waiting returns what a running release waits for: an approval, the end of a pause, or both.
func (r *Release) Waiting() []string {
	var all []string
	if r.Outcome == Running && r.Approval != nil {
		all = append(all, "Approval: "+r.awaited())
	}
	if r.Outcome == Running && r.Pause != nil {
		all = append(all, "Paused: "+r.held())
	}
	return all
}

// awaited says since when, and until when, the release waits for an approval.
func (r *Release) awaited() string {
	a := r.Approval
	what := fmt.Sprintf("wave %d waits", a.Wave)
	if a.Wave == 0 {
		what = "the promotion waits"
	}
	text := what + " for approval since " + stamp(a.Since)
	if !a.Until.IsZero() {
		text += "; without an answer, the release is rolled back at " + stamp(a.Until)
	}
	return text
}

// held says by whom, and until when, the release is held.
func (r *Release) held() string {
	s := r.Pause
	what := fmt.Sprintf("by the order %s", s.Order)
	if s.Unknown {
		what = fmt.Sprintf("by the unknown order %q", string(s.Order))
	}
	return fmt.Sprintf("%s of %s since %s; it is rolled back at %s unless another order comes", what, s.By, stamp(s.Since), stamp(s.Until))
}
