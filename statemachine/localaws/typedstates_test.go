package localaws_test

import (
	"encoding/json"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/smithy-go/middleware"

	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// fixedExecutions are executions of one state machine.
type fixedExecutions []localaws.Execution

const typedMachine = "arn:aws:states:eu-central-1:123456789012:stateMachine:m"

func (f fixedExecutions) Executions(machine string) (iter.Seq[localaws.Execution], bool) {
	return slices.Values(f), machine == typedMachine
}

func (f fixedExecutions) Execution(arn string) (localaws.Execution, bool) {
	i := slices.IndexFunc(f, func(e localaws.Execution) bool { return e.ARN == arn })
	if i < 0 {
		return localaws.Execution{}, false
	}
	return f[i], true
}

// executionsOf returns executions of all kinds, with times that have parts of a millisecond.
func executionsOf(now time.Time) (all []localaws.Execution) {
	random := rand.New(rand.NewPCG(1, 1))
	for i, status := range []string{"RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", "FAILED", "SUCCEEDED"} {
		name := fmt.Sprintf("e%d", i)
		e := localaws.Execution{ARN: "arn:aws:states:eu-central-1:123456789012:execution:m:" + name, Name: name, StateMachineARN: typedMachine, Status: status,
			Started: now.Add(-time.Duration(random.Int64N(1e18))), Input: json.RawMessage(`{"a": "<é>"}`)}
		if status != "RUNNING" {
			e.Stopped = e.Started.Add(time.Duration(random.Int64N(1e15)))
		}
		switch i {
		case 0:
			e.History, e.Typed = sevenEvents, typedNumber
		case 1:
			e.History = sevenEvents
			e.Output = json.RawMessage(`"\u2028"`)
		case 6:
			e.Output, e.Input = json.RawMessage("\"\xff\xc3\""), nil
		case 2:
			e.Typed = typedNumber
			e.Error, e.Cause, e.Redrives, e.Redriven = "States.Timeout", "half a character \xc3\x28 \xf0\x9f\x98", 2, e.Stopped.Add(-time.Second)
		case 5:
			e.NotRedrivable = "Execution is old"
		}
		all = append(all, e)
	}
	return all
}

// numbered is an event that has only a number.
type numbered int64

func (n numbered) Number() int64 { return int64(n) }

func (n numbered) Wire(withData bool) json.RawMessage {
	name := "bare"
	if withData {
		name = "full"
	}
	return fmt.Appendf(nil, `{"id": %d, "previousEventId": 0, "type": "TaskStateEntered", "stateEnteredEventDetails": {"name": %q}}`, n, name)
}

// typedNumber is what the SDK reads of it.
func typedNumber(e localaws.HistoryEvent, withData bool) types.HistoryEvent {
	name := "bare"
	if withData {
		name = "full"
	}
	return types.HistoryEvent{Id: e.Number(), Type: types.HistoryEventTypeTaskStateEntered, StateEnteredEventDetails: &types.StateEnteredEventDetails{Name: &name}}
}

// sevenEvents is the history of seven events.
var sevenEvents = localaws.HistoryOf(func() (all []localaws.HistoryEvent) {
	for n := range 7 {
		all = append(all, numbered(n+1))
	}
	return all
})

// TestTypedStates reads executions of all kinds. Wire says that a call needs the wire, or is refused.
func TestTypedStates(t *testing.T) {
	describe := func(w *typedWorld, in *sfn.DescribeExecutionInput) (any, middleware.Metadata, error) {
		out, err := w.executions.DescribeExecution(t.Context(), in)
		if err != nil {
			return nil, middleware.Metadata{}, err
		}
		return out, out.ResultMetadata, nil
	}
	list := func(w *typedWorld, in *sfn.ListExecutionsInput) (any, middleware.Metadata, error) {
		out, err := w.executions.ListExecutions(t.Context(), in)
		if err != nil {
			return nil, middleware.Metadata{}, err
		}
		return out, out.ResultMetadata, nil
	}
	execution := func(name string) *string {
		return aws.String("arn:aws:states:eu-central-1:123456789012:execution:m:" + name)
	}
	for i := range 7 {
		for _, data := range []types.IncludedData{"", types.IncludedDataAllData, types.IncludedDataMetadataOnly} {
			compareTyped(t, func(w *typedWorld) (any, middleware.Metadata, error) {
				return describe(w, &sfn.DescribeExecutionInput{ExecutionArn: execution(fmt.Sprintf("e%d", i)), IncludedData: data})
			}, caller{}, false, nil)
		}
	}
	for name, in := range map[string]*sfn.DescribeExecutionInput{
		"none": {ExecutionArn: execution("x")}, "no ARN": {}, "an odd ARN": {ExecutionArn: aws.String("x")}, "nothing": nil,
		"no UTF-8": {ExecutionArn: execution("\xff")}, "odd data": {ExecutionArn: execution("e1"), IncludedData: "ALL"},
	} {
		t.Run(name, func(t *testing.T) {
			compareTyped(t, func(w *typedWorld) (any, middleware.Metadata, error) { return describe(w, in) }, caller{}, true, nil)
		})
	}
	for name, each := range map[string]struct {
		in   sfn.ListExecutionsInput
		wire bool
	}{
		"all":                {in: sfn.ListExecutionsInput{}},
		"those that failed":  {in: sfn.ListExecutionsInput{StatusFilter: types.ExecutionStatusFailed}},
		"those that are new": {in: sfn.ListExecutionsInput{MaxResults: 2}},
		"none":               {in: sfn.ListExecutionsInput{StatusFilter: types.ExecutionStatusTimedOut, MaxResults: 1000}},
		"a bad token":        {wire: true, in: sfn.ListExecutionsInput{NextToken: aws.String("x")}},
		"a negative page":    {wire: true, in: sfn.ListExecutionsInput{MaxResults: -1}},
		"an odd status":      {wire: true, in: sfn.ListExecutionsInput{StatusFilter: "BAD"}},
		"no UTF-8":           {wire: true, in: sfn.ListExecutionsInput{StatusFilter: "\xff"}},
		"another machine":    {wire: true, in: sfn.ListExecutionsInput{StateMachineArn: aws.String(typedMachine + "x")}},
		"a map run":          {wire: true, in: sfn.ListExecutionsInput{MapRunArn: aws.String("x")}},
	} {
		t.Run(name, func(t *testing.T) {
			if each.in.StateMachineArn == nil {
				each.in.StateMachineArn = aws.String(typedMachine)
			}
			compareTyped(t, func(w *typedWorld) (any, middleware.Metadata, error) { return list(w, &each.in) }, caller{}, each.wire, nil)
		})
	}
	pages := func(w *typedWorld) (any, middleware.Metadata, error) {
		var all []types.ExecutionListItem
		in := &sfn.ListExecutionsInput{StateMachineArn: aws.String(typedMachine), MaxResults: 3}
		for {
			out, err := w.executions.ListExecutions(t.Context(), in)
			if err != nil {
				return nil, middleware.Metadata{}, err
			}
			if all = append(all, out.Executions...); out.NextToken == nil {
				return all, out.ResultMetadata, nil
			}
			in.NextToken = out.NextToken
		}
	}
	compareTyped(t, pages, caller{}, false, nil)
	for name, each := range map[string]struct {
		in   sfn.GetExecutionHistoryInput
		wire bool
	}{
		"all": {}, "backwards": {in: sfn.GetExecutionHistoryInput{ReverseOrder: true}}, "without data": {in: sfn.GetExecutionHistoryInput{IncludeExecutionData: aws.Bool(false)}},
		"a page": {in: sfn.GetExecutionHistoryInput{MaxResults: 3}}, "the last page": {in: sfn.GetExecutionHistoryInput{MaxResults: 3, NextToken: aws.String("5")}},
		"a page backwards":  {in: sfn.GetExecutionHistoryInput{MaxResults: 3, NextToken: aws.String("5"), ReverseOrder: true}},
		"a bad token":       {wire: true, in: sfn.GetExecutionHistoryInput{NextToken: aws.String("x")}},
		"half a character":  {wire: true, in: sfn.GetExecutionHistoryInput{NextToken: aws.String("\xc3")}},
		"a negative page":   {wire: true, in: sfn.GetExecutionHistoryInput{MaxResults: -1}},
		"another execution": {wire: true, in: sfn.GetExecutionHistoryInput{ExecutionArn: execution("x")}},
		"untyped":           {wire: true, in: sfn.GetExecutionHistoryInput{ExecutionArn: execution("e1")}},
		"no history":        {wire: true, in: sfn.GetExecutionHistoryInput{ExecutionArn: execution("e2")}},
	} {
		t.Run("history: "+name, func(t *testing.T) {
			if each.in.ExecutionArn == nil {
				each.in.ExecutionArn = execution("e0")
			}
			compareTyped(t, func(w *typedWorld) (any, middleware.Metadata, error) {
				out, err := w.executions.GetExecutionHistory(t.Context(), &each.in)
				if err != nil {
					return nil, middleware.Metadata{}, err
				}
				return out, out.ResultMetadata, nil
			}, caller{}, each.wire, nil)
		})
	}
	compareTyped(t, pages, caller{}, true, injected(t, localaws.Fault{Operation: "ListExecutions", Kind: localaws.FaultKinds()[0], First: 1}))
}
