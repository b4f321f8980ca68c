#!/usr/bin/env bash
# Package:  github.com/aws/aws-sdk-go-v2 v1.47.7, credentials v1.20.15, service/lambda v1.114.2.
#
# Expected: a call that AWS answers with AccessDeniedException fails after one attempt, whatever the clock of the
#           machine says: a signature that is too old has errors of its own, such as SignatureDoesNotMatch.
#
# Seen:     if the answer's Date differs from the machine's clock by more than four minutes, and the client does not
#           know that yet, the error is taken for one of clock skew: it is retried once with a corrected time. With
#           aws.NopRetryer, which makes one attempt, the error that the caller gets says that it is retryable. The
#           client's second call is not retried, because it knows the difference by then.
#
# Matters:  code that asks the SDK whether an error is retryable, to tell a missing permission from a passing failure,
#           sees a missing permission as passing on machines with a wrong clock, but only in a client's first call.
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
)
EOF

cat > main.go <<'EOF'
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

func main() {
	for _, ahead := range []time.Duration{0, 10 * time.Minute} {
		calls := 0
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			calls++
			w.Header().Set("Date", time.Now().Add(ahead).UTC().Format(http.TimeFormat))
			w.Header().Set("X-Amzn-ErrorType", "AccessDeniedException")
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `{"Message": "no"}`)
		}))
		cfg := aws.Config{Region: "eu-central-1", BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("id", "key", "")}
		call := func(client *lambda.Client) error {
			_, err := client.GetAlias(context.Background(), &lambda.GetAliasInput{FunctionName: aws.String("f"), Name: aws.String("a")})
			return err
		}
		client := lambda.NewFromConfig(cfg)
		_ = call(client)
		first := calls
		_ = call(client)
		cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
		var retryable interface{ RetryableError() bool }
		found := errors.As(call(lambda.NewFromConfig(cfg)), &retryable) && retryable.RetryableError()
		fmt.Printf("ahead %s: first call %d, second call %d attempts, said to be retryable: %v\n", ahead, first, calls-first-1, found)
		server.Close()
	}
}
EOF
go mod tidy >/dev/null 2>&1
seen=$(go run .)
want='ahead 0s: first call 1, second call 1 attempts, said to be retryable: false
ahead 10m0s: first call 2, second call 1 attempts, said to be retryable: true'
if [ "$seen" != "$want" ]; then
  printf 'it has changed. Seen:\n%s\nwant:\n%s\n' "$seen" "$want" >&2
  exit 1
fi
echo "$seen"
