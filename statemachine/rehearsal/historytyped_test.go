package rehearsal

import (
	"encoding/json"
	"iter"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/smithy-go/document"
	"github.com/aws/smithy-go/middleware"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// oneHistory is an account with one execution, which has these events.
type oneHistory []localaws.HistoryEvent

const oneARN = "arn:aws:states:" + region + ":" + account + ":execution:m:e"

func (h oneHistory) Executions(string) (iter.Seq[localaws.Execution], bool) { return nil, false }

func (h oneHistory) Execution(string) (localaws.Execution, bool) {
	return localaws.Execution{ARN: oneARN, Typed: typedEvent, History: localaws.HistoryOf(func() []localaws.HistoryEvent { return h })}, true
}

// TestTypedEventsAreWhatTheWireCarries draws events, each as all types, and reads them with and without their data.
func TestTypedEventsAreWhatTheWireCarries(t *testing.T) {
	t.Parallel()
	var unsure types.HistoryEvent // of types that the interpreter does not emit, too
	kinds := []asl.EventType{"TaskStateEntered", "WaitStateExited", "MapStateStarted", "Ünknown"}
	for _, kind := range unsure.Type.Values() {
		kinds = append(kinds, asl.EventType(kind))
	}
	text := rapid.SampledFrom([]string{"", "a", "é <b>\u2028", "half \xc3\x28 \xf0\x9f\x98", `{"a": "\\"}`})
	rapid.Check(t, func(t *rapid.T) {
		data := func(name string) json.RawMessage {
			if drawn := text.Draw(t, name); drawn != "" {
				return json.RawMessage(drawn)
			}
			return nil
		}
		e := asl.Event{
			ID: rapid.Int64Range(1, 25000).Draw(t, "id"), PreviousID: rapid.Int64Range(0, 25000).Draw(t, "previous"),
			Timestamp: time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "seconds"), rapid.Int64Range(0, 999_999_999).Draw(t, "nanoseconds")),
			State:     text.Draw(t, "state"), Input: data("input"), Output: data("output"), RoleARN: text.Draw(t, "role"), ResourceType: text.Draw(t, "service"), Resource: text.Draw(t, "resource"),
			Region: text.Draw(t, "region"), Timeout: time.Duration(rapid.Int64Range(0, 3000).Draw(t, "timeout")) * time.Millisecond, Error: text.Draw(t, "error"), Cause: text.Draw(t, "cause"),
			RedriveCount: rapid.IntRange(0, 3).Draw(t, "redrives"),
		}
		var all oneHistory
		for _, e.Type = range kinds {
			all = append(all, e)
		}
		server := localaws.New(localaws.Options{Executions: all})
		in := &sfn.GetExecutionHistoryInput{ExecutionArn: aws.String(oneARN), IncludeExecutionData: rapid.SampledFrom([]*bool{nil, aws.Bool(true), aws.Bool(false)}).Draw(t, "with data")}
		want, err := sfn.NewFromConfig(server.Config()).GetExecutionHistory(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		got, err := server.StepFunctions(server.Config()).GetExecutionHistory(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		if _, onWire := awsmiddleware.GetRequestIDMetadata(got.ResultMetadata); onWire {
			t.Fatal("the typed client used the wire")
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreTypes(middleware.Metadata{}, document.NoSerde{}), cmp.Comparer(time.Time.Equal)); diff != "" {
			t.Fatalf("over the wire and typed:\n%s", diff)
		}
	})
}
