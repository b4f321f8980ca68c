package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// full is a disk without room, or with room for some bytes.
type full struct{ room int }

var errFull = errors.New("no space left on device")

func (f *full) Write(text []byte) (int, error) {
	if n := f.room; n < len(text) {
		f.room = 0
		return n, errFull
	}
	f.room -= len(text)
	return len(text), nil
}

// TestLostOutputIsNoSuccess, nor a refusal.
func TestLostOutputIsNoSuccess(t *testing.T) {
	a := newAccount(t, `{}`, nil)
	input := a.write("rollout.json", blog)
	written := func(room int, line string) (int, string) {
		var stderr bytes.Buffer
		c := &command{stdin: strings.NewReader(""), stdout: &full{room}, stderr: &stderr, now: a.served.Now, sleep: sleep}
		code := c.run(t.Context(), strings.Fields(strings.ReplaceAll(line, "FILE", input)))
		return code, stderr.String()
	}
	const says = "lambda-rollout: the output can't be written, and is not complete: no space left on device\n"
	for _, line := range []string{
		"rehearse", "rehearse --json", "rehearse --runs 3", "rehearse --runs 3 -o json", "--help", "help", "rehearse --help", "completion bash", "cost --input FILE", "serve",
		"list", "list -o json", "check -f FILE", "check -o json -f FILE", "start --name one -f FILE", "get one", "explain one", "start --name one -f FILE",
		"start --name one --quiet -f FILE", "start --name one -o json -f FILE",
	} {
		if code, stderr := written(0, line); code != unknown || stderr != says {
			t.Errorf("%s: %d, %s", line, code, stderr)
		}
	}
	if code, stderr := written(100, "rehearse"); code != unknown || stderr != says {
		t.Errorf("with room for a line: %d, %s", code, stderr)
	}
	if code, stderr := written(0, "rehearse --scenario errors"); code != notPromoted || stderr != says {
		t.Errorf("a rollback: %d, %s", code, stderr)
	}
}
