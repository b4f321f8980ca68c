package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/terminal"
)

// short is a rollout of three steps, with two checks each.
const short = `{"function-name": "MyFunction", "alias-name": "MyAlias", "new-version": "2", "steps": 3, "interval": 120, "type": "linear"}`

// session runs the command with an output of a width, and returns the
// command line and what it prints.
func session(columns int, input string, args ...string) string {
	var out bytes.Buffer
	c := &command{stdin: strings.NewReader(input), stdout: &out, stderr: &out, columns: columns, now: time.Now}
	code := c.run(context.Background(), args)
	return fmt.Sprintf("$ lambda-rollout %s\n%s(exit %d)\n", strings.Join(args, " "), &out, code)
}

// TestRehearseAtEachWidth, with a line for each step and with all checks.
func TestRehearseAtEachWidth(t *testing.T) {
	for name, test := range map[string]struct{ scenario, input string }{
		"promoted":    {"healthy", short},
		"rolled-back": {"late-errors", strings.Replace(short, `"steps": 3`, `"steps": 4`, 1)},
		"refused":     {"healthy", `{"function-name": "MyFunction", "steps": 0}`},
		"throttled":   {"throttled", short},
	} {
		for _, columns := range []int{40, 80, 200} {
			args := []string{"rehearse", "--input", "-", "--scenario", test.scenario}
			text := session(columns, test.input, args...) + "\n" + session(columns, test.input, append(args, "-v")...)
			golden(t, fmt.Sprintf("rehearse-%s-%d", name, columns), text)
			fits(t, text, columns)
		}
	}
}

func TestRehearsingManyAtEachWidth(t *testing.T) {
	for _, columns := range []int{40, 80, 200} {
		var all []string
		for _, scenario := range []string{"healthy", "errors", "late-errors"} {
			all = append(all, session(columns, short, "rehearse", "--input", "-", "--runs", "20", "--scenario", scenario))
		}
		text := strings.Join(all, "\n")
		golden(t, fmt.Sprintf("rehearse-runs-%d", columns), text)
		fits(t, text, columns)
	}
}

// fits reports the lines of a command's output that are wider than the terminal.
func fits(t *testing.T, text string, columns int) {
	t.Helper()
	for line := range strings.SplitSeq(text, "\n") {
		if terminal.Cells(line) > columns && !strings.HasPrefix(line, "$ ") {
			t.Errorf("at %d columns, a line has more: %s", columns, line)
		}
	}
}

// shown runs the command in a terminal of a width, and returns all that it writes there.
func shown(t *testing.T, columns int, args ...string) string {
	t.Helper()
	ptmx, tts, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer ptmx.Close()
	if err := pty.Setsize(ptmx, &pty.Winsize{Cols: uint16(columns), Rows: 30}); err != nil {
		t.Fatal(err)
	}
	all := make(chan string)
	go func() {
		var text strings.Builder
		buffer := make([]byte, 1<<16)
		for {
			n, err := ptmx.Read(buffer)
			text.Write(buffer[:n])
			if err != nil || strings.HasSuffix(text.String(), "(end)\r\n") {
				all <- strings.ReplaceAll(text.String(), "\r\n", "\n")
				return
			}
		}
	}()
	run(context.Background(), args, strings.NewReader(""), tts, tts)
	fmt.Fprintln(tts, "(end)")
	text := <-all
	tts.Close()
	return text
}

// TestAVerdictOnATerminal is coloured, unless the user wants none, and wraps with the rest.
func TestAVerdictOnATerminal(t *testing.T) {
	for _, test := range []struct {
		name, term, noColour, verdict string
		columns                       int
		args                          []string
	}{
		{"promoted", "xterm", "", "\n\x1b[32mPROMOTED after 0:20:00 of virtual time\x1b[0m\n", 100, nil},
		{"narrow", "xterm", "", "\n\x1b[32mPROMOTED after 0:20:00 of virtual time\x1b[0m\n", 47, nil},
		{"unverified", "xterm", "", "\n\x1b[33mPROMOTED, UNVERIFIED, after 0:20:00 of virtual time\x1b[0m\n", 100, []string{"--scenario", "no-traffic"}},
		{"rolled back", "xterm", "", "\n\x1b[1;31mROLLED BACK after 0:12:00 of virtual time\x1b[0m\n", 81, []string{"--scenario", "late-errors"}},
		{"no colours", "xterm", "1", "\nROLLED BACK after 0:12:00 of virtual time\n", 81, []string{"--scenario", "late-errors"}},
		{"a dumb terminal", "dumb", "", "\nROLLED BACK after 0:12:00 of virtual time\n", 81, []string{"--scenario", "late-errors"}},
	} {
		t.Setenv("TERM", test.term)
		t.Setenv("NO_COLOR", test.noColour)
		text := shown(t, test.columns, append([]string{"rehearse"}, test.args...)...)
		if !strings.Contains(text, test.verdict) {
			t.Errorf("%s: there is no %q in\n%q", test.name, test.verdict, text)
		}
		if plain := test.term == "dumb" || test.noColour != ""; plain != !strings.Contains(text, "\x1b[3") && plain != !strings.Contains(text, "\x1b[1;3") {
			t.Errorf("%s: the colours are in %q", test.name, text)
		}
		if test.term == "dumb" {
			if strings.Contains(text, "\x1b") {
				t.Errorf("%s: %q", test.name, text)
			}
			continue // which has no width
		}
		widest, screen := 0, &vt{t: t, width: test.columns}
		fmt.Fprint(screen, text)
		for _, line := range screen.rows {
			widest = max(widest, terminal.Cells(line))
		}
		if widest > test.columns || widest < test.columns-15 {
			t.Errorf("%s: the widest line has %d cells in a terminal of %d", test.name, widest, test.columns)
		}
	}
}

// TestWrittenFilesAreNamed in one spelling, and beside a JSON document.
func TestWrittenFilesAreNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "page of it.html")
	for _, args := range [][]string{{"--report", path}, {"--report", path, "--runs", "2"}} {
		code, stdout, stderr := typed("", args...)
		if code != 0 || stderr != "" || !strings.HasSuffix(stdout, "\nwrote "+path+"\n") {
			t.Errorf("%q exits with %d: %s%s", args, code, stdout, stderr)
		}
		code, stdout, stderr = typed("", append(args, "-o", "json")...)
		if code != 0 || stderr != "wrote "+path+"\n" || !strings.HasPrefix(stdout, "{") || strings.Contains(stdout, "wrote") {
			t.Errorf("%q exits with %d: %.200s%s", args, code, stdout, stderr)
		}
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
}
