package localaws

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// executionItem is an execution as ListExecutions returns it, and the first part of what DescribeExecution returns.
type executionItem struct {
	ExecutionARN    string      `json:"executionArn"`
	StateMachineARN string      `json:"stateMachineArn"`
	Name            string      `json:"name"`
	Status          string      `json:"status"`
	StartDate       json.Number `json:"startDate"`
	StopDate        json.Number `json:"stopDate,omitempty"`
	RedriveCount    int         `json:"redriveCount"`
	RedriveDate     json.Number `json:"redriveDate,omitempty"`
}

// item returns the execution as ListExecutions does.
func (e Execution) item() executionItem {
	item := executionItem{ExecutionARN: e.ARN, StateMachineARN: e.StateMachineARN, Name: e.Name, Status: e.Status, StartDate: epochSeconds(e.Started), RedriveCount: e.Redrives}
	if e.Redrives > 0 {
		item.RedriveDate = epochSeconds(e.Redriven)
	}
	if !e.Stopped.IsZero() {
		item.StopDate = epochSeconds(e.Stopped)
	}
	return item
}

// listExecutions returns a state machine's executions, the last started first; those that started together are sorted by
// ARN. A NextToken stays valid when more executions start and when others change their status. ARNs of versions and aliases
// of state machines are not supported, nor are map runs.
func (s *stepFunctionsService) listExecutions(r *request) (reply, *apiError) {
	var in sfn.ListExecutionsInput
	if err := s.decode(r, &in); err != nil {
		return reply{}, err
	}
	listed, next, err := s.list(&in)
	if err != nil {
		return reply{}, err
	}
	var out struct {
		Executions []executionItem `json:"executions"`
		NextToken  string          `json:"nextToken,omitempty"`
	}
	out.Executions, out.NextToken = make([]executionItem, len(listed)), next
	for i, e := range listed {
		out.Executions[i] = e.item()
	}
	return s.encode(&out)
}

// list implements listExecutions: it returns a page, and the next page's token or "".
func (s *stepFunctionsService) list(in *sfn.ListExecutionsInput) (page []Execution, next string, err *apiError) {
	size, err := checkListExecutions(in)
	if err != nil {
		return nil, "", err
	}
	executions, ok := s.executions.Executions(*in.StateMachineArn)
	if !ok {
		return nil, "", badRequest("StateMachineDoesNotExist", "State Machine Does Not Exist: '%s'", *in.StateMachineArn)
	}
	var first Execution // of the page
	if in.NextToken != nil {
		next, decodeErr := base64.RawURLEncoding.DecodeString(*in.NextToken)
		if first, ok = s.executions.Execution(string(next)); decodeErr != nil || !ok || first.StateMachineARN != *in.StateMachineArn {
			return nil, "", invalidToken(*in.NextToken)
		}
	}
	inOrder := func(a, b Execution) int {
		return cmp.Or(b.Started.Compare(a.Started), strings.Compare(a.ARN, b.ARN))
	}
	var listed []Execution
	for e := range executions {
		if (in.StatusFilter == "" || e.Status == string(in.StatusFilter)) && (in.NextToken == nil || inOrder(first, e) <= 0) {
			listed = append(listed, e)
		}
	}
	slices.SortFunc(listed, inOrder)
	if len(listed) > size {
		return listed[:size], base64.RawURLEncoding.EncodeToString([]byte(listed[size].ARN)), nil
	}
	return listed, "", nil
}

// maxListToken is the maximum length of ListExecutions' nextToken (recorded on AWS 2024-07-01, by LocalStack's tests).
const maxListToken = 3096

// checkListExecutions returns the size of a page, or an error for input that is refused or not supported.
func checkListExecutions(in *sfn.ListExecutionsInput) (size int, err *apiError) {
	filters := types.ExecutionStatus("").Values()
	switch {
	case in.MapRunArn != nil:
		return 0, badRequest("ValidationException", "mapRunArn is not supported by the local AWS, which has no map runs.")
	case in.RedriveFilter != "":
		return 0, badRequest("ValidationException", "redriveFilter can't be used with stateMachineArn.")
	case in.StateMachineArn == nil:
		return 0, badRequest("ValidationException", "Exactly one of stateMachineArn and mapRunArn must be given.")
	case in.StatusFilter == types.ExecutionStatusPendingRedrive:
		return 0, badRequest("ValidationException", "statusFilter PENDING_REDRIVE can't be used with stateMachineArn.")
	case in.StatusFilter != "" && !slices.Contains(filters, in.StatusFilter):
		return 0, invalid(in.StatusFilter, "statusFilter", fmt.Sprintf("Member must satisfy enum value set: %s", filters))
	}
	if token := aws.ToString(in.NextToken); len(token) > maxListToken {
		return 0, invalid(token, "nextToken", "Member must have length less than or equal to 3096")
	}
	if err := checkARN(*in.StateMachineArn, "stateMachine", 7); err != nil {
		return 0, err
	}
	return checkPage(in.MaxResults)
}

