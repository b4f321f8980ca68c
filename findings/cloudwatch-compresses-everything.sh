#!/usr/bin/env bash
# Package:  github.com/aws/aws-sdk-go-v2 v1.47.7, config v1.33.15, service/cloudwatch v1.75.5.
#
# Expected: PutMetricData compresses request bodies of at least 10 KiB. The documentation of both aws.Config and
#           cloudwatch.Options says that RequestMinCompressSizeBytes is 10,240 bytes by default.
#
# Seen:     only config.LoadDefaultConfig sets that default. With an aws.Config or cloudwatch.Options built by hand
#           the threshold is 0, and every body is compressed: a single datum becomes larger, not smaller.
#
# Matters:  tests and tools that build a client by hand send gzip, while programs that load the configuration send
#           plain CBOR for the same metric. A local CloudWatch tested with only one of them fails with the other.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

cat > go.mod <<'EOF'
module finding

go 1.26.0

require (
	github.com/aws/aws-sdk-go-v2 v1.47.7
	github.com/aws/aws-sdk-go-v2/config v1.33.15
	github.com/aws/aws-sdk-go-v2/credentials v1.20.15
	github.com/aws/aws-sdk-go-v2/service/cloudwatch v1.75.5
)
EOF

cat > main.go <<'EOF'
package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

func main() {
	var got string
	var compressed, larger bool
	local := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got, compressed = fmt.Sprintf("%d bytes, uncompressed", len(body)), false
		if r.Header.Get("Content-Encoding") == "gzip" {
			z, err := gzip.NewReader(bytes.NewReader(body))
			if err != nil {
				panic(err)
			}
			plain, err := io.ReadAll(z)
			if err != nil {
				panic(err)
			}
			got = fmt.Sprintf("%d bytes, compressed from %d with gzip", len(body), len(plain))
			compressed, larger = true, len(body) > len(plain)
		}
		w.Header().Set("Content-Type", "application/cbor")
		w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
		w.Write([]byte{0xa0})
	}))
	key := credentials.NewStaticCredentialsProvider("id", "secret", "")
	loaded, err := config.LoadDefaultConfig(context.Background(),
		config.WithRegion("eu-central-1"), config.WithCredentialsProvider(key), config.WithBaseEndpoint(local.URL))
	if err != nil {
		panic(err)
	}
	changed := false
	for _, c := range []struct {
		name       string
		compressed bool
		client     *cloudwatch.Client
	}{
		{"config.LoadDefaultConfig", false, cloudwatch.NewFromConfig(loaded)},
		{"aws.Config{…}", true, cloudwatch.NewFromConfig(aws.Config{Region: "eu-central-1", Credentials: key, BaseEndpoint: &local.URL})},
		{"cloudwatch.Options{…}", true, cloudwatch.New(cloudwatch.Options{Region: "eu-central-1", Credentials: key, BaseEndpoint: &local.URL})},
	} {
		if _, err := c.client.PutMetricData(context.Background(), &cloudwatch.PutMetricDataInput{
			Namespace: aws.String("n"), MetricData: []types.MetricDatum{{MetricName: aws.String("m"), Value: aws.Float64(1)}},
		}); err != nil {
			panic(err)
		}
		fmt.Printf("%-25s threshold %6d: one datum is %s\n", c.name, c.client.Options().RequestMinCompressSizeBytes, got)
		if compressed != c.compressed || compressed && !larger {
			fmt.Println("    changed: only the first was uncompressed; the others grew")
			changed = true
		}
	}
	if changed {
		os.Exit(1)
	}
}
EOF

export GOFLAGS=-mod=mod
go build -o finding .
env -i HOME="$dir" AWS_CONFIG_FILE="$dir/none" AWS_SHARED_CREDENTIALS_FILE="$dir/none" ./finding
