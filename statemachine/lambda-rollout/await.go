package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/terminal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rollouts"
)

// startedRollout is what start prints as JSON; with --wait, with the outcome.
type startedRollout struct {
	Name      string `json:"name"`
	Execution string `json:"execution"`
	Console   string `json:"console,omitempty"`
	Before    bool   `json:"started-before,omitempty"`
	Version   string `json:"new-version,omitempty"`
	// The rest is set by --wait.
	Result          rollouts.Outcome `json:"result,omitempty"`
	Reason          string           `json:"reason,omitempty"`
	Ended           time.Time        `json:"ended,omitzero"`
	Unverified      bool             `json:"unverified,omitempty"`
	UnverifiedGates []string         `json:"unverified-gates,omitempty"`
}

func (s *starter) document(started rollouts.Started) startedRollout {
	return startedRollout{
		Name: started.Name, Execution: started.ARN, Console: rollout.ConsoleURL(started.ARN), Before: started.Before,
		Version: rollout.ReadAddressee(s.effective).NewVersion,
	}
}

// announce says what was started, and how to steer it.
func (s *starter) announce(started rollouts.Started) {
	if s.json() {
		return
	}
	out, to := s.text(), rollout.ReadAddressee(s.effective)
	verb := "started"
	if started.Before {
		verb = "already started"
	}
	out.line("%s %s: alias %s of %s to version %s", verb, started.Name, to.Alias, to.Function, to.NewVersion)
	out.copied("execution", started.ARN)
	if url := rollout.ConsoleURL(started.ARN); url != "" {
		out.copied("console", url)
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

// await follows the rollout to its end.
func (s *starter) await(ctx context.Context, started rollouts.Started) error {
	events := *s.command
	if s.json() {
		events.stdout = s.stderr
	}
	w := &rollouts.Watch{Name: started.ARN, Interval: s.poll, Now: s.now, Connect: s.reconnect, Wait: s.sleep, Most: mostLost}
	r, err := w.Run(ctx, events.lines())
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return exit{unknown, err}
	}
	if s.json() {
		document := s.document(started)
		document.Result, document.Reason, document.Ended = r.Outcome, r.Why(), r.Ended
		document.Unverified, document.UnverifiedGates, document.Version = r.Unverified, r.UnverifiedGates, r.NewVersion
		err = terminal.WriteJSON(s.stdout, document)
	} else {
		s.conclude(r)
	}
	switch {
	case err != nil:
		return err
	case r.Succeeded() && !r.Judged() && !s.allowUnverified:
		return exit{unknown, errors.New("it was promoted, and its output can't be read, which says whether enough was seen to judge the version")}
	}
	return ended(r, s.allowUnverified)
}

// conclude says how the rollout ended.
func (s *starter) conclude(r *rollouts.Rollout) {
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
}
