package localaws

import (
	"context"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// A typed client is an SDK client whose most frequent operations are answered without the wire: the operation receives the
// SDK's input and returns the SDK's output, and nothing is encoded and decoded in between. Whatever else makes up a call stays
// the same: its latency, BeforeCall, BeforeFunction and OnCall, its request id, and the end of its context. The caller can't notice a
// difference, except in an output's ResultMetadata, which is empty.
//
// A call goes over the wire if the Server has limits, if a fault for its operation is in force, if it is made through a socket, if
// the client would retry it, and if the wire could change its input. Of a call's options, only the HTTP client and the retryer
// count: paginators give each call others. Errors go over the wire, too: the SDK reads them from what the wire would have carried.

// typed is what typed clients have in common. The zero value sends everything over the wire.
type typed struct {
	server    *Server // nil for clients that are not in this process, and for those of a Server with limits
	principal string  // who makes the calls; empty for none
}

// typedBy returns what a typed client with that configuration needs.
func (s *Server) typedBy(cfg aws.Config) typed {
	if c, ok := cfg.HTTPClient.(client); ok && c.server == s && s.limits == nil {
		return typed{s, c.principal}
	}
	return typed{}
}

// Bypasses reports whether typed clients with that configuration would ever do without the wire.
func (s *Server) Bypasses(cfg aws.Config) bool { return s.typedBy(cfg).server != nil }

// changed returns the options of a client as a call's own options change them. They must not be modified.
func changed[Options any](of *Options, by []func(*Options)) *Options {
	if len(by) == 0 {
		return of
	}
	own := *of
	for _, change := range by {
		change(&own)
	}
	return &own
}

// bypasses reports whether a call of an operation can do without the wire, as far as its caller, the faults, and the HTTP client
// and the retryer of its options go. An attempt may only be made once without the wire.
func (t typed) bypasses(ctx context.Context, operation string, transport any, retryer aws.Retryer) bool {
	_, once := retryer.(aws.NopRetryer)
	return t.server != nil && once && transport == any(client(t)) && context.Cause(ctx) == nil && !t.server.faults.concern(operation)
}

// concern reports whether a fault is in force that counts calls of the operation.
func (fs *faults) concern(operation string) bool {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	for _, i := range fs.inForce {
		if i.fault.Operation == operation || i.fault.Operation == Every {
			return true
		}
	}
	return false
}

// perform makes a call of a service, as Server.answerAs does. Needs returns the permissions that it needs, and do has the effect. A
// call without an answer returns what the SDK has to read instead.
func perform[Out any](ctx context.Context, t typed, svc service, call Call, needs func() ([]need, *apiError), do func() (*Out, *apiError)) (*Out, *carried) {
	s := t.server
	s.sleep(s.options.Latency)
	s.before(call.Operation, call.Target, svc)
	var out *Out
	refused := s.allow(svc, t.principal, needs)
	if refused == nil {
		out, refused = do()
	}
	id := s.requests.Add(1)
	call.Status = http.StatusOK
	if refused != nil {
		call.Status, call.Code = refused.status, refused.code
	}
	if s.options.OnCall != nil {
		s.options.OnCall(call)
	}
	err := context.Cause(ctx)
	if refused == nil && err == nil {
		return out, nil
	}
	lost := &carried{err: err, during: during{ctx, make(chan struct{})}}
	if refused != nil {
		lost.code = refused.code
		lost.answer = svc.refusal(refused)
		lost.answer.header["X-Amzn-Requestid"] = []string{identifier(id)}
	}
	return nil, lost
}

// always returns a function that returns one permission.
func always(needed need) func() ([]need, *apiError) {
	return func() ([]need, *apiError) { return []need{needed}, nil }
}

// carried is an HTTP client with the answer, or the error, of a call that has taken place. The SDK has to call it once, with
// the context during.
type carried struct {
	answer reply
	code   string // of an answer that is an error
	err    error
	during during
}

// Do implements [aws.HTTPClient].
func (c *carried) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer r.Body.Close()
	}
	close(c.during.over)
	return respond(r, c.answer, c.err)
}

// during is the context of a call that has taken place. If it has ended meanwhile, it does so only when the call is over.
type during struct {
	context.Context
	over chan struct{}
}

// Done implements [context.Context].
func (d during) Done() <-chan struct{} {
	if d.Context.Err() == nil {
		return d.Context.Done()
	}
	return d.over
}

// Err implements [context.Context].
func (d during) Err() error {
	select {
	case <-d.over:
		return d.Context.Err()
	default:
		return nil
	}
}
