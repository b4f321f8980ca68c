package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestARolloutIsRecorded goes the way of docs/record.md with histories and metrics
// as the AWS CLI prints them.
func TestARolloutIsRecorded(t *testing.T) {
	const history = "testdata/record/history.json"
	folder := t.TempDir()
	at := func(name string) string { return filepath.Join(folder, name) }
	var asked, problems bytes.Buffer
	queriesOn := func(year int, month time.Month, day int) int {
		asked.Reset()
		problems.Reset()
		c := &command{stdout: &asked, stderr: &problems, now: func() time.Time { return time.Date(year, month, day, 0, 0, 0, 0, time.UTC) }}
		return c.run(context.Background(), []string{"record", "--history", history, "--queries"})
	}
	code := queriesOn(2026, 1, 2)
	queries, stderr := asked.String(), problems.String()
	if want, err := os.ReadFile("testdata/record/queries.json"); code != 0 || err != nil || queries != string(want) {
		t.Fatalf("exits with %d, %s, %v, and asks\n%s", code, stderr, err, queries)
	}
	if code := queriesOn(2027, 4, 2); code != 2 || !strings.Contains(problems.String(), "CloudWatch keeps metrics for 455 days") {
		t.Errorf("after 456 days it exits with %d: %s", code, &problems)
	}
	code, stdout, stderr := typed("", "record", "-history", history, "-metrics", "testdata/record/metrics.json",
		"-report", at("rollout.html"), "-write-scenario", at("recorded.json"), "-write-input", at("input.json"))
	if code != 0 || stderr != "" || !strings.Contains(stdout, "ROLLED BACK after 0:01:01\n") || !strings.Contains(stdout, "counted   version 8: 17 of 30 requests failed") ||
		!strings.HasSuffix(stdout, "\nwrote "+at("rollout.html")+"\nwrote "+at("recorded.json")+"\nwrote "+at("input.json")+"\n") {
		t.Errorf("exits with %d\n%s%s", code, stdout, stderr)
	}
	page, err := os.ReadFile(at("rollout.html"))
	if err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{"Recording of a rollout", ">17</strong> <span>of 30 that CloudWatch counted", "What was recorded", "execution:LambdaRollout:deploy-42"} {
		if !strings.Contains(string(page), words) {
			t.Errorf("the page does not say %q", words)
		}
	}
	for _, words := range []string{"irtual", "ehearsal", "seed", "really", "95% interval of each</li></ul></figcaption>\n<svg class=\"wide\" viewBox=\"0 0 960 190\" role=\"img\" aria-labelledby=\"latency"} {
		if strings.Contains(string(page), words) {
			t.Errorf("the page says %q", words)
		}
	}
	code, stdout, stderr = typed("", "-scenario", at("recorded.json"), "-input", at("input.json"))
	if code != 1 || !strings.Contains(stdout, "ROLLED BACK after 0:01:00") {
		t.Errorf("rehearsed again it exits with %d\n%s%s", code, stdout, stderr)
	}
}

// TestAnErrorMayBeKnownBeforeItsRequest takes evidence of a minute that was not over.
func TestAnErrorMayBeKnownBeforeItsRequest(t *testing.T) {
	folder := t.TempDir()
	text, err := os.ReadFile("testdata/record/history.json")
	if err != nil {
		t.Fatal(err)
	}
	history, page := filepath.Join(folder, "history.json"), filepath.Join(folder, "rollout.html")
	if err := os.WriteFile(history, bytes.ReplaceAll(text, []byte("[21,12,0,0]"), []byte("[9,12,0,0]")), 0o644); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := typed("", "record", "-history", history, "-report", page)
	if code != 0 || !strings.Contains(stdout, "counted   version 8: 12 of 12 requests failed") {
		t.Errorf("exits with %d\n%s%s", code, stdout, stderr)
	}
	if _, err := os.Stat(page); err != nil {
		t.Error(err)
	}
}

