package rehearsal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"

	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
)

// exported is a rehearsal and what the AWS CLI would print of it.
type exported struct {
	Result
	histories [][]byte // of the executions in their order
	run       *run
}

// export rehearses, and keeps all that happens.
func export(t testing.TB, input string, world Scenario) exported {
	t.Helper()
	var e exported
	events, order := map[*execution][]asl.Event{}, []*execution{}
	options := Options{Input: []byte(input), Scenario: world, Seed: 1, adjust: func(r *run) {
		e.run = r
		onEvent := r.machine.onEvent
		r.machine.onEvent = func(in *execution, event asl.Event) {
			if events[in] == nil {
				order = append(order, in)
			}
			events[in] = append(events[in], event)
			onEvent(in, event)
		}
	}}
	var err error
	if e.Result, err = Run(options); err != nil {
		t.Fatal(err)
	}
	for _, of := range order {
		text, err := json.Marshal(map[string]any{"events": events[of]})
		if err != nil {
			t.Fatal(err)
		}
		e.histories = append(e.histories, text)
	}
	return e
}

// read reads the histories.
func (e exported) read(t *testing.T) (all []asl.History) {
	t.Helper()
	for _, text := range e.histories {
		h, err := asl.ReadHistory(text)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, h)
	}
	return all
}

// recording is that of the histories.
func (e exported) recording(t *testing.T) *Recording {
	t.Helper()
	return recordingOf(t, e.read(t)...)
}

