package main

import (
	"context"
	"errors"
	"strings"
	"syscall"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/terminal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rollouts"
)

// startedRollout is what start prints as JSON; with --wait, with the outcome.
type startedRollout struct {
	Name      string    `json:"name"`
	Execution string    `json:"execution"`
	Console   string    `json:"console,omitempty"`
	Before    bool      `json:"started-before,omitempty"`
	Started   time.Time `json:"started,omitzero"`
	Version   string    `json:"new-version,omitempty"` // of a rollout
	Release   string    `json:"release,omitempty"`     // the title of a release
	// The rest is set by --wait.
	Result          rollouts.Outcome `json:"result,omitempty"`
	Reason          string           `json:"reason,omitempty"`
	Ended           time.Time        `json:"ended,omitzero"`
	Unverified      bool             `json:"unverified,omitempty"`
	UnverifiedGates []string         `json:"unverified-gates,omitempty"`
	// UnverifiedRollouts are those of a release.
	UnverifiedRollouts []string `json:"unverified-rollouts,omitempty"`
}

// document returns what start prints as JSON; end is nil before the end.
func (s *starter) document(started rollouts.Started, end rollouts.Followed) startedRollout {
	d := startedRollout{Name: started.Name, Execution: started.ARN, Console: s.client.ConsoleURL(started.ARN), Before: started.Before, Started: started.At.UTC()}
	if s.releases {
		d.Release = rollouts.ReleaseTitle(s.effective)
	} else {
		d.Version = rollout.ReadAddressee(s.effective).NewVersion
	}
	if end == nil {
		return d
	}
	d.Result, d.Unverified = end.End()
	d.Reason = end.Why()
	switch r := end.(type) {
	case *rollouts.Rollout:
		d.Ended, d.UnverifiedGates, d.Version = r.Ended, r.UnverifiedGates, r.NewVersion
	case *rollouts.Release:
		d.Ended, d.UnverifiedRollouts, d.Release = r.Ended, r.UnverifiedRollouts, r.Title
	}
	return d
}

// announce says what was started, and how to steer it. before is the rollout as it was before,
// nil if there was none.
func (s *starter) announce(started rollouts.Started, before rollouts.Followed) {
	if s.json() {
		return
	}
	out := s.text()
	verb, when := "started", ""
	if started.Before {
		verb, when = "already started", " "+rollouts.Ago(started.At, s.now())
	}
	out.line("%s %s%s: %s", verb, started.Name, when, s.subject())
	out.copied("execution", started.ARN)
	if url := s.client.ConsoleURL(started.ARN); url != "" {
		out.copied("console", url)
	}
	if before != nil && !rollouts.IsRunning(before) {
		out.field("ended", before.Line())
		return
	}
	if !s.wait {
		out.copied("watch", s.commandLine("watch", started.Name))
	}
	for _, command := range rollout.Commands() {
		switch command {
		case rollout.AdvanceNow, rollout.PromoteNow, rollout.RollBackNow:
			out.copied(word(command), s.commandLine(word(command), started.Name))
		}
	}
}

// mostLost is how many looks in a row may fail before --wait gives up.
const mostLost = 5

// await follows the rollout to its end. The error is the interruption if a signal, or Ctrl-C in
// the live view, ended that.
func (s *starter) await(ctx context.Context, started rollouts.Started) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r, err := s.see(ctx, started, func() { cancel(interruption{syscall.SIGINT}) })
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, context.Canceled):
		return s.left(started.Name)
	case err != nil:
		return exit{unknown, err}
	}
	if s.json() {
		err = terminal.WriteJSON(s.stdout, s.document(started, r))
	} else {
		err = s.conclude(r)
	}
	switch {
	case err != nil:
		return err
	case r.Succeeded() && !r.Judged() && !s.allowUnverified:
		return exit{unknown, errors.New("it was promoted, and its output can't be read, which says whether enough was seen to judge the version")}
	}
	return ended(r, s.allowUnverified)
}

// see shows the rollout to its end: in the live view of watch on a terminal, and with a line
// for each event elsewhere.
func (s *starter) see(ctx context.Context, started rollouts.Started, interrupt func()) (rollouts.Followed, error) {
	w := &rollouts.Watch{Name: started.ARN, Interval: s.poll, Now: s.now, Connect: s.reconnect, Wait: s.sleep, Most: mostLost}
	if s.onTerminal() {
		w.Orders = true
		ctrlC := onCtrlC{says: "stop the " + s.noun(), do: interrupt}
		if s.onInterrupt == "leave" {
			ctrlC.says = "leave"
		}
		return s.command.live(ctx, w, ctrlC)
	}
	events := *s.command
	if s.json() {
		events.stdout = s.stderr
	}
	return rollouts.Follow(ctx, w, s.releases, events.lines())
}

// onTerminal reports whether the rollout is shown live.
func (s *starter) onTerminal() bool { return !s.json() && terminal.Width(s.stdout) > 0 }

// conclude says how the rollout ended.
func (s *starter) conclude(r rollouts.Followed) error {
	if s.onTerminal() {
		return s.print(r, func() *rollouts.Page { return s.whole(r) })
	}
	text, colour := r.Headline()
	of, isRollout := r.(*rollouts.Rollout)
	if isRollout && of.Unverified {
		text += ": too little was seen to judge the version"
		if len(of.UnverifiedGates) > 0 {
			text += "; no conclusive reading of " + strings.Join(of.UnverifiedGates, ", ")
		}
		text += "."
	} else {
		text += ":"
	}
	s.text().verdict(colour, text+" "+r.Why())
	return nil
}
