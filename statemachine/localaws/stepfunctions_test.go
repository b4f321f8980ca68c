package localaws

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/google/go-cmp/cmp"
)

const machineARN = "arn:aws:states:eu-central-1:123456789012:stateMachine:rollout"

// machine is a state machine whose executions are those put here.
type machine struct {
	all   []Execution
	now   func() time.Time
	asked int
}

func (m *machine) Executions(stateMachineARN string) (iter.Seq[Execution], bool) {
	m.asked++
	return slices.Values(m.all), stateMachineARN == machineARN
}

func (m *machine) Execution(executionARN string) (Execution, bool) {
	for _, e := range m.all {
		if e.ARN == executionARN {
			return e, true
		}
	}
	return Execution{}, false
}

func executionARN(name string) string {
	return "arn:aws:states:eu-central-1:123456789012:execution:rollout:" + name
}

// start puts an execution that started so many minutes after noon.
func (m *machine) start(name, status string, minute int) *Execution {
	m.all = append(m.all, Execution{ARN: executionARN(name), Name: name, StateMachineARN: machineARN, Status: status,
		Started: noon.Add(time.Duration(minute) * time.Minute), Input: json.RawMessage(`{"steps":10}`)})
	return &m.all[len(m.all)-1]
}

func TestListExecutions(t *testing.T) {
	overBothTransports(t, func(t *testing.T, w *world) {
		for minute, status := range []string{"ABORTED", "SUCCEEDED", "ABORTED", "FAILED", "ABORTED", "RUNNING"} {
			w.executions.start(fmt.Sprint("e", minute), status, minute)
		}
		w.executions.start("twin", "ABORTED", 4)
		list := func(in *sfn.ListExecutionsInput, afterPage func(page int)) (names []string) {
			in.StateMachineArn = aws.String(machineARN)
			for pages, n := sfn.NewListExecutionsPaginator(w.sfn, in), 1; pages.HasMorePages(); n++ {
				page, err := pages.NextPage(t.Context())
				check(t, err)
				for _, e := range page.Executions {
					names = append(names, *e.Name)
				}
				afterPage(n)
			}
			return names
		}
		for _, c := range []struct {
			name string
			in   sfn.ListExecutionsInput
			want string
		}{
			{"the newest first", sfn.ListExecutionsInput{}, "e5 e4 twin e3 e2 e1 e0"},
			{"pages of two", sfn.ListExecutionsInput{MaxResults: 2}, "e5 e4 twin e3 e2 e1 e0"},
			{"of one status, page by page", sfn.ListExecutionsInput{MaxResults: 1, StatusFilter: types.ExecutionStatusAborted}, "e4 twin e2 e0"},
			{"of a status that none has", sfn.ListExecutionsInput{StatusFilter: types.ExecutionStatusTimedOut}, ""},
		} {
			if got := strings.Join(list(&c.in, func(int) {}), " "); got != c.want {
				t.Errorf("%s: %s, want %s", c.name, got, c.want)
			}
		}

		// What happens between two pages shifts nothing.
		got := list(&sfn.ListExecutionsInput{MaxResults: 2, StatusFilter: types.ExecutionStatusAborted}, func(page int) {
			if page == 1 {
				w.executions.start("late", "ABORTED", 9)
				w.executions.all[2].Status = "RUNNING"
			}
		})
		if want := []string{"e4", "twin", "e0"}; !cmp.Equal(got, want) {
			t.Errorf("with changes between the pages: %v, want %v", got, want)
		}
	})
}

func TestDescribeExecution(t *testing.T) {
	overBothTransports(t, func(t *testing.T, w *world) {
		stopped := noon.Add(90*time.Minute + 250*time.Millisecond)
		good := w.executions.start("good", "SUCCEEDED", 0)
		good.Stopped, good.Output = stopped, json.RawMessage(`{"outcome":"promoted"}`)
		bad := w.executions.start("bad", "FAILED", 1)
		bad.Stopped, bad.Error, bad.Cause = stopped, "RolledBack", "too many errors"
		w.executions.start("new", "RUNNING", 2)

		for name, want := range map[string]string{
			"good": `SUCCEEDED 12:00 13:30:00.25 in {"steps":10} out {"outcome":"promoted"} error  cause `,
			"bad":  `FAILED 12:01 13:30:00.25 in {"steps":10} out  error RolledBack cause too many errors`,
			"new":  `RUNNING 12:02 - in {"steps":10} out  error  cause `,
		} {
			out, err := w.sfn.DescribeExecution(t.Context(), &sfn.DescribeExecutionInput{ExecutionArn: aws.String(executionARN(name))})
			check(t, err)
			stop := "-"
			if out.StopDate != nil {
				stop = out.StopDate.UTC().Format("15:04:05.999")
			}
			got := fmt.Sprintf("%s %s %s in %s out %s error %s cause %s", out.Status, out.StartDate.UTC().Format("15:04"), stop,
				aws.ToString(out.Input), aws.ToString(out.Output), aws.ToString(out.Error), aws.ToString(out.Cause))
			if got != want || *out.ExecutionArn != executionARN(name) || *out.StateMachineArn != machineARN || *out.Name != name {
				t.Errorf("%s %s of %s:\n%s, want\n%s", *out.Name, *out.ExecutionArn, *out.StateMachineArn, got, want)
			}
		}
		bare, err := w.sfn.DescribeExecution(t.Context(), &sfn.DescribeExecutionInput{
			ExecutionArn: aws.String(executionARN("good")), IncludedData: types.IncludedDataMetadataOnly})
		check(t, err)
		if bare.Input != nil || bare.Output != nil {
			t.Errorf("metadata only, and input %v, output %v", bare.Input, bare.Output)
		}
	})
}

