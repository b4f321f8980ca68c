package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/terminal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rollouts"
)

// starter is the subcommand start, of a rollout or of a release, with its flags.
type starter struct {
	*command
	input
	publish, wait, quiet, unchecked, allowUnverified bool
	codeSHA256, onInterrupt                          string
	poll                                             time.Duration

	client *rollouts.Client
	// execution is set before the call that starts it, and confirmed after its answer.
	execution string
	confirmed bool
}

// start returns the subcommand that starts a rollout.
func (c *command) start() *cobra.Command {
	s := &starter{command: c}
	cmd := &cobra.Command{
		Use:   "start -f FILE",
		Short: "Start a rollout, and with --wait follow it to its end",
		Long: "Start checks the input as check does, publishes the latest code with --publish, and starts the rollout. " +
			"It may be repeated with the same --name: then it follows the rollout that it started before.\n\n" +
			"With --wait it exits with 0 if the version was promoted, 1 if not, 2 if the rollout was refused, 3 if it can't be read, " +
			"and 4 if it was promoted and too little was seen to judge the version. " +
			"A signal stops the rollout, unless --on-interrupt leave is given, and it exits with 130 or 143.",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.afterSignal(cmd.Context(), s.run(cmd.Context()))
		},
	}
	s.flags(cmd)
	flags := cmd.Flags()
	flags.BoolVar(&s.publish, "publish", false, "publish the function's latest code, and roll out that version")
	flags.StringVar(&s.codeSHA256, "code-sha256", "", "with --publish: the `hash` of the code, as AWS returned it for the upload; no other code is published")
	s.startFlags(cmd)
	return cmd
}

// startFlags adds the flags about the start.
func (s *starter) startFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&s.unchecked, "no-check", false, "leave the checks to the workflow")
	flags.BoolVar(&s.wait, "wait", false, "follow the "+nounOf(cmd)+" to its end")
	flags.BoolVar(&s.quiet, "quiet", false, "print only the execution's ARN, for scripts; the rest is printed on the standard error")
	s.waitFlags(cmd)
}

// waitFlags adds the flags about the wait for the rollout's end.
func (s *starter) waitFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&s.allowUnverified, "allow-unverified", false, "exit with 0, not 4, if too little was seen to judge the promoted version")
	flags.StringVar(&s.onInterrupt, "on-interrupt", "stop", "what a signal does to the "+nounOf(cmd)+": stop or leave")
	s.poll = 15 * time.Second
	timeFlag(flags, &s.poll, "poll", minPoll, maxPoll, "the time between two reads")
}

func (s *starter) checkFlags() error {
	switch {
	case s.onInterrupt != "stop" && s.onInterrupt != "leave":
		return fmt.Errorf("--on-interrupt must be stop or leave, not %q", s.onInterrupt)
	case s.codeSHA256 != "" && !s.publish:
		return errors.New("--code-sha256 is for the code to publish: add --publish")
	case s.publish && s.version != "":
		return errors.New("--publish makes the new version: leave out --new-version")
	case s.quiet && (s.wait || s.json()):
		return errors.New("--quiet prints one line: leave out --wait and --output")
	}
	return nil
}

// The shortest and the longest time between two reads: Step Functions throttles more, and with
// fewer a rollout's end would be seen late.
const minPoll, maxPoll = time.Second, 10 * time.Minute

func (s *starter) run(ctx context.Context) error {
	if err := errors.Join(s.checkFlags(), s.load(ctx, s.command)); err != nil {
		return err
	}
	name, err := s.executionName(s.command)
	if err != nil {
		return err
	}
	if s.client, err = s.command.client(ctx); err != nil {
		return err
	}
	if s.publish {
		if err := s.publishVersion(ctx); err != nil {
			return fmt.Errorf("not started: %w", rollouts.Explain(err))
		}
	}
	// AWS answers a repeated start as the first one, so whether it is repeated is read before.
	var before rollouts.Followed
	if s.name != "" {
		before, _ = s.client.Look(ctx, name, s.now()) // else it is started, which finds it too
	}
	if before == nil && !s.unchecked {
		if err := s.examine(ctx, name); err != nil {
			return err
		}
	}
	if s.execution, err = s.client.ExecutionARN(name); err != nil {
		return err
	}
	started, err := s.client.Start(ctx, name, s.effective, s.sleep)
	switch {
	case errors.Is(err, rollouts.ErrNotFollowed):
		s.execution = "" // not ours to stop
		return fmt.Errorf("not started: a %s named %s was started before with a different input; use another --name", s.client.Noun(), name)
	case err != nil && ctx.Err() == nil:
		return s.notStarted(ctx, err)
	case err != nil:
		return err
	}
	s.confirmed = true
	started.Before = started.Before || before != nil
	if s.quiet {
		_, err := fmt.Fprintln(s.stdout, started.ARN)
		return err
	}
	s.announce(started, before)
	if !s.wait {
		if s.json() {
			return terminal.WriteJSON(s.stdout, s.document(started, nil))
		}
		return nil
	}
	return s.await(ctx, started)
}

