// Command simpledeploy is a whole rollout in one function: see task.Simple.
package main

import (
	"context"
	"encoding/json"
	"log"
	"time"

	runtime "github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task/wire/announcer"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task/wire/healthcheck"
)

func main() {
	cfg, err := task.Config(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	aliases, logger, check := alias.NewLambda(lambda.NewFromConfig(cfg)), task.Logger(), healthcheck.New(cfg)
	deployer := task.Simple{
		Begin:    task.CalculateWeights{Aliases: aliases, Alarms: check.Metrics, Allowed: task.AllowedGates(), Topics: task.AllowedTopics(), Log: logger},
		Shift:    task.UpdateAlias{Aliases: aliases, Announcer: check.Announcer, Log: logger},
		Check:    check,
		Promote:  task.Finalize{Aliases: aliases, Log: logger},
		Back:     task.Rollback{Aliases: aliases, Log: logger},
		Now:      time.Now,
		Sleep:    task.Sleep,
		Deadline: deadline,
		Until:    context.WithDeadline,
		Notifier: announcer.NewNotifier(cfg),
		Log:      logger,
	}
	runtime.Start(func(ctx context.Context, input json.RawMessage) (rollout.State, error) {
		invocation, _ := lambdacontext.FromContext(ctx)
		return deployer.Invoke(ctx, invocation.InvokedFunctionArn+":"+invocation.AwsRequestID, input)
	})
}

func deadline(ctx context.Context) time.Time {
	at, _ := ctx.Deadline()
	return at
}
