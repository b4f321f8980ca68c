package rollouts_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/servedtest"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rollouts"
)

// TestHostileData shows a rollout whose every text steers terminals and writes backwards.
func TestHostileData(t *testing.T) {
	const hostile = "a\x1b[2J\x07\u202eb\u2028c\r\nd\u009b31m"
	for _, outcome := range []rollouts.Outcome{rollouts.Running, rollouts.Promoted, rollouts.Unchanged, rollouts.RolledBack, rollouts.Refused, rollouts.NotStarted,
		rollouts.AliasChanged, rollouts.RollbackFailed, rollouts.Stopped, rollouts.TimedOut, rollouts.Failed, "odd\x1b[2J"} {
		r, plain := filled(outcome, hostile), filled(outcome, "plain")
		now := time.Now()
		for i, page := range []*rollouts.Page{r.Text(now), r.Live(now), r.Explain(now).Text()} {
			same := []*rollouts.Page{plain.Text(now), plain.Live(now), plain.Explain(now).Text()}[i]
			if lines := page.Lines(0, false); len(lines) != len(same.Lines(0, false)) {
				t.Errorf("%s has other lines than with plain texts: %q", outcome, lines)
			}
			for _, width := range []int{0, 40, 80, 200} {
				for _, line := range append(page.Lines(width, false), page.Rows(width, false)...) {
					if line != rollout.OneLine(line) {
						t.Errorf("%s at %d: %q", outcome, width, line)
					}
				}
			}
		}
		for _, line := range []string{r.Line(), rollouts.Event{Kind: "end", Text: hostile}.String()} {
			if line != rollout.OneLine(line) {
				t.Errorf("%s: %q", outcome, line)
			}
		}
	}
}

// filled returns a rollout of which every text is the same one.
func filled(outcome rollouts.Outcome, text string) *rollouts.Rollout {
	r := &rollouts.Rollout{
		Gates: make([]rollouts.Gate, 1), Orders: make([]rollout.Order, 1), OrderReasons: map[int64]string{0: text}, Now: &rollouts.AliasNow{Marked: true, Weights: map[string]float64{text: 0.1}},
		Warnings: make([]string, 1), UnverifiedGates: make([]string, 1), Approval: &rollouts.Approval{}, Pending: &rollouts.PendingOrder{}, Requests: &rollouts.Requests{},
	}
	fill(reflect.ValueOf(r).Elem(), text)
	r.Outcome, r.Counted.From, r.Of, r.Step = outcome, time.Now(), 2, 1
	r.Undo += " undo" // which a reason's text is searched for
	return r
}

// fill sets every text in a value.
func fill(v reflect.Value, text string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Pointer:
		if !v.IsNil() {
			fill(v.Elem(), text)
		}
	case reflect.Slice:
		for i := range v.Len() {
			fill(v.Index(i), text)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				fill(v.Field(i), text)
			}
		}
	}
}

