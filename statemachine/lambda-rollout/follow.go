package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
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
	Result          string    `json:"result,omitempty"`
	Reason          string    `json:"reason,omitempty"`
	Ended           time.Time `json:"ended,omitzero"`
	Unverified      bool      `json:"unverified,omitempty"`
	UnverifiedGates []string  `json:"unverified-gates,omitempty"`
}

func nameOf(execution string) string { return arn.Name(execution) }

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
	out.field("execution", started.ARN)
	if url := rollout.ConsoleURL(started.ARN); url != "" {
		out.field("console", url)
	}
	if !s.wait {
		out.field("watch", "lambda-rollout watch "+started.Name)
	}
	for _, command := range rollout.Commands() {
		switch command {
		case rollout.AdvanceNow, rollout.PromoteNow, rollout.RollBackNow:
			out.field(word(command), "lambda-rollout "+word(command)+" "+started.Name)
		}
	}
}

// follow follows the rollout to its end.
func (s *starter) follow(ctx context.Context, started rollouts.Started) error {
	ending, err := s.client.Follow(ctx, started.ARN, s.poll, s.sleep, func(now rollout.State) {
		s.say("%s  %s", s.now().UTC().Format("15:04:05"), progress(now))
	})
	var lost *rollouts.Lost
	switch {
	case errors.As(err, &lost):
		return exit{unknown, err}
	case err != nil:
		return err
	}
	document := s.document(started)
	document.Result, document.Reason, document.Ended = ending.Word(), ending.Reason(), ending.Ended.UTC()
	if o := ending.Outcome; o != nil {
		document.Unverified, document.UnverifiedGates = o.Unverified, o.UnverifiedGates
	}
	if s.json() {
		if err := s.print(document); err != nil {
			return err
		}
	} else {
		s.conclude(ending)
	}
	if code := s.codeOf(ending); code != promoted {
		return exit{code, nil}
	}
	return nil
}

// progress returns one line about a running rollout.
func progress(s rollout.State) string {
	text := rollouts.Where(s)
	switch {
	case !s.Progress.ApprovalRequestedAt.IsZero():
		text += ": waits for an approval (lambda-rollout approve or refuse " + s.Plan.Owner + ")"
	case s.Health != nil:
		text += fmt.Sprintf(": %s, %s", s.Health.Decision, s.Health.Reason)
	}
	return rollout.OneLine(text)
}

// codeOf returns the exit code of an ending.
func (s *starter) codeOf(e rollouts.Ending) int {
	switch {
	case e.Promoted() && s.allowUnverified:
		return promoted
	case e.Promoted() && e.Outcome == nil:
		return unknown
	case e.Promoted() && e.Outcome.Unverified:
		return unverified
	case e.Promoted():
		return promoted
	case e.Refused():
		return refused
	}
	return notPromoted
}

// conclude says how the rollout ended.
func (s *starter) conclude(e rollouts.Ending) {
	colour := terminal.Bad
	if e.Promoted() {
		colour = terminal.Good
	}
	text := e.Word() + ": " + e.Reason()
	if o := e.Outcome; o != nil && o.Unverified {
		colour = terminal.Doubt
		text = e.Word() + ", UNVERIFIED: too little was seen to judge the version"
		for i, gate := range o.UnverifiedGates {
			if i == 0 {
				text += "; no conclusive reading of "
			} else {
				text += ", "
			}
			text += rollout.OneLine(gate)
		}
		text += ". " + e.Reason()
	}
	s.text().verdict(colour, text)
}
