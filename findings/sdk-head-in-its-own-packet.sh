#!/usr/bin/env bash
# Package:  github.com/aws/smithy-go v1.28.9, the HTTP layer of the AWS SDK for Go v2 (here with service/lambda v1.115.0).
#
# Expected: a call's request is written like any request of net/http with a body in memory: head and body in one write,
#           so in one packet, and in one record of TLS.
#
# Seen:     two writes. net/http writes the head by itself before a body that it must wait for, and recognises a body
#           in memory by its type. smithy-go wraps the body, so its type is unknown, though it is a bytes.Reader.
#
# Matters:  each call of each client costs one more system call, packet and record. In a Lambda function with little
#           memory, that can be seen in the CPU time of an invocation.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

cat > go.mod <<'EOG'
module finding

go 1.26.0

require (
	github.com/aws/aws-sdk-go-v2 v1.48.0
	github.com/aws/aws-sdk-go-v2/credentials v1.21.0
	github.com/aws/aws-sdk-go-v2/service/lambda v1.115.0
	github.com/aws/smithy-go v1.28.9
)
EOG

cat > main.go <<'EOG'
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

// counted counts the writes to a connection.
type counted struct {
	net.Conn
	writes *atomic.Int64
}

func (c counted) Write(p []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(p)
}

func main() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, "{}")
	}))
	defer server.Close()
	var writes atomic.Int64
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		return counted{conn, &writes}, err
	}}}
	const payload = `{"some": "input"}`

	response, err := client.Post(server.URL, "application/json", strings.NewReader(payload))
	if err != nil {
		panic(err)
	}
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
	fmt.Println("net/http:", writes.Swap(0))

	calls := lambda.New(lambda.Options{Region: "eu-central-1", BaseEndpoint: aws.String(server.URL), HTTPClient: client,
		Credentials: credentials.NewStaticCredentialsProvider("key", "secret", "")})
	if _, err := calls.Invoke(context.Background(), &lambda.InvokeInput{FunctionName: aws.String("f"), Payload: []byte(payload)}); err != nil {
		panic(err)
	}
	fmt.Println("SDK:", writes.Load())
}
EOG
go mod tidy >/dev/null 2>&1
seen=$(go run .)
echo "writes of one request with a body in memory:"
echo "$seen"
if [[ $seen != $'net/http: 1\nSDK: 2' ]]; then
  echo "it has changed: net/http took 1 write, and the SDK 2" >&2
  exit 1
fi
