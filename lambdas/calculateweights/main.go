// Command calculateweights is the Lambda function of the workflow's first state, CalculateWeights: see
// task.CalculateWeights.
package main

import (
	"context"
	"log"
	_ "time/tzdata" // for windows: a function's environment may have none

	runtime "github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/health/monitoring"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task/executions"
	"github.com/lambda-rollout/lambda-rollout/lambdas/wire"
)

func main() {
	cfg, err := wire.Config(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	ports := wire.Deployed()
	ports.Aliases = alias.NewLambda(lambda.NewFromConfig(cfg))
	ports.Metrics = monitoring.New(cloudwatch.NewFromConfig(cfg))
	ports.Executions = executions.New(sfn.NewFromConfig(cfg))
	runtime.Start(ports.CalculateWeights().Handle)
}
