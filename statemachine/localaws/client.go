package localaws

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/lambda-rollout/lambda-rollout/lambdas/transport"
)

// inProcess is the base endpoint of clients that need no socket. No resolver knows the name.
const inProcess = "http://aws.local.invalid"

// Config returns the configuration of SDK clients that call s in their own goroutine, without a socket. Clients do not
// retry: every retry in a rehearsal is the state machine's.
func (s *Server) Config() aws.Config {
	cfg := s.ConfigAt(inProcess)
	cfg.HTTPClient = client{server: s}
	cfg.Credentials = aws.AnonymousCredentials{} // signing would take a quarter of a call's time, and nothing checks it
	return cfg
}

// ConfigAt returns the configuration of SDK clients that call s over HTTP, where another server serves it at the endpoint,
// such as "http://127.0.0.1:8080".
func (s *Server) ConfigAt(endpoint string) aws.Config {
	return aws.Config{
		Region:       s.options.Region,
		BaseEndpoint: aws.String(endpoint),
		HTTPClient:   transport.New(),
		Retryer:      func() aws.Retryer { return aws.NopRetryer{} },
		Credentials:  keyOf(anonymousKey),
	}
}

// Client returns an HTTP client that calls s directly. Its errors are those of a real transport: a [url.Error] that wraps
// [io.ErrUnexpectedEOF] for a cut connection, or the context's error when that ended first.
func (s *Server) Client() aws.HTTPClient { return client{server: s} }

// client implements Client, for one principal.
type client struct {
	server    *Server
	principal string // who makes the calls; empty for none
}

// Do implements [aws.HTTPClient].
func (c client) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer r.Body.Close()
	}
	err := context.Cause(r.Context())
	var answer reply
	if err == nil {
		answer, err = c.server.answer(r, c.principal)
	}
	return respond(r, answer, err)
}

// respond returns the answer to a request, or its error, as an HTTP client does.
func respond(r *http.Request, answer reply, err error) (*http.Response, error) {
	if errors.Is(err, errCut) {
		err = fmt.Errorf("net/http: HTTP/1.x transport connection broken: %w", io.ErrUnexpectedEOF)
	}
	if err != nil {
		return nil, &url.Error{Op: r.Method[:1] + strings.ToLower(r.Method[1:]), URL: r.URL.String(), Err: err}
	}
	return &http.Response{
		Status:        strconv.Itoa(answer.status) + " " + http.StatusText(answer.status),
		StatusCode:    answer.status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        answer.header,
		Body:          io.NopCloser(bytes.NewReader(answer.body)),
		ContentLength: int64(len(answer.body)),
		Request:       r,
	}, nil
}

// ServeHTTP implements [http.Handler]. A cut closes the connection in the middle of the response's header: a client that
// received no byte at all might retry some requests by itself, and the caller would not see the cut.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.serve(w, r, false) }

// serve implements ServeHTTP and ServeRead.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, reads bool) {
	answer, err := s.answerAs(r, principalOf(r), reads)
	if err != nil {
		if hijacker, ok := w.(http.Hijacker); ok {
			if conn, _, err := hijacker.Hijack(); err == nil {
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nConnection: close\r\n") // if the write fails, the connection is cut anyway
				_ = conn.Close()
				return
			}
		}
		panic(http.ErrAbortHandler)
	}
	answer.write(w)
}

// write writes the answer as that of an HTTP server.
func (a reply) write(w http.ResponseWriter) {
	header := w.Header()
	for name, values := range a.header {
		header[name] = values
	}
	header.Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // a client that has gone receives nothing, as with AWS
}

// Refuse answers a request with an error in the request's own protocol, so that AWS's clients show it. It is for requests that do
// not reach a Server.
func Refuse(w http.ResponseWriter, r *http.Request, status int, code, message string) {
	newUnknownService(r).refusal(&apiError{status, code, message}).write(w)
}