func TestFilesThatAreNoRecording(t *testing.T) {
	read := func(name string) string {
		text, err := os.ReadFile("testdata/record/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	changed := func(name, from, to string) string {
		text := read(name)
		if !strings.Contains(text, from) {
			t.Fatalf("there is no %s in %s", from, name)
		}
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(strings.ReplaceAll(text, from, to)), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const history, metrics = "testdata/record/history.json", "testdata/record/metrics.json"
	for _, test := range []struct {
		args []string
		says string
	}{
		{nil, "give the execution's history: --history FILE"},
		{[]string{"-history", "nowhere.json"}, "nowhere.json"},
		{[]string{"-history", history, "more"}, `"more" is not an option`},
		{[]string{"-history", history, "-queries", "-report", "r.html"}, "-queries only prints the queries"},
		{[]string{"-history", history, "-queries", "-metrics", metrics}, "-queries only prints the queries"},
		{[]string{"-history", history, "-write-input", history}, "history.json is read, and would be overwritten"},
		{[]string{"-history", history, "-metrics", metrics, "-report", "./" + metrics}, "metrics.json is read, and would be overwritten"},
		{[]string{"-history", history, "-write-input", "twice.json", "-write-scenario", "./twice.json"}, "twice.json would be written twice"},
		{[]string{"-history", history, "-report", "nowhere/r.html"}, "nowhere/r.html"},
		{[]string{"-history", history, "-input", "input.json"}, "there is no option --input"},
		{[]string{"-history", metrics}, `it has no "events"`},
		{[]string{"-history", history, "-metrics", history}, `there are no "MetricDataResults"`},
		{[]string{"-history", changed("history.json", `"CalculateWeights"`, `"Greet"`)}, `another state machine's history: it begins with the state "Greet"`},
		{[]string{"-history", changed("history.json", `"Rolled back"`, `"Undone"`)}, `there is no state "Undone"`},
		{[]string{"-history", changed("history.json", `"id": 9,`, `"id": 99,`)}, "event 9 must occur exactly once"},
		{[]string{"-history", changed("history.json", `\"health\":`, `\"wealth\":`)}, "it has no health"},
		{[]string{"-history", changed("history.json", `\"step\":1,\"of\"`, `\"step\":7,\"of\"`)}, "there is no step 7 in a plan of 2"},
		{[]string{"-history", history, "-metrics", changed("metrics.json", "checkout:live:8", "payment:live:8")}, `is of "payment:live:8 Invocations Sum 60 s"`},
		{[]string{"-history", history, "-metrics", changed("metrics.json", `"n_p95"`, `"other"`)}, "there is no result n_p95"},
		{[]string{"-history", history, "-metrics", changed("metrics.json", `"Complete"`, `"Forbidden"`)}, "is not complete"},
		{[]string{"-history", history, "-metrics", changed("metrics.json", "17.0", "-17.0")}, "it must be from 0"},
		{[]string{"-history", history, "-metrics", changed("metrics.json", "17.0,", "17.0, 3,")}, "timestamps and"},
		{[]string{"-history", history, "-metrics", changed("metrics.json", "17.0", "170.0")}, "the result n_errors has 170 at 2026-01-01T12:00:00Z, and n_invocations has 29"},
		{[]string{"-history", history, "-metrics", changed("metrics.json", `"n_invocations"`, `"other"`)}, "and n_invocations has 0"},
		{[]string{"-history", changed("history.json", "[21,12,0,0]", "[21,-12,0,0]")}, "must be a whole number from 0"},
	} {
		code, stdout, stderr := typed("", append([]string{"record"}, test.args...)...)
		if code != 2 || stdout != "" || !strings.Contains(stderr, test.says) {
			t.Errorf("%q exits with %d, want 2 and %q\n%s%s", test.args, code, test.says, stdout, stderr)
		}
	}
}
