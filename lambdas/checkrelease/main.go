// Command checkrelease is the Lambda function of the release workflow's state CheckRelease, and of the
// conclusion of releases whose executions were stopped: see
// releasing.CheckHandler.
package main

import (
	"context"
	"log"
	"time"
	_ "time/tzdata" // for windows: a function's environment may have none

	runtime "github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health/monitoring"
	"github.com/lambda-rollout/lambda-rollout/lambdas/notify/channels"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task/executions"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task/orders"
	"github.com/lambda-rollout/lambda-rollout/lambdas/wire"
)

func main() {
	cfg, err := wire.Config(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	ports := wire.Deployed()
	ports.Now = time.Now
	parameters := ssm.NewFromConfig(cfg)
	ports.Metrics = monitoring.New(cloudwatch.NewFromConfig(cfg))
	ports.Starts = executions.NewStarter(sfn.NewFromConfig(cfg))
	ports.Orders, ports.Decisions = orders.New(parameters), orders.NewDecisions(parameters)
	ports.Publisher = channels.NewSNS(sns.NewFromConfig(cfg))
	ports.Bus = channels.NewEventBridge(eventbridge.NewFromConfig(cfg), "default")
	runtime.Start(ports.CheckRelease().Handle)
}
