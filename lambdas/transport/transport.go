// Package transport is how clients of AWS send their requests, and for how long
// they wait.
package transport

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go/middleware"
)

// keptIdle is how long a connection is kept for the next call. AWS closes idle
// ones, some services after 7 to 20 seconds (aws-sdk-go issue 206, aws-sdk-go-v2
// issue 3423), and a function that was frozen since its last invocation has not
// heard of it: its request would be lost, and net/http repeats none that is a
// POST. So connections serve the calls of one invocation.
const keptIdle = 5 * time.Second

// Client is the SDK's HTTP client, without its race over the request's body. When
// the head of an answer is there, smithy-go (1.28.9 too) closes the request's
// body. If the goroutine that wrote it has not yet looked for its end, as happens
// where processors are scarce, the body's WriteTo answers with io.EOF, which
// io.Copy takes for a failure: net/http then closes the connection under the
// reader of the answer, whose call fails with "use of closed network connection".
// A body that can only be read ends as it should.
type Client struct{ *awshttp.BuildableClient }

// New returns a Client that keeps connections for as long as AWS does.
func New() Client {
	return Client{awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) { t.IdleConnTimeout = keptIdle })}
}

// Do sends a request.
func (c Client) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		r = r.WithContext(r.Context()) // a copy, as the caller keeps its own
		r.Body = struct{ io.ReadCloser }{r.Body}
	}
	return c.BuildableClient.Do(r)
}

// Limit returns an option of the SDK's clients (aws.Config.APIOptions) that ends
// each call after a time, its answer's body included, with an error that is a
// context.DeadlineExceeded. The timeout of an HTTP client says so only by chance:
// in the middle of an answer it may end as "use of closed network connection".
func Limit(limit time.Duration) func(*middleware.Stack) error {
	return func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("CallLimit", func(
			ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
		) (middleware.InitializeOutput, middleware.Metadata, error) {
			limited, cancel := context.WithTimeout(ctx, limit)
			defer cancel()
			out, metadata, err := next.HandleInitialize(limited, in)
			if err != nil && limited.Err() != nil && ctx.Err() == nil {
				err = fmt.Errorf("no answer within %s: %w", limit, limited.Err())
			}
			return out, metadata, err
		}), middleware.Before)
	}
}
