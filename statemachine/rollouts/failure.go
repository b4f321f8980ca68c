package rollouts

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go"

	"github.com/lambda-rollout/lambda-rollout/lambdas/awserror"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Trouble classifies why a call of AWS failed by what a user can do about it.
type Trouble int

// The troubles.
const (
	Unexpected  Trouble = iota
	Lost                // AWS can't be reached
	Unavailable         // AWS, or what is between, does not answer as it should
	Throttled           // too many calls
	Credentials         // they have expired, are wrong, or there are none
	Denied              // they don't allow the call
	NotFound            // there is no such execution or state machine
)

// Passing reports whether the same call may succeed later, without another command line.
func (t Trouble) Passing() bool {
	return t == Lost || t == Unavailable || t == Throttled || t == Credentials
}

// signing are the codes with which AWS refuses credentials, of all its protocols.
var signing = map[string]bool{
	"ExpiredToken": true, "ExpiredTokenException": true, "InvalidClientTokenId": true, "UnrecognizedClientException": true,
	"InvalidSignatureException": true, "SignatureDoesNotMatch": true, "IncompleteSignature": true, "IncompleteSignatureException": true,
	"MissingAuthenticationToken": true, "MissingAuthenticationTokenException": true, "RequestExpired": true, "AuthFailure": true,
	"InvalidAccessKeyId": true, "TokenRefreshRequired": true, "UnauthorizedException": true, "InvalidGrantException": true,
}

// TroubleOf classifies an error of the SDK.
func TroubleOf(err error) Trouble {
	var api smithy.APIError
	var network net.Error
	coded := errors.As(err, &api)
	switch {
	case coded && signing[api.ErrorCode()], unsigned(err):
		return Credentials
	case coded && (api.ErrorCode() == "ExecutionDoesNotExist" || api.ErrorCode() == "StateMachineDoesNotExist"):
		return NotFound
	case awserror.Of(err) == awserror.Denied:
		return Denied
	case awserror.Of(err) == awserror.Throttled:
		return Throttled
	case !coded && (errors.As(err, &network) || errors.Is(err, context.DeadlineExceeded)):
		return Lost
	case awserror.Of(err) == awserror.Unavailable, awserror.Of(err) == awserror.Intercepted:
		return Unavailable
	}
	return Unexpected
}

// unsigned reports whether a call failed because there were no credentials to sign it with.
func unsigned(err error) bool {
	return strings.Contains(err.Error(), "failed to refresh cached credentials") ||
		strings.Contains(err.Error(), "get identity: get credentials")
}

// keyless reports whether a call failed because nothing has credentials: the SDK looks last for
// those of a role of the machine, which most machines don't have.
func keyless(err error) bool {
	var empty *credentials.StaticCredentialsEmptyError
	return unsigned(err) && (errors.As(err, &empty) || strings.Contains(err.Error(), "EC2 IMDS"))
}

// noMachine reports whether AWS does not know the state machine.
func noMachine(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == "StateMachineDoesNotExist"
}

// Failure is the error of a call of AWS, in words that say what to do.
type Failure struct {
	Trouble Trouble
	text    string
	err     error
}

func (f *Failure) Error() string { return f.text }
func (f *Failure) Unwrap() error { return f.err }

// FailureOf returns err as a *Failure whose text is complete. It wraps nothing.
func FailureOf(err error) *Failure { return &Failure{Trouble: Unexpected, text: err.Error()} }

// deniedAction matches the action that AWS names when it denies a call.
var deniedAction = regexp.MustCompile(`perform: ([a-z0-9-]+:[A-Za-z]+)`)

// inWords returns the error of a call in words. action is the IAM action that the call needs,
// and what is what was to be read: "the rollout x".
func inWords(err error, action, what string) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	f := &Failure{Trouble: TroubleOf(err), err: err}
	said := rollout.Shorten(rollout.OneLine(lastWords(err)), 500)
	switch f.Trouble {
	case Lost:
		f.text = fmt.Sprintf("AWS can't be reached for %s: check the network, the Region, and AWS_ENDPOINT_URL if it is set: %s", what, said)
	case Unavailable:
		f.text = fmt.Sprintf("AWS does not answer for %s; try again: %s", what, said)
	case Throttled:
		f.text = fmt.Sprintf("AWS has too many calls of this account for %s; try again in a minute: %s", what, said)
	case Credentials:
		if keyless(err) {
			f.text = fmt.Sprintf("there are no AWS credentials for %s: %s", what, beginning())
			break
		}
		f.text = fmt.Sprintf("the AWS credentials for %s have expired or are not valid: %s: %s", what, renewal(), said)
	case Denied:
		if found := deniedAction.FindStringSubmatch(said); found != nil {
			action = found[1]
		}
		f.text = fmt.Sprintf("the AWS credentials don't allow %s, which is needed for %s: %s", action, what, said)
	case NotFound:
		if noMachine(err) {
			f.text = "there is no such state machine: check --state-machine, STATE_MACHINE_ARN, and that the Region and the account are the stack's: " + said
			break
		}
		f.text = fmt.Sprintf("there is no %s (Step Functions keeps executions for 90 days after they end). lambda-rollout list --all lists what exists", strings.TrimPrefix(what, "the "))
		if name, ok := strings.CutPrefix(what, "the rollout "); ok {
			f.text += ". If it is a release: lambda-rollout release get " + name
		}
	default:
		f.text = fmt.Sprintf("%s can't be read: %s", what, said)
	}
	return f
}

// renewal says how to renew the credentials that the environment asks for.
func renewal() string {
	switch {
	case os.Getenv("AWS_ACCESS_KEY_ID") != "":
		return "set AWS_ACCESS_KEY_ID and its companions again, in a new call of this command"
	case os.Getenv("AWS_PROFILE") != "":
		return "renew them, as with aws sso login --profile " + rollout.OneLine(os.Getenv("AWS_PROFILE"))
	}
	return "renew them, as with aws sso login"
}

// beginning says how to get credentials where there are none.
func beginning() string {
	if (os.Getenv("AWS_ACCESS_KEY_ID") == "") != (os.Getenv("AWS_SECRET_ACCESS_KEY") == "") {
		return "set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; only one of them is set"
	}
	return "sign in, as with aws sso login, name a profile that has some with --profile or AWS_PROFILE, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
}

// lastWords returns what AWS said, without the SDK's list of operations around it.
func lastWords(err error) string {
	var api smithy.APIError
	if text := awserror.Answer(err); text != "" {
		return text
	}
	if errors.As(err, &api) {
		return api.ErrorCode() + ": " + api.ErrorMessage()
	}
	var canceled *aws.RequestCanceledError
	if errors.As(err, &canceled) {
		return "no answer in time"
	}
	var network *net.OpError
	if errors.As(err, &network) {
		return network.Error()
	}
	return err.Error()
}
