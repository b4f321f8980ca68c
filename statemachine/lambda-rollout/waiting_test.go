package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/servedtest"
)

// TestAHangingEndpoint is named on a terminal, with the call that waits, and Ctrl-C ends it.
func TestAHangingEndpoint(t *testing.T) {
	a := servedtest.New(t, `{}`)
	a.Environment(t)
	a.Begin("it", linear)
	hung := make(chan struct{})
	t.Cleanup(func() { close(hung) })
	a.Answer(func(_ string, _ http.ResponseWriter, r *http.Request) bool {
		select {
		case <-hung:
		case <-r.Context().Done():
		}
		return true
	})
	var mu sync.Mutex
	var said []string
	ctx, cancel := context.WithCancelCause(t.Context())
	var out bytes.Buffer
	c := &command{stdin: strings.NewReader(""), stdout: &out, stderr: &out, now: a.Now, sleep: sleep, waiting: &waiting{after: 20 * time.Millisecond, say: func(line string) {
		mu.Lock()
		defer mu.Unlock()
		said = append(said, line)
		cancel(interruption{syscall.SIGINT})
	}}}
	began := time.Now()
	if code := c.run(ctx, []string{"get", "it"}); code == 0 || time.Since(began) > 10*time.Second {
		t.Errorf("it ends with %d after %v: %s", code, time.Since(began), out.String())
	}
	mu.Lock()
	defer mu.Unlock()
	if want := fmt.Sprintf("lambda-rollout: waiting for the answer of %s to states:DescribeExecution, for at most 1m (Ctrl-C ends it)", a.URL); len(said) != 1 || said[0] != want {
		t.Errorf("it says %q, want %q", said, want)
	}
	if w := (&command{stderr: &out}).newWaiting(); w.after != patience {
		t.Errorf("it says so after %v", w.after)
	} else if w.say("x"); strings.Contains(out.String(), "x\n") {
		t.Error("it is said without a terminal")
	}
}

// TestProgressOnATerminal is one row that is drawn again, after a while, at each width, and no
// row is left at the end.
func TestProgressOnATerminal(t *testing.T) {
	for _, width := range []int{0, 30, 80, 200} {
		var out bytes.Buffer
		finished, done := progressAt(&out, width, time.Millisecond, time.Millisecond)
		for i := range 100 {
			finished(i, 1_000_000)
			time.Sleep(200 * time.Microsecond)
		}
		done()
		text := out.String()
		if width == 0 {
			if text != "" {
				t.Errorf("without a terminal it prints %q", text)
			}
			continue
		}
		if !strings.Contains(text, "of 1,000,000 rollouts") || strings.Contains(text, "\n") || strings.Count(text, clearRow) < 2 || !strings.HasSuffix(text, clearRow) {
			t.Errorf("at %d: %q", width, text)
		}
		for row := range strings.SplitSeq(text, clearRow) {
			if len([]rune(row)) >= width {
				t.Errorf("at %d a row is wider: %q", width, row)
			}
		}
	}
	var out bytes.Buffer
	finished, done := progressAt(&out, 80, time.Hour, time.Hour)
	finished(1, 2)
	if done(); out.Len() > 0 {
		t.Errorf("it flickers: %q", out.String())
	}
}
