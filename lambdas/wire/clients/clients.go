// Package clients has the ports of a function that checks health, over real
// clients of AWS.
package clients

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/health"
	"github.com/lambda-rollout/lambda-rollout/lambdas/health/gates"
	"github.com/lambda-rollout/lambda-rollout/lambdas/health/secretstores"
	"github.com/lambda-rollout/lambda-rollout/lambdas/notify/channels"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task/orders"
	"github.com/lambda-rollout/lambda-rollout/lambdas/wire"
)

// Connect returns ports with all of AWS but the executions of Step Functions,
// which no check of health reads.
func Connect(ports wire.Ports, cfg aws.Config) wire.Ports {
	parameters := ssm.NewFromConfig(cfg)
	ports.Aliases = alias.NewLambda(lambda.NewFromConfig(cfg))
	ports.Metrics = health.NewCloudWatch(cloudwatch.NewFromConfig(cfg))
	ports.Orders = orders.New(parameters)
	ports.Publisher = channels.NewSNS(sns.NewFromConfig(cfg))
	ports.Bus = channels.NewEventBridge(eventbridge.NewFromConfig(cfg), "default")
	// A function that is invoked may take longer than a call of AWS: each has a time of its own.
	ports.Functions = gates.NewLambda(lambda.NewFromConfig(wire.Patient(cfg)))
	ports.Web = gates.NewHTTPClient(nil, nil)
	ports.Secrets = secretstores.New(secretsmanager.NewFromConfig(cfg), parameters)
	return ports
}
