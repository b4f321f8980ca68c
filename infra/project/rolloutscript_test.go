package project

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/statemachine"
)

// fakeAWS replaces the AWS CLI. It answers from the files in $WORLD, and records each
// call in the file calls. From status it takes one line for each call, but keeps the
// last. Answers that are named in the file lost can't be read. If calls hang, an
// interruption ends them as it ends the AWS CLI: with a traceback. Errors are sentences
// only if AWS_CLI_ERROR_FORMAT is legacy, as the AWS CLI has it where json is chosen.
const fakeAWS = `#!/bin/sh
trap 'echo "Traceback: KeyboardInterrupt" >&2; exit 130' INT
echo "$*" >>"$WORLD/calls"
problem() { if [ "$AWS_CLI_ERROR_FORMAT" = legacy ]; then answer "$1"; else echo '{"Code": "Unreadable"}'; fi; }
answer() { if [ -e "$WORLD/$1" ]; then cat "$WORLD/$1"; else echo None; fi; }
case "$1 $2" in
'lambda wait') ;;
'lambda publish-version') [ -e "$WORLD/unpublished" ] && exit 254; echo 7 ;;
'stepfunctions stop-execution')
  if [ -e "$WORLD/unstopped" ]; then problem unstopped >&2; exit 254; fi
  echo '{}' ;;
'stepfunctions start-execution')
  if [ -e "$WORLD/hangs" ]; then sleep 3600; fi
  if [ -e "$WORLD/refused" ]; then problem refused >&2; exit 254; fi
  echo "arn:aws:states:eu-central-1:123456789012:execution:rollout:$6" ;;
'stepfunctions describe-execution')
  if grep -q -w "$6" "$WORLD/lost" 2>/dev/null; then exit 255; fi
  if [ "$6" != status ]; then answer "$6"; exit; fi
  next=$(head -n 1 "$WORLD/status")
  if [ "$(wc -l <"$WORLD/status")" -gt 1 ]; then sed -i.before 1d "$WORLD/status"; fi
  [ "$next" = LOST ] && exit 255
  echo "$next" ;;
'stepfunctions get-execution-history')
  if grep -q -w state "$WORLD/lost" 2>/dev/null; then exit 255; fi
  answer state ;;
*) echo "no such command: $*" >&2; exit 252 ;;
esac
`

// pipeline returns a command that runs docs/ci/rollout.sh with fakeAWS, which answers
// from world, and the name of the file that records the calls.
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
	run.Env = append(os.Environ(), "WORLD="+folder, "PATH="+folder+":"+os.Getenv("PATH"), "POLL_SECONDS=0.01", "AWS_CLI_ERROR_FORMAT=json", "COMMIT=0123456789abcdef",
		"STATE_MACHINE_ARN=arn:aws:states:eu-central-1:123456789012:stateMachine:rollout", `PLAN="type": "canary", "interval": 60`)
	return run, filepath.Join(folder, "calls")
}

const (
	startedInput = `{"function-name": "MyFunction", "alias-name": "MyAlias", "new-version": "7", "type": "canary", "interval": 60}`
	startedName  = "execution:rollout:MyFunction-MyAlias-c6999426-0123456789ab-1"
)

