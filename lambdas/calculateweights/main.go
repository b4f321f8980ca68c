// Command calculateweights is the workflow's CalculateWeights function: see task.CalculateWeights.
package main

import (
	"context"
	"log"

	runtime "github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/health"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task/executions"
)

func main() {
	cfg, err := task.Config(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	runtime.Start(task.CalculateWeights{
		Aliases:   alias.NewLambda(lambda.NewFromConfig(cfg)),
		Alarms:    health.NewCloudWatch(cloudwatch.NewFromConfig(cfg)),
		Handovers: executions.New(sfn.NewFromConfig(cfg)),
		Allowed:   task.AllowedGates(),
		Topics:    task.AllowedTopics(),
		Log:       task.Logger(),
	}.Handle)
}
