// Command stackrollout is the Lambda function of the custom resource
// Custom::LambdaRollout: see provider.Provider.
package main

import (
	"context"
	"log"
	"net/http"
	"time"
	_ "time/tzdata" // for windows: a function's environment may have none

	runtime "github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/lambda-rollout/lambda-rollout/lambdas/stack/clients"
	"github.com/lambda-rollout/lambda-rollout/lambdas/wire"
)

func main() {
	cfg, err := wire.Config(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	ports := wire.Deployed()
	ports.Now = time.Now
	ports.Stacks = wire.StackPorts{
		Records:    clients.NewRecords(ssm.NewFromConfig(cfg), ports.RecordsPath),
		Executions: clients.NewExecutions(sfn.NewFromConfig(cfg)),
		Aliases:    clients.NewAliases(lambda.NewFromConfig(cfg)),
		Answers:    clients.NewAnswers(&http.Client{Timeout: 10 * time.Second}, clients.Amazon, ports.Sleep),
		Stacks:     clients.NewStacks(cloudformation.NewFromConfig(cfg)),
	}
	runtime.Start(ports.StackRollout().Handle)
}
