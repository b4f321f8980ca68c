// Package clients sets the ports of a function that checks health to AWS SDK
// clients.
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
	"github.com/lambda-rollout/lambda-rollout/lambdas/health/gates"
	"github.com/lambda-rollout/lambda-rollout/lambdas/health/monitoring"
	"github.com/lambda-rollout/lambda-rollout/lambdas/health/secretstores"
	"github.com/lambda-rollout/lambda-rollout/lambdas/notify/channels"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task/orders"
	"github.com/lambda-rollout/lambda-rollout/lambdas/wire"
)

// Connect returns ports with all ports to AWS set, except Executions, which no
// health check uses.
func Connect(ports wire.Ports, cfg aws.Config) wire.Ports {
	parameters := ssm.NewFromConfig(cfg)
	ports.Aliases = alias.NewLambda(lambda.NewFromConfig(cfg))
	ports.Metrics = monitoring.New(cloudwatch.NewFromConfig(cfg))
	ports.Orders = orders.New(parameters)
	ports.Decided = orders.NewReleases(parameters)
	ports.Publisher = channels.NewSNS(sns.NewFromConfig(cfg))
	ports.Bus = channels.NewEventBridge(eventbridge.NewFromConfig(cfg), "default")
	// An invoked function may take longer than other AWS calls: each has its own limit.
	ports.Functions = gates.NewLambda(lambda.NewFromConfig(wire.Patient(cfg)))
	ports.Web = gates.NewHTTPClient(nil, nil)
	ports.Secrets = secretstores.New(secretsmanager.NewFromConfig(cfg), parameters)
	return ports
}
