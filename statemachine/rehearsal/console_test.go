package rehearsal_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
)

// screen is what a terminal shows of what is written to it. It knows the
// sequences that a Console writes, and how wide it is.
type screen struct {
	t     *testing.T
	width int
	rows  []string
	at    int
}

var colours = regexp.MustCompile("\x1b\\[[0-9;]*m")

func (s *screen) Write(p []byte) (int, error) {
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
		if strings.ContainsAny(row, "█░▁") && len([]rune(row)) > s.width {
			s.t.Errorf("a row of the picture is wider than %d: %q", s.width, row)
		}
	}
	return len(p), nil
}

func (s *screen) String() string { return strings.TrimRight(strings.Join(s.rows, "\n"), "\n") + "\n" }

// TestThePictureStandsBelowTheLines watches a rollout on a terminal and as plain lines.
func TestThePictureStandsBelowTheLines(t *testing.T) {
	var plain, written strings.Builder
	terminal := &screen{t: t, width: 80}
	onTerminal := &rehearsal.Console{Out: terminal, Width: 80, Colour: true}
	uncoloured := &rehearsal.Console{Out: &written, Width: 80}
	piped := &rehearsal.Console{Out: &plain}
	var pictures []string
	rehearse(t, blogInput, "worse-2x", func(o *rehearsal.Options) {
		o.Watch = func(l rehearsal.Line) {
			onTerminal.Show(l)
			uncoloured.Show(l)
			piped.Show(l)
			pictures = append(pictures, strings.Join(terminal.rows[max(0, len(terminal.rows)-3):], "\n"))
		}
	})
	// At the check that rolls back, with what it saw: the last but one line.
	picture := regexp.MustCompile(`(?s)weight    █+░+ +\d+ %  step \d of 10, 0:0\d:00 of 0:20:00
  errors    new [▁▂▃▄▅▆▇█]+ +[\d.]+ %  baseline [▁▂▃▄▅▆▇█]+ +[\d.]+ %
  evidence  █{20,} 10\^\d+\.\d of 10\^2\.0 \(errors\): roll-back$`)
	if got := pictures[len(pictures)-2]; !picture.MatchString(got) {
		t.Errorf("the picture is\n%s", got)
	}
	onTerminal.Close()
	if terminal.String() != plain.String() {
		t.Errorf("in the end there stands\n%s\nand not\n%s", terminal, &plain)
	}
	if colours.MatchString(written.String()) {
		t.Error("there are colours that nobody wants")
	}
	if strings.Contains(plain.String(), "\x1b") {
		t.Error("there is more than plain lines where there is no terminal")
	}
}
