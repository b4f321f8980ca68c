package project

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/statemachine"
)

// fakeAWS stands in for the AWS CLI. It answers from the files in $WORLD, and
// notes each call there; of the statuses it takes one a call, but keeps the last.
const fakeAWS = `#!/bin/sh
echo "$*" >>"$WORLD/calls"
answer() { if [ -e "$WORLD/$1" ]; then cat "$WORLD/$1"; else echo None; fi; }
case "$1 $2" in
'lambda wait') ;;
'lambda publish-version') [ -e "$WORLD/unpublished" ] && exit 254; echo 7 ;;
'stepfunctions stop-execution') echo '{}' ;;
'stepfunctions start-execution')
  if [ -e "$WORLD/refused" ]; then answer refused >&2; exit 254; fi
  echo "arn:aws:states:eu-central-1:123456789012:execution:rollout:$6" ;;
'stepfunctions describe-execution')
  if [ "$6" != status ]; then answer "$6"; exit; fi
  next=$(head -n 1 "$WORLD/status")
  if [ "$(wc -l <"$WORLD/status")" -gt 1 ]; then sed -i.before 1d "$WORLD/status"; fi
  [ "$next" = LOST ] && exit 255
  echo "$next" ;;
*) echo "no such command: $*" >&2; exit 252 ;;
esac
`

// pipeline runs docs/ci/rollout.sh in a world that the fake AWS answers from.
func pipeline(t *testing.T, world map[string]string, args ...string) (*exec.Cmd, string) {
	t.Helper()
	folder := t.TempDir()
	for name, content := range world {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(folder, "aws"), []byte(fakeAWS), 0o700); err != nil {
		t.Fatal(err)
	}
	run := exec.Command("bash", append([]string{filepath.Join(root, "docs", "ci", "rollout.sh")}, args...)...)
	run.Env = append(os.Environ(), "WORLD="+folder, "PATH="+folder+":"+os.Getenv("PATH"), "POLL_SECONDS=0.01", "COMMIT=0123456789abcdef",
		"STATE_MACHINE_ARN=arn:aws:states:eu-central-1:123456789012:stateMachine:rollout", `PLAN="type": "canary", "interval": 60`)
	return run, filepath.Join(folder, "calls")
}

const (
	startedInput = `{"function-name": "MyFunction", "alias-name": "MyAlias", "new-version": "7", "type": "canary", "interval": 60}`
	startedName  = "execution:rollout:MyFunction-MyAlias-0123456789ab-1"
)

func TestTheRolloutScriptEndsAsTheRolloutDoes(t *testing.T) {
	const taken = "An error occurred (ExecutionAlreadyExists) when calling the StartExecution operation\n"
	running := "RUNNING\nRUNNING\n"
	for _, test := range []struct {
		name  string
		args  string
		world map[string]string
		code  int
		want  []string // parts of what it says and calls
	}{
		{"promoted", "run MyFunction MyAlias", map[string]string{"status": running + "SUCCEEDED\n", "output": `{"outcome":{"result":"promoted"}}`}, 0,
			[]string{"started arn:", startedName, "--input " + startedInput, "promoted"}},
		{"unverified", "run MyFunction MyAlias", map[string]string{"status": "SUCCEEDED\n", "output": `{"outcome":{"unverified":true}}`}, 0, []string{"UNVERIFIED"}},
		{"rolled back", "run MyFunction MyAlias", map[string]string{"status": running + "FAILED\n", "error": "Unhealthy\n", "cause": "version 7: 30 errors\nin 1,204"}, 1,
			[]string{"FAILED: Unhealthy: version 7: 30 errors\nin 1,204"}},
		{"stopped by somebody", "run MyFunction MyAlias", map[string]string{"status": "ABORTED\n"}, 1, []string{"ABORTED: None"}},
		{"refused", "run MyFunction MyAlias", map[string]string{"status": "FAILED\n", "error": "AliasSplit\n"}, 2, []string{"FAILED: AliasSplit"}},
		{"not started", "run MyFunction MyAlias", map[string]string{"refused": "AccessDenied\n"}, 2, []string{"not started: AccessDenied"}},
		{"not published", "run MyFunction MyAlias", map[string]string{"unpublished": ""}, 2, []string{"no version could be published"}},
		{"started before", "run MyFunction MyAlias", map[string]string{"refused": taken, "input": startedInput + "\n", "status": "SUCCEEDED\n"}, 0,
			[]string{"has been started before", startedName, "promoted"}},
		{"another with that name", "run MyFunction MyAlias", map[string]string{"refused": taken, "input": "{}\n"}, 2, []string{"has run with another input"}},
		{"out of sight for a while", "wait arn:execution", map[string]string{"status": "LOST\nLOST\nSUCCEEDED\n"}, 0, []string{"promoted"}},
		{"out of sight", "wait arn:execution", map[string]string{"status": "LOST\n"}, 3, []string{"can't see how the rollout goes on"}},
		{"not waited for", "start MyFunction MyAlias", nil, 0, []string{startedName}},
		{"misused", "MyFunction MyAlias", nil, 2, []string{"usage: "}},
	} {
		t.Run(test.name, func(t *testing.T) {
			run, calls := pipeline(t, test.world, strings.Fields(test.args)...)
			out, err := run.CombinedOutput()
			called, _ := os.ReadFile(calls)
			if code := run.ProcessState.ExitCode(); code != test.code || err != nil && !errors.As(err, new(*exec.ExitError)) {
				t.Errorf("exits with %d, %v, want %d", code, err, test.code)
			}
			for _, want := range test.want {
				if !strings.Contains(string(out)+string(called), want) {
					t.Errorf("there is no %q in\n%s%s", want, out, called)
				}
			}
			if strings.Contains(string(called), "stop-execution") {
				t.Errorf("stops what nobody has interrupted:\n%s", called)
			}
		})
	}
}

