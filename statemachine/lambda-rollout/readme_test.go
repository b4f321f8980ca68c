package main

import (
	"context"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal/study"
)

// shownInput matches the rollout.json that a page shows.
var shownInput = regexp.MustCompile("(?s)`rollout.json`[^`]*```json\n(.*?)```")

// rehearsals matches the number of rehearsals in a command line.
var rehearsals = regexp.MustCompile(`--runs \d+`)

// TestTheDocumentationsInput is the rollout.json of the README: each command line of the
// documentation that reads it works as it stands there, but for the name of the program and
// with fewer rehearsals.
func TestTheDocumentationsInput(t *testing.T) {
	read := func(file string) string {
		text, err := os.ReadFile("../../" + file)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	inputOf := func(file string) string {
		input := shownInput.FindStringSubmatch(read(file))
		if input == nil {
			t.Fatal(file, " shows no rollout.json")
		}
		return input[1]
	}
	input := inputOf("README.md")
	if other := inputOf("docs/getting-started.md"); other != input {
		t.Errorf("the README has the input %s, and docs/getting-started.md has %s", input, other)
	}
	reads := regexp.MustCompile(`lambda-rollout ((?:check|start|rehearse|cost|advise) [^\n` + "`" + `#<]*rollout\.json[^\n` + "`" + `#<]*)`)
	tried := map[string]bool{}
	for _, file := range []string{"README.md", "docs/getting-started.md", "docs/rehearsing.md", "docs/cost.md", "docs/runbook.md", "docs/scenarios.md", "docs/windows.md", "docs/command.md"} {
		for _, found := range reads.FindAllStringSubmatch(read(file), -1) {
			line := strings.TrimSpace(found[1])
			if tried[line] || strings.Contains(line, "$") || file == "docs/command.md" && !strings.Contains(line, "--new-version") {
				continue // with the reader's own hash, or the reader's own file
			}
			tried[line] = true
			t.Run(line, func(t *testing.T) {
				a := newAccount(t, `{}`, nil)
				a.study = func(context.Context, study.Question, func(over, of int)) (study.Advice, error) {
					return study.Advice{}, nil
				}
				t.Chdir(a.folder)
				a.write("rollout.json", input)
				a.write("my.json", "{}")
				a.want(a.run(strings.Fields(rehearsals.ReplaceAllString(line, "--runs 2"))...), 0)
			})
		}
	}
	if len(tried) < 9 {
		t.Errorf("only %d command lines are tried", len(tried))
	}
	a := newAccount(t, `{}`, nil)
	t.Chdir(a.folder)
	a.write("rollout.json", input)
	a.study = func(_ context.Context, q study.Question, _ func(over, of int)) (study.Advice, error) {
		if !strings.Contains(string(q.Input), `"new-version":"2"`) {
			t.Errorf("advise compares %s", q.Input)
		}
		return study.Advice{}, nil
	}
	for _, sub := range []string{"advise", "cost", "rehearse"} {
		a.want(a.run(append(strings.Fields(sub), "--input", "rollout.json")...), 2, "new-version")
		a.want(a.run(append(strings.Fields(sub), "--input", "rollout.json", "--new-version", "2")...), 0)
		a.want(a.run(append(strings.Fields(sub), "--new-version", "two")...), 2, "new-version")
	}
}
