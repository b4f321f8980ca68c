package wire

import (
	"context"
	"crypto/x509"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"

	"github.com/lambda-rollout/lambda-rollout/lambdas/transport"
)

// callTimeout is the time limit of one AWS call. It is well below a task function's
// own timeout, so that a call that hangs ends as an error with a name.
const callTimeout = 10 * time.Second

// Config returns the SDK configuration of a task function: each AWS call is tried
// once, for at most 10 seconds. All retries are the workflow's, where they can be
// seen and have the same input again.
//
// It reads the variables of Lambda's environment that the SDK's own module config
// reads, and with the same meaning: the Region, credentials, endpoints, FIPS and
// dual-stack endpoints, and AWS_CA_BUNDLE. It reads no files of settings or
// credentials, and no instance's metadata, as a function has neither: module config
// would add sign-in clients to every executable. An error names the variable that
// has an invalid value.
func Config(ctx context.Context) (aws.Config, error) {
	env := sdkEnvironment{os.Getenv}
	roots, err := env.authorities()
	if err != nil {
		return aws.Config{}, err
	}
	cfg := aws.Config{
		Region:               env.region(),
		Retryer:              func() aws.Retryer { return aws.NopRetryer{} },
		HTTPClient:           client(roots),
		APIOptions:           []func(*middleware.Stack) error{transport.Limit(callTimeout)},
		Logger:               logging.NewStandardLogger(os.Stderr),
		AppID:                env.lookup("AWS_SDK_UA_APP_ID"),
		AuthSchemePreference: env.schemes(),
		ConfigSources:        []any{env},
	}
	if cfg.DisableClockSkewCorrection, _, err = env.flag("AWS_DISABLE_CLOCK_SKEW_CORRECTION"); err != nil {
		return aws.Config{}, err
	}
	if cfg.BaseEndpoint, err = env.endpoint(); err != nil {
		return aws.Config{}, err
	}
	if cfg.Credentials, err = env.credentials(ctx, cfg); err != nil {
		return aws.Config{}, err
	}
	return cfg, nil
}

// client returns the SDK's HTTP client. It trusts the certificate authorities in
// roots, or the system's if roots is nil.
func client(roots *x509.CertPool) transport.Client {
	client := transport.New()
	if roots != nil {
		client.BuildableClient = client.WithTransportOptions(func(t *http.Transport) { t.TLSClientConfig.RootCAs = roots })
	}
	return client
}

// Patient returns a copy of cfg without the time limit of each call, for callers
// that have a limit of their own.
func Patient(cfg aws.Config) aws.Config {
	patient := cfg.Copy()
	patient.APIOptions = nil
	return patient
}
