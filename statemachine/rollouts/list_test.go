package rollouts_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/servedtest"
	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/terminal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rollouts"
)

type ctxOf = context.Context

// TestList lists rollouts of every kind.
func TestList(t *testing.T) {
	a := servedtest.New(t, `{"changes": [{"after": 300, "new-version": {"error-rate": 0.3}}]}`)
	a.Begin("rolled-back-with-a-name-that-is-rather-long", input(""))
	a.Advance(time.Hour)
	a.Begin("refused", `{"function-name": "MyFunction"}`)
	a.Advance(time.Minute)
	a.Begin("no-object", `[]`)
	stopped := a.Begin("stopped", input(""))
	a.Advance(3*time.Minute + 30*time.Second)
	a.Stop(stopped, "", "")
	a.Advance(time.Minute)
	a.Begin("waits", input(`, "approval": {"before-weights": [0.4]}`))
	a.Advance(4*time.Minute + 30*time.Second)
	c := clientOf(t, a)
	names := func(status types.ExecutionStatus, limit int) string {
		list, err := c.List(t.Context(), status, limit, false, a.Now())
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, item := range list.Rollouts {
			all = append(all, item.Name)
		}
		return fmt.Sprint(strings.Join(all, " "), list.More)
	}
	for _, l := range []struct {
		status types.ExecutionStatus
		limit  int
		want   string
	}{
		{"RUNNING", 10, "waitsfalse"},
		{"ABORTED", 10, "stoppedfalse"},
		{"SUCCEEDED", 10, "false"},
		{"", 2, "waits no-objecttrue"},
		{"", 5, "waits no-object stopped refused rolled-back-with-a-name-that-is-rather-longfalse"},
	} {
		if got := names(l.status, l.limit); got != l.want {
			t.Errorf("%s at most %d: %q, want %q", l.status, l.limit, got, l.want)
		}
	}
	list, err := c.List(t.Context(), "", 3, false, a.Now())
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, width := range []int{40, 80, 200} {
		lines := list.Table(width, false)
		for _, line := range lines {
			if terminal.Cells(line) > width {
				t.Errorf("at %d the line %q is wider", width, line)
			}
		}
		fmt.Fprintf(&text, "%s\n%s\n", strings.Repeat("-", width), strings.Join(lines, "\n"))
	}
	golden(t, "list-widths", text.String())
}

// TestListHasWhatCanNotBeRead lists a rollout whose history is refused.
func TestListHasWhatCanNotBeRead(t *testing.T) {
	a := servedtest.New(t, `{}`)
	a.Begin("it", input(""))
	a.Advance(time.Minute)
	a.Answer(func(action string, w http.ResponseWriter, _ *http.Request) bool {
		if action != "states:GetExecutionHistory" {
			return false
		}
		servedtest.Refuse(w, 400, "AccessDeniedException", "not authorized to perform: states:GetExecutionHistory")
		return true
	})
	list, err := clientOf(t, a).List(t.Context(), "", 10, false, a.Now())
	if err != nil || len(list.Rollouts) != 1 {
		t.Fatal(list, err)
	}
	if item := list.Rollouts[0]; item.Outcome != rollouts.Running || !strings.Contains(item.Unread, "don't allow states:GetExecutionHistory") {
		t.Errorf("listed is %+v", item)
	}
}

// TestHostileNames lists what AWS allows in no name, as a server that is not AWS may answer.
func TestHostileNames(t *testing.T) {
	list := &rollouts.List{Rollouts: []rollouts.Item{{Name: "a\x1b[2J\u202eb\nc", Function: "F\x07", Alias: "A", Status: "\x1b]0;x\x07", Outcome: rollouts.Failed, Unread: "un\x1b[1mread"}}}
	for _, width := range []int{0, 40, 200} {
		text := strings.Join(list.Table(width, false), "\n")
		if strings.ContainsAny(text, "\x1b\x07\u202e") || strings.Count(text, "\n") > 4 {
			t.Errorf("at %d: %q", width, text)
		}
	}
}

// TestListOfWhatEndsMeanwhile lists a rollout that ends after the executions were listed and
// before its history is read, and one that two pages have.
func TestListOfWhatEndsMeanwhile(t *testing.T) {
	for status, want := range map[types.ExecutionStatus][]string{"": {"promoted SUCCEEDED ended"}, "RUNNING": nil} {
		a := servedtest.New(t, `{}`)
		a.Begin("it", input(""))
		a.Advance(time.Minute)
		pages, ends := 0, false
		a.Answer(func(action string, w http.ResponseWriter, r *http.Request) bool {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			switch {
			case bytes.Contains(body, []byte("-releases")):
				return false
			case action == "states:ListExecutions" && pages == 0:
				pages++
				recorder := &recorded{header: http.Header{}}
				a.ServeHTTP(recorder, r)
				_, _ = w.Write([]byte(strings.Replace(string(recorder.body), `{"executions"`, `{"nextToken":"next","executions"`, 1)))
			case action == "states:ListExecutions":
				pages++
				body := fmt.Sprintf(`{"executions":[{"executionArn":%q,"name":"it","stateMachineArn":%q,"status":"RUNNING","startDate":%d}]}`,
					strings.Replace(a.StateMachine(), ":stateMachine:", ":execution:", 1)+":it", a.StateMachine(), servedtest.Start.Unix())
				_, _ = w.Write([]byte(body))
			case action == "states:GetExecutionHistory" && !ends:
				ends = true
				a.Advance(time.Hour)
				return false
			default:
				return false
			}
			return true
		})
		list, err := clientOf(t, a).List(t.Context(), status, 10, false, a.Now())
		if err != nil || pages != 2 || !ends {
			t.Fatal(pages, ends, err)
		}
		var got []string
		for _, item := range list.Rollouts {
			got = append(got, strings.TrimSpace(fmt.Sprintf("%s %s %s", item.Outcome, item.Status, map[bool]string{true: "ended"}[!item.Ended.IsZero()])))
		}
		if !slices.Equal(got, want) {
			t.Errorf("with the status %q, listed are %q, want %q", status, got, want)
		}
	}
}
