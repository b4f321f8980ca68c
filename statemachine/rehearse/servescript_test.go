package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
)

// pipelineScript is the script for pipelines, in docs/ci.
const pipelineScript = "../../docs/ci/rollout.sh"

// scriptRun is a run of the script against a served AWS.
type scriptRun struct {
	name      string
	scenario  string
	function  string
	set       []string // environment
	interrupt bool     // once it has started the rollout
	code      int
	want      string // in what it prints
	execution string // how the execution ends; "" if there is none
	at        string // the version of the alias in the end
}

// scriptRuns are the ends of the script. At the speed 60, a minute takes a second.
var scriptRuns = []scriptRun{
	{name: "promoted", scenario: `{}`, set: []string{`PLAN="steps": 2, "interval": 60`}, code: promoted, want: "rollout: promoted", execution: "SUCCEEDED", at: "3"},
	{name: "rolled back", scenario: `{"new-version": {"error-rate": 0.5}}`, code: notPromoted, want: "FAILED: Unhealthy", execution: "FAILED", at: "1"},
	{name: "refused", scenario: `{}`, set: []string{`PLAN="steps": 2, "interval": 60, "alarms": ["nothing"]`}, code: misused, want: "FAILED: InvalidRequest", execution: "FAILED", at: "1"},
	{name: "no such function", scenario: `{}`, function: "Nobody", code: misused, want: "no version could be published", at: "1"},
	{name: "unverified", scenario: `{"requests-per-second": 0.01}`, set: []string{`PLAN="steps": 1, "interval": 60`, "FAIL_UNVERIFIED=yes"}, code: unverified, want: "UNVERIFIED", execution: "SUCCEEDED", at: "3"},
	{name: "interrupted", scenario: `{}`, set: []string{`PLAN="steps": 10, "interval": 7200`}, interrupt: true, code: 130, want: "interrupted; the rollout was stopped", execution: "ABORTED", at: "1"},
	{name: "unreachable", scenario: `{}`, set: []string{"AWS_ENDPOINT_URL=http://127.0.0.1:1"}, code: misused, want: "Could not connect to the endpoint URL", at: "1"},
}

// TestThePipelineScript runs the script with the AWS CLI against served AWSs.
func TestThePipelineScript(t *testing.T) {
	t.Parallel()
	program := endpointProgram(t)
	var wait sync.WaitGroup
	defer wait.Wait()
	turns := make(chan bool, 3) // more would only wait for the processors
	for _, r := range scriptRuns {
		wait.Go(func() {
			turns <- true
			defer func() { <-turns }()
			t.Run(strings.ReplaceAll(r.name, " ", "-"), func(t *testing.T) { r.check(t, program) })
		})
	}
}

// endpointProgram returns an AWS CLI that reads AWS_ENDPOINT_URL, which the script
// relies on: version 2 from 2.13, and version 1 from 1.29.
func endpointProgram(t *testing.T) string {
	t.Helper()
	for _, program := range programs(t) {
		c := exec.Command(program, "sts", "get-caller-identity")
		c.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "AWS_ENDPOINT_URL=http://127.0.0.1:1", "AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local",
			"AWS_REGION=eu-central-1", "AWS_DEFAULT_REGION=eu-central-1", "AWS_MAX_ATTEMPTS=1", "AWS_EC2_METADATA_DISABLED=true"}
		if out, _ := c.CombinedOutput(); strings.Contains(string(out), "http://127.0.0.1:1") {
			return program
		}
	}
	t.Skip("no AWS CLI here reads AWS_ENDPOINT_URL, so that the script can't be tried: see https://aws.amazon.com/cli/")
	return ""
}

// check runs the script, and checks how it, the execution and the alias end.
func (r scriptRun) check(t *testing.T, program string) {
	home := t.TempDir()
	scenario := filepath.Join(home, "scenario.json")
	if err := os.WriteFile(scenario, []byte(r.scenario), 0o600); err != nil {
		t.Fatal(err)
	}
	served := serving(t, "-speed", "60", "-scenario", scenario)
	cfg := served.config()
	functions := lambda.NewFromConfig(cfg)
	if _, err := functions.UpdateFunctionCode(t.Context(), &lambda.UpdateFunctionCodeInput{FunctionName: aws.String("MyFunction"), ZipFile: codeZIP(t)}); err != nil {
		t.Fatal(err)
	}
	function := r.function
	if function == "" {
		function = "MyFunction"
	}
	run := exec.Command("bash", pipelineScript, "run", function, "MyAlias")
	run.Env = append(append(served.environ(), "PATH="+filepath.Dir(program)+":"+os.Getenv("PATH"), "HOME="+home, "AWS_MAX_ATTEMPTS=1", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_PAGER=", "POLL_SECONDS=2", "COMMIT=0123456789abcdef"), r.set...)
	var out strings.Builder
	run.Stdout, run.Stderr = &out, &out
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	machines := sfn.NewFromConfig(cfg)
	if r.interrupt {
		executionOf(t, machines, served) // wait for it
		if err := run.Process.Signal(syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
	}
	_ = run.Wait() // its exit code counts
	if code := run.ProcessState.ExitCode(); code != r.code || !strings.Contains(out.String(), r.want) {
		t.Errorf("it exits with %d, want %d with %q, and prints\n%s", code, r.code, r.want, out.String())
	}
	if r.execution != "" {
		if status := executionOf(t, machines, served); status != r.execution {
			t.Errorf("the execution is %s, want %s", status, r.execution)
		}
	}
	at := ""
	for end := time.Now().Add(10 * time.Second); at != r.at+" []" && time.Now().Before(end); time.Sleep(50 * time.Millisecond) { // a cleanup may be under way
		alias, err := functions.GetAlias(t.Context(), &lambda.GetAliasInput{FunctionName: aws.String("MyFunction"), Name: aws.String("MyAlias")})
		if err != nil {
			t.Fatal(err)
		}
		at = aws.ToString(alias.FunctionVersion) + " []"
		if alias.RoutingConfig != nil {
			at = aws.ToString(alias.FunctionVersion) + " shifted"
		}
	}
	if at != r.at+" []" {
		t.Errorf("the alias is at %s, want %s", at, r.at)
	}
}

// config returns the configuration of the SDK for Go.
func (s *servedCommand) config() aws.Config {
	return aws.Config{Region: "eu-central-1", BaseEndpoint: aws.String(s.env["AWS_ENDPOINT_URL"]),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil
		})}
}

// executionOf waits for an execution, and returns its status.
func executionOf(t *testing.T, machines *sfn.Client, s *servedCommand) string {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		all, err := machines.ListExecutions(t.Context(), &sfn.ListExecutionsInput{StateMachineArn: aws.String(s.env["STATE_MACHINE_ARN"])})
		if err != nil {
			t.Fatal(err)
		}
		if len(all.Executions) == 1 {
			return string(all.Executions[0].Status)
		}
	}
	t.Fatal("no execution has been started")
	return ""
}
