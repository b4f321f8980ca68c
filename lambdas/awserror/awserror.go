// Package awserror classifies the errors of AWS SDK clients, for all services
// alike: [Of] returns the [Kind] of an error, and [Plain] gives it a readable text.
//
// It uses AWS's error code and, where the response has none, its HTTP
// status: a proxy, firewall or load balancer between a function and AWS responds
// in its own format.
package awserror

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Kind classifies the error of a call by what it means to the caller.
type Kind int

// The kinds of error.
const (
	// Other is an error that the caller has to know by its code, or that does not
	// come from a call of AWS.
	Other Kind = iota
	// Throttled means that there were too many requests. It includes every response
	// with the status 429.
	Throttled
	// Unavailable means that AWS failed or could not be reached. It includes every
	// response with a status from 500. The call may have had its effect.
	Unavailable
	// Denied means that the caller's role, or the policy of a VPC endpoint, does not
	// allow the call.
	Denied
	// Intercepted means that the response has a status below 500 and is not in AWS's
	// format. It probably comes from something in between, and does not show how AWS
	// would respond: a proxy refuses while it starts, or while its rules change.
	Intercepted
)

// between names what may respond in place of AWS.
const between = "a proxy, firewall or load balancer"

// errHollow is the error of a response without an error and without content.
var errHollow = errors.New("the response lacks a field that AWS always returns; it probably came from " + between + ", not from AWS")

// Hollow returns an error of the kind Intercepted if one of fields, which every
// response of AWS to such a call has, is nil or empty; nil otherwise. Without it,
// a success with an empty body from something in between would pass for AWS's.
func Hollow(fields ...*string) error {
	for _, field := range fields {
		if field == nil || *field == "" {
			return errHollow
		}
	}
	return nil
}

// Of returns the kind of err. The kind of nil is Other.
func Of(err error) Kind {
	var api smithy.APIError
	coded := errors.As(err, &api) && !codeless(api)
	status := statusOf(err)
	switch {
	case err == nil:
		return Other
	case errors.Is(err, errHollow):
		return Intercepted
	case status == http.StatusTooManyRequests,
		retry.IsErrorThrottles(retry.DefaultThrottles).IsErrorThrottle(err) == aws.TrueTernary:
		return Throttled
	case coded && (api.ErrorCode() == "AccessDeniedException" || api.ErrorCode() == "AccessDenied"):
		// Before what can be retried: where AWS's clock is minutes from this machine's, the SDK takes
		// that for a reason of the refusal, and retries.
		return Denied
	case status >= http.StatusInternalServerError,
		retry.IsErrorRetryables(retry.DefaultRetryables).IsErrorRetryable(err) == aws.TrueTernary,
		errors.Is(err, context.DeadlineExceeded):
		return Unavailable
	case status != 0 && !coded:
		return Intercepted
	}
	return Other
}

// Plain returns err with the text of [Answer] if it is a response that is not in
// AWS's error format, and err itself otherwise. The text contains nothing of the
// response's body. The result wraps err.
func Plain(err error) error {
	if text := Answer(err); text != "" {
		return &plain{text, err}
	}
	return err
}

// Answer returns a text that says who probably responded, and with which status,
// if err is a response that is not in AWS's error format; "" otherwise.
func Answer(err error) string {
	var api smithy.APIError
	status := statusOf(err)
	if status == 0 || errors.As(err, &api) && !codeless(api) {
		return ""
	}
	text := fmt.Sprintf("HTTP %d", status)
	if name := http.StatusText(status); name != "" {
		text += " " + name
	}
	if Of(err) == Intercepted {
		return text + " (not in AWS's format; it probably came from " + between + ", not from AWS)"
	}
	return text + " (not in AWS's error format; it came from AWS, or from " + between + ")"
}

// plain is an error with another text.
type plain struct {
	text string
	error
}

func (p *plain) Error() string { return p.text }
func (p *plain) Unwrap() error { return p.error }

// codeless reports whether the SDK made up the error for a response that has no
// error code.
func codeless(api smithy.APIError) bool {
	return api.ErrorCode() == "" || api.ErrorCode() == "UnknownError"
}

// statusOf returns the HTTP status of the response behind an error, even if the
// response could not be read; 0 if there was none.
func statusOf(err error) int {
	var response *smithyhttp.ResponseError
	if !errors.As(err, &response) || response.Response == nil || response.Response.Response == nil {
		return 0
	}
	return response.HTTPStatusCode()
}
