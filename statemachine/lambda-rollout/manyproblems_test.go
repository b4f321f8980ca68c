package main

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestThousandsOfProblems takes no longer than it takes to find them, and prints a page of them.
func TestThousandsOfProblems(t *testing.T) {
	var fields strings.Builder
	for i := range 2_500 {
		fmt.Fprintf(&fields, ",\n\"stepx%d\": %d", i, i)
	}
	a := newAccount(t, `{}`, nil)
	began := time.Now()
	r := a.run("check", "-f", a.write("rollout.json", strings.Replace(blog, `"2"`, `"2"`+fields.String(), 1)))
	a.want(r, 2, "- and 2,450 more")
	if lines := strings.Count(r.stderr, "\n"); lines != mostProblems+2 {
		t.Errorf("%d lines: %s", lines, r.stderr)
	}
	scenario := `{"alarms": {` + strings.ReplaceAll(fields.String()[1:], ": ", `: "ok?", "a`+"\u00e4"+`": `) + "}}"
	if code, _, stderr := typed("", "rehearse", "--scenario", a.write("world.json", scenario)); code != 2 || !strings.Contains(stderr, " more") {
		t.Errorf("%d: %.500s", code, stderr)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it takes %v", took)
	}
}
