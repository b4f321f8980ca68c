// Package rollouts starts, reads and steers the rollouts of a state machine on AWS: what the
// command lambda-rollout does there. All that it says about a rollout comes from the
// execution, from Parameter Store, and from the alias.
package rollouts

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsarn "github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine"
)

// Stack is the name of the stack that the CDK app deploys.
const Stack = "LambdaRollout"

// machineVariable is the environment variable that names the state machine, as serve prints
// it and docs/ci uses it.
const machineVariable = "STATE_MACHINE_ARN"

// releasesVariable names the state machine of releases.
const releasesVariable = "RELEASE_STATE_MACHINE_ARN"

// Client calls AWS for the rollouts of one state machine.
type Client struct {
	Machine string // the state machine's ARN

	// releases and rollouts are the ARNs of both state machines, and ofReleases means that
	// Machine is that of releases: see Releases.
	releases, rollouts string
	ofReleases         bool

	States  *sfn.Client
	Lambda  *lambda.Client
	SSM     *ssm.Client
	Metrics *cloudwatch.Client

	// Pages returns the page about an execution of an AWS on this machine, which is a "rollout"
	// or a "release"; nil if there are none.
	Pages func(endpoint, execution, noun string) string
}

// Find returns a client for the rollouts of a state machine: the one with the ARN machine;
// else the one that the environment's STATE_MACHINE_ARN names; else the output
// StateMachineArn of a stack.
func Find(ctx context.Context, cfg aws.Config, machine, stack string) (*Client, error) {
	c := new(Client).Renewed(cfg)
	from := "--state-machine"
	if machine == "" {
		machine, from = os.Getenv(machineVariable), machineVariable
	}
	releases := os.Getenv(releasesVariable)
	if machine == "" {
		found, err := outputs(ctx, cloudformation.NewFromConfig(cfg), stack)
		if err != nil {
			return nil, err
		}
		machine, releases = found["StateMachineArn"], cmp.Or(releases, found["ReleaseStateMachineArn"])
		from = "the stack's output"
	}
	if err := checkMachine(machine); err != nil {
		return nil, fmt.Errorf("%s: %w", from, err)
	}
	c.Machine, c.rollouts, c.releases = machine, machine, cmp.Or(releases, arn.WithName(machine, statemachine.ReleaseMachineName(arn.Name(machine))))
	if err := checkMachine(c.releases); err != nil {
		return nil, fmt.Errorf("%s: %w", releasesVariable, err)
	}
	return c, nil
}

// New returns a client for the rollouts of the state machine with the ARN machine; releases is
// that of the same stack's state machine of releases.
func New(cfg aws.Config, machine, releases string) *Client {
	return (&Client{Machine: machine, rollouts: machine, releases: releases}).Renewed(cfg)
}

// Renewed returns a client for the same state machine with another configuration.
func (c *Client) Renewed(cfg aws.Config) *Client {
	renewed := *c
	renewed.States, renewed.Lambda, renewed.SSM, renewed.Metrics = sfn.NewFromConfig(cfg), lambda.NewFromConfig(cfg), ssm.NewFromConfig(cfg), cloudwatch.NewFromConfig(cfg)
	return &renewed
}

// Releases returns a client for the releases of the same stack: their state machine is the one
// that the environment's RELEASE_STATE_MACHINE_ARN names; else the output
// ReleaseStateMachineArn of the stack, if Find read that; else the one that the construct
// deploys beside that of the rollouts.
func (c *Client) Releases() *Client {
	all := *c
	all.Machine, all.ofReleases = c.releases, true
	return &all
}

// Noun returns what the state machine's executions are: "rollout" or "release".
func (c *Client) Noun() string {
	if c.ofReleases {
		return "release"
	}
	return "rollout"
}

// titled returns an execution's name for a sentence: "the rollout x".
func (c *Client) titled(name string) string { return "the " + c.Noun() + " " + rollout.OneLine(name) }

// outputs returns the outputs of a stack, of which it has that of the rollouts' state machine.
func outputs(ctx context.Context, stacks *cloudformation.Client, stack string) (map[string]string, error) {
	out, err := stacks.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &stack})
	if err != nil {
		err = inWords(err, "cloudformation:DescribeStacks", fmt.Sprintf("the stack %q", stack))
		return nil, fmt.Errorf("neither --state-machine nor %s names the state machine, and %w", machineVariable, err)
	}
	found := map[string]string{}
	for _, s := range out.Stacks {
		for _, o := range s.Outputs {
			found[aws.ToString(o.OutputKey)] = aws.ToString(o.OutputValue)
		}
	}
	if found["StateMachineArn"] != "" {
		return found, nil
	}
	return nil, fmt.Errorf("the stack %q has no output StateMachineArn: name another stack with --stack, or the state machine with --state-machine", stack)
}

// checkMachine returns an error for what is not a state machine's ARN.
func checkMachine(text string) error {
	parsed, err := awsarn.Parse(text)
	if err != nil || parsed.Service != "states" || !strings.HasPrefix(parsed.Resource, "stateMachine:") || strings.Count(parsed.Resource, ":") != 1 {
		return fmt.Errorf("%q is not the ARN of a state machine, which is like arn:aws:states:eu-central-1:123456789012:stateMachine:lambda-rollout", text)
	}
	return nil
}

// ExecutionARN returns the ARN of the execution that has that name, or that ARN. It returns
// an error for the ARN of something else, and of an execution of another state machine.
func (c *Client) ExecutionARN(name string) (string, error) {
	prefix := strings.Replace(c.Machine, ":stateMachine:", ":execution:", 1) + ":"
	switch {
	case name == "":
		return "", fmt.Errorf("the %s's name is empty", c.Noun())
	case !strings.HasPrefix(name, "arn:"):
		if strings.ContainsRune(name, ':') {
			return "", fmt.Errorf("%q is neither the name nor the ARN of an execution", name)
		}
		return prefix + name, nil
	case !strings.HasPrefix(name, prefix) || name == prefix:
		return "", fmt.Errorf("%s is not an execution of %s", name, c.Machine)
	}
	return name, nil
}

// ownARN returns a text that is the ARN of an execution of the state machine; "" otherwise.
func (c *Client) ownARN(text string) string {
	if own, err := c.ExecutionARN(text); err != nil || own != text {
		return ""
	}
	return text
}
