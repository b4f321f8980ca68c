#!/usr/bin/env bash
# Package:  github.com/aws/aws-lambda-runtime-interface-emulator v0.0.0-20261030222936-bef5c4ba774d (on Linux), with
#           github.com/aws/aws-lambda-go v1.55.1.
#
# Expected: the emulator answers an invocation as Lambda's Invoke does: always with status 200, and with the header
#           X-Amz-Function-Error if the function failed. A timeout is a JSON document with errorType Sandbox.Timedout.
#
# Seen:     the header is never set. A handler's error has status 200, as an output has, so only its payload tells them
#           apart. A panic and an exit have status 502. A timeout has status 200 and a text that is no JSON. A process
#           that exits before it asks for an invocation gives status 502 and no payload.
#
# Matters:  a test of a container image that checks the status, or the header as on Lambda, passes although the function
#           failed or timed out.
set -euo pipefail
dir=$(mktemp -d)
emulator=
trap '[ -z "$emulator" ] || kill "$emulator"; rm -rf "$dir"' EXIT
cd "$dir"

cat > go.mod <<'EOF'
module finding

go 1.26.6

require (
	github.com/aws/aws-lambda-go v1.55.1
	github.com/aws/aws-lambda-runtime-interface-emulator v0.0.0-20261030222936-bef5c4ba774d
)
EOF

cat > main.go <<'EOF'
package main

import (
	"errors"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	if os.Getenv("EXIT_AT_START") != "" {
		os.Exit(3)
	}
	lambda.Start(func(order string) (string, error) {
		switch order {
		case "fail":
			return "", errors.New("so")
		case "panic":
			panic("thus")
		case "exit":
			os.Exit(3)
		case "hang":
			time.Sleep(time.Minute)
		}
		return order, nil
	})
}
EOF

export GOFLAGS=-mod=mod
go build -o bootstrap .
go build -o aws-lambda-rie github.com/aws/aws-lambda-runtime-interface-emulator/cmd/aws-lambda-rie

# start starts the emulator. On Linux all of 127.0.0.0/8 is this machine: the address is nobody else's.
start() {
  host=127.$((RANDOM % 254 + 1)).$((RANDOM % 256)).$((RANDOM % 254 + 1))
  AWS_LAMBDA_FUNCTION_TIMEOUT=1 ./aws-lambda-rie --runtime-api-address "$host:9001" \
    --runtime-interface-emulator-address "$host:8080" "$dir/bootstrap" > log 2>&1 &
  emulator=$!
  for _ in $(seq 100); do
    if (exec 3<> "/dev/tcp/$host/8080") 2> /dev/null; then return; fi
    sleep 0.1
  done
  cat log
  exit 1
}

# check invokes the function, prints the answer, and compares the status and the beginning of the payload.
ok=true
check() {
  status=$(curl -s -D headers -o payload -w '%{http_code}' -d "\"$1\"" "http://$host:8080/2015-03-31/functions/function/invocations")
  header=$(grep -ci '^X-Amz-Function-Error' headers || true)
  printf '%-15s status %s, %s X-Amz-Function-Error, payload %.60s\n' "$4$1" "$status" "$header" "$(cat payload)"
  if [ "$status" != "$2" ] || [ "$header" != 0 ] || ! [[ $(cat payload) == "$3"* ]]; then
    echo "    changed: it was status $2 with $3"
    ok=false
  fi
}

start
check work 200 '"work"' ''
check fail 200 '{"errorMessage":"so","errorType":"errorString"}' ''
check panic 502 '{"errorMessage":"thus"' ''
check exit 502 '{"errorType":"Runtime.ExitError"' ''
check hang 200 'Task timed out after 1.00 seconds' ''
kill "$emulator"
wait "$emulator" || true
export EXIT_AT_START=yes
start
check work 502 '' 'can'"'"'t start: '
[ ! -s payload ] || { echo "    changed: there was no payload"; ok=false; }
$ok
