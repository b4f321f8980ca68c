package rollouts

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"pgregory.net/rapid"
)

const (
	machineARN = "arn:aws:states:eu-central-1:123456789012:stateMachine:m"
	firstARN   = "arn:aws:states:eu-central-1:123456789012:execution:m:first"
)

// histories are those of an execution and of its parts, as GetExecutionHistory answers. Each
// call that is answered lets some events happen.
type histories struct {
	all      []happened
	redriven int         // how often
	visible  int         // how many events have happened
	passes   func() int  // how many happen with a call
	refuses  func() bool // a call
}

// happened is an event of an execution, in the order in which they happen.
type happened struct {
	execution string
	fields    map[string]any
}

// happen adds an event of an execution, at a time in seconds, with its details' name and content.
func (h *histories) happen(execution, kind string, at int64, details string, content map[string]any) {
	id := 1
	for _, e := range h.all {
		if e.execution == execution {
			id++
		}
	}
	fields := map[string]any{"id": id, "type": kind, "timestamp": at}
	if content != nil {
		fields[details] = content
	}
	h.all = append(h.all, happened{execution, fields})
}

// draw makes histories whose events that are shown are numbered from 1 on. It returns how many
// there are.
func (h *histories) draw(t *rapid.T) (shown int) {
	at := int64(1_700_000_000)
	exits := func(execution string) {
		for range rapid.IntRange(0, 4).Draw(t, "exits") {
			at += rapid.Int64Range(0, 1).Draw(t, "seconds")
			shown++
			h.happen(execution, "TaskStateExited", at, "stateExitedEventDetails", map[string]any{"name": "s", "output": strconv.Itoa(shown)})
		}
	}
	exits(firstARN)
	for i := range rapid.IntRange(0, 4).Draw(t, "parts") {
		part := firstARN + "-" + strconv.Itoa(i)
		h.happen(firstARN, "TaskSubmitted", at, "taskSubmittedEventDetails", map[string]any{"resource": "r", "resourceType": "states", "output": fmt.Sprintf(`{"ExecutionArn": %q}`, part)})
		exits(part)
		h.happen(part, "ExecutionSucceeded", at, "", nil)
		exits(firstARN)
		if rapid.Bool().Draw(t, "is redriven") {
			h.redriven++
			h.happen(firstARN, "ExecutionFailed", at, "", nil)
			h.happen(firstARN, "ExecutionRedriven", at, "", nil)
		}
	}
	h.happen(firstARN, "ExecutionSucceeded", at, "", nil)
	return shown
}

// newestPart returns the part that was started last; "" for none.
func (h *histories) newestPart() (part string) {
	for _, e := range h.all[:h.visible] {
		if e.execution != firstARN {
			part = e.execution
		}
	}
	return part
}

// Do answers GetExecutionHistory, newest first.
func (h *histories) Do(r *http.Request) (*http.Response, error) {
	var in struct {
		ExecutionARN string `json:"executionArn"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return nil, err
	}
	answer := func(status int, content any) (*http.Response, error) {
		body, err := json.Marshal(content)
		return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}}, Body: io.NopCloser(strings.NewReader(string(body))), Request: r}, err
	}
	if h.refuses() {
		return answer(400, map[string]string{"__type": "ThrottlingException", "message": "Rate exceeded"})
	}
	var events []map[string]any
	for _, e := range h.all[:h.visible] {
		if e.execution == in.ExecutionARN {
			events = append(events, e.fields)
		}
	}
	slices.Reverse(events)
	h.visible = min(h.visible+h.passes(), len(h.all))
	return answer(200, map[string]any{"events": events})
}

// TestFollow: whenever histories are read, and whichever calls fail, each event is shown once,
// and all in the order in which they happened.
func TestFollow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := &histories{}
		want := h.draw(t)
		h.passes = func() int { return rapid.IntRange(0, 3).Draw(t, "pass") }
		h.refuses = func() bool { return rapid.IntRange(0, 3).Draw(t, "is refused") == 0 }
		c := (&Client{Machine: machineARN}).Renewed(aws.Config{
			Region: "eu-central-1", Credentials: aws.AnonymousCredentials{}, HTTPClient: h, Retryer: func() aws.Retryer { return aws.NopRetryer{} },
		})
		f := follower[int]{seen: map[string]int64{}, of: workflow[int]{
			returned: func(output string) *int { n, _ := strconv.Atoi(output); return &n },
			changes:  func(_, s *int, at time.Time) []Event { return []Event{{at, "exit", strconv.Itoa(*s)}} },
		}}
		var seen []string
		redriven, failures := 0, 0
		for range 1000 {
			whole := h.visible == len(h.all)
			executions := []string{firstARN}
			if part := h.newestPart(); part != "" {
				executions = append(executions, part)
			}
			events, err := f.follow(context.Background(), c, executions)
			for _, e := range events {
				if e.Kind == "redrive" {
					redriven++
				} else {
					seen = append(seen, e.Text)
				}
			}
			if err != nil {
				failures++
			} else if whole {
				break
			}
			h.visible = min(h.visible+rapid.IntRange(0, 9).Draw(t, "between two looks"), len(h.all))
		}
		for i := range max(want, len(seen)) {
			if i >= len(seen) || seen[i] != strconv.Itoa(i+1) {
				t.Fatalf("after %d failures, of the events 1 to %d are shown: %s", failures, want, seen)
			}
		}
		if len(f.open) > 0 {
			t.Errorf("%q are still read", f.open)
		}
		if redriven != h.redriven {
			t.Errorf("%d redrives are shown, of %d", redriven, h.redriven)
		}
	})
}
