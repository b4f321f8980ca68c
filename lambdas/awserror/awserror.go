// Package awserror says what an error of a client of AWS means to the caller,
// for every service alike. It goes by AWS's error code and, where the answer has
// none, by its HTTP status: what stands between a function and AWS (a proxy, a
// firewall, a load balancer) answers in its own words.
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

// Kind is what an error of a call means.
type Kind int

// The kinds of error.
const (
	// Other is an error that the caller knows by its code, or that is not of a
	// call of AWS.
	Other Kind = iota
	// Throttled: there were too many requests. Any answer with the status 429 is
	// one.
	Throttled
	// Unavailable: AWS failed, or could not be reached. Any answer with a status
	// from 500 is one. The call may have had its effect.
	Unavailable
	// Denied: AWS says that the caller's role, or a policy of a VPC endpoint, does
	// not allow the call.
	Denied
	// Intercepted: the answer has a status below 500 and is not in AWS's format. It
	// is taken for one of something in between, and says nothing of what AWS would
	// answer: a proxy refuses while it starts, or while its rules change.
	Intercepted
)

// between is what may answer in the place of AWS.
const between = "a proxy, firewall or load balancer"

// errHollow is an answer without an error and without content.
var errHollow = errors.New("the response lacks a field that AWS always returns; it probably came from " + between + ", not from AWS")

// Hollow returns an error, of the kind Intercepted, if a field is missing that
// each answer of AWS to such a call has. Something in between that answers with
// success and an empty body would be taken for AWS otherwise.
func Hollow(fields ...*string) error {
	for _, field := range fields {
		if field == nil || *field == "" {
			return errHollow
		}
	}
	return nil
}

// Of returns the kind of an error. Of nil it is Other.
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
	case status >= http.StatusInternalServerError,
		retry.IsErrorRetryables(retry.DefaultRetryables).IsErrorRetryable(err) == aws.TrueTernary,
		errors.Is(err, context.DeadlineExceeded):
		return Unavailable
	case coded && (api.ErrorCode() == "AccessDeniedException" || api.ErrorCode() == "AccessDenied"):
		return Denied
	case status != 0 && !coded:
		return Intercepted
	}
	return Other
}

// Plain returns the error with a text for people in place of the SDK's, if it is
// an answer without AWS's error format; else the error itself. The text has
// nothing of the answer's body.
func Plain(err error) error {
	if text := Answer(err); text != "" {
		return &plain{text, err}
	}
	return err
}

// Answer says who has answered, and with which status, if the answer was not in
// AWS's error format; else it is empty.
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

type plain struct {
	text string
	error
}

func (p *plain) Error() string { return p.text }
func (p *plain) Unwrap() error { return p.error }

// codeless reports whether the SDK has made an error up for an answer that has
// no error code.
func codeless(api smithy.APIError) bool {
	return api.ErrorCode() == "" || api.ErrorCode() == "UnknownError"
}

// statusOf returns the HTTP status of the answer that an error came of, also of
// one that could not be read; 0 if there was none.
func statusOf(err error) int {
	var response *smithyhttp.ResponseError
	if !errors.As(err, &response) || response.Response == nil || response.Response.Response == nil {
		return 0
	}
	return response.HTTPStatusCode()
}