// wireEvent is an event with that id.
type wireEvent int64

func (id wireEvent) Number() int64 { return int64(id) }

func (id wireEvent) Wire(withData bool) json.RawMessage {
	input := ""
	if withData {
		input = `, "input": "{}"`
	}
	return fmt.Appendf(nil, `{"id": %d, "previousEventId": %d, "type": "TaskStateEntered", "timestamp": %s, "stateEnteredEventDetails": {"name": "S%d"%s}}`,
		id, id-1, epochSeconds(noon.Add(time.Duration(id)*time.Millisecond)), id, input)
}

func TestGetExecutionHistory(t *testing.T) {
	overBothTransports(t, func(t *testing.T, w *world) {
		var events []HistoryEvent
		for id := int64(4); id <= 10; id++ { // the first three are not kept any more
			events = append(events, wireEvent(id))
		}
		w.executions.start("e", "RUNNING", 0).History = HistoryOf(func() []HistoryEvent { return events })
		w.executions.start("forgotten", "SUCCEEDED", 0)
		history := func(in *sfn.GetExecutionHistoryInput, afterPage func()) (ids []int64) {
			in.ExecutionArn = aws.String(executionARN("e"))
			for pages := sfn.NewGetExecutionHistoryPaginator(w.sfn, in); pages.HasMorePages(); {
				page, err := pages.NextPage(t.Context())
				check(t, err)
				for _, event := range page.Events {
					ids = append(ids, event.Id)
				}
				afterPage()
			}
			return ids
		}
		for _, c := range []struct {
			in   sfn.GetExecutionHistoryInput
			want []int64
		}{
			{sfn.GetExecutionHistoryInput{}, []int64{4, 5, 6, 7, 8, 9, 10}},
			{sfn.GetExecutionHistoryInput{MaxResults: 3}, []int64{4, 5, 6, 7, 8, 9, 10}},
			{sfn.GetExecutionHistoryInput{MaxResults: 3, ReverseOrder: true}, []int64{10, 9, 8, 7, 6, 5, 4}},
		} {
			if got := history(&c.in, func() {}); !cmp.Equal(got, c.want) {
				t.Errorf("pages of %d, reverse %v: %v", c.in.MaxResults, c.in.ReverseOrder, got)
			}
		}

		for _, included := range []bool{true, false} {
			out, err := w.sfn.GetExecutionHistory(t.Context(), &sfn.GetExecutionHistoryInput{
				ExecutionArn: aws.String(executionARN("e")), MaxResults: 1, IncludeExecutionData: &included})
			check(t, err)
			event := out.Events[0]
			if !event.Timestamp.Equal(noon.Add(4*time.Millisecond)) || event.PreviousEventId != 3 || event.Type != types.HistoryEventTypeTaskStateEntered ||
				*event.StateEnteredEventDetails.Name != "S4" || (event.StateEnteredEventDetails.Input != nil) != included {
				t.Errorf("with execution data %v the event is %+v with %+v", included, event, event.StateEnteredEventDetails)
			}
		}

		// Between two pages an event comes and the oldest ones go.
		move := func() {
			if len(events) == 7 {
				events = append(events[4:7:7], wireEvent(11))
			}
		}
		if got := history(&sfn.GetExecutionHistoryInput{MaxResults: 2}, move); !cmp.Equal(got, []int64{4, 5, 8, 9, 10, 11}) {
			t.Errorf("while it moves on: %v", got)
		}
		none, err := w.sfn.GetExecutionHistory(t.Context(), &sfn.GetExecutionHistoryInput{ExecutionArn: aws.String(executionARN("forgotten"))})
		check(t, err)
		if len(none.Events) != 0 || none.NextToken != nil {
			t.Errorf("an execution without events has %v", none.Events)
		}
	})
}