func TestTheRolloutScriptEndsAsTheRolloutDoes(t *testing.T) {
	const taken = "An error occurred (ExecutionAlreadyExists) when calling the StartExecution operation\n"
	running := "RUNNING\nRUNNING\n"
	for _, test := range []struct {
		name  string
		args  string
		world map[string]string
		code  int
		want  []string // parts of its output and its calls
	}{
		{"promoted", "run MyFunction MyAlias", map[string]string{"status": running + "SUCCEEDED\n", "output": `{"outcome":{"result":"promoted"}}`}, 0,
			[]string{"started arn:", startedName, "--input " + startedInput, "promoted"}},
		{"unverified", "run MyFunction MyAlias", map[string]string{"status": "SUCCEEDED\n", "output": `{"outcome":{"unverified":true}}`}, 0, []string{"UNVERIFIED: too little was seen to judge the version\n"}},
		{"unverified by name", "run MyFunction MyAlias", map[string]string{"status": "SUCCEEDED\n", "output": `{"outcome":{"unverified":true,"unverified-gates":["alarms","checks.c"]}}`}, 0,
			[]string{`UNVERIFIED: too little was seen to judge the version; no conclusive reading of "alarms","checks.c"`}},
		{"rolled back", "run MyFunction MyAlias", map[string]string{"status": running + "FAILED\n", "error": "Unhealthy\n", "cause": "version 7: 30 errors\nin 1,204"}, 1,
			[]string{"FAILED: Unhealthy: version 7: 30 errors\nin 1,204"}},
		{"with control characters in the cause", "run MyFunction MyAlias", map[string]string{"status": "FAILED\n", "error": "\x1b[2JUnhealthy\n", "cause": "über\u009b2J\x07\x1b]0;title"}, 1,
			[]string{"FAILED: [2JUnhealthy: über2J]0;title\n"}},
		{"stopped", "run MyFunction MyAlias", map[string]string{"status": "ABORTED\n"}, 1, []string{"ABORTED: None"}},
		{"refused", "run MyFunction MyAlias", map[string]string{"status": "FAILED\n", "error": "AliasSplit\n", "state": "Refused\n"}, 2, []string{"FAILED: AliasSplit"}},
		{"rolled back by an error that may be a refusal's", "run MyFunction MyAlias", map[string]string{"status": "FAILED\n", "error": "AccessDenied\n",
			"cause": "nothing was changed", "state": "Rolled back\n"}, 1, []string{"FAILED: AccessDenied"}},
		{"not begun", "run MyFunction MyAlias", map[string]string{"status": "FAILED\n", "error": "TimedOut\n",
			"state": "Not started\n"}, 2, []string{"FAILED: TimedOut"}},
		{"stopped with the error of a refusal", "run MyFunction MyAlias", map[string]string{"status": "ABORTED\n", "error": "AccessDenied\n"}, 1, []string{"ABORTED: AccessDenied"}},
		{"unreadable error", "run MyFunction MyAlias", map[string]string{"status": "FAILED\n", "lost": "error"}, 1, []string{"FAILED: (its error could not be read)"}},
		{"unreadable cause", "run MyFunction MyAlias", map[string]string{"status": "FAILED\n", "error": "AlarmNotFound\n", "state": "Refused\n", "lost": "cause"}, 2,
			[]string{"FAILED: AlarmNotFound: (its cause could not be read)"}},
		{"unreadable history", "run MyFunction MyAlias", map[string]string{"status": "FAILED\n", "error": "AlarmNotFound\n", "lost": "state"}, 1, []string{"FAILED: AlarmNotFound"}},
		{"unreadable output", "run MyFunction MyAlias", map[string]string{"status": "SUCCEEDED\n", "lost": "output"}, 0, []string{"perhaps UNVERIFIED"}},
		{"not started", "run MyFunction MyAlias", map[string]string{"refused": "AccessDenied\n"}, 2, []string{"not started: AccessDenied"}},
		{"not started, with an error's name in the message", "run MyFunction MyAlias", map[string]string{
			"refused": "An error occurred (AccessDeniedException): no permission on execution:rollout:ExecutionAlreadyExists-live\n"}, 2,
			[]string{"not started: An error occurred (AccessDeniedException)"}},
		{"not published", "run MyFunction MyAlias", map[string]string{"unpublished": ""}, 2, []string{"no version could be published"}},
		{"started before", "run MyFunction MyAlias", map[string]string{"refused": taken, "input": startedInput + "\n", "status": "SUCCEEDED\n"}, 0,
			[]string{"already started", startedName, "promoted"}},
		{"another with that name", "run MyFunction MyAlias", map[string]string{"refused": taken, "input": "{}\n"}, 2, []string{"started before with a different input"}},
		{"perhaps another with that name", "run MyFunction MyAlias", map[string]string{"refused": taken, "lost": "input"}, 3, []string{"its input and status can't be read"}},
		{"status unreadable for a while", "wait arn:execution", map[string]string{"status": "LOST\nLOST\nSUCCEEDED\n"}, 0, []string{"promoted"}},
		{"status unreadable", "wait arn:execution", map[string]string{"status": "LOST\n"}, 3, []string{"can't read the rollout's status"}},
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
					t.Errorf("%q is not in\n%s%s", want, out, called)
				}
			}
			if strings.Contains(string(called), "stop-execution") {
				t.Errorf("stops the execution without an interruption:\n%s", called)
			}
		})
	}
}

