package project

import (
	"bytes"
	"maps"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestAnInterruptedPipelineStopsItsRollout(t *testing.T) {
	const back = "the rollout was stopped, and its alias returns to the baseline"
	hanging := map[string]string{"hangs": ""}
	for _, test := range []struct {
		signal      syscall.Signal
		group       bool // signal the process group, as Ctrl-C and runners do
		onInterrupt string
		world       map[string]string
		code        int
		stops       bool
		says        string
	}{
		{syscall.SIGTERM, false, "", nil, 143, true, back},
		{syscall.SIGINT, false, "stop", nil, 130, true, back},
		{syscall.SIGINT, true, "", nil, 130, true, back},
		{syscall.SIGTERM, false, "leave", nil, 143, false, "interrupted; the rollout continues: arn:"},
		{syscall.SIGTERM, false, "", map[string]string{"unstopped": "AccessDenied"}, 143, true, "could not be stopped: AccessDenied; it continues: arn:"},
		// AWS may or may not have received the call under way.
		{syscall.SIGINT, true, "", hanging, 130, true, back},
		{syscall.SIGTERM, true, "", hanging, 143, true, back},
		{syscall.SIGINT, true, "leave", hanging, 130, false, "if it was started, the rollout continues: arn:"},
		{syscall.SIGINT, true, "", map[string]string{"hangs": "", "unstopped": "An error occurred (ExecutionDoesNotExist)"}, 130, true, "before a rollout was started"},
	} {
		world := map[string]string{"status": "RUNNING\n"}
		maps.Copy(world, test.world)
		run, calls := pipeline(t, world, "run", "MyFunction", "MyAlias")
		run.Env = append(run.Env, "POLL_SECONDS=3600", "ON_INTERRUPT="+test.onInterrupt)
		run.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		var said bytes.Buffer
		run.Stderr = &said
		begun := time.Now()
		if err := run.Start(); err != nil {
			t.Fatal(err)
		}
		awaited, receiver := "describe-execution", run.Process.Pid
		if _, ok := world["hangs"]; ok {
			awaited = "start-execution"
		}
		for range 60_000 { // five minutes, for a busy machine
			if called, _ := os.ReadFile(calls); strings.Contains(string(called), awaited) {
				break
			}
			time.Sleep(5 * time.Millisecond)
		}
		time.Sleep(50 * time.Millisecond)
		if test.group {
			receiver = -receiver
		}
		if err := syscall.Kill(receiver, test.signal); err != nil {
			t.Fatal(err)
		}
		_ = run.Wait()                                      // the exit code is checked below
		_ = syscall.Kill(-run.Process.Pid, syscall.SIGKILL) // sleeping children
		called, _ := os.ReadFile(calls)
		stops := strings.Contains(string(called), "stop-execution --execution-arn arn:aws:states:eu-central-1:123456789012:"+startedName)
		if code := run.ProcessState.ExitCode(); code != test.code || stops != test.stops || !strings.Contains(said.String(), test.says) || time.Since(begun) > 10*time.Minute {
			t.Errorf("%s, %q, %q: exits with %d after %s, says %q, calls\n%s", test.signal, test.onInterrupt, test.world, code, time.Since(begun), said.String(), called)
		}
	}
}
