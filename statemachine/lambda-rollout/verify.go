package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/spf13/cobra"

	"github.com/lambda-rollout/lambda-rollout/statemachine"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/verify"
)

// differs is verify's exit code if AWS differs from the interpreter.
const differs = 1

// verifyAttempts is how often a call that AWS throttles is made.
const verifyAttempts = 10

// verify is the subcommand that compares the interpreter with AWS.
func (c *command) verify() *cobra.Command {
	sub := &cobra.Command{
		Use:   "verify --aws",
		Short: "Compare each state of the workflow with AWS",
		Long: `Send the states, with inputs of its own and mocked results, to Step Functions' TestState API,
with the account and Region of the AWS configuration. It calls no function and changes nothing.
See docs/verify.md.`,
		Args: noArguments,
	}
	flags := sub.Flags()
	onAWS := flags.Bool("aws", false, "call AWS: required, so that no one does it by mistake")
	role := flags.String("role", "", "the `ARN` of a role for TestState to assume, for the states that have no mock (see docs/verify.md)")
	sub.RunE = func(sub *cobra.Command, _ []string) error {
		if !*onAWS {
			return errors.New("it compares with AWS: add --aws to call TestState with the AWS CLI's configuration")
		}
		ctx := sub.Context()
		cfg, err := c.config(ctx, config.WithRetryer(func() aws.Retryer {
			return retry.AddWithMaxAttempts(retry.NewStandard(), verifyAttempts)
		}))
		if err != nil {
			return err
		}
		cases, err := verify.Cases(statemachine.Definition, partition(cfg.Region))
		if err != nil {
			return err
		}
		report, err := verify.Compare(ctx, c.tester(cfg), cases, verify.Options{Role: *role, Progress: func(done, all int) {
			fmt.Fprintf(c.stderr, "\r%d of %d", done, all)
			if done == all {
				fmt.Fprintln(c.stderr)
			}
		}})
		if err != nil {
			fmt.Fprintln(c.stderr)
			return err
		}
		if _, err := io.WriteString(c.stdout, rehearsal.Printable(report.String())); err != nil {
			return err
		}
		if report.Agree < report.Cases {
			return exit{code: differs}
		}
		return nil
	}
	return sub
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
