package main

import (
	"context"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal/study"
)

// TestTheDocumentationsInput is the rollout.json of the README: each command line of the
// documentation that reads it works as it stands there, but for the name of the program.
func TestTheDocumentationsInput(t *testing.T) {
	a := newAccount(t, `{}`, nil)
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	input := regexp.MustCompile("(?s)With `rollout.json` as [^`]*```json\n(.*?)```").FindSubmatch(readme)
	if input == nil {
		t.Fatal("the README shows no rollout.json")
	}
	reads := regexp.MustCompile(`lambda-rollout ((?:check|start|rehearse|cost|advise) [^\n` + "`" + `#<]*rollout\.json[^\n` + "`" + `#<]*)`)
	found := 0
	for _, file := range []string{"README.md", "docs/scenarios.md", "docs/windows.md", "docs/command.md"} {
		text, err := os.ReadFile("../../" + file)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range reads.FindAllStringSubmatch(string(text), -1) {
			if strings.Contains(line[1], "$") || file == "docs/command.md" && !strings.Contains(line[1], "--new-version") {
				continue // with the reader's own hash, or the reader's own file
			}
			found++
			t.Run(line[1], func(t *testing.T) {
				t.Chdir(a.folder)
				a.write("rollout.json", string(input[1]))
				a.write("my.json", "{}")
				a.want(a.run(strings.Fields(line[1])...), 0)
			})
		}
	}
	if found < 5 {
		t.Errorf("only %d command lines are tried", found)
	}
	t.Chdir(a.folder)
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
