package gates

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// invokeAPI is the part of Lambda's API that is used here.
type invokeAPI interface {
	Invoke(context.Context, *lambda.InvokeInput, ...func(*lambda.Options)) (*lambda.InvokeOutput, error)
}

// Lambda is the Invoker that AWS Lambda is.
type Lambda struct {
	api invokeAPI
}

// NewLambda invokes through a client of AWS Lambda, whatever retries the client
// is set to: each call is made once.
func NewLambda(api invokeAPI) Lambda { return Lambda{api: api} }

// MaxAnswer is the longest answer that is looked at, in bytes.
const MaxAnswer = 256 << 10

// Invoke is a call of Invoke. All its errors are *NoAnswer.
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

// reportForm has the milliseconds of the line that Lambda writes into the log
// of each invocation, as text. As JSON it is a platform.report.
var reportForm = regexp.MustCompile(`^REPORT RequestId: \S+\s+Duration: ([0-9]+(?:\.[0-9]+)?) ms\b`)

// reported finds an invocation's duration in the end of its log. The line that
// has it is the last of its kind: those before it are the function's own words.
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
