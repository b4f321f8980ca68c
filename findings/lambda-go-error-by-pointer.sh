#!/usr/bin/env bash
# Package:  github.com/aws/aws-lambda-go v1.55.1.
#
# Expected: a handler that returns messages.InvokeResponse_Error chooses the error's name by its Type. As with other Go
#           errors, a pointer to it or a wrapped one is as good as the bare value.
#
# Seen:     only the bare value is honoured. For a pointer, errorType is "InvokeResponse_Error"; for a wrapped one it
#           is "wrapError"; and errorMessage is the struct as Go source, field names and all.
#
# Matters:  a Retry or Catch in a state machine compares errorType with ErrorEquals. One & in the handler, or one
#           fmt.Errorf around it, and the Catch for "AliasChanged" no longer matches: the execution fails instead of
#           rolling back. Both compile, and in unit tests errors.As still finds the wrapped error.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

cat > go.mod <<'EOF'
module finding

go 1.26.0

require github.com/aws/aws-lambda-go v1.55.1
EOF

cat > main.go <<'EOF'
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"
)

func main() {
	named := messages.InvokeResponse_Error{Type: "AliasChanged", Message: "somebody else moved it"}
	cases := []struct {
		name    string
		err     error
		want    string // errorType
		message bool   // errorMessage is the Message
	}{
		{"the value", named, "AliasChanged", true},
		{"a pointer", &named, "InvokeResponse_Error", false},
		{"a wrapped value", fmt.Errorf("update alias: %w", named), "wrapError", false},
	}

	// A Lambda runtime API that hands out the cases' numbers as events, one after the other.
	next, done := 0, make(chan bool, 1)
	ok := true
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			if next == len(cases) {
				done <- true
				<-r.Context().Done()
				return
			}
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", strconv.Itoa(next))
			w.Header().Set("Lambda-Runtime-Deadline-Ms", "4102444800000")
			fmt.Fprint(w, next)
			return
		}
		var answer struct{ ErrorType, ErrorMessage string }
		body, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(body, &answer); err != nil {
			panic(err)
		}
		c := cases[next]
		next++
		fmt.Printf("%s\n    errorType    %s\n    errorMessage %s\n", c.name, answer.ErrorType, answer.ErrorMessage)
		if answer.ErrorType != c.want || (answer.ErrorMessage == named.Message) != c.message {
			fmt.Println("    changed: errorType was", c.want)
			ok = false
		}
		w.WriteHeader(http.StatusAccepted)
	}))
	os.Setenv("AWS_LAMBDA_RUNTIME_API", api.Listener.Addr().String())
	log.SetOutput(io.Discard) // the library logs each error a second time
	go lambda.Start(func(i int) error { return cases[i].err })
	<-done
	if !ok {
		os.Exit(1)
	}
}
EOF

GOFLAGS=-mod=mod go run .
