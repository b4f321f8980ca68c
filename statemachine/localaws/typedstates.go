package localaws

import (
	"context"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	smithytime "github.com/aws/smithy-go/time"
)

// States is an SDK client of Step Functions that answers DescribeExecution, ListExecutions and GetExecutionHistory without the wire
// if nothing on it matters: see [Server.CloudWatch]. A history is read over the wire, too, unless its execution has the function Typed.
type States struct {
	*sfn.Client
	typed
	options *sfn.Options
	service *stepFunctionsService
}

// StepFunctions returns a client with a configuration, as [Server.CloudWatch] does.
func (s *Server) StepFunctions(cfg aws.Config) States {
	client := sfn.NewFromConfig(cfg)
	options := client.Options()
	options.APIOptions = slices.Clip(options.APIOptions)
	return States{client, s.typedBy(cfg), &options, s.states}
}

// DescribeExecution calls the operation of that name.
func (c States) DescribeExecution(ctx context.Context, in *sfn.DescribeExecutionInput, options ...func(*sfn.Options)) (*sfn.DescribeExecutionOutput, error) {
	const operation = "DescribeExecution"
	of := changed(c.options, options)
	if !c.bypasses(ctx, operation, of.HTTPClient, of.Retryer) || in == nil || in.ExecutionArn == nil || !areTexts(*in.ExecutionArn, string(in.IncludedData)) {
		return c.Client.DescribeExecution(ctx, in, options...)
	}
	out, lost := perform(ctx, c.typed, c.service, Call{Operation: operation}, always(needOfStates(operation, *in.ExecutionArn)), func() (*sfn.DescribeExecutionOutput, *apiError) {
		e, withData, err := c.service.describe(in)
		if err != nil {
			return nil, err
		}
		item := e.typed()
		out := &sfn.DescribeExecutionOutput{
			ExecutionArn: item.ExecutionArn, Name: item.Name, StateMachineArn: item.StateMachineArn, Status: item.Status,
			StartDate: item.StartDate, StopDate: item.StopDate, RedriveCount: item.RedriveCount, RedriveDate: item.RedriveDate,
			Error: given(carriedText(e.Error)), Cause: given(carriedText(e.Cause)),
		}
		status, reason := e.redrivable()
		out.RedriveStatus, out.RedriveStatusReason = status, given(carriedText(reason))
		if withData {
			out.Input, out.InputDetails = given(carriedText(string(e.Input))), &types.CloudWatchEventsExecutionDataDetails{Included: true}
			if e.Output != nil {
				out.Output, out.OutputDetails = given(carriedText(string(e.Output))), &types.CloudWatchEventsExecutionDataDetails{Included: true}
			}
		}
		return out, nil
	})
	if lost != nil {
		return c.Client.DescribeExecution(lost.during, in, append(slices.Clip(options), func(o *sfn.Options) { o.HTTPClient = lost })...)
	}
	return out, nil
}

// ListExecutions implements [sfn.ListExecutionsAPIClient].
func (c States) ListExecutions(ctx context.Context, in *sfn.ListExecutionsInput, options ...func(*sfn.Options)) (*sfn.ListExecutionsOutput, error) {
	const operation = "ListExecutions"
	of := changed(c.options, options)
	if !c.bypasses(ctx, operation, of.HTTPClient, of.Retryer) || in == nil ||
		!areTexts(aws.ToString(in.StateMachineArn), aws.ToString(in.NextToken), aws.ToString(in.MapRunArn), string(in.StatusFilter), string(in.RedriveFilter)) {
		return c.Client.ListExecutions(ctx, in, options...)
	}
	out, lost := perform(ctx, c.typed, c.service, Call{Operation: operation}, always(needOfStates(operation, aws.ToString(in.StateMachineArn))), func() (*sfn.ListExecutionsOutput, *apiError) {
		listed, next, err := c.service.list(in)
		if err != nil {
			return nil, err
		}
		out := &sfn.ListExecutionsOutput{Executions: make([]types.ExecutionListItem, len(listed)), NextToken: given(next)}
		for i, e := range listed {
			out.Executions[i] = e.typed()
		}
		return out, nil
	})
	if lost != nil {
		return c.Client.ListExecutions(lost.during, in, append(slices.Clip(options), func(o *sfn.Options) { o.HTTPClient = lost })...)
	}
	return out, nil
}

// GetExecutionHistory implements [sfn.GetExecutionHistoryAPIClient].
func (c States) GetExecutionHistory(ctx context.Context, in *sfn.GetExecutionHistoryInput, options ...func(*sfn.Options)) (*sfn.GetExecutionHistoryOutput, error) {
	const operation = "GetExecutionHistory"
	of := changed(c.options, options)
	if !c.bypasses(ctx, operation, of.HTTPClient, of.Retryer) || in == nil || in.ExecutionArn == nil ||
		!areTexts(*in.ExecutionArn, aws.ToString(in.NextToken)) || !c.service.hasTyped(*in.ExecutionArn) {
		return c.Client.GetExecutionHistory(ctx, in, options...)
	}
	out, lost := perform(ctx, c.typed, c.service, Call{Operation: operation}, always(needOfStates(operation, *in.ExecutionArn)), func() (*sfn.GetExecutionHistoryOutput, *apiError) {
		e, events, next, err := c.service.history(in)
		if err != nil {
			return nil, err
		}
		out := &sfn.GetExecutionHistoryOutput{Events: make([]types.HistoryEvent, len(events)), NextToken: given(next)}
		withData := wantsData(in)
		for i, event := range events {
			out.Events[i] = e.Typed(event, withData)
		}
		return out, nil
	})
	if lost != nil {
		return c.Client.GetExecutionHistory(lost.during, in, append(slices.Clip(options), func(o *sfn.Options) { o.HTTPClient = lost })...)
	}
	return out, nil
}

// hasTyped reports whether an execution has the function Typed, and a history.
func (s *stepFunctionsService) hasTyped(arn string) bool {
	e, ok := s.executions.Execution(arn)
	return ok && e.Typed != nil && e.History != nil
}

// typed returns the execution as the SDK reads its item.
func (e Execution) typed() types.ExecutionListItem {
	item := types.ExecutionListItem{
		ExecutionArn: aws.String(carriedText(e.ARN)), Name: aws.String(carriedText(e.Name)), StateMachineArn: aws.String(carriedText(e.StateMachineARN)),
		Status: types.ExecutionStatus(carriedText(e.Status)), StartDate: carriedTime(e.Started), RedriveCount: aws.Int32(int32(e.Redrives)),
	}
	if e.Redrives > 0 {
		item.RedriveDate = carriedTime(e.Redriven)
	}
	if !e.Stopped.IsZero() {
		item.StopDate = carriedTime(e.Stopped)
	}
	return item
}

// carriedTime returns a time as the SDK reads it from a number of seconds.
func carriedTime(at time.Time) *time.Time {
	seconds, err := epochSeconds(at).Float64()
	if err != nil {
		panic(err) // digits and a point
	}
	return aws.Time(smithytime.ParseEpochSeconds(seconds))
}

// carriedText returns a text as JSON carries it.
func carriedText(text string) string {
	if utf8.ValidString(text) {
		return text
	}
	return string([]rune(text)) // each byte that belongs to no character becomes U+FFFD, as in JSON
}

// areTexts reports whether JSON carries the texts as they are.
func areTexts(texts ...string) bool {
	for _, text := range texts {
		if !utf8.ValidString(text) {
			return false
		}
	}
	return true
}
