#!/usr/bin/env bash
# Package:  github.com/aws/aws-lambda-go v1.55.1, without lambda.EnableResponseStreaming or a reader as the answer.
#
# Expected: the answer of a handler that returns its bytes is posted to the Runtime API with a Content-Length: its
#           length is known.
#
# Seen:     it is posted with Transfer-Encoding: chunked, like an answer that is streamed, and the type of its content is
#           application/octet-stream for bytes, but application/json for a value that the library encodes.
#
# Matters:  a stand-in for the Runtime API that reads Content-Length bytes gets an empty answer, and each answer costs
#           several writes instead of one.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

cat > go.mod <<'EOG'
module finding

go 1.26.0

require github.com/aws/aws-lambda-go v1.55.1
EOG

cat > main.go <<'EOG'
package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"
)

// raw is a handler that returns bytes.
type raw struct{}

func (raw) Invoke(context.Context, []byte) ([]byte, error) { return []byte(`{"answer": 42}`), nil }

func main() {
	switch {
	case len(os.Args) < 2:
	case os.Args[1] == "raw":
		lambda.Start(raw{})
	default:
		lambda.Start(func(context.Context) (map[string]int, error) { return map[string]int{"answer": 42}, nil })
	}
	for _, kind := range []string{"raw", "value"} {
		posted := make(chan string, 1)
		runtime := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/response") {
				posted <- fmt.Sprintf("Content-Length %d, Transfer-Encoding %v, %s", r.ContentLength, r.TransferEncoding, r.Header.Get("Content-Type"))
				w.WriteHeader(http.StatusAccepted)
				return
			}
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", "1")
			w.Header().Set("Lambda-Runtime-Deadline-Ms", "4102444800000")
			fmt.Fprint(w, "{}")
		}))
		function := exec.Command(os.Args[0], kind)
		function.Env = append(os.Environ(), "AWS_LAMBDA_RUNTIME_API="+strings.TrimPrefix(runtime.URL, "http://"))
		if err := function.Start(); err != nil {
			panic(err)
		}
		fmt.Printf("%s: %s\n", kind, <-posted)
		_ = function.Process.Kill()
		_ = function.Wait()
	}
}
EOG
go mod tidy >/dev/null 2>&1
go build -o finding .
seen=$(./finding)
echo "$seen"
want=$'raw: Content-Length -1, Transfer-Encoding [chunked], application/octet-stream
value: Content-Length -1, Transfer-Encoding [chunked], application/json'
if [[ $seen != "$want" ]]; then
  echo "it has changed: both were posted in chunks" >&2
  exit 1
fi
