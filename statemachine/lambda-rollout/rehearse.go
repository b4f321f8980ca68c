package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os/signal"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/terminal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal/report"
)

// blogExample is the execution input of the AWS Compute Blog's post.
const blogExample = `{
  "function-name": "MyFunction",
  "alias-name": "MyAlias",
  "new-version": "2",
  "steps": 10,
  "interval" : 120,
  "type": "linear"
}
`

// rehearse is the subcommand that rehearses a rollout, or many.
func (c *command) rehearse() *cobra.Command {
	sub := &cobra.Command{
		Use:   "rehearse",
		Short: "Rehearse a rollout on this machine, without AWS",
		Long: `Rehearse a rollout, or with --runs many, on the local AWS: the deployed workflow and the
functions' own code, in virtual time. It needs no account.`,
		Args: noArguments,
	}
	flags := sub.Flags()
	input := flags.String("input", "", "`file` with the execution's input, - for standard input (default: the blog post's example)")
	scenario := flags.String("scenario", "healthy", "the traffic, faults and changes to rehearse under: a JSON `file`, or one of "+strings.Join(rehearsal.BuiltIn(), ", "))
	speed, runs, version := 0.0, 1, ""
	versionFlag(flags, &version)
	seed := seedFlag(flags, "seed of the random numbers: the same seed gives the same rollout")
	simple := flags.Bool("simple", false, "rehearse the one-function deployer instead of the workflow: 15 minutes at most")
	inStack := flags.Bool("stack", false, "rehearse the rollout as a resource of a CloudFormation stack, which is updated to the new version and waits for it")
	stackFails := flags.Bool("stack-fails", false, "with --stack: another resource fails after the promotion, so that the stack is rolled back")
	asRelease := flags.Bool("release", false, "rehearse a release: the input is that of many rollouts, and AWS's request limits are in force")
	template := flags.String("template", "", "run the functions with the permissions of their roles in this synthesized template: a `file` such as cdk.out/LambdaRollout.template.json")
	asJSON := flags.Bool("json", false, "print the whole result as JSON, and nothing else")
	page := flags.String("report", "", "write a page about the rehearsal, or with --runs about all of them, to this `file`, such as rehearsal.html")
	countFlag(flags, &runs, "runs", 1, mostRuns, "rehearse this many rollouts on all cores, with consecutive seeds beginning with --seed, and print how they end")
	numberFlag(flags, &speed, "speed", 0, mostSlowMotion, "watch in slow motion, at this many seconds of the rollout per second (default: as fast as possible)")
	failUnverified := flags.Bool("fail-unverified", false, "exit with 4 if the new version was promoted and too little was seen to judge it")
	verbose := flags.BoolP("verbose", "v", false, "print all checks with all that they found, and not only a line for each step and what is out of the ordinary")
	listen := flags.String("listen", "", "serve the local AWS on this loopback `address`, such as 127.0.0.1:0, and call it there")
	sub.RunE = func(sub *cobra.Command, _ []string) error {
		*asJSON = *asJSON || c.json()
		if speed > 0 && (runs != 1 || *asJSON) {
			return errors.New("--speed is for watching one rehearsal, and with --runs or --json there is none to watch: leave out one of the two")
		}
		if *failUnverified && runs != 1 {
			return errors.New("--fail-unverified is for the exit code of one rehearsal, and with --runs there are many: leave out one of the two")
		}
		if *stackFails && !*inStack {
			return errors.New("--stack-fails is for a stack: add --stack")
		}
		if *inStack && (*simple || runs != 1 || *page != "") {
			return errors.New("--stack rehearses one stack, and can't be combined with --simple, --runs or --report: leave out one of the two")
		}
		_, request, err := readInput(sub.Context(), *input, version, c.stdin)
		if err != nil {
			return err
		}
		conditions, err := readScenario(sub.Context(), *scenario)
		if err != nil {
			return err
		}
		roles, err := readTemplate(sub.Context(), *template)
		if err != nil {
			return err
		}
		if err := terminal.CheckFiles([]string{*page}, *input, *scenario, *template); err != nil {
			return err
		}
		if *page != "" {
			if err := named(*page); err != nil {
				return err
			}
		}

		if *asRelease {
			return c.rehearseRelease(flags, rehearsal.ReleaseOptions{Input: request, Scenario: conditions, Seed: *seed, Template: roles}, *verbose, *asJSON, *page, *scenario)
		}
		live := c.console(*verbose)
		options := rehearsal.Options{
			Input: request, Scenario: conditions, Seed: *seed, Simple: *simple, Template: roles, Listen: *listen,
			Watch: paced(live.show, speed),
		}
		if *inStack {
			options.Stack = &rehearsal.Stack{Fails: *stackFails}
		}
		if *asJSON {
			options.Watch = nil
		}
		if runs != 1 {
			about := report.ManyPage{Input: request, Scenario: conditions, ScenarioName: *scenario, Command: commandLines(flags)}
			return c.many(sub.Context(), options, runs, *asJSON, *page, about)
		}
		signal.Reset() // it runs to its end or not at all
		result, err := rehearsal.Run(options)
		live.clear()
		if err != nil {
			return err
		}
		if *asJSON {
			if err := terminal.WriteJSON(c.stdout, result); err != nil {
				return err
			}
		} else {
			c.text().summary(result)
		}
		if *page != "" {
			about := report.Page{Result: result, Input: request, Scenario: conditions, ScenarioName: *scenario, Seed: *seed, Command: commandLines(flags).Again}
			if err := c.writeReport(*page, *asJSON, func(w io.Writer) error { return report.Write(w, about) }); err != nil {
				return err
			}
		}
		if result.Stack != nil && !result.Stack.Updated() && result.Outcome == rehearsal.Promoted {
			return exit{code: notPromoted}
		}
		switch result.Outcome {
		case rehearsal.Promoted:
			if result.Unverified && *failUnverified {
				return exit{code: unverified}
			}
			return nil
		case rehearsal.Refused:
			return exit{code: refused}
		}
		return exit{code: notPromoted}
	}
	return sub
}

