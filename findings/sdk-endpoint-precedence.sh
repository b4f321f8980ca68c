#!/usr/bin/env bash
# Package:  github.com/aws/aws-sdk-go-v2 v1.47.7, config v1.33.15, service/lambda v1.114.2.
#
# Expected: an endpoint that the program sets on its aws.Config takes precedence over the environment, however it is
#           set: config.WithBaseEndpoint and an assignment to cfg.BaseEndpoint are equivalent.
#
# Seen:     both take precedence over AWS_ENDPOINT_URL. Only WithBaseEndpoint takes precedence over
#           AWS_ENDPOINT_URL_LAMBDA: an assignment to cfg.BaseEndpoint is silently replaced when the client is built,
#           so the calls go to the variable's address. BaseEndpoint in the client's own options takes precedence, too.
#
# Matters:  tests and rehearsals point the SDK at a local AWS with cfg.BaseEndpoint. On a machine where a service's
#           own variable is set, that service's calls (here GetAlias) go elsewhere, while all other services' calls
#           reach the local AWS.
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
	github.com/aws/aws-sdk-go-v2/service/lambda v1.114.2
)
EOF

cat > main.go <<'EOF'
package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

var reached string

// named returns the address of a server that records its name when it is called.
func named(name string) string {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		reached = name
		fmt.Fprint(w, "{}")
	})).URL
}

func main() {
	program, variable := named("the program's"), named("the variable's")
	nothing := func(*aws.Config) {}
	assigned := func(cfg *aws.Config) { cfg.BaseEndpoint = &program }
	changed := false
	for _, c := range []struct {
		variable, name string
		option         config.LoadOptionsFunc
		change         func(*aws.Config)
		client         func(*lambda.Options)
		want           string
	}{
		{"AWS_ENDPOINT_URL", "cfg.BaseEndpoint = …", nil, assigned, nil, "the program's"},
		{"AWS_ENDPOINT_URL", "config.WithBaseEndpoint(…)", config.WithBaseEndpoint(program), nothing, nil, "the program's"},
		{"AWS_ENDPOINT_URL_LAMBDA", "config.WithBaseEndpoint(…)", config.WithBaseEndpoint(program), nothing, nil, "the program's"},
		{"AWS_ENDPOINT_URL_LAMBDA", "lambda.Options.BaseEndpoint = …", nil, nothing, func(o *lambda.Options) { o.BaseEndpoint = &program }, "the program's"},
		{"AWS_ENDPOINT_URL_LAMBDA", "cfg.BaseEndpoint = …", nil, assigned, nil, "the variable's"},
	} {
		os.Unsetenv("AWS_ENDPOINT_URL")
		os.Setenv(c.variable, variable)
		options := []func(*config.LoadOptions) error{
			config.WithRegion("eu-central-1"),
			config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider("id", "secret", "")),
		}
		if c.option != nil {
			options = append(options, c.option)
		}
		cfg, err := config.LoadDefaultConfig(context.Background(), options...)
		if err != nil {
			panic(err)
		}
		c.change(&cfg)
		var more []func(*lambda.Options)
		if c.client != nil {
			more = append(more, c.client)
		}
		if _, err := lambda.NewFromConfig(cfg, more...).GetAlias(context.Background(), &lambda.GetAliasInput{
			FunctionName: aws.String("f"), Name: aws.String("live"),
		}); err != nil {
			panic(err)
		}
		fmt.Printf("%-24s against %-33s reached %s address\n", c.variable, c.name, reached)
		if reached != c.want {
			fmt.Println("    changed: was", c.want)
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
# Only the variable under test is set: no profile, no proxy, no other endpoint.
env -i HOME="$dir" AWS_CONFIG_FILE="$dir/none" AWS_SHARED_CREDENTIALS_FILE="$dir/none" ./finding
