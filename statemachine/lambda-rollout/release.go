package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/terminal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rollouts"
)

// releaseWord is the subcommand of which those for releases are subcommands.
const releaseWord = "release"

// ofReleases reports whether a subcommand is about releases.
func ofReleases(cmd *cobra.Command) bool {
	for ; cmd != nil; cmd = cmd.Parent() {
		if cmd.Name() == releaseWord {
			return true
		}
	}
	return false
}

// nounOf returns what a subcommand is about.
func nounOf(cmd *cobra.Command) string {
	if ofReleases(cmd) {
		return "release"
	}
	return "rollout"
}

// noun returns what the subcommand is about.
func (c *command) noun() string {
	if c.releases {
		return "release"
	}
	return "rollout"
}

// commandLine returns the command line of another subcommand about the same.
func (c *command) commandLine(word, name string) string {
	if c.releases {
		word = releaseWord + " " + word
	}
	return "lambda-rollout " + word + " " + name
}

// aboutReleases says what each order does to a release.
var aboutReleases = map[rollout.Command]string{
	rollout.AdvanceNow:  "End the current step of each rollout of a release now",
	rollout.PromoteNow:  "Promote all rollouts of a release as soon as all have started",
	rollout.RollBackNow: "Roll all rollouts of a release back",
	rollout.Approve:     "Approve the wave, or the promotion, for which a release waits",
	rollout.PauseNow:    "Hold a release: its rollouts keep their weights, no wave begins, and nothing is promoted",
	rollout.ResumeNow:   "Let a paused release go on",
	rollout.Disapprove:  "Refuse the wave, or the promotion, for which a release waits: all its rollouts are rolled back",
}

// release returns the subcommand whose subcommands are about releases.
func (c *command) release() *cobra.Command {
	release := &cobra.Command{
		Use:   releaseWord,
		Short: "Start, watch and steer releases: rollouts of many functions as one",
		Long:  "A release starts a rollout for each of its functions, in waves, and promotes all or none of them.",
		Args:  knownSubcommand,
		RunE:  func(release *cobra.Command, _ []string) error { return release.Help() },
	}
	release.AddCommand(c.checkRelease(), c.startRelease(), c.getRelease(), c.explainRelease(), c.reportRelease(), c.watchRelease(), c.waitRelease(), c.listReleases(), c.stopRelease())
	release.AddCommand(c.steer("release", aboutReleases)...)
	return release
}

// startRelease returns the subcommand that starts a release.
func (c *command) startRelease() *cobra.Command {
	s := &starter{command: c}
	cmd := &cobra.Command{
		Use:   "start -f FILE",
		Short: "Start a release, and with --wait follow it to its end",
		Long: "Start checks the input as release check does, and starts the release. " +
			"It may be repeated with the same --name: then it follows the release that it started before.\n\n" +
			"With --wait it exits with 0 if all rollouts were promoted, 1 if not, 2 if the release was refused, 3 if it can't be read, " +
			"and 4 if it was promoted and too little was seen to judge some version. " +
			"A signal stops the release, which rolls all its rollouts back, unless --on-interrupt leave is given, and it exits with 130 or 143.",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.afterSignal(cmd.Context(), s.run(cmd.Context()))
		},
	}
	s.releaseFlags(cmd)
	s.startFlags(cmd)
	aboutTheRelease(cmd)
	return cmd
}

// releaseFlags adds the flags of a release's input.
func (in *input) releaseFlags(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&in.file, "file", "f", "", "the `file` with the execution's input, a JSON object; - for standard input")
	cmd.Flags().StringVar(&in.name, "name", "", "the name of the release's execution (default: from the release's name and the time)")
}

// getRelease returns the subcommand that shows a release.
func (c *command) getRelease() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "get NAME",
		Short: "Show a release's progress or outcome, and its rollouts",
		Long: "Shows a release, given by the name or the ARN of its execution: how its rollouts stand, those that ended badly first, what was decided and why, what it waits for, and orders. " +
			"It exits with 0 if the release can be read, however it ended.",
		Args: oneName,
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := c.readRelease(cmd, args[0])
			if err != nil {
				return err
			}
			return c.print(r, func() *rollouts.Page {
				if all {
					return r.Text(c.now())
				}
				return c.whole(r)
			})
		},
	}
	cmd.Flags().BoolVarP(&all, "verbose", "v", false, "a line for each rollout, also for those that do not fit on the screen")
	return cmd
}

// usualRows is how many lines the page of a release has where there is no terminal, if not all
// rollouts are to be shown.
const usualRows = 50

// whole returns what is shown of a rollout or a release that is not followed any more; of a
// release with so many rollouts, as fit on the screen.
func (c *command) whole(f rollouts.Followed) *rollouts.Page {
	if r, ok := f.(*rollouts.Release); ok {
		rows := usualRows
		if _, height := terminal.Size(c.stdout); height > 0 {
			rows = height - 1 // the prompt's
		}
		r.Fit(c.width(), rows, c.now())
	}
	return f.Text(c.now())
}

// watchRelease returns the subcommand that follows a release.
func (c *command) watchRelease() *cobra.Command {
	return c.watcher("Follow a release until it ends",
		"Follows a release until it ends: redrawn live on a terminal, with a line for each event elsewhere. It goes on after lost connections and expired credentials.\n"+
			"It exits with 0 if all rollouts were promoted, 1 if not, 2 if the release was refused, 3 if it can't be read or you leave, and 4 if it was promoted unverified.")
}

// subject says what is started, in a few words.
func (s *starter) subject() string {
	if !s.releases {
		to := rollout.ReadAddressee(s.effective)
		return fmt.Sprintf("alias %s of %s to version %s", to.Alias, to.Function, to.NewVersion)
	}
	return "the release " + rollout.OneLine(rollouts.ReleaseTitle(s.effective))
}

// stopPoll is the time between two reads after a release was stopped, and stopMost the number
// of reads: a quarter of an hour, in which all rollouts are usually back.
const (
	stopPoll = 15 * time.Second
	stopMost = 60
)
