package rollouts

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
)

// historyPage is the largest page of a history.
const historyPage = 1000

// Recording reads a rollout completely: the histories of all its executions, and what
// CloudWatch counted. If CloudWatch has nothing, or can't be read, the recording is without
// its figures, and note says why.
func (c *Client) Recording(ctx context.Context, name string, now time.Time) (r *rehearsal.Recording, note string, err error) {
	out, err := c.describe(ctx, name, resumedRollout)
	if err != nil {
		return nil, "", err
	}
	execution := aws.ToString(out.ExecutionArn)
	owner, parts, err := c.historyOf(ctx, execution)
	if err != nil {
		return nil, "", err
	}
	var continued []asl.History
	read := map[string]bool{}
	for _, part := range parts {
		if read[part] { // a retry started the same execution
			continue
		}
		read[part] = true
		history, _, err := c.historyOf(ctx, part)
		if err != nil {
			return nil, "", err
		}
		continued = append(continued, history)
	}
	if r, err = rehearsal.NewRecording(owner, continued...); err != nil {
		return nil, "", unusable(execution, err)
	}
	if err := c.measure(ctx, r, now); err != nil {
		if ctx.Err() != nil {
			return nil, "", ctx.Err()
		}
		note = err.Error()
	}
	return r, note, nil
}

// historyOf returns the history of an execution, and the ARNs of those in which the rollout
// continued.
func (c *Client) historyOf(ctx context.Context, execution string) (history asl.History, parts []string, err error) {
	var events []json.RawMessage
	in := &sfn.GetExecutionHistoryInput{ExecutionArn: &execution, MaxResults: historyPage}
	for {
		out, err := c.States.GetExecutionHistory(ctx, in)
		if err != nil {
			return nil, nil, inWords(err, "states:GetExecutionHistory", "the history of the rollout "+nameOf(execution))
		}
		for i := range out.Events {
			e := &out.Events[i]
			text, err := asPrinted(e)
			if err != nil {
				return nil, nil, unusable(execution, err)
			}
			events = append(events, text)
			if part := c.partIn(e); part != "" {
				parts = append(parts, part)
			}
		}
		if out.NextToken == nil {
			break
		}
		in.NextToken = out.NextToken
	}
	text, err := json.Marshal(struct {
		Events []json.RawMessage `json:"events"`
	}{events})
	if err != nil {
		return nil, nil, err
	}
	if history, err = asl.ReadHistory(text); err != nil {
		return nil, nil, unusable(execution, err)
	}
	return history, parts, nil
}

// unusable returns the error of a history that can be read, but not used.
func unusable(execution string, err error) error {
	return &Failure{text: fmt.Sprintf("the history of the rollout %s can't be used: %v", nameOf(execution), err), err: err}
}

// asPrinted returns an event as the AWS CLI prints it: as the SDK has it, but with names that
// begin with a small letter, and without what it does not have.
func asPrinted(e *types.HistoryEvent) (json.RawMessage, error) {
	printed := map[string]any{}
	event := reflect.ValueOf(e).Elem()
	for i := range event.NumField() {
		name, value := event.Type().Field(i).Name, event.Field(i)
		if value.CanInterface() && (value.Kind() != reflect.Pointer || !value.IsNil()) {
			printed[strings.ToLower(name[:1])+name[1:]] = value.Interface()
		}
	}
	return json.Marshal(printed)
}

// measure adds what CloudWatch counted to a recording.
func (c *Client) measure(ctx context.Context, r *rehearsal.Recording, now time.Time) error {
	queries, err := r.Queries(now)
	if err != nil {
		return err
	}
	in := &cloudwatch.GetMetricDataInput{}
	if err := json.Unmarshal(queries, in); err != nil {
		return err
	}
	var answer struct{ MetricDataResults []cwtypes.MetricDataResult }
	for {
		out, err := c.Metrics.GetMetricData(ctx, in)
		if err != nil {
			return inWords(err, "cloudwatch:GetMetricData", "the metrics of the rollout")
		}
		answer.MetricDataResults = append(answer.MetricDataResults, out.MetricDataResults...)
		if out.NextToken == nil {
			break
		}
		in.NextToken = out.NextToken
	}
	text, err := json.Marshal(answer)
	if err != nil {
		return err
	}
	return r.Metrics(text)
}
