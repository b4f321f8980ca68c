// Command lambda-rollout rehearses rollouts on this machine, in virtual time and without
// an AWS account, serves the local AWS on which they run, and starts, watches, steers and
// explains rollouts on AWS.
//
//	go run ./statemachine/lambda-rollout rehearse                    the blog post's example
//	go run ./statemachine/lambda-rollout rehearse --scenario errors  with a bad new version
//	go run ./statemachine/lambda-rollout --help                      everything else
//
// It exits with 0 if the new version was promoted, or what was asked is done; 1 if it was
// not promoted; 2 if the input was refused or the command line is wrong; 3 if the rollout
// can't be read; 4 if it was promoted unverified, where that counts. With --runs, rehearse
// exits with 0 however the rollouts end. verify exits with 1 if AWS differs.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"time"
	_ "time/tzdata" // for windows: Windows has none

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"
	"github.com/spf13/cobra"

	"github.com/lambda-rollout/lambda-rollout/lambdas/transport"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal/study"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rollouts"
	"github.com/lambda-rollout/lambda-rollout/statemachine/verify"
)

func main() {
	// A rehearsal makes much garbage and keeps little, so collect it less often,
	// unless the environment says otherwise.
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
	ctx, stop := untilSignal(context.Background())
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// The exit codes.
const (
	promoted    = 0 // or what was asked is done
	notPromoted = 1
	refused     = 2 // or the command line is wrong
	unknown     = 3 // the rollout can't be read
	unverified  = 4 // promoted, and too little was seen to judge the version
)

// exit is an error with an exit code. Without an error, nothing is printed.
type exit struct {
	code int
	error
}

func (e exit) Unwrap() error { return e.error }

// command is what all subcommands share.
type command struct {
	stdin          io.Reader
	stdout, stderr io.Writer

	profile, region, machine, stack string
	format                          string

	// found is the client with which a rollout or a release was found.
	found *rollouts.Client
	// releases means that the subcommand is about releases, and not about rollouts.
	releases bool

	waiting *waiting
	// clock is where now comes from while the command runs.
	clock *serviceTime
	// now and sleep are the clock's. columns is the width of the output, for tests; 0 for
	// that of the terminal.
	now     func() time.Time
	sleep   rollouts.Sleep
	columns int

	tester func(aws.Config) verify.Tester // the client of verify
	study  adviser                        // that advise asks
}

// run runs the command and returns its exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	c := &command{stdin: stdin, stdout: stdout, stderr: stderr, now: time.Now, sleep: sleep, tester: awsTester, study: study.Advise}
	return c.run(ctx, args)
}

// run runs the command with its arguments, and returns the exit code.
func (c *command) run(ctx context.Context, args []string) int {
	out := &output{Writer: c.stdout}
	c.stdout = out
	c.clock = &serviceTime{machine: c.now}
	c.now = c.clock.now
	if c.waiting == nil {
		c.waiting = c.newWaiting()
	}
	root := c.root()
	root.SetArgs(doubled(root, args))
	root.SetIn(c.stdin)
	root.SetOut(c.stdout)
	root.SetErr(c.stderr)
	builtIn(root) // completion takes the output that is set now
	err := out.ends(root.ExecuteContext(ctx))
	if err == nil {
		return promoted
	}
	code, signal := refused, signalOf(ctx)
	if signal != nil {
		code = signal.code()
	}
	if coded, ok := errors.AsType[exit](err); ok {
		if signal == nil || coded.code != unknown { // what a signal interrupts can't be known
			code = coded.code
		}
		if coded.error == nil {
			return code
		}
	}
	fmt.Fprintln(c.stderr, "lambda-rollout:", rehearsal.Printable(rollouts.Explain(err).Error()))
	return code
}

// root returns the command with all its subcommands.
func (c *command) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "lambda-rollout",
		Short:         "Start, watch, steer and explain rollouts of AWS Lambda functions",
		SilenceErrors: true, // run prints them, last and alone
		SilenceUsage:  true,
		Args:          knownSubcommand,
		RunE:          func(root *cobra.Command, _ []string) error { return root.Help() },
		PersistentPreRunE: func(sub *cobra.Command, _ []string) error {
			c.releases = ofReleases(sub)
			return errors.Join(c.checkFormat(sub), noEmptyFiles(sub))
		},
	}
	flags := root.PersistentFlags()
	flags.StringVar(&c.profile, "profile", "", "the profile of the AWS configuration (default: AWS_PROFILE)")
	flags.StringVar(&c.region, "region", "", "the Region (default: that of the environment or the profile)")
	flags.StringVar(&c.machine, "state-machine", "", "the ARN of the stack's state machine (default: STATE_MACHINE_ARN, or the stack's output)")
	flags.StringVar(&c.stack, "stack", rollouts.Stack, "the name of the stack whose outputs have the state machines' ARNs")
	flags.StringVarP(&c.format, "output", "o", plainText, "text or json; of advise and cost markdown, too")
	root.AddCommand(
		c.advise(),
		c.check(),
		c.cost(),
		c.explain(),
		c.get(),
		c.list(),
		c.record(),
		c.release(),
		c.rehearse(),
		c.report(),
		c.serve(),
		c.start(),
		c.stop(),
		c.undo(),
		c.verify(),
		c.wait(),
		c.watch(),
	)
	root.AddCommand(c.steer("rollout", about)...)
	root.SetFlagErrorFunc(wrongFlag)
	return root
}

// callTimeout is the time limit of one call of AWS, with all its retries.
const callTimeout = time.Minute

// config returns the configuration of the SDK: from the environment, the shared files and
// the flags.
func (c *command) config(ctx context.Context, options ...func(*config.LoadOptions) error) (aws.Config, error) {
	options = append(options,
		config.WithRegion(c.region),
		config.WithLogger(logging.Nop{}),                       // errors stand alone: the SDK's warnings are about where it looks for credentials
		config.WithHTTPClient(transport.New().BuildableClient), // it takes the authorities of AWS_CA_BUNDLE
		config.WithAPIOptions([]func(*middleware.Stack) error{transport.Limit(callTimeout), c.clock.listen}),
	)
	if c.profile != "" {
		options = append(options, config.WithSharedConfigProfile(c.profile))
	}
	cfg, err := config.LoadDefaultConfig(ctx, options...)
	if err = configured(cfg, err); err != nil {
		return aws.Config{}, err
	}
	if client, ok := cfg.HTTPClient.(*awshttp.BuildableClient); ok {
		cfg.HTTPClient = transport.Client{BuildableClient: client}
	}
	return c.waiting.watched(cfg), nil
}

// client returns a client for the rollouts of the state machine, or for its releases.
func (c *command) client(ctx context.Context) (*rollouts.Client, error) {
	cfg, err := c.config(ctx)
	if err != nil {
		return nil, err
	}
	client, err := rollouts.Find(ctx, cfg, c.machine, c.stack)
	if err == nil {
		client.Pages = c.clock.page
	}
	if err == nil && c.releases {
		client = client.Releases()
	}
	return client, err
}
