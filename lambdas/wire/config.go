package wire

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/middleware"

	"github.com/lambda-rollout/lambda-rollout/lambdas/transport"
)

// callTimeout is the time limit of one AWS call. It is well below a task function's
// own timeout, so that a call that hangs ends as an error with a name.
const callTimeout = 10 * time.Second

// Config loads the SDK configuration of a task function: each AWS call is tried
// once, for at most 10 seconds. All retries are the workflow's, where they can be
// seen and have the same input again.
func Config(ctx context.Context) (aws.Config, error) {
	cfg, err := config.LoadDefaultConfig(ctx,
		config.WithRetryer(func() aws.Retryer { return aws.NopRetryer{} }),
		config.WithHTTPClient(transport.New().BuildableClient), // it takes the authorities of AWS_CA_BUNDLE
		config.WithAPIOptions([]func(*middleware.Stack) error{transport.Limit(callTimeout)}),
	)
	if err != nil {
		return aws.Config{}, err
	}
	cfg.HTTPClient = transport.Client{BuildableClient: cfg.HTTPClient.(*awshttp.BuildableClient)}
	return cfg, nil
}

// Patient returns a copy of cfg without the time limit of each call, for callers
// that have a limit of their own.
func Patient(cfg aws.Config) aws.Config {
	patient := cfg.Copy()
	patient.APIOptions = nil
	return patient
}
