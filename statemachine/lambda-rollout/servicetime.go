package main

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
)

// mostSkew is how far this machine's clock may be from AWS's before ages and times left go by
// AWS's. Answers have whole seconds, and may be on the way for some.
const mostSkew = time.Minute

// serviceTime is what the answers of the AWS that is called say about it, and its time: this machine's or, if the last answer of AWS
// had another one, that. A local AWS may have a clock that runs faster, and a machine's may be wrong.
type serviceTime struct {
	machine func() time.Time

	mu   sync.Mutex
	skew time.Duration // 0, or more than mostSkew
	// pages means that the AWS is one of serve's, which has pages about its executions.
	pages bool
}

// served is the header Server of serve's answers.
const served = "lambda-rollout"

// page returns the page about an execution of serve's AWS; "" for another one's.
func (s *serviceTime) page(endpoint, execution, noun string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.pages {
		return ""
	}
	page := "execution"
	if noun == "release" {
		page = noun
	}
	return strings.TrimSuffix(endpoint, "/") + consolePath + page + "?" + url.Values{"name": {arn.Name(execution)}}.Encode()
}

// now returns the time of AWS.
func (s *serviceTime) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.machine().Add(s.skew)
}

// hear takes the time of an answer. Only AWS's count: they have a request's ID.
func (s *serviceTime) hear(head http.Header) {
	at, err := http.ParseTime(head.Get("Date"))
	if err != nil || head.Get("X-Amzn-Requestid") == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pages = head.Get("Server") == served
	if s.skew = at.Sub(s.machine()); s.skew.Abs() <= mostSkew {
		s.skew = 0
	}
}

// listen has a client's answers heard.
func (s *serviceTime) listen(stack *middleware.Stack) error {
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("ServiceTime", func(
		ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
	) (middleware.DeserializeOutput, middleware.Metadata, error) {
		out, metadata, err := next.HandleDeserialize(ctx, in)
		if response, ok := out.RawResponse.(*smithyhttp.Response); ok && response != nil {
			s.hear(response.Header)
		}
		return out, metadata, err
	}), middleware.After)
}

// atServiceTime calls read with the time, and again if its answers show that AWS has another one.
// It must change nothing.
func (c *command) atServiceTime(read func(now time.Time) error) error {
	began, now := time.Now(), c.now()
	if err := read(now); err != nil {
		return err
	}
	if passed := c.now().Sub(now) - time.Since(began); c.clock == nil || passed.Abs() <= mostSkew {
		return nil
	}
	return read(c.now())
}
