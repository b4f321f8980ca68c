// Package transport sends the requests of AWS SDK clients: [New] returns their HTTP
// client, and [Limit] their time limit for each call.
package transport

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go/middleware"
)

// keptIdle limits how long an idle connection is kept for the next call. AWS closes
// idle connections, some services after 7 to 20 seconds (aws-sdk-go issue 206,
// aws-sdk-go-v2 issue 3423), and a function that was frozen since its last
// invocation does not notice: its request would be lost, and net/http does not
// retry a POST. So connections serve the calls of one invocation.
const keptIdle = 5 * time.Second

// Client is the SDK's HTTP client. It sends a request's body from a copy in memory, for
// two reasons. net/http then writes the head and the body of a small request at once; it
// writes the head first if it does not know where a body comes from. And the SDK can't
// close the body too early: smithy-go (1.28.9 too) closes it when the head of a response
// has arrived. If net/http has not yet looked for the body's end, as happens where
// processors are scarce, it then takes that for a failure and closes the connection
// while the response is read: "use of closed network connection".
type Client struct{ *awshttp.BuildableClient }

// New returns a Client that closes connections after 5 idle seconds, before AWS
// does.
func New() Client {
	return Client{awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) { t.IdleConnTimeout = keptIdle })}
}

// Do sends a request and returns its response, as http.Client.Do does.
func (c Client) Do(r *http.Request) (*http.Response, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return c.BuildableClient.Do(r)
	}
	body, err := io.ReadAll(r.Body)
	if err = errors.Join(err, r.Body.Close()); err != nil {
		return nil, fmt.Errorf("read the request's body: %w", err)
	}
	r = r.WithContext(r.Context()) // a copy, as the caller keeps its own
	r.Body = io.NopCloser(bytes.NewReader(body))
	return c.BuildableClient.Do(r)
}

// Limit returns an option of SDK clients (aws.Config.APIOptions) that ends each
// call after limit, including the reading of the response's body, with an error
// that wraps context.DeadlineExceeded. The timeout of an HTTP client does not
// always: while a response is read, it may end as "use of closed network
// connection".
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
