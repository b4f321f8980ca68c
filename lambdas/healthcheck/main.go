// Command healthcheck is the workflow's HealthCheck function: see task.HealthCheck.
package main

import (
	"context"
	"log"

	runtime "github.com/aws/aws-lambda-go/lambda"

	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task/wire/healthcheck"
)

func main() {
	cfg, err := task.Config(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	runtime.Start(healthcheck.New(cfg).Handle)
}
