package rollouts

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aws/smithy-go"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Explain returns err in words if it is the error of a call of AWS, and err itself otherwise,
// or if it wraps one that is in words already.
func Explain(err error) error {
	if err == nil || errors.As(err, new(*Failure)) || errors.As(err, new(*LostError)) {
		return err
	}
	call := callOf(err)
	if call == "" { // a task's errors have AWS's as text only
		if action := deniedAction.FindStringSubmatch(err.Error()); action != nil {
			return &Failure{Trouble: Denied, err: err, text: fmt.Sprintf("the AWS credentials don't allow %s: %s", action[1], rollout.OneLine(err.Error()))}
		}
		return err
	}
	if trouble := TroubleOf(err); trouble == Unexpected || trouble == NotFound && !noMachine(err) {
		return &Failure{Trouble: trouble, err: err, text: fmt.Sprintf("%s failed: %s", call, rollout.OneLine(lastWords(err)))}
	}
	return inWords(err, call, "the call "+call)
}

// prefixes are IAM's names of the services, by the SDK's.
var prefixes = map[string]string{"SFN": "states", "Lambda": "lambda", "SSM": "ssm", "CloudWatch": "cloudwatch", "CloudFormation": "cloudformation"}

// callOf returns the call that failed, as IAM names actions; "" if err comes from none.
func callOf(err error) string {
	var operation *smithy.OperationError
	if !errors.As(err, &operation) {
		return ""
	}
	return Action(operation.Service(), operation.Operation())
}

// Action returns the name that IAM has for an operation of a service of the SDK.
func Action(service, operation string) string {
	prefix, ok := prefixes[service]
	if !ok {
		prefix = strings.ToLower(service)
	}
	return prefix + ":" + operation
}

// NotDone reports whether AWS has refused a call because of the credentials or what they
// allow, so that it had no effect.
func NotDone(err error) bool {
	trouble := TroubleOf(err)
	return trouble == Denied || trouble == Credentials
}

// IsNotFound reports whether there is no such rollout.
func IsNotFound(err error) bool {
	var failure *Failure
	return errors.As(err, &failure) && failure.Trouble == NotFound
}
