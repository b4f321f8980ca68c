// Command revertrelease is the Lambda function of the release workflow's state RevertRelease: see
// releasing.RevertRelease.
package main

import (
	"context"
	"log"
	"time"

	runtime "github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task/executions"
	"github.com/lambda-rollout/lambda-rollout/lambdas/wire"
)

func main() {
	cfg, err := wire.Config(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	ports := wire.Deployed()
	ports.Now = time.Now
	ports.Aliases = alias.NewLambda(lambda.NewFromConfig(cfg))
	ports.Executions = executions.New(sfn.NewFromConfig(cfg))
	runtime.Start(ports.RevertRelease().Handle)
}
