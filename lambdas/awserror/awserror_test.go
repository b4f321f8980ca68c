package awserror_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/smithy-go"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/awserror"
	"github.com/lambda-rollout/lambda-rollout/lambdas/health"
	"github.com/lambda-rollout/lambda-rollout/lambdas/health/gates"
	"github.com/lambda-rollout/lambda-rollout/lambdas/health/monitoring"
	"github.com/lambda-rollout/lambda-rollout/lambdas/health/secretstores"
	"github.com/lambda-rollout/lambda-rollout/lambdas/notify"
	"github.com/lambda-rollout/lambda-rollout/lambdas/notify/channels"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task/executions"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task/orders"
)

// ports are all ways in which the functions call AWS, over real clients.
func ports(cfg aws.Config) map[string]func(context.Context) error {
	functions := alias.NewLambda(lambda.NewFromConfig(cfg))
	name := alias.Name{Function: "f", Alias: "live"}
	metrics := monitoring.New(cloudwatch.NewFromConfig(cfg))
	secrets := secretstores.New(secretsmanager.NewFromConfig(cfg), ssm.NewFromConfig(cfg))
	machine := executions.New(sfn.NewFromConfig(cfg))
	const execution = "arn:aws:states:eu-central-1:123456789012:execution:m:x"
	return map[string]func(context.Context) error{
		"lambda GetAlias": func(ctx context.Context) error { _, err := functions.Read(ctx, name); return err },
		"lambda UpdateAlias": func(ctx context.Context) error {
			_, err := functions.Write(ctx, name, alias.Content{Routing: alias.Routing{Version: "1"}}, "r")
			return err
		},
		"lambda GetFunctionConfiguration":           func(ctx context.Context) error { _, err := functions.Version(ctx, "f", "1"); return err },
		"lambda GetProvisionedConcurrencyConfig":    func(ctx context.Context) error { _, err := functions.Allocation(ctx, "f", "live"); return err },
		"lambda PutProvisionedConcurrencyConfig":    func(ctx context.Context) error { return functions.Allocate(ctx, "f", "1", 5) },
		"lambda DeleteProvisionedConcurrencyConfig": func(ctx context.Context) error { return functions.Deallocate(ctx, "f", "1") },
		"lambda Invoke": func(ctx context.Context) error {
			_, err := gates.NewLambda(lambda.NewFromConfig(cfg)).Invoke(ctx, gates.Invocation{Function: "f"})
			return err
		},
		"cloudwatch DescribeAlarms": func(ctx context.Context) error { _, err := metrics.AlarmStates(ctx, []string{"a"}); return err },
		"cloudwatch GetMetricData": func(ctx context.Context) error {
			_, err := metrics.Metrics(ctx, health.Query{Function: "f", Alias: "live", Baseline: "1", NewVersion: "2"})
			return err
		},
		"sns": func(ctx context.Context) error {
			return channels.NewSNS(sns.NewFromConfig(cfg)).Publish(ctx, notify.Message{Topic: "arn:aws:sns:eu-central-1:123456789012:t"})
		},
		"eventbridge": func(ctx context.Context) error {
			return channels.NewEventBridge(eventbridge.NewFromConfig(cfg), "").Put(ctx, notify.Event{Detail: "{}"})
		},
		"ssm GetParameterHistory": func(ctx context.Context) error {
			_, err := orders.New(ssm.NewFromConfig(cfg)).Orders(ctx, "p", time.Time{})
			return err
		},
		"ssm GetParameter":        func(ctx context.Context) error { _, err := secrets.Secret(ctx, "ssm:p"); return err },
		"secretsmanager":          func(ctx context.Context) error { _, err := secrets.Secret(ctx, "secretsmanager:s"); return err },
		"sfn DescribeExecution":   func(ctx context.Context) error { _, err := machine.Describe(ctx, execution); return err },
		"sfn GetExecutionHistory": func(ctx context.Context) error { _, err := machine.Begun(ctx, execution); return err },
		"sfn ListExecutions":      func(ctx context.Context) error { _, err := machine.EndedBadly(ctx, execution, time.Time{}); return err },
	}
}

// page is what a proxy answers with.
const page = "<html><head><title>Blocked</title></head><body><h1>Blocked by policy 4711</h1></body></html>"

