// Command healthcheck is the Lambda function of the workflow's states PreTraffic, HealthCheck
// and PostTraffic: see task.HealthCheck.
package main

import (
	"context"
	"log"

	runtime "github.com/aws/aws-lambda-go/lambda"

	"github.com/lambda-rollout/lambda-rollout/lambdas/wire"
	"github.com/lambda-rollout/lambda-rollout/lambdas/wire/clients"
)

func main() {
	cfg, err := wire.Config(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	runtime.Start(clients.Connect(wire.Deployed(), cfg).HealthCheck().Handle)
}
