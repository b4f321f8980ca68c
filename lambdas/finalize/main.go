// Command finalize is the Lambda function of the workflow's state Finalize: see task.Finalize.
package main

import (
	"context"
	"log"

	runtime "github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/wire"
)

func main() {
	cfg, err := wire.Config(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	ports := wire.Deployed()
	ports.Aliases = alias.NewLambda(lambda.NewFromConfig(cfg))
	runtime.Start(ports.Finalize().Handle)
}