// TestAnswersThatAreNotAWSs has a real server answer each port as what stands
// between a function and AWS does: the error is of the status's kind, and says in
// plain words who it was, without a word of what the SDK made of the page.
func TestAnswersThatAreNotAWSs(t *testing.T) {
	const (
		between = "a proxy, firewall or load balancer"
		notAWS  = " (not in AWS's format; it probably came from " + between + ", not from AWS)"
		perhaps = " (not in AWS's error format; it came from AWS, or from " + between + ")"
	)
	for _, answer := range []struct {
		status     int
		kind, body string
		want       awserror.Kind
		says       string
	}{
		{403, "text/html", page, awserror.Intercepted, "HTTP 403 Forbidden" + notAWS},
		{403, "application/json", `{"message":"Forbidden"}`, awserror.Intercepted, "HTTP 403 Forbidden" + notAWS},
		{403, "", "", awserror.Intercepted, "HTTP 403 Forbidden" + notAWS},
		{404, "text/plain", "no such host", awserror.Intercepted, "HTTP 404 Not Found" + notAWS},
		{407, "text/html", page, awserror.Intercepted, "HTTP 407 Proxy Authentication Required" + notAWS},
		{302, "", "", awserror.Intercepted, "HTTP 302 Found" + notAWS},
		{429, "", "", awserror.Throttled, "HTTP 429 Too Many Requests" + perhaps},
		{429, "text/html", page, awserror.Throttled, "HTTP 429 Too Many Requests" + perhaps},
		{500, "", "", awserror.Unavailable, "HTTP 500 Internal Server Error" + perhaps},
		{502, "text/html", page, awserror.Unavailable, "HTTP 502 Bad Gateway" + perhaps},
		{503, "text/html", page, awserror.Unavailable, "HTTP 503 Service Unavailable" + perhaps},
		{511, "text/html", page, awserror.Unavailable, "HTTP 511 Network Authentication Required" + perhaps},
		{599, "", "", awserror.Unavailable, "HTTP 599" + perhaps},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if answer.kind != "" {
				w.Header().Set("Content-Type", answer.kind)
			}
			w.WriteHeader(answer.status)
			fmt.Fprint(w, answer.body)
		}))
		for port, call := range ports(config(server.URL)) {
			err := call(t.Context())
			if got := awserror.Of(err); got != answer.want {
				t.Errorf("%s, HTTP %d %s: kind %d: %v", port, answer.status, answer.kind, got, err)
			}
			text, says := fmt.Sprint(err), answer.says
			var unanswered *gates.InvokeError
			if errors.As(err, &unanswered) { // of which people see the reason alone
				if text = unanswered.Because; answer.want == awserror.Throttled {
					says = "throttled"
				}
			}
			if !strings.HasSuffix(text, says) || strings.Contains(text, "deserializ") || strings.Contains(text, "UnknownError") {
				t.Errorf("%s, HTTP %d %s, says %s", port, answer.status, answer.kind, text)
			}
		}
		server.Close()
	}
}

// TestAPageInTheAnswersPlace: a page with the status 200, as of a login to a network.
func TestAPageInTheAnswersPlace(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, page) }))
	defer server.Close()
	for port, call := range ports(config(server.URL)) {
		switch port {
		case "lambda Invoke": // whose answer may be any text: it is the gate's to judge
			continue
		case "lambda DeleteProvisionedConcurrencyConfig": // whose answer is not read
			continue
		}
		if err := call(t.Context()); awserror.Of(err) != awserror.Intercepted {
			t.Errorf("%s: %v", port, err)
		}
	}
}

// TestNobodyAnswers hangs up, or is not there.
func TestNobodyAnswers(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	for _, closed := range []bool{false, true} {
		if closed {
			server.Close()
		}
		for port, call := range ports(config(server.URL)) {
			if err := call(t.Context()); awserror.Of(err) != awserror.Unavailable || awserror.Answer(err) != "" {
				t.Errorf("%s, closed %v: kind %d: %v", port, closed, awserror.Of(err), err)
			}
		}
	}
}

func config(url string) aws.Config {
	return aws.Config{
		Region: "eu-central-1", BaseEndpoint: &url, Credentials: aws.AnonymousCredentials{},
		Retryer: func() aws.Retryer { return aws.NopRetryer{} },
	}
}

func TestKindsByCode(t *testing.T) {
	for code, want := range map[string]awserror.Kind{
		"AccessDeniedException": awserror.Denied, "AccessDenied": awserror.Denied, "ThrottlingException": awserror.Throttled,
		"RequestTimeout": awserror.Unavailable, "ResourceConflictException": awserror.Other,
	} {
		err := fmt.Errorf("calling: %w", &smithy.GenericAPIError{Code: code, Message: "so it is"})
		if got := awserror.Of(err); got != want {
			t.Errorf("%s: kind %d, want %d", code, got, want)
		}
		if plain := awserror.Plain(err); plain != err {
			t.Errorf("%s has become %v", code, plain)
		}
	}
	if awserror.Of(nil) != awserror.Other || awserror.Plain(nil) != nil || awserror.Of(errors.New("other")) != awserror.Other ||
		awserror.Of(fmt.Errorf("late: %w", context.DeadlineExceeded)) != awserror.Unavailable {
		t.Error("errors of no call")
	}
}
