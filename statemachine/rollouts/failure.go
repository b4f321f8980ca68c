package rollouts

import (
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/lambda-rollout/lambda-rollout/lambdas/awserror"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Failure is the error of a call of AWS with a text that says what to do. It wraps the
// SDK's error.
type Failure struct {
	Text string
	Err  error
}

func (f *Failure) Error() string { return f.Text }
func (f *Failure) Unwrap() error { return f.Err }

// expired are the codes of AWS for credentials that are no longer valid, or never were.
var expired = []string{"ExpiredToken", "ExpiredTokenException", "RequestExpired", "UnrecognizedClientException", "InvalidClientTokenId", "InvalidSignatureException", "IncompleteSignature"}

// Explain returns err with a clear text if it is the error of a call of AWS, and err itself
// otherwise, or if it wraps one that is explained.
func Explain(err error) error {
	if errors.As(err, new(*Failure)) {
		return err
	}
	if text := explanation(err); text != "" {
		return &Failure{Text: text, Err: err}
	}
	return err
}

func explanation(err error) string {
	var api smithy.APIError
	var session *ssocreds.InvalidTokenError
	coded := errors.As(err, &api)
	call := callOf(err)
	switch {
	case err == nil || errors.Is(err, context.Canceled) || errors.As(err, new(*Lost)):
		return ""
	case call == "": // a task's errors have AWS's as text only
		if action := performed.FindStringSubmatch(err.Error()); action != nil {
			return fmt.Sprintf("permission is missing: %s. AWS says: %s", action[1], rollout.OneLine(err.Error()))
		}
		return ""
	case errors.As(err, &session):
		return "the SSO session has expired: sign in again with aws sso login, and repeat the command"
	case coded && slices.Contains(expired, api.ErrorCode()):
		return fmt.Sprintf("AWS does not accept the credentials any more (%s): sign in again, and repeat the command", api.ErrorCode())
	case strings.Contains(err.Error(), "get credentials:"):
		return "there are no valid credentials: sign in, or name a profile with --profile. " + lastOf(err)
	}
	switch kind := awserror.Of(err); {
	case kind == awserror.Denied:
		return fmt.Sprintf("permission is missing: %s. AWS says: %s", actionOf(err, call), rollout.OneLine(api.ErrorMessage()))
	case kind == awserror.Throttled:
		return fmt.Sprintf("AWS throttles %s, also after retries: wait a minute, and repeat the command", call)
	case awserror.Answer(err) != "":
		return fmt.Sprintf("%s failed: %s", call, awserror.Answer(err))
	case unanswered(err):
		return fmt.Sprintf("AWS can't be reached (%s): check the network, the Region and AWS_ENDPOINT_URL. %s", call, lastOf(err))
	case coded:
		return fmt.Sprintf("%s failed with %s: %s", call, rollout.OneLine(api.ErrorCode()), rollout.OneLine(api.ErrorMessage()))
	}
	return ""
}

// prefixes are IAM's names of the services, by the SDK's.
var prefixes = map[string]string{"SFN": "states", "Lambda": "lambda", "SSM": "ssm", "CloudWatch": "cloudwatch", "CloudFormation": "cloudformation", "STS": "sts"}

// callOf returns the call that failed, as IAM names actions; "" if err comes from none.
func callOf(err error) string {
	var operation *smithy.OperationError
	if !errors.As(err, &operation) {
		return ""
	}
	service, ok := prefixes[operation.Service()]
	if !ok {
		service = strings.ToLower(operation.Service())
	}
	return service + ":" + operation.Operation()
}

// performed matches the action in AWS's text of a denied call.
var performed = regexp.MustCompile(`not authorized to perform: ([a-z0-9-]+:[A-Za-z0-9]+)`)

// actionOf returns the action that a denied call needs: AWS names it, and it may differ from
// the call's.
func actionOf(err error, call string) string {
	if found := performed.FindStringSubmatch(err.Error()); found != nil {
		return found[1]
	}
	return call
}

// unanswered reports whether no response came.
func unanswered(err error) bool {
	var response *smithyhttp.ResponseError
	var sent *smithyhttp.RequestSendError
	var network net.Error
	return (!errors.As(err, &response) || response.HTTPStatusCode() == 0) && (errors.As(err, &sent) || errors.As(err, &network) || errors.Is(err, context.DeadlineExceeded))
}

// lastOf returns the text of the innermost error.
func lastOf(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return rollout.OneLine(err.Error())
		}
		err = inner
	}
}

// Denied reports whether AWS has refused a call because of a permission or of the
// credentials, so that it had no effect.
func Denied(err error) bool {
	var api smithy.APIError
	return awserror.Of(err) == awserror.Denied || errors.As(err, &api) && slices.Contains(expired, api.ErrorCode())
}
