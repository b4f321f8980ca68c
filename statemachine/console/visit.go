package console

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// visitPage is the content of the page about one visit of a state.
type visitPage struct {
	Execution      string
	Visit          visit
	Took           string
	Number, Of     int
	Before, After  int64 // the visits of the same state; 0 for none
	Comment        string
	Input, Output  document
	HasOutput      bool
	Attempts       []attemptView
	Events         []event
	Cut            int64 // how many events of the visit are left out
	EndedExecution bool
}

// attemptView is an attempt of a task with its data.
type attemptView struct {
	Number        int
	Resource      string
	Began         time.Time
	Took          string
	Error         string
	Cause         document
	Input, Output document
}

// maxVisitEvents limits how many events of a visit are read with their data.
const maxVisitEvents = 400

// visit answers with the page about a visit of a state.
func (c *console) visit(r *http.Request) (*page, error) {
	ctx, query := r.Context(), r.URL.Query()
	out, err := c.described(ctx, query.Get("name"))
	if err != nil {
		return nil, err
	}
	arn := aws.ToString(out.ExecutionArn)
	events, err := c.histories.of(arn, aws.ToTime(out.StartDate)).read(ctx, c.executions, arn)
	if err != nil {
		return nil, err
	}
	visits, _ := visitsOf(events)
	id, err := strconv.ParseInt(query.Get("event"), 10, 64)
	at := slices.IndexFunc(visits, func(v visit) bool { return v.ID == id })
	if err != nil || at < 0 {
		return nil, errNotFound
	}
	v := visits[at]
	data := visitPage{Execution: aws.ToString(out.Name), Visit: v, Comment: c.comment(v.State)}
	for i, other := range visits {
		if other.State != v.State {
			continue
		}
		data.Of++
		switch {
		case i < at:
			data.Before, data.Number = other.ID, data.Number+1
		case i == at:
			data.Number++
		case data.After == 0:
			data.After = other.ID
		}
	}
	end := v.Exited
	if end.IsZero() && out.Status != types.ExecutionStatusRunning {
		end = aws.ToTime(out.StopDate)
		data.EndedExecution = true
	}
	data.Took = took(v.Entered, end, c.Now())
	last := min(v.Last, v.ID+maxVisitEvents)
	data.Cut = v.Last - last
	full, err := withData(ctx, c.executions, arn, v.ID, last, events[len(events)-1].ID)
	if err != nil {
		return nil, err
	}
	data.fill(full)
	p := &page{name: "visit", Title: v.State + ": " + data.Execution, Data: data}
	if v.Exited.IsZero() && out.Status == types.ExecutionStatusRunning {
		p.Every = 1
	}
	return p, nil
}

// comment returns what the definition says of a state.
func (c *console) comment(state string) string {
	for _, s := range c.layout.States() {
		if s.Name == state {
			return s.Comment
		}
	}
	return ""
}

// fill takes the data of the visit's events.
func (p *visitPage) fill(events []types.HistoryEvent) {
	var began time.Time
	for i := range events {
		e := &events[i]
		brief := newEvent(e)
		p.Events = append(p.Events, brief)
		n := len(p.Attempts)
		switch {
		case e.StateEnteredEventDetails != nil:
			p.Input = newDocument(aws.ToString(e.StateEnteredEventDetails.Input))
		case e.StateExitedEventDetails != nil:
			p.Output, p.HasOutput = newDocument(aws.ToString(e.StateExitedEventDetails.Output)), true
		case e.LambdaFunctionScheduledEventDetails != nil:
			began = brief.At
			p.Attempts = append(p.Attempts, attemptView{Number: n + 1, Resource: brief.Resource, Began: began, Input: newDocument(aws.ToString(e.LambdaFunctionScheduledEventDetails.Input))})
		case e.TaskScheduledEventDetails != nil:
			began = brief.At
			p.Attempts = append(p.Attempts, attemptView{Number: n + 1, Resource: brief.Resource, Began: began, Input: newDocument(aws.ToString(e.TaskScheduledEventDetails.Parameters))})
		case n == 0:
		case e.LambdaFunctionSucceededEventDetails != nil:
			p.Attempts[n-1].Took = took(began, brief.At, brief.At)
			p.Attempts[n-1].Output = newDocument(aws.ToString(e.LambdaFunctionSucceededEventDetails.Output))
		case e.TaskSucceededEventDetails != nil:
			p.Attempts[n-1].Took = took(began, brief.At, brief.At)
			p.Attempts[n-1].Output = newDocument(aws.ToString(e.TaskSucceededEventDetails.Output))
		default:
			name, cause := failureOf(e)
			if name == nil && cause == nil {
				continue
			}
			p.Attempts[n-1].Took = took(began, brief.At, brief.At)
			if p.Attempts[n-1].Error = aws.ToString(name); p.Attempts[n-1].Error == "" {
				p.Attempts[n-1].Error = brief.Type
			}
			p.Attempts[n-1].Cause = newDocument(aws.ToString(cause))
		}
	}
}
