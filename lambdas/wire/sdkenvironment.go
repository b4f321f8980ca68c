package wire

import (
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
)

// sdkEnvironment reads the SDK's settings from environment variables. Clients find
// their endpoints through its exported methods: it is one of aws.Config's ConfigSources.
type sdkEnvironment struct {
	lookup func(string) string // as os.Getenv
}

func (e sdkEnvironment) region() string {
	if region := e.lookup("AWS_REGION"); region != "" {
		return region
	}
	return e.lookup("AWS_DEFAULT_REGION")
}

// flag returns a variable that is true or false in any case, and whether it is set.
func (e sdkEnvironment) flag(name string) (value, set bool, err error) {
	switch text := e.lookup(name); {
	case text == "":
		return false, false, nil
	case strings.EqualFold(text, "true"):
		return true, true, nil
	case strings.EqualFold(text, "false"):
		return false, true, nil
	default:
		return false, false, fmt.Errorf("the environment variable %s is %q, and must be true or false", name, text)
	}
}

// authorities returns the certificate authorities of AWS_CA_BUNDLE, or nil for the
// system's.
func (e sdkEnvironment) authorities() (*x509.CertPool, error) {
	name := e.lookup("AWS_CA_BUNDLE")
	if name == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("AWS_CA_BUNDLE: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("AWS_CA_BUNDLE: %s has no certificate in PEM format", name)
	}
	return pool, nil
}

// schemes returns the authentication schemes in order of preference, or nil.
func (e sdkEnvironment) schemes() []string {
	var all []string
	for scheme := range strings.SplitSeq(e.lookup("AWS_AUTH_SCHEME_PREFERENCE"), ",") {
		if scheme = strings.TrimSpace(scheme); scheme != "" {
			all = append(all, scheme)
		}
	}
	return all
}

// endpoint returns the endpoint of all services, or nil for AWS's. It returns an
// error if any variable about endpoints is neither true nor false where it must be.
func (e sdkEnvironment) endpoint() (*string, error) {
	for _, name := range []string{dualStackVariable, fipsVariable} {
		if _, _, err := e.flag(name); err != nil {
			return nil, err
		}
	}
	ignored, _, err := e.flag(ignoreEndpointsVariable)
	if all := e.lookup(endpointVariable); err == nil && !ignored && all != "" {
		return &all, nil
	}
	return nil, err
}

const (
	endpointVariable        = "AWS_ENDPOINT_URL"
	ignoreEndpointsVariable = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"
	dualStackVariable       = "AWS_USE_DUALSTACK_ENDPOINT"
	fipsVariable            = "AWS_USE_FIPS_ENDPOINT"
)

// GetServiceBaseEndpoint returns the endpoint of one service, and whether there is one.
func (e sdkEnvironment) GetServiceBaseEndpoint(_ context.Context, sdkID string) (string, bool, error) {
	endpoint := e.lookup(endpointVariable + "_" + strings.ReplaceAll(strings.ToUpper(sdkID), " ", "_"))
	return endpoint, endpoint != "", nil
}

// GetIgnoreConfiguredEndpoints returns whether endpoints in the environment are
// ignored, and whether that is set.
func (e sdkEnvironment) GetIgnoreConfiguredEndpoints(context.Context) (value, set bool, err error) {
	return e.flag(ignoreEndpointsVariable)
}

// GetUseDualStackEndpoint returns whether endpoints have IPv6, too, and whether that is set.
func (e sdkEnvironment) GetUseDualStackEndpoint(context.Context) (aws.DualStackEndpointState, bool, error) {
	value, set, err := e.flag(dualStackVariable)
	if value {
		return aws.DualStackEndpointStateEnabled, set, err
	}
	return aws.DualStackEndpointStateDisabled, set, err
}

// GetUseFIPSEndpoint returns whether endpoints are FIPS endpoints, and whether that is set.
func (e sdkEnvironment) GetUseFIPSEndpoint(context.Context) (aws.FIPSEndpointState, bool, error) {
	value, set, err := e.flag(fipsVariable)
	if value {
		return aws.FIPSEndpointStateEnabled, set, err
	}
	return aws.FIPSEndpointStateDisabled, set, err
}

// credentials returns those that Lambda sets: keys, or where an execution environment
// outlives them, the address of a server that has the current ones. Without either,
// it returns nil; calls then fail as unsigned.
func (e sdkEnvironment) credentials(_ context.Context, cfg aws.Config) (aws.CredentialsProvider, error) {
	keys := aws.Credentials{
		AccessKeyID: e.lookup("AWS_ACCESS_KEY_ID"), SecretAccessKey: e.lookup("AWS_SECRET_ACCESS_KEY"),
		SessionToken: e.lookup("AWS_SESSION_TOKEN"), AccountID: e.lookup("AWS_ACCOUNT_ID"), Source: "EnvConfigCredentials",
	}
	if keys.HasKeys() {
		return aws.NewCredentialsCache(credentials.StaticCredentialsProvider{
			Value: keys, Source: []aws.CredentialSource{aws.CredentialSourceEnvVars},
		}), nil
	}
	server := e.lookup("AWS_CONTAINER_CREDENTIALS_FULL_URI")
	if server == "" {
		return nil, fmt.Errorf("the environment has no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_CONTAINER_CREDENTIALS_FULL_URI")
	}
	if err := private(server); err != nil {
		return nil, fmt.Errorf("AWS_CONTAINER_CREDENTIALS_FULL_URI: %w", err)
	}
	return aws.NewCredentialsCache(endpointcreds.New(server, func(o *endpointcreds.Options) {
		o.AuthorizationToken = e.lookup("AWS_CONTAINER_AUTHORIZATION_TOKEN")
		o.HTTPClient, o.APIOptions, o.Retryer = cfg.HTTPClient, cfg.APIOptions, cfg.Retryer()
		o.CredentialSources = []aws.CredentialSource{aws.CredentialSourceHTTP}
	}), func(o *aws.CredentialsCacheOptions) { o.ExpiryWindow = 5 * time.Minute }), nil
}

// private returns an error if credentials from a server could be read on the way: it
// must have HTTPS, or be on this machine.
func private(server string) error {
	parsed, err := url.Parse(server)
	if err != nil {
		return err
	}
	host := parsed.Hostname()
	ip := net.ParseIP(host)
	local := host == "localhost" || ip.IsLoopback() || host == "169.254.170.2" || host == "169.254.170.23" || ip.Equal(net.ParseIP("fd00:ec2::23"))
	if host == "" || parsed.Scheme != "https" && !(parsed.Scheme == "http" && local) {
		return fmt.Errorf("%q must be an HTTPS address, or one of this machine", server)
	}
	return nil
}
