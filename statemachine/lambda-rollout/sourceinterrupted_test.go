package main

import (
	"bytes"
	"context"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestReadsEndOnASignal, though what they read has no end: a terminal without Ctrl-D, and a
// named pipe that no one writes to.
func TestReadsEndOnASignal(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "endless")
	if out, err := exec.Command("mkfifo", fifo).CombinedOutput(); err != nil {
		t.Skipf("mkfifo: %v: %s", err, out)
	}
	lines := []string{
		"check -f -", "start -f -", "start --wait -f -", "rehearse --input -", "rehearse --runs 3 --input -", "cost --input -", "advise --input -",
		"check -f FIFO", "rehearse --scenario FIFO", "rehearse --template FIFO", "cost --scenario FIFO", "advise --scenario FIFO", "record --history FIFO", "serve --scenario FIFO", "serve --template FIFO",
	}
	for _, line := range lines {
		for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
			stdin, typing := io.Pipe()
			ctx, cancel := context.WithCancelCause(t.Context())
			ended, stderr := make(chan int, 1), &bytes.Buffer{}
			go func() {
				ended <- run(ctx, strings.Fields(strings.ReplaceAll(line, "FIFO", fifo)), stdin, io.Discard, stderr)
			}()
			time.AfterFunc(20*time.Millisecond, func() { cancel(interruption{signal}) })
			select {
			case code := <-ended:
				if code != 128+int(signal) || strings.Count(stderr.String(), "interrupted") != 1 {
					t.Errorf("%s: exit code %d after %v: %s", line, code, signal, stderr)
				}
			case <-time.After(10 * time.Second):
				t.Fatalf("%s goes on after %v", line, signal)
			}
			typing.Close()
		}
	}
}
