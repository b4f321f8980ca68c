package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/servedtest"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rollouts"
)

// TestAgesGoByTheServicesClock, as of a local AWS whose time runs faster or slower, and not by
// that of this machine.
func TestAgesGoByTheServicesClock(t *testing.T) {
	a := servedtest.New(t, `{}`)
	a.Environment(t)
	a.Begin("it", linear)
	a.Advance(90 * time.Second)
	input := t.TempDir() + "/rollout.json"
	writeText(t, input, strings.ReplaceAll(blogExample, "MyAlias", "Other"))
	for name, wrong := range map[string]time.Duration{"behind": -30 * 24 * time.Hour, "ahead": 40 * 24 * time.Hour, "right": 0, "a little ahead": 20 * time.Second} {
		run := func(args ...string) string {
			var out, problems bytes.Buffer
			c := &command{stdin: strings.NewReader(""), stdout: &out, stderr: &problems, now: func() time.Time { return a.Now().Add(wrong) }, sleep: sleep}
			if code := c.run(t.Context(), args); code != 0 && args[0] != "check" {
				t.Errorf("%s, %s: %d, %s", name, args, code, problems.String())
			}
			return out.String()
		}
		var r rollouts.Rollout
		if err := json.Unmarshal([]byte(run("get", "it", "-o", "json")), &r); err != nil || r.Seconds < 90 || r.Seconds > 120 {
			t.Errorf("%s: it takes %v s so far: %v", name, r.Seconds, err)
		}
		if wrong.Abs() < time.Minute && wrong != 0 {
			continue // as precise as clocks are
		}
		if text := run("get", "it"); !strings.Contains(text, "(in 30 s)") || !strings.Contains(text, "0:01:30 so far") {
			t.Errorf("%s: %s", name, text)
		}
		if text := run("explain", "it"); !strings.Contains(text, "in 30 s.") {
			t.Errorf("%s: %s", name, text)
		}
		if text := run("list"); !strings.Contains(text, " 1m ") {
			t.Errorf("%s: %s", name, text)
		}
	}
	var p plan
	var out bytes.Buffer
	c := &command{stdin: strings.NewReader(""), stdout: &out, stderr: &out, now: time.Now, sleep: sleep}
	a.Advance(time.Hour)
	if code := c.run(t.Context(), []string{"check", "-o", "json", "-f", input, "--alias", "MyAlias", "--new-version", "1"}); code != 0 || json.Unmarshal(out.Bytes(), &p) != nil || p.Begins.Sub(a.Now()).Abs() > 2*time.Minute {
		t.Errorf("check: %d, %s", code, out.String())
	}
}

// TestOnlyAWSIsHeard: the time in a page of something in between says nothing.
func TestOnlyAWSIsHeard(t *testing.T) {
	machine := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	s := serviceTime{machine: func() time.Time { return machine }}
	at := func(d time.Duration) string { return machine.Add(d).Format(http.TimeFormat) }
	for _, test := range []struct {
		head http.Header
		want time.Duration
	}{
		{http.Header{"Date": {at(time.Hour)}}, 0},
		{http.Header{"X-Amzn-Requestid": {"1"}}, 0},
		{http.Header{"Date": {"soon"}, "X-Amzn-Requestid": {"1"}}, 0},
		{http.Header{"Date": {at(time.Hour)}, "X-Amzn-Requestid": {"1"}}, time.Hour},
		{http.Header{"Date": {"soon"}, "X-Amzn-Requestid": {"1"}}, time.Hour},
		{http.Header{"Date": {at(-50 * time.Second)}, "X-Amzn-Requestid": {"1"}}, 0},
	} {
		if s.hear(test.head); s.now().Sub(machine) != test.want {
			t.Errorf("after %v the time is %v ahead", test.head, s.now().Sub(machine))
		}
	}
}
