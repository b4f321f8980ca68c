package asl_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
)

// enough is after how many events an execution is stopped.
const enough = 300

var errNoneToStart = errors.New("there is no machine to start")

// history runs an execution whose functions give back their input, for a while,
// and returns its history. The error is what the definition or the input is
// refused with.
func history(t testing.TB, definition, input []byte) (asl.History, error) {
	t.Helper()
	d, err := asl.Parse(definition)
	if err != nil {
		return nil, err
	}
	var e *asl.Execution
	events := asl.History{}
	clock := asl.NewClock(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	e, err = d.Start(asl.Options{
		Clock: clock, Input: input, Seed: 1,
		Invoke:         func(_ context.Context, _ string, input json.RawMessage) (json.RawMessage, error) { return input, nil },
		StartExecution: func(asl.StartExecution) (*asl.Execution, error) { return nil, errNoneToStart },
		OnEvent: func(event asl.Event) {
			events.Record(event)
			if len(events) == enough {
				e.Stop("", "")
			}
		},
	})
	if err != nil {
		return nil, err
	}
	if err := clock.Run(); err != nil && !errors.Is(err, errNoneToStart) {
		t.Fatal(err)
	} else if err == nil && e.Status() == asl.Running {
		t.Fatal("it came to no end")
	}
	return events, nil
}

// FuzzParse: a definition is refused, or its executions come to an end.
func FuzzParse(f *testing.F) {
	deployed, err := os.ReadFile("../rollout.asl.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(deployed, []byte(`{}`))
	for _, row := range semantics(f) {
		for _, run := range row.Runs {
			f.Add([]byte(row.definition()), []byte(run.Input))
		}
	}
	f.Fuzz(func(t *testing.T, definition, input []byte) { _, _ = history(t, definition, input) })
}

// FuzzReadHistory: what is read as a history is whole, and is the same when it
// is printed and read again.
func FuzzReadHistory(f *testing.F) {
	f.Add([]byte(printed))
	recorded, err := os.ReadFile("../lambda-rollout/testdata/record/history.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(recorded)
	for _, row := range semantics(f)[:40] {
		events, err := history(f, []byte(row.definition()), row.Runs[0].Input)
		if err != nil {
			f.Fatal(err)
		}
		text, err := json.Marshal(map[string]any{"events": events})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		read, err := asl.ReadHistory(text)
		if err != nil {
			return
		}
		if len(read) == 0 || read[0].Type != asl.ExecutionStarted {
			t.Fatalf("it is no history: %v", read)
		}
		_ = read.Path()
		written, err := json.Marshal(map[string]any{"events": read})
		if err != nil {
			t.Fatal(err)
		}
		again, err := asl.ReadHistory(written)
		if err != nil {
			t.Fatalf("printed as %s: %v", written, err)
		}
		if twice, err := json.Marshal(map[string]any{"events": again}); err != nil || !bytes.Equal(written, twice) {
			t.Errorf("%v\n%s\nis read as\n%s", err, written, twice)
		}
	})
}