// writeReport writes the page that write makes to a file.
func (c *command) writeReport(path string, asJSON bool, write func(io.Writer) error) error {
	var page bytes.Buffer
	if err := write(&page); err != nil {
		return fmt.Errorf("the report: %w", err)
	}
	if err := terminal.WriteFile(path, page.Bytes()); err != nil {
		return err
	}
	return c.wrote(asJSON, path)
}

// readScenario returns the built-in scenario of that name, or else a file's.
func readScenario(ctx context.Context, name string) (rehearsal.Scenario, error) {
	data, err := scenarioJSON(ctx, name)
	if err != nil {
		return rehearsal.Scenario{}, err
	}
	return rehearsal.ParseScenario(data)
}

// scenarioJSON returns the text of a valid scenario: a built-in one, or a file's.
func scenarioJSON(ctx context.Context, name string) ([]byte, error) {
	if data, ok := rehearsal.BuiltInJSON(name); ok {
		return data, nil
	}
	file, err := readSource(ctx, name, nil, mostScenarioBytes)
	if errors.Is(err, fs.ErrNotExist) {
		known := rehearsal.BuiltIn()
		return nil, fmt.Errorf("there is no scenario %q%s: it is none of %s, and can't be read as a file: %w", name, rollout.DidYouMean(name, known), strings.Join(known, ", "), err)
	}
	if err != nil {
		return nil, err
	}
	var invalid *rehearsal.ScenarioError
	if _, err := rehearsal.ParseScenario(file.text); errors.As(err, &invalid) {
		return nil, file.refused("is not a valid scenario", invalid.Problems)
	}
	return file.text, nil
}

// readTemplate reads the template of a stack; it returns nil without a path.
func readTemplate(ctx context.Context, path string) (*rehearsal.Template, error) {
	if path == "" {
		return nil, nil
	}
	file, err := readSource(ctx, path, nil, mostTemplateBytes)
	if err != nil {
		return nil, err
	}
	template, err := rehearsal.ParseTemplate(file.text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return template, nil
}

// mostSlowMotion is the highest speed at which a rehearsal is watched, in seconds per second: a
// year in half a minute.
const mostSlowMotion = 1_000_000

// longestSleep bounds how long an entry is waited for, at the lowest speeds.
const longestSleep = 100 * 365 * 24 * time.Hour

// paced returns a function that shows each entry when it is due, at speed seconds
// of the rollout per second; with speed 0, show itself.
func paced(show func(rehearsal.Entry), speed float64) func(rehearsal.Entry) {
	if speed == 0 {
		return show
	}
	start := time.Now()
	return func(l rehearsal.Entry) {
		due := min(l.At/speed, longestSleep.Seconds())
		time.Sleep(time.Duration(due*float64(time.Second)) - time.Since(start))
		show(l)
	}
}
