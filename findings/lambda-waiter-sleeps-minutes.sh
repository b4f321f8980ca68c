#!/usr/bin/env bash
# Package:  github.com/aws/aws-sdk-go-v2/service/lambda v1.114.2 (waiter arithmetic in smithy-go v1.28.8).
#
# Expected: NewPublishedVersionActiveWaiter polls as AWS documents for the waiter of that name in the CLI and in boto3:
#           every 5 seconds, at most 312 times. A ready version is detected within 5 seconds.
#
# Seen:     the Go SDK multiplies the two numbers and uses 1,560 seconds (26 minutes) as the longest pause between
#           two polls. Pauses are random, between 5 seconds and a bound that doubles with every poll, so a wait of
#           26 minutes takes a dozen polls instead of 312. A version that was ready after 10 minutes was detected
#           almost six minutes late on average, and sixteen minutes late at worst.
#
# Matters:  a rollout that begins when the new version is Active begins minutes late, at random, while a pipeline
#           paid by the minute waits. Set MaxDelay to MinDelay in the waiter's options for the documented interval.
#
# How:      200 waits in virtual time, with a seeded source of randomness; each poll takes 10 ms.
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
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	smithyrand "github.com/aws/smithy-go/rand"
)

type do func(*http.Request) (*http.Response, error)

func (f do) Do(r *http.Request) (*http.Response, error) { return f(r) }

// wait waits for a version that becomes Active after ready. It returns how late that was detected, and the number of polls.
func wait(t *testing.T, ready time.Duration, options ...func(*lambda.PublishedVersionActiveWaiterOptions)) (late time.Duration, polls int) {
	began := time.Now()
	client := lambda.New(lambda.Options{
		Region: "eu-central-1", Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""), Retryer: aws.NopRetryer{},
		HTTPClient: do(func(r *http.Request) (*http.Response, error) {
			polls++
			time.Sleep(10 * time.Millisecond)
			state := "Pending"
			if time.Since(began) >= ready {
				state = "Active"
			}
			return &http.Response{StatusCode: 200, Request: r, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(`{"State":"` + state + `"}`))}, nil
		}),
	})
	waiter := lambda.NewPublishedVersionActiveWaiter(client, options...)
	if err := waiter.Wait(context.Background(), &lambda.GetFunctionConfigurationInput{FunctionName: aws.String("f"), Qualifier: aws.String("2")}, 26*time.Minute); err != nil {
		t.Fatal(err)
	}
	return time.Since(began) - ready, polls
}

func TestFinding(t *testing.T) {
	smithyrand.Reader = rand.NewChaCha8([32]byte{})
	const runs = 200
	for _, ready := range []time.Duration{time.Minute, 10 * time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			var sum, worst time.Duration
			most := 0
			for range runs {
				late, polls := wait(t, ready)
				sum, worst, most = sum+late, max(worst, late), max(most, polls)
			}
			mean := sum / runs
			fmt.Printf("ready after %-5s detected %s late on average, %s at worst; at most %d polls\n", ready, mean.Round(time.Second), worst.Round(time.Second), most)
			if ready == 10*time.Minute && (mean < time.Minute || worst < 5*time.Minute || most > 20) {
				t.Error("changed: was more than 1 minute late on average, more than 5 minutes at worst, with at most 20 polls")
			}
			late, polls := wait(t, ready, func(o *lambda.PublishedVersionActiveWaiterOptions) { o.MaxDelay = o.MinDelay })
			fmt.Printf("             with MaxDelay = MinDelay: %s late, %d polls\n", late.Round(time.Second), polls)
			if late > 6*time.Second {
				t.Error("changed: was at most one pause late")
			}
		})
	}
}
EOF

GOFLAGS=-mod=mod go test -count=1
