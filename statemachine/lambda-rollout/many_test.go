package main

import (
	"bytes"
	"context"
	"html"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestManyTellOfOne runs the command by which a page of many leads to a single
// rehearsal, which is to leave the page alone.
func TestManyTellOfOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "many.html")
	typed("", "-scenario", "errors", "-runs", "2", "-seed", "5", "-report", path)
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, line, _ := strings.Cut(string(page), `<code id="single">`)
	line, _, _ = strings.Cut(line, "</code>")
	arguments, ok := strings.CutPrefix(html.UnescapeString(line), "go run ./statemachine/lambda-rollout ")
	if !ok {
		t.Fatalf("the page says %q", line)
	}
	code, stdout, _ := typed("", strings.Fields(arguments)...)
	after, err := os.ReadFile(path)
	if code != 1 || !strings.Contains(stdout, "ROLLED BACK") || err != nil || string(after) != string(page) {
		t.Errorf("%s exits with %d, says %s, and the page may be another one: %v", arguments, code, stdout, err)
	}
}

// TestManyThatAreRefused has no distribution of what is no matter of chance.
func TestManyThatAreRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "many.html")
	code, stdout, stderr := typed(`{"function-name": "f"}`, "-input", "-", "-runs", "3", "-json", "-report", path)
	if _, err := os.Stat(path); code != refused || stdout != "" || !strings.Contains(stderr, "every rehearsal is refused: ") || !strings.Contains(stderr, "alias-name") || err == nil {
		t.Errorf("exits with %d and says %s%s; the page: %v", code, stdout, stderr, err)
	}
	code, _, stderr = typed("", "-seed", "18446744073709551615", "-runs", "3")
	if code != refused || !strings.Contains(stderr, "must be at most 18446744073709551613; given: 18446744073709551615") {
		t.Errorf("seeds that overflow: exits with %d and says %s", code, stderr)
	}
}

// TestInterruptedStudiesPrintWhatTheyHave, and say how much that is.
func TestInterruptedStudiesPrintWhatTheyHave(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"rehearse", "--runs", "100000"}, {"advise", "--runs", "50"}} {
		ctx, cancel := context.WithCancelCause(t.Context())
		timer := time.AfterFunc(time.Second, func() { cancel(interruption{syscall.SIGINT}) })
		var stdout, stderr bytes.Buffer
		code := run(ctx, args, strings.NewReader(""), &stdout, &stderr)
		timer.Stop()
		text := stdout.String() + stderr.String()
		if code != 130 || !strings.Contains(strings.ToLower(text), "interrupted") || args[0] == "rehearse" && (!strings.Contains(text, "PROMOTED") || !strings.Contains(stderr.String(), "of 100000 rehearsals")) {
			t.Errorf("%q exits with %d and says\n%s", args, code, text)
		}
		cancel(nil)
	}
}
