package main

import (
	"context"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestThePipelineScriptIsInterrupted while it waits, and while AWS has not answered its start.
func TestThePipelineScriptIsInterrupted(t *testing.T) {
	t.Parallel()
	const stopped = "the rollout was stopped, and its alias returns to the baseline"
	for _, r := range []struct {
		name   string
		signal syscall.Signal
		group  bool // signal the process group, as Ctrl-C and runners do
		set    string
		hangs  bool // the start has no answer
		code   int
		says   string
		ends   string // the execution's status
	}{
		{"SIGTERM", syscall.SIGTERM, false, "", false, 143, stopped, "ABORTED"},
		{"SIGINT to all", syscall.SIGINT, true, "ON_INTERRUPT=stop", false, 130, stopped, "ABORTED"},
		{"leaves", syscall.SIGTERM, true, "ON_INTERRUPT=leave", false, 143, "interrupted; the rollout continues: arn:", "RUNNING"},
		{"without an answer", syscall.SIGTERM, false, "", true, 143, stopped, "ABORTED"},
		{"leaves without an answer", syscall.SIGINT, true, "ON_INTERRUPT=leave", true, 130, "interrupted; if it was started, the rollout continues: arn:", "RUNNING"},
	} {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			p := newPipeline(t, `{}`)
			begun, goes := make(chan bool, 100), make(chan struct{})
			t.Cleanup(func() { close(goes) })
			p.aws.Answer(func(action string, w http.ResponseWriter, q *http.Request) bool {
				switch {
				case action == "states:StartExecution" && r.hangs:
					p.aws.ServeHTTP(&recorder{header: http.Header{}}, q.WithContext(context.Background()))
					begun <- true
					<-goes
					return true
				case action == "states:GetExecutionHistory":
					begun <- true
				}
				return false
			})
			run := p.script([]string{`PLAN="steps": 10, "interval": 86400`, r.set}, "run", "MyFunction", "MyAlias")
			run.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			var out strings.Builder
			run.Stdout, run.Stderr = &out, &out
			if err := run.Start(); err != nil {
				t.Fatal(err)
			}
			select {
			case <-begun:
			case <-time.After(time.Minute):
				t.Error("it does not start")
			}
			receiver := run.Process.Pid
			if r.group {
				receiver = -receiver
			}
			if err := syscall.Kill(receiver, r.signal); err != nil {
				t.Fatal(err)
			}
			_ = run.Wait() // the exit code counts
			if code := run.ProcessState.ExitCode(); code != r.code || !strings.Contains(out.String(), r.says) {
				t.Errorf("it exits with %d, want %d with %q, and prints\n%s", code, r.code, r.says, &out)
			}
			if status := p.aws.Status("MyFunction-MyAlias-c6999426-0123456789ab-1"); status != r.ends {
				t.Errorf("the execution is %s, want %s", status, r.ends)
			}
		})
	}
}

// recorder takes an answer that no one gets.
type recorder struct{ header http.Header }

func (r *recorder) Header() http.Header            { return r.header }
func (r *recorder) WriteHeader(int)                {}
func (r *recorder) Write(text []byte) (int, error) { return len(text), nil }

// TestThePipelineScriptNeedsTheDocumentedActions and no others, also when it is interrupted.
func TestThePipelineScriptNeedsTheDocumentedActions(t *testing.T) {
	page, err := os.ReadFile("../../docs/ci/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "| action | on |")
	var documented []string
	for _, action := range regexp.MustCompile("`((?:lambda|states):[A-Za-z]+)`").FindAllStringSubmatch(table[:strings.Index(table, "\n\n")], -1) {
		if action[1] != "lambda:UpdateFunctionCode" { // for the upload
			documented = append(documented, action[1])
		}
	}
	if len(documented) < 5 {
		t.Fatalf("the documented actions are %q", documented)
	}
	g := &granted{used: map[string]bool{}}
	a := newAccount(t, `{}`, g.authorize)
	g.limit(documented)
	run := exec.Command("bash", "../../docs/ci/rollout.sh", "run", "MyFunction", "MyAlias")
	run.Env = append(os.Environ(), "PATH="+commandFolder(t)+":"+os.Getenv("PATH"), "COMMIT=0123456789abcdef", "POLL_SECONDS=1")
	var out strings.Builder
	run.Stdout, run.Stderr = &out, &out
	read := make(chan bool, 100)
	a.answers = func(_ http.ResponseWriter, operation string) bool {
		if operation == "GetExecutionHistory" {
			read <- true
		}
		return false
	}
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-read:
		time.Sleep(100 * time.Millisecond) // it reads the alias, too
	case <-time.After(time.Minute):
		t.Error("it does not start")
	}
	if err := run.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = run.Wait() // the exit code counts
	if used := slices.Sorted(maps.Keys(g.used)); !slices.Equal(used, slices.Sorted(slices.Values(documented))) {
		t.Errorf("it uses %q, and documented are %q", used, documented)
	}
	if code := run.ProcessState.ExitCode(); code != 143 || !strings.Contains(out.String(), "the rollout was stopped") {
		t.Errorf("with exactly %q it exits with %d, and prints\n%s", documented, code, &out)
	}
}
