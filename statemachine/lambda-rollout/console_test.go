package main

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
)

// vt is what a terminal shows of what is written to it. It knows the
// sequences that a console writes, and how wide it is.
type vt struct {
	t     *testing.T
	width int
	rows  []string
	at    int
}

var colours = regexp.MustCompile("\x1b\\[[0-9;]*m")

func (s *vt) Write(p []byte) (int, error) {
	text := colours.ReplaceAllString(string(p), "")
	for text != "" {
		for len(s.rows) <= s.at {
			s.rows = append(s.rows, "")
		}
		switch {
		case strings.HasPrefix(text, "\r\x1b[K"):
			s.rows[s.at], text = "", text[4:]
		case strings.HasPrefix(text, "\x1b[1A"):
			s.at, text = s.at-1, text[4:]
		case text[0] == '\n':
			s.at, text = s.at+1, text[1:]
		default:
			end := strings.IndexAny(text, "\n\r\x1b")
			if end < 0 {
				end = len(text)
			}
			s.rows[s.at], text = s.rows[s.at]+text[:end], text[end:]
		}
	}
	for _, row := range s.rows[max(0, len(s.rows)-3):] {
		if strings.ContainsAny(row, "█░▁") && len([]rune(row)) >= s.width {
			s.t.Errorf("a row of the live view is not narrower than %d: %q", s.width, row)
		}
	}
	return len(p), nil
}

func (s *vt) String() string { return strings.TrimRight(strings.Join(s.rows, "\n"), "\n") + "\n" }

// TestTheLiveViewStaysBelowTheLines watches a rollout on a terminal and as plain lines.
func TestTheLiveViewStaysBelowTheLines(t *testing.T) {
	var plain, written strings.Builder
	terminal := &vt{t: t, width: 80}
	onTerminal := &console{out: terminal, width: 80, screen: 80, colour: true, verbose: true}
	uncoloured := &console{out: &written, width: 80, screen: 80, verbose: true}
	piped := &console{out: &plain, width: 80, verbose: true}
	var pictures []string
	scenario, ok := rehearsal.LoadBuiltIn("worse-2x")
	if !ok {
		t.Fatal("there is no scenario worse-2x")
	}
	options := rehearsal.Options{Input: []byte(blogExample), Scenario: scenario, Seed: 1, Watch: func(l rehearsal.Entry) {
		onTerminal.show(l)
		uncoloured.show(l)
		piped.show(l)
		pictures = append(pictures, strings.Join(terminal.rows[max(0, len(terminal.rows)-3):], "\n"))
	}}
	if _, err := rehearsal.Run(options); err != nil {
		t.Fatal(err)
	}
	// At the check that rolls back, with what it saw: the last but one line.
	picture := regexp.MustCompile(`(?s)weight    █+░+ +\d+%  step \d of 10, 0:0\d:00 of 0:20:00
  errors    new [▁▂▃▄▅▆▇█]+ +[\d.]+%  baseline [▁▂▃▄▅▆▇█]+ +[\d.]+%
  evidence  █{20,} by chance 1 of [\d,]+ \(errors\): roll-back$`)
	if got := pictures[len(pictures)-2]; !picture.MatchString(got) {
		t.Errorf("the live view is\n%s", got)
	}
	onTerminal.clear()
	if terminal.String() != plain.String() {
		t.Errorf("in the end there stands\n%s\nand not\n%s", terminal, &plain)
	}
	if colours.MatchString(written.String()) {
		t.Error("there are colours, though they are off")
	}
	if strings.Contains(plain.String(), "\x1b") {
		t.Error("there is more than plain lines where there is no terminal")
	}
}

// TestTextsDontControlTheTerminal shows texts of another user.
func TestTextsDontControlTheTerminal(t *testing.T) {
	const evil = "a\x1b[2J\u009b2J\r\x07\xff\u202e\u2028\nb\tc"
	var out strings.Builder
	live := &console{out: &out, width: 80, screen: 80, verbose: true}
	live.show(rehearsal.Entry{State: evil, Error: evil, Text: evil, Decision: evil, Evidence: []health.Strength{{Gate: evil, Threshold: 1}}})
	shown := strings.ReplaceAll(out.String(), "\r\x1b[K", "")
	result := rehearsal.Result{Outcome: rehearsal.Failed, Reason: evil, Denied: []string{evil}, Recorded: &rehearsal.Recorded{Execution: evil}}
	out.Reset()
	page{out: &out, width: 80}.summary(result)
	for _, text := range []string{shown, out.String()} {
		if strings.ContainsAny(text, "\x1b\u009b\r\x07\u202e\u2028\t") || !utf8.ValidString(text) || !strings.Contains(text, "a\ufffd[2J\ufffd2J") || !strings.Contains(text, " b c") {
			t.Errorf("there stands %q", text)
		}
	}
}

// TestNoRowIsWiderThanTheTerminal draws a rollout of weeks, with a gate of a long
// name, on terminals of some widths.
func TestNoRowIsWiderThanTheTerminal(t *testing.T) {
	line := rehearsal.Entry{
		At: 1e6, Planned: 2e6, State: "HealthCheck", Step: 100, Of: 365, Weight: 0.123456, Decision: rollout.RollBack,
		Evidence: []health.Strength{{Gate: strings.Repeat("gate", 30) + "\nmore", Log10: 3, Threshold: 2}},
	}
	for _, width := range []int{80, 81, 89, 90, 91, 100, 200} {
		var out strings.Builder
		(&console{out: &out, width: width, screen: width, colour: true}).show(line)
		rows := strings.Split(colours.ReplaceAllString(out.String(), ""), "\n")
		rows = rows[len(rows)-2:]
		for i, name := range []string{"  weight ", "  evidence "} {
			if !strings.HasPrefix(rows[i], name) || utf8.RuneCountInString(rows[i]) >= width {
				t.Errorf("on a terminal of %d there is a row of %d: %q", width, utf8.RuneCountInString(rows[i]), rows[i])
			}
		}
		if whole := strings.HasSuffix(rows[0], "23d 3:33:20"); whole != (width >= 90) {
			t.Errorf("on a terminal of %d the weight's row is %q", width, rows[0])
		}
	}
}
