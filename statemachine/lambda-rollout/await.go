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
	Version   string    `json:"new-version,omitempty"`
	// The rest is set by --wait.
	Result          rollouts.Outcome `json:"result,omitempty"`
	Reason          string           `json:"reason,omitempty"`
	Ended           time.Time        `json:"ended,omitzero"`
	Unverified      bool             `json:"unverified,omitempty"`
	UnverifiedGates []string         `json:"unverified-gates,omitempty"`
}

func (s *starter) document(started rollouts.Started) startedRollout {
	return startedRollout{
		Name: started.Name, Execution: started.ARN, Console: rollout.ConsoleURL(started.ARN), Before: started.Before, Started: started.At.UTC(),
		Version: rollout.ReadAddressee(s.effective).NewVersion,
	}
}

// announce says what was started, and how to steer it. before is the rollout as it was before,
// nil if there was none.
func (s *starter) announce(started rollouts.Started, before *rollouts.Rollout) {
	if s.json() {
		return
	}
	out, to := s.text(), rollout.ReadAddressee(s.effective)
	verb, when := "started", ""
	if started.Before {
		verb, when = "already started", " "+rollouts.Ago(started.At, s.now())
	}
	out.line("%s %s%s: alias %s of %s to version %s", verb, started.Name, when, to.Alias, to.Function, to.NewVersion)
	out.copied("execution", started.ARN)
	if url := rollout.ConsoleURL(started.ARN); url != "" {
		out.copied("console", url)
	}
	if before != nil && before.Outcome != rollouts.Running {
		out.field("ended", before.Line())
		return
	}
	if !s.wait {
		out.copied("watch", "lambda-rollout watch "+started.Name)
	}
	for _, command := range rollout.Commands() {
		switch command {
		case rollout.AdvanceNow, rollout.PromoteNow, rollout.RollBackNow:
			out.copied(word(command), "lambda-rollout "+word(command)+" "+started.Name)
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
		document := s.document(started)
		document.Result, document.Reason, document.Ended = r.Outcome, r.Why(), r.Ended
		document.Unverified, document.UnverifiedGates, document.Version = r.Unverified, r.UnverifiedGates, r.NewVersion
		err = terminal.WriteJSON(s.stdout, document)
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
func (s *starter) see(ctx context.Context, started rollouts.Started, interrupt func()) (*rollouts.Rollout, error) {
	w := &rollouts.Watch{Name: started.ARN, Interval: s.poll, Now: s.now, Connect: s.reconnect, Wait: s.sleep, Most: mostLost}
	if s.onTerminal() {
		w.Orders = true
		ctrlC := onCtrlC{says: "stop the rollout", do: interrupt}
		if s.onInterrupt == "leave" {
			ctrlC.says = "leave"
		}
		return s.command.live(ctx, w, ctrlC)
	}
	events := *s.command
	if s.json() {
		events.stdout = s.stderr
	}
	return w.Run(ctx, events.lines())
}

// onTerminal reports whether the rollout is shown live.
func (s *starter) onTerminal() bool { return !s.json() && terminal.Width(s.stdout) > 0 }

// conclude says how the rollout ended.
func (s *starter) conclude(r *rollouts.Rollout) error {
	if s.onTerminal() {
		return s.print(r, func() *rollouts.Page { return r.Text(s.now()) })
	}
	text, colour := r.Headline()
	if r.Unverified {
		text += ": too little was seen to judge the version"
		if len(r.UnverifiedGates) > 0 {
			text += "; no conclusive reading of " + strings.Join(r.UnverifiedGates, ", ")
		}
		text += "."
	} else {
		text += ":"
	}
	s.text().verdict(colour, text+" "+r.Why())
	return nil
}
