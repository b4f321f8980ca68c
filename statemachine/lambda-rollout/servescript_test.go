package main

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/servedtest"
)

// pipeline is the script for pipelines, which runs against a served AWS.
type pipeline struct {
	t    *testing.T
	aws  *servedtest.AWS
	path string // with the command in it
}

// newPipeline serves an AWS with new code, in which a minute passes every 50 ms.
func newPipeline(t *testing.T, scenario string) *pipeline {
	t.Helper()
	p := &pipeline{t, servedtest.New(t, scenario), commandFolder(t)}
	functions := lambda.NewFromConfig(p.aws.Config)
	if _, err := functions.UpdateFunctionCode(t.Context(), &lambda.UpdateFunctionCodeInput{FunctionName: aws.String("MyFunction"), ZipFile: codeZIP(t)}); err != nil {
		t.Fatal(err)
	}
	over, passed := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(passed)
		for {
			select {
			case <-over:
				return
			case <-time.After(50 * time.Millisecond):
				_, _ = p.aws.ServedAWS.Advance(time.Minute) // a test fails by what it sees
			}
		}
	}()
	t.Cleanup(func() { close(over); <-passed })
	return p
}

// commandFolder returns a folder with the command, which is the test's binary: see TestMain.
func commandFolder(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	binary, err := os.Executable()
	if err == nil {
		err = os.Symlink(binary, filepath.Join(folder, "lambda-rollout"))
	}
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

// script returns the script with arguments, and with variables besides those that each run has.
func (p *pipeline) script(set []string, args ...string) *exec.Cmd {
	run := exec.Command("bash", append([]string{"../../docs/ci/rollout.sh"}, args...)...)
	run.Env = append([]string{
		"PATH=" + p.path + ":" + os.Getenv("PATH"), "HOME=" + p.path, "AWS_ENDPOINT_URL=" + p.aws.URL, "AWS_REGION=eu-central-1", "AWS_ACCESS_KEY_ID=local",
		"AWS_SECRET_ACCESS_KEY=local", "AWS_MAX_ATTEMPTS=1", "STATE_MACHINE_ARN=" + p.aws.StateMachine(), "POLL_SECONDS=1", "COMMIT=0123456789abcdef", "ATTEMPT=1",
		`PLAN="steps": 2, "interval": 60`,
	}, set...)
	return run
}

// want runs the script, and checks its exit code and what it prints.
func (p *pipeline) want(code int, says string, set []string, args ...string) (stdout string) {
	p.t.Helper()
	run := p.script(set, args...)
	var out, problems strings.Builder
	run.Stdout, run.Stderr = &out, &problems
	_ = run.Run() // the exit code counts
	if got := run.ProcessState.ExitCode(); got != code || !strings.Contains(out.String()+problems.String(), says) {
		p.t.Errorf("%q with %q exits with %d, want %d and %q; it prints\n%s%s", args, set, got, code, says, &out, &problems)
	}
	return out.String()
}

// at waits until the alias is at a version alone: a cleanup may be under way.
func (p *pipeline) at(version string) {
	p.t.Helper()
	var alias *lambda.GetAliasOutput
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		var err error
		if alias, err = lambda.NewFromConfig(p.aws.Config).GetAlias(p.t.Context(), &lambda.GetAliasInput{FunctionName: aws.String("MyFunction"), Name: aws.String("MyAlias")}); err != nil {
			p.t.Fatal(err)
		}
		if *alias.FunctionVersion == version && (alias.RoutingConfig == nil || len(alias.RoutingConfig.AdditionalVersionWeights) == 0) {
			return
		}
	}
	p.t.Errorf("the alias is at %s, %+v, want %s", *alias.FunctionVersion, alias.RoutingConfig, version)
}

