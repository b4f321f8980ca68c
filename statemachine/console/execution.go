package console

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/picture"
)

// How many visits and events a page lists.
const listedVisits, listedEvents = 25, 50

// executionPage is the content of the page about an execution.
type executionPage struct {
	Name, ARN        string
	Badge            badge
	Tone             string
	Started, Stopped time.Time
	Took             string
	Error            string
	Cause            []string // line by line
	Redrives         int32
	Running          bool
	Redrivable       bool

	Current string // the state in which it is
	Rollout *rolloutView
	Unread  string // why the history can't be shown
	Machine machine
	Visits  []visit
	Older   int // the visits before those listed
	Events  []event
	Before  int64 // the first listed event, if there are others before it
	Newest  bool  // the newest events are listed
	Total   int
	Missing int

	Alias         aliasView
	Alarms        alarms
	Charts        chartsView
	Notifications []sent
	Known         bool // whether notifications are
	Input, Output document
}

// machine is the state machine's picture and its states.
type machine struct {
	Picture template.HTML
	States  []stateRow
	Strange []string // states that the definition does not have
	// Visits is the name of the execution whose visits have pages; empty if they have none.
	Visits string
}

// stateRow is a state with what happened in it.
type stateRow struct {
	picture.State
	Current  bool
	Last     int64 // the last visit; 0 for none
	Attempts int
	Errors   []string // of attempts, without repetition
}

// document is a JSON text, indented and cut to what a page can bear.
type document struct {
	Text string
	Cut  int // how many bytes were cut off
}

// maxDocument limits a text on a page, in bytes.
const maxDocument = 64 << 10

func newDocument(text string) document {
	var out bytes.Buffer
	if json.Indent(&out, []byte(text), "", "  ") == nil {
		text = out.String()
	}
	if len(text) <= maxDocument {
		return document{Text: text}
	}
	return document{strings.ToValidUTF8(text[:maxDocument], ""), len(text) - maxDocument}
}

// execution answers with the page about an execution.
func (c *console) execution(r *http.Request) (*page, error) {
	ctx, query := r.Context(), r.URL.Query()
	name := query.Get("name")
	out, err := c.described(ctx, name)
	if err != nil {
		return nil, err
	}
	arn := aws.ToString(out.ExecutionArn)
	data := &executionPage{
		Name: aws.ToString(out.Name), ARN: arn, Badge: badgeOf(string(out.Status)), Tone: tones[out.Status],
		Started: aws.ToTime(out.StartDate), Stopped: aws.ToTime(out.StopDate), Took: took(aws.ToTime(out.StartDate), aws.ToTime(out.StopDate), c.Now()),
		Error: aws.ToString(out.Error), Redrives: aws.ToInt32(out.RedriveCount), Running: out.Status == types.ExecutionStatusRunning,
		Redrivable: out.RedriveStatus == types.ExecutionRedriveStatusRedrivable,
		Input:      newDocument(aws.ToString(out.Input)), Output: newDocument(aws.ToString(out.Output)),
	}
	history := c.histories.of(arn, data.Started)
	events, err := history.read(ctx, c.executions, arn)
	if err != nil {
		data.Unread = words(err)
	}
	c.follow(data, events, query.Get("before"), query.Get("older"))
	state := c.stateOf(ctx, history, arn, events)
	if state != nil {
		data.Rollout = newRolloutView(*state)
	}
	data.Cause = lines(aws.ToString(out.Cause), state)
	c.surroundings(ctx, data, state, aws.ToString(out.Input), events)
	p := &page{name: "execution", Title: data.Badge.Words + ": " + data.Name, Every: 5, Data: data}
	if data.Running {
		p.Every = 1
	}
	return p, nil
}

// tones are the style sheet's for statuses.
var tones = map[types.ExecutionStatus]string{
	types.ExecutionStatusSucceeded: "good", types.ExecutionStatusFailed: "bad", types.ExecutionStatusTimedOut: "warn", types.ExecutionStatusAborted: "warn",
}

// described returns the execution of a rollout with a name.
func (c *console) described(ctx context.Context, name string) (*sfn.DescribeExecutionOutput, error) {
	return c.describedOf(ctx, c.rollouts, name)
}

// describedOf returns the execution of a kind with a name.
func (c *console) describedOf(ctx context.Context, k *kind, name string) (*sfn.DescribeExecutionOutput, error) {
	if name == "" || len(name) > 80 {
		return nil, errNotFound
	}
	return c.executions.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: aws.String(k.executionARN(name))})
}

// lines returns a cause with each reading of the last check on a line of its own.
func lines(cause string, state *rollout.State) []string {
	if cause == "" {
		return nil
	}
	if state != nil && state.Health != nil {
		cause = rollout.Lines(cause, state.Health.Readings)
	}
	return strings.Split(rollout.Shorten(cause, maxCause), "\n")
}

