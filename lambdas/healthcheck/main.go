// Command healthcheck is the workflow's HealthCheck function: see task.HealthCheck.
package main

import (
	"context"
	"log"

	runtime "github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
)

func main() {
	cfg, err := task.Config(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	runtime.Start(task.HealthCheck{Metrics: health.NewCloudWatch(cloudwatch.NewFromConfig(cfg)), Log: task.Logger()}.Handle)
}