func TestAnInterruptedPipelineStopsItsRollout(t *testing.T) {
	for _, test := range []struct {
		signal      syscall.Signal
		onInterrupt string
		code        int
		stops       bool
		says        string
	}{
		{syscall.SIGTERM, "", 143, true, "its alias goes back to the baseline"},
		{syscall.SIGINT, "stop", 130, true, "its alias goes back to the baseline"},
		{syscall.SIGTERM, "leave", 143, false, "the rollout goes on: arn:"},
	} {
		run, calls := pipeline(t, map[string]string{"status": "RUNNING\n"}, "run", "MyFunction", "MyAlias")
		run.Env = append(run.Env, "POLL_SECONDS=60", "ON_INTERRUPT="+test.onInterrupt)
		said, err := run.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		if err := run.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(said)
		lines.Scan() // started …
		for range 1000 {
			if called, _ := os.ReadFile(calls); strings.Contains(string(called), "describe-execution") {
				break
			}
			time.Sleep(5 * time.Millisecond)
		}
		time.Sleep(50 * time.Millisecond)
		if err := run.Process.Signal(test.signal); err != nil {
			t.Fatal(err)
		}
		text := ""
		for lines.Scan() {
			text += lines.Text()
		}
		_ = run.Wait() // its exit code is looked at
		called, _ := os.ReadFile(calls)
		stops := strings.Contains(string(called), "stop-execution --execution-arn arn:aws:states:eu-central-1:123456789012:"+startedName)
		if code := run.ProcessState.ExitCode(); code != test.code || stops != test.stops || !strings.Contains(text, test.says) || time.Since(begun) > 30*time.Second {
			t.Errorf("%s, %q: exits with %d after %s, says %q, calls\n%s", test.signal, test.onInterrupt, code, time.Since(begun), text, called)
		}
	}
}

// TestTheScriptKnowsTheRefusals holds its list to the workflow's.
func TestTheScriptKnowsTheRefusals(t *testing.T) {
	script, err := os.ReadFile(filepath.Join(root, "docs", "ci", "rollout.sh"))
	if err != nil {
		t.Fatal(err)
	}
	caught := regexp.MustCompile(`"ErrorEquals": \[([^\]]*)\][^\n]*"Explain refusal"`).FindAllStringSubmatch(statemachine.Definition, -1)
	if len(caught) == 0 {
		t.Fatal("the workflow catches no refusals")
	}
	list := regexp.MustCompile(`(?s)case \$error in(.*?)exit 2`).FindString(string(script))
	for _, names := range caught {
		for _, name := range regexp.MustCompile(`\w+`).FindAllString(names[1], -1) {
			// What the workflow refuses as AliasChanged is not told from the end of that name.
			if name != "AliasChanged" && !strings.Contains(list, name) {
				t.Errorf("the script does not know the refusal %s", name)
			}
		}
	}
}
