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

// callTimeout bounds one call of AWS, well below a task function's own
// timeout, so that a call that hangs ends as an error with a name.
const callTimeout = 10 * time.Second

// Config is how the task functions talk to AWS: each call is tried once, for
// callTimeout at most. Every retry is one of the workflow's, where it can be
// seen, and where it comes with the same input again.
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

// Patient returns a copy of a Config without the limit of each call, for calls
// whose callers have a limit of their own.
func Patient(cfg aws.Config) aws.Config {
	patient := cfg.Copy()
	patient.APIOptions = nil
	return patient
}