// TestThePipelineScript runs the script to each end of a rollout.
func TestThePipelineScript(t *testing.T) {
	t.Parallel()
	for _, r := range []struct {
		name, scenario, function string
		set                      []string
		code                     int
		want, at                 string
	}{
		{"promoted", `{}`, "MyFunction", nil, promoted, "PROMOTED: ", "3"},
		{"by ARN", `{}`, "arn:aws:lambda:eu-central-1:123456789012:function:MyFunction", []string{"PLAN="}, promoted, "step 10 of 10", "3"},
		{"rolled back", `{"new-version": {"error-rate": 0.5}}`, "MyFunction", nil, notPromoted, "ROLLED BACK: ", "1"},
		{"refused", `{}`, "MyFunction", []string{`PLAN="steps": 2, "interval": 60, "health": {"alarms": ["nothing"]}`}, refused, "REFUSED: ", "1"},
		{"no such function", `{}`, "Nobody", nil, refused, "not started: ", "1"},
		{"unverified", `{"requests-per-second": 0.01}`, "MyFunction", nil, promoted, "PROMOTED, UNVERIFIED: too little", "3"},
		{"unverified, which counts", `{"requests-per-second": 0.01}`, "MyFunction", []string{"FAIL_UNVERIFIED=yes"}, unverified, "PROMOTED, UNVERIFIED: too little", "3"},
		{"unreachable", `{}`, "MyFunction", []string{"AWS_ENDPOINT_URL=http://127.0.0.1:1"}, refused, "AWS can't be reached", "1"},
		{"other code", `{}`, "MyFunction", []string{"CODE_SHA256=c29tZQ=="}, refused, "not started: ", "1"},
	} {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			p := newPipeline(t, r.scenario)
			p.want(r.code, r.want, r.set, "run", r.function, "MyAlias")
			p.at(r.at)
		})
	}
}

// TestThePipelineScriptIsRepeated with the same commit, and in two jobs.
func TestThePipelineScriptIsRepeated(t *testing.T) {
	t.Parallel()
	p := newPipeline(t, `{}`)
	slow := []string{`PLAN="steps": 2, "interval": 600`}
	started := p.want(0, "published version 3", slow, "start", "MyFunction", "MyAlias")
	execution, ended := strings.CutSuffix(started, "\n")
	if !ended || !regexp.MustCompile(`^arn:aws:states:[^:]+:\d+:execution:[^:]+:MyFunction-MyAlias-c6999426-0123456789ab-1$`).MatchString(execution) {
		t.Fatalf("it prints %q", started)
	}
	if again := p.want(0, "", slow, "start", "MyFunction", "MyAlias"); again != started {
		t.Errorf("again, it prints %q", again)
	}
	p.want(2, "started before with a different input", nil, "run", "MyFunction", "MyAlias")
	p.want(0, "PROMOTED: ", []string{"STATE_MACHINE_ARN="}, "wait", execution)
	p.want(0, "already started MyFunction-", slow, "run", "MyFunction", "MyAlias")
	p.want(0, "NOTHING TO DO: ", []string{"ATTEMPT=2"}, "run", "MyFunction", "MyAlias")
	p.want(3, "there is no rollout", nil, "wait", execution+"0")
}

// TestThePipelineScriptLosesTheRollout while it waits, and finds it again.
func TestThePipelineScriptLosesTheRollout(t *testing.T) {
	t.Parallel()
	for _, lost := range []struct{ calls, code int }{{3, promoted}, {1000, unknown}} {
		p := newPipeline(t, `{}`)
		execution := strings.TrimSpace(p.want(0, "", nil, "start", "MyFunction", "MyAlias"))
		p.aws.Answer(func(action string, w http.ResponseWriter, _ *http.Request) bool {
			if action != "states:DescribeExecution" || lost.calls == 0 {
				return false
			}
			lost.calls--
			servedtest.Refuse(w, 400, "ExpiredTokenException", "The security token included in the request is expired")
			return true
		})
		p.want(lost.code, map[int]string{promoted: "PROMOTED: ", unknown: "can't be read, 5 times in a row, and may go on"}[lost.code], nil, "wait", execution)
	}
}