func (s *stepFunctionsService) describeExecution(r *request) (reply, *apiError) {
	var in sfn.DescribeExecutionInput
	if err := s.decode(r, &in); err != nil {
		return reply{}, err
	}
	e, withData, err := s.describe(&in)
	if err != nil {
		return reply{}, err
	}
	type included struct {
		Included bool `json:"included"`
	}
	var out struct {
		executionItem
		Input         string    `json:"input,omitempty"`
		InputDetails  *included `json:"inputDetails,omitempty"`
		Output        string    `json:"output,omitempty"`
		OutputDetails *included `json:"outputDetails,omitempty"`
		Error         string    `json:"error,omitempty"`
		Cause         string    `json:"cause,omitempty"`

		RedriveStatus       types.ExecutionRedriveStatus `json:"redriveStatus"`
		RedriveStatusReason string                       `json:"redriveStatusReason,omitempty"`
	}
	out.executionItem, out.Error, out.Cause = e.item(), e.Error, e.Cause
	out.RedriveStatus, out.RedriveStatusReason = e.redrivable()
	if withData {
		out.Input, out.InputDetails = string(e.Input), &included{true}
		if e.Output != nil {
			out.Output, out.OutputDetails = string(e.Output), &included{true}
		}
	}
	return s.encode(&out)
}

// describe returns an execution, and whether its input and output are wanted.
func (s *stepFunctionsService) describe(in *sfn.DescribeExecutionInput) (e Execution, withData bool, err *apiError) {
	if e, err = s.find(aws.ToString(in.ExecutionArn)); err != nil {
		return e, false, err
	}
	switch in.IncludedData {
	case "", types.IncludedDataAllData:
		return e, true, nil
	case types.IncludedDataMetadataOnly:
		return e, false, nil
	}
	return e, false, invalid(in.IncludedData, "includedData", fmt.Sprintf("Member must satisfy enum value set: %s", in.IncludedData.Values()))
}

// getExecutionHistory returns the kept events. A NextToken stays valid when events are added and old ones are dropped.
func (s *stepFunctionsService) getExecutionHistory(r *request) (reply, *apiError) {
	var in sfn.GetExecutionHistoryInput
	if err := s.decode(r, &in); err != nil {
		return reply{}, err
	}
	_, events, next, err := s.history(&in)
	if err != nil {
		return reply{}, err
	}
	withData := wantsData(&in)
	body := []byte(`{"events":[`)
	for i, event := range events {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, event.Wire(withData)...)
	}
	if next != "" {
		return s.answer(fmt.Appendf(body, `],"nextToken":"%s"}`, next)), nil
	}
	return s.answer(append(body, "]}"...)), nil
}

// wantsData reports whether events are wanted with their input and output.
func wantsData(in *sfn.GetExecutionHistoryInput) bool {
	return in.IncludeExecutionData == nil || *in.IncludeExecutionData
}

// history implements getExecutionHistory: it returns the execution, a page of its events, and the next page's token or "".
func (s *stepFunctionsService) history(in *sfn.GetExecutionHistoryInput) (e Execution, page []HistoryEvent, next string, err *apiError) {
	size, err := checkPage(in.MaxResults)
	if err != nil {
		return e, nil, "", err
	}
	if e, err = s.find(aws.ToString(in.ExecutionArn)); err != nil {
		return e, nil, "", err
	}
	from := int64(0)
	if in.NextToken != nil {
		if from, err = eventIn(*in.NextToken); err != nil {
			return e, nil, "", err
		}
	}
	if e.History != nil {
		page = e.History(from, in.ReverseOrder, size+1)
	}
	switch {
	case len(page) > size:
		return e, page[:size], strconv.FormatInt(page[size].Number(), 10), nil
	case len(page) == 0 && from > 0 && !in.ReverseOrder:
		return e, nil, "", invalidToken(*in.NextToken)
	}
	return e, page, "", nil
}

// eventIn returns the id of the event at which the page with a token begins: it is the token. If that event is no longer
// kept, the page begins with the next one in its direction.
func eventIn(token string) (int64, *apiError) {
	id, err := strconv.ParseInt(token, 10, 64)
	if err != nil || id < 1 {
		return 0, invalidToken(token)
	}
	return id, nil
}