func TestStepFunctionsRefusals(t *testing.T) {
	list := func(change func(*sfn.ListExecutionsInput)) func(*testing.T, *world) error {
		return func(t *testing.T, w *world) error {
			in := &sfn.ListExecutionsInput{StateMachineArn: aws.String(machineARN)}
			change(in)
			_, err := w.sfn.ListExecutions(t.Context(), in)
			return err
		}
	}
	describe := func(arn string) func(*testing.T, *world) error {
		return func(t *testing.T, w *world) error {
			_, err := w.sfn.DescribeExecution(t.Context(), &sfn.DescribeExecutionInput{ExecutionArn: &arn})
			return err
		}
	}
	redrive := func(arn, token string) func(*testing.T, *world) error {
		return func(t *testing.T, w *world) error {
			_, err := w.sfn.RedriveExecution(t.Context(), &sfn.RedriveExecutionInput{ExecutionArn: &arn, ClientToken: &token})
			return err
		}
	}
	history := func(change func(*sfn.GetExecutionHistoryInput)) func(*testing.T, *world) error {
		return func(t *testing.T, w *world) error {
			in := &sfn.GetExecutionHistoryInput{ExecutionArn: aws.String(executionARN("e"))}
			change(in)
			_, err := w.sfn.GetExecutionHistory(t.Context(), in)
			return err
		}
	}
	cases := []struct {
		name string
		call func(*testing.T, *world) error
		code string
	}{
		{"unknown machine", list(func(in *sfn.ListExecutionsInput) { in.StateMachineArn = aws.String(machineARN + "2") }), "StateMachineDoesNotExist"},
		{"an activity for a machine", list(func(in *sfn.ListExecutionsInput) {
			in.StateMachineArn = aws.String(strings.Replace(machineARN, "stateMachine", "activity", 1))
		}), "InvalidArn"},
		{"an execution for a machine", list(func(in *sfn.ListExecutionsInput) { in.StateMachineArn = aws.String(executionARN("e")) }), "InvalidArn"},
		{"no machine", list(func(in *sfn.ListExecutionsInput) { in.StateMachineArn = nil }), "ValidationException"},
		{"a map run", list(func(in *sfn.ListExecutionsInput) { in.MapRunArn = aws.String("m") }), "ValidationException"},
		{"an unknown status", list(func(in *sfn.ListExecutionsInput) { in.StatusFilter = "BROKEN" }), "ValidationException"},
		{"a status of map runs", list(func(in *sfn.ListExecutionsInput) { in.StatusFilter = types.ExecutionStatusPendingRedrive }), "ValidationException"},
		{"pages of 1001", list(func(in *sfn.ListExecutionsInput) { in.MaxResults = 1001 }), "ValidationException"},
		{"a made-up token", list(func(in *sfn.ListExecutionsInput) { in.NextToken = aws.String("next") }), "InvalidToken"},
		{"unknown execution", describe(executionARN("x")), "ExecutionDoesNotExist"},
		{"a machine for an execution", describe(machineARN), "InvalidArn"},
		{"an execution without a name", describe(executionARN("")), "InvalidArn"},
		{"no ARN at all", describe("e"), "InvalidArn"},
		{"history of an unknown execution", history(func(in *sfn.GetExecutionHistoryInput) { in.ExecutionArn = aws.String(executionARN("x")) }), "ExecutionDoesNotExist"},
		{"history by a token past the end", history(func(in *sfn.GetExecutionHistoryInput) { in.NextToken = aws.String("2") }), "InvalidToken"},
		{"history by a made-up token", history(func(in *sfn.GetExecutionHistoryInput) { in.NextToken = aws.String("next") }), "InvalidToken"},
		{"history in pages of 1001", history(func(in *sfn.GetExecutionHistoryInput) { in.MaxResults = 1001 }), "ValidationException"},
		{"redriving an unknown execution", redrive(executionARN("x"), "t"), "ExecutionDoesNotExist"},
		{"redriving a machine", redrive(machineARN, "t"), "InvalidArn"},
		{"redriving by a long token", redrive(executionARN("e"), strings.Repeat("t", 65)), "ValidationException"},
		{"redriving what runs", redrive(executionARN("e"), "t"), "ExecutionNotRedrivable"},
		{"stopping an unknown execution", func(t *testing.T, w *world) error {
			_, err := w.sfn.StopExecution(t.Context(), &sfn.StopExecutionInput{ExecutionArn: aws.String(executionARN("x"))})
			return err
		}, "ExecutionDoesNotExist"},
		{"unknown operation", func(t *testing.T, w *world) error {
			_, err := w.sfn.ListActivities(t.Context(), &sfn.ListActivitiesInput{})
			return err
		}, "UnknownOperationException"},
		{"and what is right goes through", history(func(in *sfn.GetExecutionHistoryInput) { in.NextToken = aws.String("1") }), ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			overBothTransports(t, func(t *testing.T, w *world) {
				w.executions.start("e", "RUNNING", 0).History = HistoryOf(func() []HistoryEvent { return []HistoryEvent{wireEvent(1)} })
				if code, _ := outcome(c.call(t, w)); code != c.code {
					t.Errorf("got %q, want %q", code, c.code)
				}
			})
		})
	}

	var missing *types.StateMachineDoesNotExist
	alone := sfn.NewFromConfig(New(Options{}).Config())
	if _, err := alone.ListExecutions(t.Context(), &sfn.ListExecutionsInput{StateMachineArn: aws.String(machineARN)}); !errors.As(err, &missing) {
		t.Errorf("an account without state machines: %v", err)
	}
}