func recordingOf(t *testing.T, all ...asl.History) *Recording {
	t.Helper()
	r, err := NewRecording(all[0], all[1:]...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// metrics asks the rehearsal's CloudWatch, when all has arrived there, as the CLI
// would, and prints the answer as version 2 of it does.
func (e exported) metrics(t *testing.T, queries []byte) []byte {
	t.Helper()
	var in cloudwatch.GetMetricDataInput
	if err := json.Unmarshal(queries, &in); err != nil {
		t.Fatal(err)
	}
	e.run.traffic = nil // there is no more
	var out *cloudwatch.GetMetricDataOutput
	var failed error
	e.run.clock.Go(func() {
		e.run.clock.Sleep(time.Hour)
		out, failed = cloudwatch.NewFromConfig(e.run.server.Config()).GetMetricData(context.Background(), &in)
	})
	if err := errors.Join(e.run.clock.Run(), failed); err != nil {
		t.Fatal(err)
	}
	type result struct {
		Id, Label  string
		Timestamps []string
		Values     []float64
		StatusCode string
	}
	printed := struct{ MetricDataResults []result }{}
	for _, of := range out.MetricDataResults {
		one := result{Id: *of.Id, Label: *of.Label, Values: of.Values, StatusCode: string(of.StatusCode)}
		for _, at := range of.Timestamps {
			one.Timestamps = append(one.Timestamps, at.UTC().Format("2006-01-02T15:04:05-07:00"))
		}
		printed.MetricDataResults = append(printed.MetricDataResults, one)
	}
	text, err := json.MarshalIndent(printed, "", "    ")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestARecordingIsLikeItsRehearsal rehearses, records what AWS would know of it,
// and rehearses the recorded scenario.
func TestARecordingIsLikeItsRehearsal(t *testing.T) {
	for _, scenario := range []string{"healthy", "errors", "late-errors", "slow", "drift", "stopped", "throttled"} {
		world, _ := LoadBuiltIn(scenario)
		e := export(t, blogPost, world)
		for _, measured := range []bool{true, false} {
			r := e.recording(t)
			if measured {
				queries, err := r.Queries(started)
				if err == nil {
					err = r.Metrics(e.metrics(t, queries))
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			got, what := r.Result(), fmt.Sprintf("%s, with metrics: %v", scenario, measured)
			alike(t, what, got, e.Result, measured)
			replayed, err := r.Scenario()
			if err != nil {
				t.Fatal(err)
			}
			text, _ := json.Marshal(replayed)
			if again, err := ParseScenario(text); err != nil || !reflect.DeepEqual(again, replayed) {
				t.Errorf("%s: the scenario reads as another: %v, %s", what, err, text)
			}
			if len(replayed.Changes) > 6 {
				t.Errorf("%s: the scenario changes %d times: %s", what, len(replayed.Changes), text)
			}
			second, err := Run(Options{Input: r.Input(), Scenario: replayed, Seed: 2})
			if err != nil || second.Outcome != e.Outcome || math.Abs(second.Seconds-e.Seconds) > 480 { // a step that looks slow is held
				t.Errorf("%s: rehearsed again it is %s after %v s, and was %s after %v s: %v\n%s", what, second.Outcome, second.Seconds, e.Outcome, e.Seconds, err, text)
			}
		}
	}
}

// alike holds what a recording knows to the rehearsal.
func alike(t *testing.T, what string, got, want Result, measured bool) {
	t.Helper()
	for name, of := range map[string][2]any{
		"outcome": {got.Outcome, want.Outcome}, "reason": {got.Reason, want.Reason}, "error": {got.Error, want.Error},
		"seconds": {got.Seconds, want.Seconds}, "path": {got.Path, want.Path}, "steps": {got.Steps, want.Steps}, "checks": {got.Checks, want.Checks},
		"transitions": {got.Transitions, want.Transitions}, "events": {got.Events, want.Events}, "executions": {got.Executions, want.Executions},
		"output": {string(got.Output), string(want.Output)}, "before": {*got.AliasBefore, *want.AliasBefore},
	} {
		if !reflect.DeepEqual(of[0], of[1]) {
			t.Errorf("%s: the %s is %v, want %v", what, name, of[0], of[1])
		}
	}
	var lines []Entry // without what the cleanup and people did beside the execution
	for _, l := range want.Lines {
		if l.State != "Cleanup" && l.State != "by hand" {
			lines = append(lines, l)
		}
	}
	if !reflect.DeepEqual(got.Lines, lines) {
		t.Errorf("%s: the lines are not the rehearsal's: %d and %d", what, len(got.Lines), len(lines))
	}
	// A task reports a weight a little later than the alias has it.
	reported := func(a, b Shift) bool { return a.Weight == b.Weight && a.At >= b.At && a.At < b.At+2 }
	if want.Outcome != Stopped && !slices.EqualFunc(got.Shifts, want.Shifts, reported) {
		t.Errorf("%s: the weights are %v, want %v", what, got.Shifts, want.Shifts)
	}
	if !measured {
		return
	}
	// CloudWatch's last minute goes on after the rollout, which a rehearsal counts to its end.
	for version, served := range want.Served {
		counted := got.Served[version]
		if late := counted.Invocations - served.Invocations; late < 0 || late > 700 || counted.Errors < served.Errors {
			t.Errorf("%s: version %s: counted were %v, and served %v", what, version, counted, served)
		}
	}
	if n := len(got.Periods); len(want.Periods) < n-1 || len(want.Periods) > n || got.ServedSeconds < want.Seconds || got.ServedSeconds > want.Seconds+60 {
		t.Fatalf("%s: there are %d periods of %v s, want about %d of %v s", what, n, got.ServedSeconds, len(want.Periods), want.ServedSeconds)
	}
	for i, w := range want.Periods {
		p := got.Periods[i]
		if w.Seconds < 60 {
			continue
		}
		for v, of := range map[string][2]Served{"baseline": {p.Baseline, w.Baseline}, "new version": {p.NewVersion, w.NewVersion}} {
			if of[0].Tally != of[1].Tally || (of[0].P95 == nil) != (of[1].P95 == nil) {
				t.Errorf("%s: the %s's period from %v on has %+v, want %+v", what, v, p.At, of[0], of[1])
			}
			if of[0].P95 != nil && math.Abs(of[0].P95.Value-of[1].P95.Value) > 0.15*of[1].P95.Value {
				t.Errorf("%s: the %s's p95 from %v on is %v, want about %v", what, v, p.At, of[0].P95.Value, of[1].P95.Value)
			}
		}
	}
}

// TestARecordingTellsOfEveryExecution takes a rollout of 20 hours, which goes on
// in a further execution.
func TestARecordingTellsOfEveryExecution(t *testing.T) {
	t.Parallel()
	world, _ := LoadBuiltIn("healthy")
	e := export(t, `{"function-name": "f", "alias-name": "live", "new-version": 2, "steps": 2, "interval": 36000}`, world)
	if len(e.histories) < 2 {
		t.Fatalf("there are %d executions", len(e.histories))
	}
	histories := e.read(t) // once: they are long
	got := recordingOf(t, histories...).Result()
	if got.Executions != e.Executions || got.Checks != e.Checks || !reflect.DeepEqual(got.Path, e.Path) || len(got.Recorded.Notes) != 0 || len(got.Periods) > mostPeriods+1 {
		t.Errorf("of %d executions and %d checks: %d, %d; %q; %d periods", e.Executions, e.Checks, got.Executions, got.Checks, got.Recorded.Notes, len(got.Periods))
	}
	if got := recordingOf(t, histories[0]).Result(); got.Outcome != Promoted || !strings.Contains(strings.Join(got.Recorded.Notes, ""), "whose history was not given") {
		t.Errorf("alone: %s, %q", got.Outcome, got.Recorded.Notes)
	}
	if _, err := NewRecording(histories[1]); err == nil || !strings.Contains(err.Error(), "give that of rehearsal before it") {
		t.Errorf("a part alone: %v", err)
	}
	if _, err := NewRecording(histories[0], histories[1], histories[1]); err == nil || !strings.Contains(err.Error(), "given only once") {
		t.Errorf("a part twice: %v", err)
	}
	other := export(t, blogPost, world)
	foreign, _ := asl.ReadHistory(bytes.ReplaceAll(other.histories[0], []byte(":rehearsal"), []byte(":other")))
	if _, err := NewRecording(histories[0], foreign); err == nil || !strings.Contains(err.Error(), "did not continue in the execution") {
		t.Errorf("another rollout's history: %v", err)
	}
}