func TestTheScriptChecksWhatItIsGiven(t *testing.T) {
	const arn = "arn:aws:lambda:eu-central-1:123456789012:function:MyFunction"
	for _, test := range []struct {
		function, alias, set string
		code                 int
		want                 string // a part of its output or its calls
	}{
		{arn, "MyAlias", "", 0, strings.Replace(startedInput, "MyFunction", arn, 1)},
		{arn, "MyAlias", "", 0, startedName},
		{arn + ":7", "MyAlias", "", 2, "FUNCTION must be"},
		{`My"Function`, "MyAlias", "", 2, "FUNCTION must be"},
		{"MyFunction", `live", "x": "y`, "", 2, "ALIAS must be"},
		{"MyFunction", "MyAlias", `PLAN={"steps": 10}`, 2, "PLAN must be"},
		{"MyFunction", "MyAlias", `PLAN="steps": 10, "new-version" : "3"`, 2, "PLAN must be"},
		{"MyFunction", "MyAlias", `PLAN="gates": [{"type": "alarms"}]`, 0, `"gates": [{"type": "alarms"}]}`},
		{"MyFunction", "MyAlias", "STATE_MACHINE_ARN=rollout", 2, "STATE_MACHINE_ARN must be"},
		{"MyFunction", "MyAlias", "ATTEMPT=1234567890123", 0, "-1234567890123"},
		{strings.Repeat("f", 64), strings.Repeat("a", 128), "ATTEMPT=1234567890123", 2, "ATTEMPT must have"},
		{"MyFunction", "MyAlias", "CODE_SHA256=c29tZQ==", 0, "publish-version --function-name MyFunction --code-sha256 c29tZQ== --query"},
	} {
		run, calls := pipeline(t, nil, "start", test.function, test.alias)
		run.Env = append(run.Env, test.set)
		out, _ := run.CombinedOutput() // the exit code is checked below
		called, _ := os.ReadFile(calls)
		if code := run.ProcessState.ExitCode(); code != test.code || !strings.Contains(string(out)+string(called), test.want) || code != 0 && len(called) > 0 {
			t.Errorf("%s %s with %s: exits with %d, says %s, calls\n%s", test.function, test.alias, test.set, code, out, called)
		}
	}
}

// TestExecutionsOfSimilarNamesDiffer starts rollouts of functions and aliases whose
// names are the same where the execution's name truncates them.
func TestExecutionsOfSimilarNamesDiffer(t *testing.T) {
	started := map[string]string{}
	long := strings.Repeat("f", 60)
	for _, args := range [][]string{
		{"MyFunction", "production-eu-west-1"}, {"MyFunction", "production-eu-west-2"},
		{long + "1", "live"}, {long + "2", "live"}, {"my-function", "live"}, {"my", "function-live"},
	} {
		run, _ := pipeline(t, nil, append([]string{"start"}, args...)...)
		out, err := run.Output()
		name := regexp.MustCompile(`[^:]*$`).FindString(strings.TrimSpace(string(out)))
		if err != nil || name == "" || len(name) > 80 || started[name] != "" {
			t.Errorf("%q starts %s, %v, as does %q", args, out, err, started[name])
		}
		started[name] = strings.Join(args, " ")
	}
}

// TestTheScriptsStatesExist checks that the states in which the script takes a rollout
// to have changed nothing are Fail states of the workflow.
func TestTheScriptsStatesExist(t *testing.T) {
	script := read(t, "docs", "ci", "rollout.sh")
	var machine struct {
		States map[string]struct{ Type string }
	}
	if err := json.Unmarshal([]byte(statemachine.Definition), &machine); err != nil {
		t.Fatal(err)
	}
	known := regexp.MustCompile(`(?s)case \$\(last_state\) in\s*(.*?)\) exit 2`).FindStringSubmatch(script)
	if known == nil {
		t.Fatal("the script compares no state")
	}
	for _, state := range strings.Split(known[1], "|") {
		if name := strings.Trim(state, " '"); machine.States[name].Type != "Fail" {
			t.Errorf("the workflow has no Fail state %q", name)
		}
	}
}

// undocumented returns the permissions that a script needs and a page does not list.
func undocumented(t *testing.T, script, page string) []string {
	t.Helper()
	needs := map[string]string{
		"lambda wait function-updated-v2": "lambda:GetFunction", "lambda wait published-version-active": "lambda:GetFunctionConfiguration",
		"lambda publish-version": "lambda:PublishVersion", "stepfunctions start-execution": "states:StartExecution",
		"stepfunctions describe-execution": "states:DescribeExecution", "stepfunctions get-execution-history": "states:GetExecutionHistory", "stepfunctions stop-execution": "states:StopExecution",
	}
	var missing []string
	for _, call := range regexp.MustCompile(`aws ((?:lambda|stepfunctions) (?:wait )?[a-z0-9-]+)`).FindAllStringSubmatch(script, -1) {
		action := needs[call[1]]
		if action == "" {
			t.Errorf("the permission for %q is unknown: add it to needs", call[1])
		} else if !strings.Contains(page, "`"+action+"`") {
			missing = append(missing, action)
		}
	}
	return missing
}

func TestTheScriptsPermissionsAreDocumented(t *testing.T) {
	script, page := read(t, "docs", "ci", "rollout.sh"), read(t, "docs", "ci", "README.md")
	if missing := undocumented(t, script, page); missing != nil {
		t.Errorf("docs/ci/README.md does not list %q", missing)
	}
	if missing := undocumented(t, script, strings.Replace(page, "`states:StopExecution`", "", 1)); len(missing) != 1 {
		t.Errorf("without StopExecution, %q are missing", missing)
	}
}
