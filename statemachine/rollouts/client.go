// Package rollouts starts, reads and steers the rollouts of a state machine on AWS: what the
// command lambda-rollout does there. All that it says about a rollout comes from the
// execution, from Parameter Store, and from the alias.
package rollouts

import (
	"context"
	"errors"
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
)

// Stack is the name of the stack that the CDK app deploys.
const Stack = "LambdaRollout"

// machineVariable is the environment variable that names the state machine, as serve prints
// it and docs/ci uses it.
const machineVariable = "STATE_MACHINE_ARN"

// Client calls AWS for the rollouts of one state machine.
type Client struct {
	Machine string // the state machine's ARN

	States  *sfn.Client
	Lambda  *lambda.Client
	SSM     *ssm.Client
	Metrics *cloudwatch.Client
}

// Find returns a client for the rollouts of a state machine: the one with the ARN machine;
// else the one that the environment's STATE_MACHINE_ARN names; else the output
// StateMachineArn of a stack.
func Find(ctx context.Context, cfg aws.Config, machine, stack string) (*Client, error) {
	c := &Client{
		States: sfn.NewFromConfig(cfg), Lambda: lambda.NewFromConfig(cfg), SSM: ssm.NewFromConfig(cfg), Metrics: cloudwatch.NewFromConfig(cfg),
	}
	from := "--state-machine"
	if machine == "" {
		machine, from = os.Getenv(machineVariable), machineVariable
	}
	if machine == "" {
		var err error
		if machine, err = output(ctx, cloudformation.NewFromConfig(cfg), stack); err != nil {
			return nil, err
		}
		from = "the stack's output"
	}
	if err := checkMachine(machine); err != nil {
		return nil, fmt.Errorf("%s: %w", from, err)
	}
	c.Machine = machine
	return c, nil
}

// output returns the ARN of the state machine of a stack.
func output(ctx context.Context, stacks *cloudformation.Client, stack string) (string, error) {
	out, err := stacks.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &stack})
	if err != nil {
		err = inWords(err, "cloudformation:DescribeStacks", fmt.Sprintf("the stack %q", stack))
		return "", fmt.Errorf("neither --state-machine nor %s names the state machine, and %w", machineVariable, err)
	}
	for _, s := range out.Stacks {
		for _, o := range s.Outputs {
			if aws.ToString(o.OutputKey) == "StateMachineArn" {
				return aws.ToString(o.OutputValue), nil
			}
		}
	}
	return "", fmt.Errorf("the stack %q has no output StateMachineArn: name another stack with --stack, or the state machine with --state-machine", stack)
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
		return "", errors.New("the rollout's name is empty")
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
