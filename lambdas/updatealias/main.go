// Command updatealias is the workflow's UpdateAlias function: see task.UpdateAlias.
package main

import (
	"context"
	"log"

	runtime "github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task/wire/announcer"
)

func main() {
	cfg, err := task.Config(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	runtime.Start(task.UpdateAlias{Aliases: alias.NewLambda(lambda.NewFromConfig(cfg)), Announcer: announcer.New(cfg), Log: task.Logger()}.Handle)
}
