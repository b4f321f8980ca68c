// Package healthcheck makes the health check, over real clients of AWS, for the
// functions that check.
package healthcheck

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health"
	"github.com/lambda-rollout/lambda-rollout/lambdas/health/gates"
	"github.com/lambda-rollout/lambda-rollout/lambdas/health/secretstores"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task/orders"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task/wire/announcer"
)

// New is the health check over real clients of AWS, in real time.
func New(cfg aws.Config) task.HealthCheck {
	parameters := ssm.NewFromConfig(cfg)
	return task.HealthCheck{
		Metrics: health.NewCloudWatch(cloudwatch.NewFromConfig(cfg)),
		Control: orders.New(parameters),
		Gates: gates.Reach{
			// A function that is invoked may take longer than a call of AWS: each has a time of its own.
			Functions: gates.NewLambda(lambda.NewFromConfig(task.Patient(cfg))),
			Web:       gates.NewHTTPClient(nil, nil),
			Secrets:   secretstores.New(secretsmanager.NewFromConfig(cfg), parameters),
			Together:  gates.InGoroutines,
		},
		Announcer: announcer.New(cfg),
		Log:       task.Logger(),
	}
}
