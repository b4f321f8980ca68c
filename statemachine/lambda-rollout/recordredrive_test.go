package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// redrivenHistory is testdata's history with what happens when its rollout is
// stopped during a health check and redriven half an hour later, when the
// function can't be called at first. The CLI's version decides how it prints times.
func redrivenHistory(t *testing.T, version int) string {
	t.Helper()
	var file struct {
		Events []map[string]any `json:"events"`
	}
	text, err := os.ReadFile("testdata/record/history.json")
	if err == nil {
		err = json.Unmarshal(text, &file)
	}
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(file.Events, func(e map[string]any) bool { return e["id"] == 18.0 })
	events := slices.Clone(file.Events[:i+1])
	again := func(e map[string]any) map[string]any {
		return map[string]any{"type": e["type"], "timestamp": "2026-01-01T12:31:01.400000+00:00", "lambdaFunctionScheduledEventDetails": e["lambdaFunctionScheduledEventDetails"]}
	}
	events = append(events,
		map[string]any{"type": "ExecutionAborted", "timestamp": "2026-01-01T12:01:01.400000+00:00", "executionAbortedEventDetails": map[string]any{"cause": "by hand"}},
		map[string]any{"type": "ExecutionRedriven", "timestamp": "2026-01-01T12:31:01.400000+00:00", "executionRedrivenEventDetails": map[string]any{"redriveCount": 1}},
		again(file.Events[i-1]),
		map[string]any{"type": "LambdaFunctionScheduleFailed", "timestamp": "2026-01-01T12:31:01.400000+00:00",
			"lambdaFunctionScheduleFailedEventDetails": map[string]any{"error": "Lambda.TooManyRequestsException", "cause": "Rate Exceeded."}},
		again(file.Events[i-1]),
		map[string]any{"type": "LambdaFunctionStarted", "timestamp": "2026-01-01T12:31:03.400000+00:00"})
	late := len(events)
	events = append(events, file.Events[i+1:]...)
	for i, e := range events {
		e["id"], e["previousEventId"] = i+1, i
		at, err := time.Parse(time.RFC3339, e["timestamp"].(string))
		if err != nil {
			t.Fatal(err)
		}
		if i >= late {
			at = at.Add(30*time.Minute + 2*time.Second)
			e["timestamp"] = at.Format("2006-01-02T15:04:05.000000-07:00")
		}
		if version == 1 {
			e["timestamp"] = float64(at.UnixMilli()) / 1000
		}
	}
	out, err := json.MarshalIndent(map[string]any{"events": events}, "", "    ")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "history.json")
	if err := os.WriteFile(path, out, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestARedrivenRolloutIsRecorded(t *testing.T) {
	transitions := func(stdout string) int {
		found := regexp.MustCompile(`cost +(\d+) state transitions`).FindStringSubmatch(stdout)
		if found == nil {
			t.Fatalf("no transitions: %s", stdout)
		}
		n, _ := strconv.Atoi(found[1])
		return n
	}
	_, plain, _ := typed("", "record", "-history", "testdata/record/history.json")
	for _, version := range []int{1, 2} {
		folder := t.TempDir()
		world, page := filepath.Join(folder, "world.json"), filepath.Join(folder, "page.html")
		code, stdout, stderr := typed("", "record", "-v", "-history", redrivenHistory(t, version), "-write-scenario", world, "-report", page)
		if code != 0 || stderr != "" {
			t.Fatalf("version %d: exits with %d: %s", version, code, stderr)
		}
		for _, line := range []string{
			"0:31:01  HealthCheck           10%             redriven (1): the execution continues here; it had been stopped at 0:01:01",
			"0:31:01  HealthCheck           10%             failed with Lambda.TooManyRequestsException: Rate Exceeded.",
			"ROLLED BACK after 0:31:03",
		} {
			if !strings.Contains(stdout, line) {
				t.Errorf("version %d: nothing says %q:\n%s", version, line, stdout)
			}
		}
		if got, want := transitions(stdout), transitions(plain)+2; got != want { // a redrive and a retry
			t.Errorf("version %d: %d transitions, want %d", version, got, want)
		}
		text, err := os.ReadFile(world)
		var written struct{ Changes []map[string]any }
		if err == nil {
			err = json.Unmarshal(text, &written)
		}
		if err != nil {
			t.Fatal(err)
		}
		deeds := fmt.Sprint(slices.DeleteFunc(written.Changes, func(c map[string]any) bool { return c["stop"] == nil && c["redrive"] == nil }))
		if deeds != "[map[after:61.4 stop:true] map[after:1861.4 redrive:true]]" {
			t.Errorf("version %d: the scenario's people do %s", version, deeds)
		}
	}
}

func TestAnotherMachinesHistoryIsNamed(t *testing.T) {
	text, err := os.ReadFile("testdata/record/history.json")
	if err != nil {
		t.Fatal(err)
	}
	for from, says := range map[string]string{
		`"ChoiceStateExited"`:     `event 8 is "EvaluationFailed", which no rollout has`,
		`"LambdaFunctionStarted"`: `event 4 is "EvaluationFailed", which no rollout has`,
	} {
		path := filepath.Join(t.TempDir(), "history.json")
		if err := os.WriteFile(path, []byte(strings.ReplaceAll(string(text), from, `"EvaluationFailed"`)), 0o644); err != nil {
			t.Fatal(err)
		}
		if code, _, stderr := typed("", "record", "-history", path); code != 2 || !strings.Contains(stderr, says) {
			t.Errorf("exits with %d: %s, want %q", code, stderr, says)
		}
	}
}
