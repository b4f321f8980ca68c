// Command simpledeploy is the Lambda function that carries out a complete rollout by itself, without
// the workflow: see task.Simple.
package main

import (
	"context"
	"encoding/json"
	"log"
	"time"
	_ "time/tzdata" // for windows: a function's environment may have none

	runtime "github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/wire"
	"github.com/lambda-rollout/lambda-rollout/lambdas/wire/clients"
)

func main() {
	cfg, err := wire.Config(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	ports := clients.Connect(wire.Deployed(), cfg)
	ports.Now = time.Now
	deployer := ports.SimpleDeploy()
	runtime.Start(func(ctx context.Context, input json.RawMessage) (rollout.State, error) {
		invocation, _ := lambdacontext.FromContext(ctx)
		return deployer.Invoke(ctx, invocation.InvokedFunctionArn+":"+invocation.AwsRequestID, input)
	})
}