// TestForgedData reads executions whose data a user wrote: it is not taken for a rollout's.
func TestForgedData(t *testing.T) {
	a := servedtest.New(t, `{}`)
	forged := func(owner string) string {
		text, err := json.Marshal(map[string]any{"continue": map[string]any{"plan": map[string]any{"owner": owner}}})
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	a.Begin("forged", forged("victim"))
	a.Begin("itself", forged("itself"))
	a.Begin("chain", forged("forged"))
	a.Begin("started", input(`, "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID": "arn:other"`))
	a.Begin("planned", `{"function-name": "MyFunction", "plan": {"owner": "planned", "baseline": "9", "steps": [{"weight": 1}]}, "progress": {"step": 1}}`)
	a.Begin("victim", input(""))
	a.Advance(time.Minute)
	c := clientOf(t, a)
	if r := read(t, a, "forged"); r.Name != "victim" || len(r.Gates) == 0 && r.Checks > 0 {
		t.Errorf("it is shown as %s", r.Name)
	}
	if r := read(t, a, "planned"); r.Outcome != rollouts.Refused || r.Of != 0 || r.Baseline != "" {
		t.Errorf("one with a plan of its own is %s, at step %d of %d from version %q", r.Outcome, r.Step, r.Of, r.Baseline)
	}
	if r := read(t, a, "itself"); r.Outcome != rollouts.Refused || r.Name != "itself" {
		t.Errorf("one that continues itself is %s %s", r.Name, r.Outcome)
	}
	if r, err := c.Read(t.Context(), "chain", a.Now()); err == nil {
		t.Errorf("one that continues what continues another is %s", r.Name)
	}
	if r := read(t, a, "started"); r.StartedBy.Execution != "arn:other" || !strings.Contains(strings.Join(r.Text(a.Now()).Lines(0, false), "\n"), "the execution arn:other, as the input says") {
		t.Errorf("it was started by %+v", r.StartedBy)
	}
}

// TestTheEndMayComeLate reads a history that does not show the end yet that the status says.
func TestTheEndMayComeLate(t *testing.T) {
	a := servedtest.New(t, `{}`)
	a.Begin("it", input(""))
	a.Advance(time.Minute)
	early := clientOf(t, a)
	answered := 0
	var before []byte
	a.Answer(func(action string, w http.ResponseWriter, r *http.Request) bool {
		if action != "states:GetExecutionHistory" {
			return false
		}
		if answered++; before == nil {
			recorder := &recorded{header: w.Header()}
			a.ServeHTTP(recorder, r)
			before = recorder.body
		}
		if answered <= 3 {
			_, _ = w.Write(before)
		}
		return answered <= 3
	})
	if r, err := early.Read(t.Context(), "it", a.Now()); err != nil || r.Outcome != rollouts.Running {
		t.Fatal(r, err)
	}
	a.Advance(time.Hour)
	if r := read(t, a, "it"); r.Outcome != rollouts.Promoted || answered != 4 {
		t.Errorf("after %d reads it is %s", answered, r.Outcome)
	}
}

// recorded keeps an answer.
type recorded struct {
	header http.Header
	body   []byte
}

func (r *recorded) Header() http.Header { return r.header }
func (r *recorded) WriteHeader(int)     {}
func (r *recorded) Write(text []byte) (int, error) {
	r.body = append(r.body, text...)
	return len(text), nil
}

var errEnough = errors.New("enough")

// TestAnIdleLookIsOneCall counts the calls of watching while nothing happens.
func TestAnIdleLookIsOneCall(t *testing.T) {
	a := servedtest.New(t, `{}`)
	a.Begin("it", input(""))
	a.Advance(time.Minute)
	calls, looks := 0, 0
	a.Answer(func(string, http.ResponseWriter, *http.Request) bool { calls++; return false })
	w := watching(a, clientOf(t, a), time.Second)
	w.Wait = func(ctxOf, time.Duration) error {
		if looks++; looks == 1 {
			calls = 0
		}
		if looks == 11 {
			return errEnough
		}
		return nil
	}
	if _, err := w.Run(t.Context(), func(*rollouts.Rollout, []rollouts.Event) {}); !errors.Is(err, errEnough) || calls != 10 {
		t.Errorf("ten looks are %d calls, %v", calls, err)
	}
}

// TestEveryMemberIsDocumented finds the members of the JSON documents in docs/command.md.
func TestEveryMemberIsDocumented(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "command.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, document := range []any{rollouts.Rollout{}, rollouts.Gate{}, rollouts.Requests{}, rollouts.Approval{}, rollouts.StartedBy{}, rollouts.PendingOrder{}, rollouts.AliasNow{}, rollouts.Explanation{}, rollouts.List{}, rollouts.Item{}, rollout.Order{}} {
		of := reflect.TypeOf(document)
		for i := range of.NumField() {
			name, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
			if name != "" && !strings.Contains(string(page), "`"+name+"`") {
				t.Errorf("%s.%s is not in docs/command.md", of.Name(), name)
			}
		}
	}
}
