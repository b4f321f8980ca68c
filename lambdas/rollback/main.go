// Command rollback is the workflow's Rollback function, and the cleanup after
// executions that ended without it: see task.Undoing.
package main

import (
	"context"
	"log"

	runtime "github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task/executions"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task/wire/announcer"
	"github.com/lambda-rollout/lambda-rollout/lambdas/telemetry"
)

func main() {
	cfg, err := task.Config(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	aliases := alias.NewLambda(lambda.NewFromConfig(cfg))
	runtime.Start(task.Undoing{
		Rollback: task.Rollback{Aliases: aliases, Log: task.Logger()},
		Cleanup: task.Cleanup{
			Aliases:    aliases,
			Executions: executions.New(sfn.NewFromConfig(cfg)),
			Notifier:   announcer.NewNotifier(cfg),
			Counted:    new(telemetry.Once),
			Settled:    new(task.Settled),
			Sleep:      task.Sleep,
			Log:        task.Logger(),
		},
	}.Handle)
}
