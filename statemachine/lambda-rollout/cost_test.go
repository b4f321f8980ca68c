package main

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestThePageShowsTheCost: docs/cost.md has the table that the command prints, and it and
// the README name the same sums.
func TestThePageShowsTheCost(t *testing.T) {
	page, err := os.ReadFile("../../docs/cost.md")
	if err != nil {
		t.Fatal(err)
	}
	_, shown, _ := strings.Cut(string(page), "<!-- what the command prints -->\n")
	shown, _, found := strings.Cut(shown, "<!-- until here -->")
	code, stdout, stderr := typed("", "cost", "-o", "markdown")
	if code != 0 || !found || shown != stdout {
		t.Errorf("exits with %d, %s, and prints what docs/cost.md does not show:\n%s", code, stderr, stdout)
	}
	total := regexp.MustCompile(`(?m)^\| \*\*total\*\* .*\*\*\$(0\.00[0-9]+)\*\* .*\*\*(\$[0-9.]+)\*\* \|$`).FindStringSubmatch(shown)
	readme, err := os.ReadFile("../../README.md")
	if err != nil || total == nil {
		t.Fatal("the table has no total of under a cent: ", total, err)
	}
	for _, text := range []string{string(page), string(readme)} {
		if !strings.Contains(text, "less than a cent") || !strings.Contains(text, total[2]+" a month") {
			t.Errorf("a rollout costs $%s and the stack %s a month, which a text does not say", total[1], total[2])
		}
	}
}

func TestCostInEachFormat(t *testing.T) {
	inEachFormat(t, "cost", func(out *bytes.Buffer, columns int, format string) int {
		c := &command{stdin: strings.NewReader(canary), stdout: out, stderr: out, columns: columns}
		return c.run(t.Context(), []string{"cost", "--input", "-", "-o", format})
	})
}

func TestTheCostOfAPlan(t *testing.T) {
	for _, test := range []struct {
		args           []string
		stdin          string
		code           int
		stdout, stderr string // a part of each
	}{
		{[]string{"-input", "-", "-o", "markdown"}, canary, 0, "| Step Functions: state transitions | $0.025 for 1,000 | 13: $0.0003 | – |", ""},
		{[]string{"-input", "-", "-check-seconds", "800", "-o", "markdown"}, canary, 0, "| Lambda: GB-seconds | $0.0000133334 | 200.1: $0.0027 | 432.0: $0.0058 |", ""},
		{[]string{"-input", "-", "-scenario", "errors"}, canary, 2, "", "it ends as rolled-back: "},
		{[]string{"-input", "-"}, "{\n\"steps\": 0}", 2, "", "- standard input:2: steps must be a whole number"},
		{[]string{"-input", "nowhere.json"}, "", 2, "", "nowhere.json"},
		{[]string{"-scenario", "sunny"}, "", 2, "", `no scenario "sunny"`},
		{[]string{"month"}, "", 2, "", `"month" is not an option`},
		{[]string{"-seconds", "1"}, "", 2, "", "lambda-rollout cost --help lists the options"},
	} {
		code, stdout, stderr := typed(test.stdin, append([]string{"cost"}, test.args...)...)
		if code != test.code || !strings.Contains(stdout, test.stdout) || !strings.Contains(stderr, test.stderr) || (stderr == "") != (test.stderr == "") {
			t.Errorf("cost %q exits with %d, want %d\n%s%s", test.args, code, test.code, stdout, stderr)
		}
	}
}

// TestMarkdownIsForTables, and refused by what prints none.
func TestMarkdownIsForTables(t *testing.T) {
	for _, test := range []struct{ line, want string }{
		{"cost -o xml", `--output is "xml"; it must be text, json or markdown`},
		{"advise -o xml", "text, json or markdown"},
		{"rehearse -o markdown", `--output is "markdown"; it must be text or json`},
		{"get it -o markdown", "text or json"},
		{"promote it -o markdown", "text or json"},
	} {
		if code, stdout, stderr := typed("", strings.Fields(test.line)...); code != refused || stdout != "" || !strings.Contains(stderr, test.want) {
			t.Errorf("%s exits with %d and says %s%s", test.line, code, stdout, stderr)
		}
	}
}
