// Command updatealias is the Lambda function of the workflow's states UpdateAlias and Allocate:
// see task.UpdateAlias.
package main

import (
	"context"
	"log"

	runtime "github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/notify/channels"
	"github.com/lambda-rollout/lambda-rollout/lambdas/wire"
)

func main() {
	cfg, err := wire.Config(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	ports := wire.Deployed()
	ports.Aliases = alias.NewLambda(lambda.NewFromConfig(cfg))
	ports.Publisher = channels.NewSNS(sns.NewFromConfig(cfg))
	ports.Bus = channels.NewEventBridge(eventbridge.NewFromConfig(cfg), "default")
	runtime.Start(ports.UpdateAlias().Handle)
}
