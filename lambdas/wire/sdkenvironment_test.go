package wire_test

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/lambda-rollout/lambda-rollout/lambdas/transport"
	"github.com/lambda-rollout/lambda-rollout/lambdas/wire"
)

// sent is the HTTP client of a configuration: it keeps what would be sent.
type sent struct{ to, signedFor, agent string }

func (s *sent) Do(r *http.Request) (*http.Response, error) {
	credential, _, _ := strings.Cut(r.Header.Get("Authorization"), ",")
	s.to, s.signedFor = r.URL.Host, credential+" "+r.Header.Get("X-Amz-Security-Token")
	for _, part := range strings.Fields(r.UserAgent()) {
		if strings.HasPrefix(part, "app/") {
			s.agent = part
		}
	}
	return nil, errors.New("not sent")
}

// calls returns what a configuration's clients would send.
func calls(cfg aws.Config, err error) string {
	if err != nil {
		return "an error"
	}
	var s [2]sent
	cfg.HTTPClient = &s[0]
	cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	_, _ = cloudwatch.NewFromConfig(cfg).DescribeAlarms(context.Background(), &cloudwatch.DescribeAlarmsInput{})
	cfg.HTTPClient = &s[1]
	_, _ = secretsmanager.NewFromConfig(cfg).GetSecretValue(context.Background(), &secretsmanager.GetSecretValueInput{SecretId: aws.String("s")})
	return fmt.Sprint(s, cfg.DisableClockSkewCorrection)
}

// TestTheEnvironmentIsReadAsTheSDKReadsIt compares the configuration with that of the SDK's module config.
func TestTheEnvironmentIsReadAsTheSDKReadsIt(t *testing.T) {
	for _, variables := range []string{
		"", "AWS_REGION=", "AWS_REGION= AWS_DEFAULT_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1", "AWS_REGION=us-gov-west-1", "AWS_REGION=cn-north-1",
		"AWS_SESSION_TOKEN=token", "AWS_ENDPOINT_URL=http://all", "AWS_ENDPOINT_URL_SECRETS_MANAGER=http://one",
		"AWS_ENDPOINT_URL=http://all AWS_ENDPOINT_URL_CLOUDWATCH=http://one", "AWS_ENDPOINT_URL=http://all AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true",
		"AWS_ENDPOINT_URL_CLOUDWATCH=http://one AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=TRUE", "AWS_ENDPOINT_URL=http://all AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=false",
		"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=yes", "AWS_USE_FIPS_ENDPOINT=true", "AWS_USE_FIPS_ENDPOINT=False", "AWS_USE_FIPS_ENDPOINT=1",
		"AWS_USE_DUALSTACK_ENDPOINT=true", "AWS_USE_DUALSTACK_ENDPOINT=true AWS_USE_FIPS_ENDPOINT=true", "AWS_USE_DUALSTACK_ENDPOINT=no",
		"AWS_SDK_UA_APP_ID=mine", "AWS_DISABLE_CLOCK_SKEW_CORRECTION=true", "AWS_DISABLE_CLOCK_SKEW_CORRECTION=maybe",
		"AWS_AUTH_SCHEME_PREFERENCE=sigv4a,sigv4", "AWS_MAX_ATTEMPTS=9", "AWS_CA_BUNDLE=/nonexistent",
		"AWS_ACCESS_KEY_ID= AWS_SECRET_ACCESS_KEY= AWS_CONTAINER_CREDENTIALS_FULL_URI=http://example.com/",
		"AWS_ACCESS_KEY_ID= AWS_SECRET_ACCESS_KEY= AWS_CONTAINER_CREDENTIALS_FULL_URI=http:///",
	} {
		t.Run(variables, func(t *testing.T) {
			inTheFunctionsEnvironment(t)
			for _, variable := range strings.Fields(variables) {
				name, value, _ := strings.Cut(variable, "=")
				t.Setenv(name, value)
			}
			want := calls(config.LoadDefaultConfig(t.Context(), config.WithHTTPClient(transport.New().BuildableClient)))
			if got := calls(wire.Config(t.Context())); got != want {
				t.Errorf("sends %s, and the SDK %s", got, want)
			}
		})
	}
}

// TestCredentialsOfAServerAreRead with its token, as where an execution environment outlives keys.
func TestCredentialsOfAServerAreRead(t *testing.T) {
	inTheFunctionsEnvironment(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"AccessKeyId": "key", "SecretAccessKey": "secret", "Token": %q, "Expiration": "2100-01-01T00:00:00Z"}`, r.Header.Get("Authorization"))
	}))
	defer server.Close()
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", server.URL)
	t.Setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "a-token")
	cfg, err := wire.Config(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got, err := cfg.Credentials.Retrieve(t.Context())
	if err != nil || got.AccessKeyID != "key" || got.SecretAccessKey != "secret" || got.SessionToken != "a-token" || !got.CanExpire {
		t.Errorf("%+v, %v", got, err)
	}
}

func pemOf(server *httptest.Server) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
}

// TestAuthoritiesOfTheBundleAreTrusted and no others.
func TestAuthoritiesOfTheBundleAreTrusted(t *testing.T) {
	inTheFunctionsEnvironment(t)
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	bundle := filepath.Join(t.TempDir(), "bundle.pem")
	for _, test := range []struct {
		pem     string
		trusted bool
	}{{"", false}, {pemOf(server), true}} {
		if test.pem != "" {
			if err := os.WriteFile(bundle, []byte(test.pem), 0o600); err != nil {
				t.Fatal(err)
			}
			t.Setenv("AWS_CA_BUNDLE", bundle)
		}
		cfg, err := wire.Config(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		r, _ := http.NewRequest(http.MethodGet, server.URL, nil)
		answer, err := cfg.HTTPClient.Do(r)
		if err == nil {
			_ = answer.Body.Close()
		}
		if (err == nil) != test.trusted {
			t.Errorf("with the bundle %q: %v", test.pem, err)
		}
	}
}
