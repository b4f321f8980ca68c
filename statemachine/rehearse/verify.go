package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/lambda-rollout/lambda-rollout/statemachine"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/verify"
)

// differs is verify's exit code if AWS differs from the interpreter.
const differs = 1

// verifyAttempts is how often a call that AWS throttles is made.
const verifyAttempts = 10

// verifyUsage is printed above verify's options.
const verifyUsage = `Usage of rehearse verify:
  rehearse verify -aws [options]   compare each state of the workflow with AWS
It sends the states, with inputs of its own and mocked results, to Step Functions'
TestState API, with the account and region of the AWS CLI's configuration. It calls
no function and changes nothing. See docs/verify.md.
`

// loadConfig returns the SDK's configuration, as verify needs it.
func loadConfig(ctx context.Context, region string) (aws.Config, error) {
	options := []func(*config.LoadOptions) error{config.WithRetryer(func() aws.Retryer {
		return retry.AddWithMaxAttempts(retry.NewStandard(), verifyAttempts)
	})}
	if region != "" {
		options = append(options, config.WithRegion(region))
	}
	return config.LoadDefaultConfig(ctx, options...)
}

// verifyStates runs the subcommand verify. client returns the client to use in a
// configuration.
func verifyStates(args []string, client func(aws.Config) verify.Tester, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("rehearse verify", flag.ContinueOnError)
	flags.SetOutput(stderr)
	onAWS := flags.Bool("aws", false, "call AWS: required, so that no one does it by mistake")
	role := flags.String("role", "", "the `ARN` of a role for TestState to assume, for the states that have no mock (see docs/verify.md)")
	region := flags.String("region", "", "the AWS `region` (default: that of the AWS CLI's configuration)")
	flags.Usage = func() {
		fmt.Fprint(stderr, verifyUsage)
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return promoted
	} else if err != nil {
		return misused
	}
	fail := func(err error) int {
		fmt.Fprintln(stderr, "rehearse verify:", rehearsal.Printable(err.Error()))
		return misused
	}
	switch {
	case flags.NArg() > 0:
		return fail(fmt.Errorf("%q is not an option", flags.Arg(0)))
	case !*onAWS:
		return fail(errors.New("it compares with AWS: add -aws to call TestState with the AWS CLI's configuration"))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	cfg, err := loadConfig(ctx, *region)
	if err != nil {
		return fail(err)
	}
	if cfg.Region == "" {
		return fail(errors.New("there is no region: give -region, or set AWS_REGION"))
	}
	cases, err := verify.Cases(statemachine.Definition, partition(cfg.Region))
	if err != nil {
		return fail(err)
	}
	report, err := verify.Compare(ctx, client(cfg), cases, verify.Options{Role: *role, Progress: func(done, all int) {
		fmt.Fprintf(stderr, "\r%d of %d", done, all)
		if done == all {
			fmt.Fprintln(stderr)
		}
	}})
	if err != nil {
		fmt.Fprintln(stderr)
		return fail(err)
	}
	if _, err := io.WriteString(stdout, rehearsal.Printable(report.String())); err != nil {
		return fail(err)
	}
	if report.Agree < report.Cases {
		return differs
	}
	return promoted
}

// partition returns the AWS partition of a region.
func partition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}

// awsTester returns the SDK's client.
func awsTester(cfg aws.Config) verify.Tester { return sfn.NewFromConfig(cfg) }
