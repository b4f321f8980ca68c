#!/usr/bin/env bash
# Package:  github.com/aws/smithy-go v1.28.8, the HTTP layer of the AWS SDK for Go v2
#           (here with service/lambda v1.114.2).
#
# Expected: a connection is reused after a call, and a response that the server sent completely is read completely,
#           as with net/http alone.
#
# Seen:     as soon as the response headers arrive, smithy-go closes the request's body. If net/http's writing
#           goroutine has sent that body but has not yet read its end (because it was not scheduled in time), the
#           body's WriteTo returns io.EOF as an error. net/http treats this as a failed write and closes the
#           connection while the response is being read:
#             - responses that arrive at once succeed, but every call dials a new connection;
#             - responses whose body arrives later than their headers fail with "deserialization failed, use of closed
#               network connection", although the function ran. The default retryer then runs it again, in vain.
#
# Matters:  Lambda's Invoke is not idempotent: one call ran the function three times and still returned an error.
#           Goroutines are scheduled late when CPU is scarce, as in a Lambda function with little memory. Reports of
#           this error: aws-sdk-go-v2 issues 1825 and 2737.
#
# How:      in virtual time, over in-memory connections whose Write delivers at once and returns a millisecond later.
#           The server reads each request completely before it responds. net/http alone is run on the same kind of
#           connections for comparison.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

cat > go.mod <<'EOF'
module finding

go 1.26.0

require (
	github.com/aws/aws-sdk-go-v2 v1.47.7
	github.com/aws/aws-sdk-go-v2/credentials v1.20.15
	github.com/aws/aws-sdk-go-v2/service/lambda v1.114.2
	github.com/aws/smithy-go v1.28.8
)
EOF

cat > finding_test.go <<'EOF'
package finding

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/smithy-go/logging"
)

// conn is one end of a pipe that behaves like a TCP connection in a process whose writing goroutine is scheduled late.
type conn struct{ net.Conn }

func (c conn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	time.Sleep(time.Millisecond)
	return n, err
}

func (c conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if errors.Is(err, io.ErrClosedPipe) {
		err = net.ErrClosed // what TCP connections return
	}
	return n, err
}

// server counts connections, and the requests that it read completely.
type server struct {
	pause        time.Duration // between the headers and the body of a response
	dials, calls int
}

func (s *server) dial(context.Context, string, string) (net.Conn, error) {
	s.dials++
	near, far := net.Pipe()
	go func() {
		defer far.Close()
		for r := bufio.NewReader(far); ; {
			request, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			if _, err := io.Copy(io.Discard, request.Body); err != nil {
				return
			}
			s.calls++
			io.WriteString(far, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
			time.Sleep(s.pause)
			io.WriteString(far, "{}")
		}
	}()
	return conn{near}, nil
}

var payload = []byte(`{"new-version":"2"}`)

func plain(c *http.Client) error {
	answer, err := c.Post("http://aws.invalid/", "application/json", bytes.NewReader(payload))
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	_, err = io.ReadAll(answer.Body)
	return err
}

func invoke(c *http.Client, retryer aws.Retryer) error {
	_, err := lambda.New(lambda.Options{
		Region: "eu-central-1", BaseEndpoint: aws.String("http://aws.invalid"), HTTPClient: c, Retryer: retryer,
		Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""), Logger: logging.Nop{},
	}).Invoke(context.Background(), &lambda.InvokeInput{FunctionName: aws.String("f"), Payload: payload})
	return err
}

func TestFinding(t *testing.T) {
	for _, c := range []struct {
		name  string
		pause time.Duration
		call  func(*http.Client) error
		want  string
	}{
		{"net/http, response at once", 0, plain, "0 errors, 5 requests, 1 connections"},
		{"net/http, body a second late", time.Second, plain, "0 errors, 5 requests, 1 connections"},
		{"SDK, response at once", 0, func(c *http.Client) error { return invoke(c, aws.NopRetryer{}) }, "0 errors, 5 requests, 5 connections"},
		{"SDK, body a second late", time.Second, func(c *http.Client) error { return invoke(c, aws.NopRetryer{}) }, "5 errors, 5 requests, 5 connections"},
		{"SDK, body a second late, retries", time.Second, func(c *http.Client) error { return invoke(c, nil) }, "5 errors, 15 requests, 15 connections"},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &server{pause: c.pause}
			transport := &http.Transport{DialContext: s.dial}
			failed, text := 0, ""
			for range 5 {
				if err := c.call(&http.Client{Transport: transport}); err != nil {
					failed++
					text = err.Error()
				}
			}
			got := fmt.Sprintf("%d errors, %d requests, %d connections", failed, s.calls, s.dials)
			fmt.Printf("%-34s 5 calls: %s\n", c.name, got)
			if text != "" {
				fmt.Println("    " + text[strings.Index(text, "deserialization"):])
			}
			if got != c.want {
				t.Errorf("%s: changed: was %s", c.name, c.want)
			}
			transport.CloseIdleConnections()
			time.Sleep(time.Minute) // until the server's goroutines have ended
		})
	}
}
EOF

GOFLAGS=-mod=mod go test -count=1
