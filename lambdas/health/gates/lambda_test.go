package gates_test

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health/gates"
)

// recorded is an AWS Lambda that answers always the same, and keeps what it was asked.
type recorded struct {
	out lambda.InvokeOutput
	in  *lambda.InvokeInput
}

func (r *recorded) Invoke(_ context.Context, in *lambda.InvokeInput, _ ...func(*lambda.Options)) (*lambda.InvokeOutput, error) {
	r.in = in
	return &r.out, nil
}

func TestTheDurationIsFoundInTheLog(t *testing.T) {
	const report = "REPORT RequestId: 8f5c Duration: 12.34 ms\tBilled Duration: 100 ms\tMemory Size: 128 MB\tMax Memory Used: 40 MB\tInit Duration: 250.01 ms\t\n"
	for _, test := range []struct {
		name, log string
		want      time.Duration
		timed     bool
	}{
		{"text", "START RequestId: 8f5c Version: 8\nhello\nEND RequestId: 8f5c\n" + report, 12340 * time.Microsecond, true},
		{"whole milliseconds", "REPORT RequestId: 8f5c\tDuration: 3000 ms\tBilled Duration: 3000 ms\tStatus: timeout\n\n", 3 * time.Second, true},
		{"JSON", `{"time":"2026-03-01T12:00:00Z","type":"platform.report","record":{"requestId":"8f5c","status":"success","metrics":{"durationMs":12.34,"billedDurationMs":13}}}` + "\n",
			12340 * time.Microsecond, true},
		{"what the function says before", strings.Replace(report, "12.34", "0.01", 1) + report, 12340 * time.Microsecond, true},
		{"in the middle of a line", "see REPORT RequestId: 8f5c Duration: 12.34 ms", 0, false},
		{"another event", `{"type":"platform.start","record":{"metrics":{"durationMs":1}}}`, 0, false},
		{"a report without it", `{"type":"platform.report","record":{"status":"success"}}`, 0, false},
		{"none", "hello\n", 0, false},
		{"empty", "", 0, false},
	} {
		api := &recorded{out: lambda.InvokeOutput{Payload: []byte("1"), LogResult: aws.String(base64.StdEncoding.EncodeToString([]byte(test.log)))}}
		got, err := gates.NewLambda(api).Invoke(t.Context(), gates.Invocation{Function: "f", Timed: true})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(gates.Invoked{Answer: []byte("1"), Duration: test.want, Timed: test.timed}, got); diff != "" {
			t.Errorf("%s:\n%s", test.name, diff)
		}
	}
	api := &recorded{out: lambda.InvokeOutput{LogResult: aws.String("not base64!")}}
	if got, err := gates.NewLambda(api).Invoke(t.Context(), gates.Invocation{Function: "f", Timed: true}); err != nil || got.Timed {
		t.Errorf("%+v %v", got, err)
	}
}

// TestTheLogIsOnlyReadToKnowTheDuration: it may have what nobody else should see.
func TestTheLogIsOnlyReadToKnowTheDuration(t *testing.T) {
	for timed, want := range map[bool]string{true: "Tail", false: ""} {
		api := &recorded{}
		if _, err := gates.NewLambda(api).Invoke(t.Context(), gates.Invocation{Function: "f", Qualifier: "8", Payload: []byte("{}"), Timed: timed}); err != nil {
			t.Fatal(err)
		}
		if string(api.in.LogType) != want || *api.in.Qualifier != "8" || api.in.InvocationType != "" {
			t.Errorf("timed %v asked for the log %q of %q, type %q", timed, api.in.LogType, *api.in.Qualifier, api.in.InvocationType)
		}
	}
}

func TestALongAnswerIsRefusedButNotThatTheFunctionFailed(t *testing.T) {
	for _, test := range []struct {
		size          int
		functionError *string
		refused       bool
		left          int
	}{
		{gates.MaxAnswer, nil, false, gates.MaxAnswer},
		{gates.MaxAnswer + 1, nil, true, 0},
		{gates.MaxAnswer + 1, aws.String("Unhandled"), false, 0},
	} {
		api := &recorded{out: lambda.InvokeOutput{Payload: make([]byte, test.size), FunctionError: test.functionError}}
		got, err := gates.NewLambda(api).Invoke(t.Context(), gates.Invocation{Function: "f"})
		var none *gates.InvokeError
		if errors.As(err, &none) != test.refused || len(got.Answer) != test.left || got.FunctionError != aws.ToString(test.functionError) {
			t.Errorf("%d bytes, function error %v: %d bytes, function error %q, error %v", test.size, test.functionError, len(got.Answer), got.FunctionError, err)
		}
	}
}
