#!/usr/bin/env bash
# Package:  github.com/aws/aws-lambda-go v1.55.1.
#
# Expected: a handler that returns messages.InvokeResponse_Error sets the error's name through its Type. As with other
#           Go errors, a pointer or a wrapped value works like the bare value.
#
# Seen:     only the bare value works. For a pointer, errorType is "InvokeResponse_Error"; for a wrapped value it is
#           "wrapError"; and errorMessage is the struct in Go syntax, including the field names.
#
# Matters:  a Retry or Catch in a state machine compares errorType with ErrorEquals. With a single & in the handler,
#           or fmt.Errorf around the error, the Catch for "AliasChanged" no longer matches, and the execution fails
#           instead of rolling back. Both compile, and in unit tests errors.As still finds the wrapped error.
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
	named := messages.InvokeResponse_Error{Type: "AliasChanged", Message: "another user moved it"}
	cases := []struct {
		name    string
		err     error
		want    string // errorType
		message bool   // whether errorMessage is the Message
	}{
		{"the value", named, "AliasChanged", true},
		{"a pointer", &named, "InvokeResponse_Error", false},
		{"a wrapped value", fmt.Errorf("update alias: %w", named), "wrapError", false},
	}

	// api is a Lambda runtime API that delivers the cases' numbers as events, one after the other.
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
