// Command rollback is the Lambda function of the workflow's state Rollback, and of
// the cleanup after executions that ended without it: see task.RollbackHandler.
package main

import (
	"context"
	"log"

	runtime "github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/notify/channels"
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
	ports.Executions = executions.New(sfn.NewFromConfig(cfg))
	ports.Publisher = channels.NewSNS(sns.NewFromConfig(cfg))
	ports.Bus = channels.NewEventBridge(eventbridge.NewFromConfig(cfg), "default")
	runtime.Start(ports.Rollback().Handle)
}