// TestThePipelineScriptIsMisused: nothing is started.
func TestThePipelineScriptIsMisused(t *testing.T) {
	t.Parallel()
	p := newPipeline(t, `{}`)
	shell, err := exec.LookPath("bash")
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range []struct {
		set  []string
		says string
		args []string
	}{
		{nil, "usage: ", []string{"MyFunction", "MyAlias"}},
		{nil, "usage: ", []string{"run", "MyFunction"}},
		{nil, "usage: ", nil},
		{[]string{"COMMIT="}, "STATE_MACHINE_ARN and COMMIT must be set", []string{"run", "MyFunction", "MyAlias"}},
		{[]string{"STATE_MACHINE_ARN="}, "STATE_MACHINE_ARN and COMMIT must be set", []string{"run", "MyFunction", "MyAlias"}},
		{[]string{"STATE_MACHINE_ARN=rollout"}, "is not the ARN of a state machine", []string{"run", "MyFunction", "MyAlias"}},
		{[]string{"PATH=" + filepath.Dir(shell)}, "lambda-rollout is not on the PATH; install it with: go install ", []string{"run", "MyFunction", "MyAlias"}},
		{[]string{`PLAN={"steps": 10}`}, "it is not JSON", []string{"run", "MyFunction", "MyAlias"}},
		{[]string{`PLAN="steps": 10, "steps": 3`}, "comes twice", []string{"run", "MyFunction", "MyAlias"}},
		{[]string{`PLAN="stepps": 10`}, "did you mean", []string{"run", "MyFunction", "MyAlias"}},
		{nil, "can't be a rollout's name", []string{"run", `My"Function`, "MyAlias"}},
		{nil, "function-name", []string{"run", "MyFunction:7", "MyAlias"}},
		{nil, "can't be a rollout's name", []string{"start", "MyFunction", `live", "x": "y`}},
		{[]string{"ATTEMPT=a b"}, "can't be a rollout's name", []string{"run", "MyFunction", "MyAlias"}},
		{[]string{"POLL_SECONDS=often"}, "--poll", []string{"run", "MyFunction", "MyAlias"}},
		{[]string{"ON_INTERRUPT=maybe"}, "--on-interrupt must be stop or leave", []string{"run", "MyFunction", "MyAlias"}},
		{nil, "is not the ARN of a state machine", []string{"wait", "arn:execution"}},
	} {
		p.want(refused, wrong.says, wrong.set, wrong.args...)
	}
	if called := p.aws.Called(); called["states:StartExecution"] || called["POST /2015-03-31/functions/MyFunction/versions"] {
		t.Errorf("called are %v", called)
	}
}

// TestThePipelinesNamesDiffer for functions and aliases whose names are the same where the
// rollout's name truncates them.
func TestThePipelinesNamesDiffer(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "lambda-rollout"), []byte("#!/bin/sh\nwhile [ \"$1\" != --name ]; do shift; done; echo \"$2\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	p := &pipeline{t, servedtest.New(t, `{}`), folder}
	long, given := strings.Repeat("f", 60), map[string]string{}
	for _, args := range [][]string{
		{"MyFunction", "production-eu-west-1"}, {"MyFunction", "production-eu-west-2"},
		{long + "1", "live"}, {long + "2", "live"}, {"my-function", "live"}, {"my", "function-live"}, {long + "2", strings.Repeat("a", 128)},
	} {
		name := strings.TrimSpace(p.want(0, "", []string{"COMMIT=" + strings.Repeat("c", 40), "ATTEMPT=123456789012"}, append([]string{"start"}, args...)...))
		if name == "" || len(name) > 80 || given[name] != "" {
			t.Errorf("%q has the name %q, as has %q", args, name, given[name])
		}
		given[name] = strings.Join(args, " ")
	}
}
