#!/usr/bin/env bash
# Package:  github.com/aws/aws-sdk-go-v2/service/ssm v1.79.3 and v1.83.0, with aws-sdk-go-v2 v1.48.0.
#
# Expected: a program that calls one operation of a client pays for that operation: the linker drops what is not called,
#           and a newer release of the client costs about as much as the one before.
#
# Seen:     since the clients have a package schemas, its variables describe every operation of the service and are built
#           when the program starts. A program that only calls GetParameterHistory allocates more than ten times as much
#           before main with v1.83.0, and its executable is larger.
#
# Matters:  each cold start of a Lambda function pays for it, most with the clients of services that have many operations.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

cat > "$dir/main.go" <<'EOG'
package main

import (
	"context"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

func main() {
	if len(os.Args) > 1 {
		client := ssm.New(ssm.Options{Region: "eu-central-1"})
		_, _ = client.GetParameterHistory(context.Background(), &ssm.GetParameterHistoryInput{Name: aws.String("p")})
	}
}
EOG

# initialised prints what the packages of the client allocate before main, in bytes, with a version of it.
initialised() {
  mkdir "$dir/$1"
  cp "$dir/main.go" "$dir/$1"
  cat > "$dir/$1/go.mod" <<EOG
module finding

go 1.26.0

require (
	github.com/aws/aws-sdk-go-v2 v1.48.0
	github.com/aws/aws-sdk-go-v2/service/ssm $1
)
EOG
  (cd "$dir/$1" && go mod tidy >/dev/null 2>&1 && go build -trimpath -ldflags '-s -w' -o program .)
  GODEBUG=inittrace=1 "$dir/$1/program" 2>&1 | awk '/service\/ssm/ { bytes += $8 } END { print bytes + 0 }'
}

without=$(initialised v1.79.3)
with=$(initialised v1.83.0)
size() { stat -c %s "$dir/$1/program"; }
echo "v1.79.3: $without bytes before main, executable of $(size v1.79.3) bytes"
echo "v1.83.0: $with bytes before main, executable of $(size v1.83.0) bytes"
if ((with < 10 * without || $(size v1.83.0) <= $(size v1.79.3))); then
  echo "it has changed: v1.83.0 no longer costs more than ten times as much" >&2
  exit 1
fi