// publishVersion publishes the latest code, after a check of the input that needs neither a
// version nor AWS.
func (s *starter) publishVersion(ctx context.Context) error {
	if err := s.set(map[string]string{"new-version": "1"}); err != nil {
		return err
	}
	var invalid *rollout.RequestError
	request, err := rollout.Decode(s.effective)
	if errors.As(err, &invalid) {
		p := plan{}
		for _, problem := range invalid.Problems {
			p.Refusals = append(p.Refusals, refusal{Name: "InvalidRequest", Path: problem.Path, At: s.where(problem.Path), Text: problem.Error()})
		}
		return p.refused(&s.input)
	}
	version, err := s.client.Publish(ctx, request.FunctionName, s.codeSHA256, s.sleep)
	if err != nil {
		return err
	}
	s.say("published version %s of %s", version, request.Function())
	return s.set(map[string]string{"new-version": version})
}

// examine checks the input of a rollout that does not exist. Where it exists, the alias may be
// under way because of it, and Start compares the inputs.
func (s *starter) examine(ctx context.Context, name string) error {
	if s.releases {
		return s.examineRelease(ctx, name)
	}
	var checked rollouts.Checked
	err := s.atServiceTime(func(now time.Time) error {
		var err error
		checked, err = s.client.Check(ctx, name, s.effective, now)
		return err
	})
	if err != nil {
		return fmt.Errorf("not started, as it could not be checked (--no-check leaves that to the workflow): %w", rollouts.Explain(err))
	}
	p := plan{Start: len(checked.Refusals) == 0}
	for _, r := range checked.Refusals {
		p.Refusals = append(p.Refusals, located(r, &s.input))
	}
	if err := p.refused(&s.input); err != nil {
		return err
	}
	for _, warning := range checked.State.Plan.Warnings {
		s.say("warning: %s", warning)
	}
	return nil
}

// notStarted returns the error of a start that failed: whether the rollout runs is read,
// since its answer may have been lost.
func (s *starter) notStarted(ctx context.Context, failed error) error {
	_, err := s.client.Look(ctx, s.execution, s.now())
	if rollouts.IsNotFound(err) || rollouts.NotDone(failed) {
		return fmt.Errorf("not started: %w", rollouts.Explain(failed))
	}
	return exit{unknown, fmt.Errorf("whether the %s was started is not known; repeat the command with --name %s to follow it: %w", s.client.Noun(), arn.Name(s.execution), rollouts.Explain(failed))}
}

// say prints a line about the progress: on the standard error, if the output is for programs.
func (s *starter) say(format string, args ...any) {
	out := s.text()
	if s.json() || s.quiet {
		out = page{out: s.stderr}
	}
	out.line(format, args...)
}

// afterSignal returns err, unless a signal was the reason for it: then it interrupts the
// rollout.
func (s *starter) afterSignal(ctx context.Context, err error) error {
	signal := signalOf(ctx)
	if by, is := errors.AsType[interruption](err); is {
		signal = &by // by a key
	}
	if err == nil || signal == nil {
		return err
	}
	return exit{signal.code(), s.interrupted(ctx)}
}

// interrupted stops the rollout, or leaves it, after a signal; it returns what to tell.
func (s *starter) interrupted(ctx context.Context) error {
	unsure, noun := "", s.noun()
	if !s.confirmed {
		unsure = "if it was started, "
	}
	switch {
	case s.execution == "":
		return fmt.Errorf("interrupted before a %s was started", noun)
	case s.onInterrupt == "leave":
		return fmt.Errorf("interrupted; %sthe %s continues: %s", unsure, noun, s.execution)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopLimit)
	defer cancel()
	err := s.client.Stop(ctx, s.execution, "Interrupted", "The pipeline that waited for it was interrupted")
	switch {
	case err == nil:
		if s.releases {
			return errors.New("interrupted; the release was stopped, and another execution rolls all its rollouts back")
		}
		return errors.New("interrupted; the rollout was stopped, and its alias returns to the baseline")
	case rollouts.IsNotFound(err):
		return fmt.Errorf("interrupted before a %s was started", noun)
	}
	return fmt.Errorf("interrupted, but the %s could not be stopped: %w; %sit continues: %s", noun, rollouts.Explain(err), unsure, s.execution)
}

// stopLimit is the time for the call that stops an interrupted rollout. Runners give a
// process some seconds after a signal.
const stopLimit = 20 * time.Second
