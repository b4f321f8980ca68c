package gates

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/lambda-rollout/lambda-rollout/lambdas/lazyregexp"
)

// invokeAPI is the part of Lambda's API that is used here.
type invokeAPI interface {
	Invoke(context.Context, *lambda.InvokeInput, ...func(*lambda.Options)) (*lambda.InvokeOutput, error)
}

// Lambda is the Invoker of AWS Lambda.
type Lambda struct {
	api invokeAPI
}

// NewLambda returns a Lambda that invokes through a client. Each call is made once,
// whatever retries the client is set to.
func NewLambda(api invokeAPI) Lambda { return Lambda{api: api} }

// MaxAnswer is the longest answer that is judged, in bytes.
const MaxAnswer = 256 << 10

// Invoke implements Invoker. All its errors are an *InvokeError.
func (l Lambda) Invoke(ctx context.Context, call Invocation) (Invoked, error) {
	in := &lambda.InvokeInput{FunctionName: &call.Function, Payload: call.Payload}
	if call.Qualifier != "" {
		in.Qualifier = &call.Qualifier
	}
	if call.Timed {
		in.LogType = types.LogTypeTail
	}
	out, err := l.api.Invoke(ctx, in, func(o *lambda.Options) { o.Retryer = aws.NopRetryer{} })
	if err != nil {
		return Invoked{}, &InvokeError{Because: invokeFailure(err), Err: err}
	}
	invoked := Invoked{Answer: out.Payload, FunctionError: aws.ToString(out.FunctionError)}
	if len(out.Payload) > MaxAnswer {
		if invoked.FunctionError == "" {
			return Invoked{}, &InvokeError{Because: tooLong}
		}
		invoked.Answer = nil // that it failed is all that counts
	}
	if call.Timed {
		invoked.Duration, invoked.Timed = reported(aws.ToString(out.LogResult))
	}
	return invoked, nil
}

// reportForm captures the milliseconds of the line that Lambda writes into the log of
// each invocation, in text format. In JSON format it is a platform.report event.
var reportForm = lazyregexp.New(`^REPORT RequestId: \S+\s+Duration: ([0-9]+(?:\.[0-9]+)?) ms\b`)

// reported returns an invocation's duration from the end of its log; false if it is
// not there. Lambda's line is the last of its form: the function itself may have
// written others before it.
func reported(base64Log string) (time.Duration, bool) {
	log, err := base64.StdEncoding.DecodeString(base64Log)
	if err != nil {
		return 0, false
	}
	var (
		milliseconds float64
		found        bool
	)
	for line := range strings.Lines(string(log)) {
		if parts := reportForm.FindStringSubmatch(line); parts != nil {
			if ms, err := strconv.ParseFloat(parts[1], 64); err == nil {
				milliseconds, found = ms, true
			}
			continue
		}
		var event struct {
			Type   string `json:"type"`
			Record struct {
				Metrics struct {
					DurationMs *float64 `json:"durationMs"`
				} `json:"metrics"`
			} `json:"record"`
		}
		if json.Unmarshal([]byte(line), &event) == nil && event.Type == "platform.report" && event.Record.Metrics.DurationMs != nil {
			milliseconds, found = *event.Record.Metrics.DurationMs, true
		}
	}
	return time.Duration(milliseconds * float64(time.Millisecond)), found
}