// follow fills in what the history says: the path, the visits and the events.
func (c *console) follow(data *executionPage, events []event, before, older string) {
	visits, missing := visitsOf(events)
	data.Missing, data.Total = int(missing), len(events)
	if n := len(visits); n > 0 && data.Running && visits[n-1].Exited.IsZero() {
		data.Current = visits[n-1].State
	}
	data.Machine = drawn(c.layout, visits, data.Current)
	data.Machine.Visits = data.Name

	end := len(visits)
	if n, err := strconv.Atoi(older); err == nil && n > 0 && n < end {
		end = n
	}
	data.Older = max(0, end-listedVisits)
	data.Visits = slices.Clone(visits[data.Older:end])
	slices.Reverse(data.Visits)

	end = len(events)
	if id, err := strconv.ParseInt(before, 10, 64); err == nil {
		end, _ = slices.BinarySearchFunc(events, id, func(e event, id int64) int { return int(e.ID - id) })
	}
	from := max(0, end-listedEvents)
	data.Newest = end == len(events)
	data.Events = slices.Clone(events[from:end])
	slices.Reverse(data.Events)
	if from > 0 && from < end {
		data.Before = events[from].ID
	}
}

// drawn returns the state machine with the path of the visits.
func drawn(layout *picture.Layout, visits []visit, current string) machine {
	states := layout.States()
	known := map[string]bool{}
	for _, s := range states {
		known[s.Name] = true
	}
	var m machine
	for _, path := range paths(visits, known) {
		_ = picture.Count(states, path) // its states are known
	}
	byName := map[string]*stateRow{}
	for _, s := range states {
		m.States = append(m.States, stateRow{State: s, Current: s.Name == current})
	}
	for i := range m.States {
		byName[m.States[i].Name] = &m.States[i]
	}
	for _, v := range visits {
		s, ok := byName[v.State]
		if !ok {
			if !slices.Contains(m.Strange, v.State) {
				m.Strange = append(m.Strange, v.State)
			}
			continue
		}
		s.Last = v.ID
		s.Attempts += len(v.Attempts)
		for _, a := range v.Errors() {
			if !slices.Contains(s.Errors, a.Error) {
				s.Errors = append(s.Errors, a.Error)
			}
		}
	}
	says := fmt.Sprintf("%d of the %d states were entered.", picture.Visited(states), len(states))
	if current != "" {
		says += " The execution is in " + current + "."
	}
	m.Picture = layout.Draw(states, current, says+" The list below has them all.")
	return m
}

// stateOf returns what the newest data in the history says of the rollout; nil if it
// says nothing.
func (c *console) stateOf(ctx context.Context, h *history, arn string, events []event) *rollout.State {
	if len(events) == 0 {
		return nil
	}
	newest := events[len(events)-1].ID
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stateAt == newest {
		return h.state
	}
	out, err := c.executions.GetExecutionHistory(ctx, &sfn.GetExecutionHistoryInput{ExecutionArn: &arn, ReverseOrder: true, MaxResults: 30})
	if err != nil {
		return h.state // what was known before
	}
	h.stateAt = newest
	for i := range out.Events {
		if s := stateIn(&out.Events[i]); s != nil {
			h.state = s
			break
		}
	}
	return h.state
}

// stateIn returns the rollout's data with which a state was entered or left; nil if there is
// none.
func stateIn(e *types.HistoryEvent) *rollout.State {
	switch {
	case e.StateEnteredEventDetails != nil:
		return rollout.EnteredState(aws.ToString(e.StateEnteredEventDetails.Name), aws.ToString(e.StateEnteredEventDetails.Input))
	case e.StateExitedEventDetails != nil:
		return rollout.ReturnedState(aws.ToString(e.StateExitedEventDetails.Output))
	}
	return nil
}

// surroundings fills in what is not in the execution, all at once.
func (c *console) surroundings(ctx context.Context, data *executionPage, state *rollout.State, input string, events []event) {
	request, err := rollout.Decode([]byte(input))
	baseline, owner := "", data.Name
	if state != nil {
		request, err = state.Request, nil
		baseline, owner = state.Plan.Baseline, state.Plan.Owner
	}
	var all sync.WaitGroup
	all.Go(func() { data.Alarms = c.alarms(ctx) })
	if err != nil {
		data.Alias.Error = "The input has no function and alias that could be shown."
	} else {
		all.Go(func() { data.Alias = c.alias(ctx, request.FunctionName, request.AliasName) })
	}
	if err == nil && baseline != "" {
		all.Go(func() {
			data.Charts = c.chartsOf(ctx, data, metricsOf{request.Function(), request.AliasName, baseline, request.NewVersion}, len(events))
		})
	}
	all.Wait()
	data.Notifications, data.Known = c.about(c.executionARN(owner))
}
