package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
)

// serveArguments is the environment variable that makes the test's binary the command
// serve, with these arguments, one a line.
const serveArguments = "TEST_SERVE_ARGUMENTS"

// TestMain runs the tests, the command if the test's binary has its name, or the command serve.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "lambda-rollout" {
		main()
	}
	if arguments := os.Getenv(serveArguments); arguments != "" {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		defer stop()
		os.Exit(run(ctx, append([]string{"serve"}, strings.Split(arguments, "\n")...), nil, os.Stdout, os.Stderr))
	}
	_ = flag.Set("test.parallel", "4") // unless the command line has another: these tests mostly wait, whatever the number of cores
	os.Exit(m.Run())
}

// process is the command serve in a process of its own.
type process struct {
	*exec.Cmd
	env    map[string]string
	stderr *bytes.Buffer
}

// servedProcess starts the command serve with a file, in a process that can be killed.
func servedProcess(t *testing.T, arguments ...string) *process {
	t.Helper()
	p := &process{exec.Command(os.Args[0]), map[string]string{}, &bytes.Buffer{}}
	p.Env, p.Stderr = append(os.Environ(), serveArguments+"="+strings.Join(arguments, "\n")), p.stderr
	out, err := p.StdoutPipe()
	if err == nil {
		err = p.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.Process.Kill() // it may have ended
		_ = p.Wait()
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if found := exported.FindStringSubmatch(lines.Text()); found != nil {
			p.env[found[1]] = found[2]
		} else if strings.HasPrefix(lines.Text(), "# The executions") {
			return p
		}
	}
	_ = p.Wait()
	t.Fatalf("serve ended: %s", p.stderr)
	return nil
}

// end ends the process by a signal.
func (p *process) end(t *testing.T, signal os.Signal) {
	t.Helper()
	if err := p.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(); signal == os.Interrupt && err != nil {
		t.Errorf("interrupted, it exits with %v: %s", err, p.stderr)
	}
}

// advance moves the time on.
func (p *process) advance(t *testing.T, by time.Duration) {
	t.Helper()
	answer, err := http.Post(p.env["AWS_ENDPOINT_URL"]+rehearsal.TimePath, "application/json", strings.NewReader(fmt.Sprintf(`{"advance": %v}`, by.Seconds())))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("the control call is answered %s", answer.Status)
	}
}

// config returns the configuration of clients.
func (p *process) config() aws.Config {
	return aws.Config{Region: "eu-central-1", BaseEndpoint: aws.String(p.env["AWS_ENDPOINT_URL"]),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil
		})}
}

// state returns the alias and the rollout as clients read them.
func (p *process) state(t *testing.T) (alias, status string) {
	t.Helper()
	a, err := lambda.NewFromConfig(p.config()).GetAlias(context.Background(), &lambda.GetAliasInput{FunctionName: aws.String("MyFunction"), Name: aws.String("MyAlias")})
	if err != nil {
		t.Fatal(err)
	}
	var weights map[string]float64
	if a.RoutingConfig != nil {
		weights = a.RoutingConfig.AdditionalVersionWeights
	}
	e, err := sfn.NewFromConfig(p.config()).DescribeExecution(context.Background(), &sfn.DescribeExecutionInput{
		ExecutionArn: aws.String(strings.Replace(p.env["STATE_MACHINE_ARN"], ":stateMachine:", ":execution:", 1) + ":kept")})
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(*a.FunctionVersion, weights, *a.RevisionId, *a.Description), string(e.Status)
}

func TestServeGoesOnAfterItIsKilled(t *testing.T) {
	file := filepath.Join(t.TempDir(), "aws.db")
	first := servedProcess(t, "--speed", "0", "--data", file, "--seed", "3")
	if _, err := sfn.NewFromConfig(first.config()).StartExecution(context.Background(), &sfn.StartExecutionInput{
		StateMachineArn: aws.String(first.env["STATE_MACHINE_ARN"]), Name: aws.String("kept"), Input: aws.String(postInput)}); err != nil {
		t.Fatal(err)
	}
	first.advance(t, 10*time.Minute)
	alias, status := first.state(t)
	if status != "RUNNING" || !strings.Contains(alias, "map[2:") {
		t.Fatalf("after half of its plan, the rollout is %s, and the alias %s", status, alias)
	}
	first.end(t, os.Kill)

	for _, signal := range []os.Signal{os.Kill, os.Interrupt} {
		again := servedProcess(t, "--speed", "0", "--data", file)
		if a, s := again.state(t); a != alias || s != status {
			t.Errorf("the alias was %s, and is %s; the rollout is %s", alias, a, s)
		}
		if again.env["STATE_MACHINE_ARN"] != first.env["STATE_MACHINE_ARN"] {
			t.Errorf("the state machine is %s", again.env["STATE_MACHINE_ARN"])
		}
		again.end(t, signal)
	}

	last := servedProcess(t, "--speed", "0", "--data", file)
	for name, c := range map[string]struct {
		arguments []string
		want      string
	}{
		"in use":           {nil, "is in use by another process"},
		"a speed in words": {[]string{"--speed", "fast"}, `--speed must be a number from 0 to 86400; given: "fast"`},
	} {
		var stderr bytes.Buffer
		if code := run(context.Background(), append([]string{"serve", "--data", file}, c.arguments...), nil, &bytes.Buffer{}, &stderr); code != refused || !strings.Contains(stderr.String(), c.want) {
			t.Errorf("%s: it exits with %d: %s", name, code, &stderr)
		}
	}
	last.advance(t, 20*time.Minute)
	if alias, status := last.state(t); status != "SUCCEEDED" || !strings.HasPrefix(alias, "2map[]") {
		t.Errorf("the rollout is %s, and the alias %s", status, alias)
	}
	last.end(t, os.Interrupt)
	refuseOthers(t, file)
}

// refuseOthers checks that a file's AWS does not begin in another way.
func refuseOthers(t *testing.T, file string) {
	t.Helper()
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	template := filepath.Join(t.TempDir(), "template.json")
	if err := os.WriteFile(template, []byte(`{"Resources": {}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	ended, stop := context.WithCancel(context.Background())
	stop()
	for _, c := range []struct {
		arguments []string
		code      int
		want      string
	}{
		{[]string{"--seed", "4"}, refused, "began with --seed 3"},
		{[]string{"--scenario", "errors"}, refused, "began with another --scenario"},
		{[]string{"--template", template}, refused, "began with another --template"},
		{[]string{"--seed", "3", "--scenario", "healthy", "--speed", "7"}, promoted, "restoring 30m0s"},
	} {
		var stderr bytes.Buffer
		ctx := ended // it restores, and does not serve
		if c.code == refused {
			ctx = context.Background()
		}
		if code := run(ctx, append([]string{"serve", "--data", file}, c.arguments...), nil, &bytes.Buffer{}, &stderr); code != c.code || !strings.Contains(stderr.String(), c.want) {
			t.Errorf("%q: it exits with %d: %s", c.arguments, code, &stderr)
		}
	}
	if after, err := os.ReadFile(file); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the file has changed (%v)", err)
	}
}

func TestAnErrorThatLastsIsPrintedOnce(t *testing.T) {
	var stderr bytes.Buffer
	trouble := printOnce(&stderr)
	for _, text := range []string{"full", "full", "gone", "full"} {
		trouble(errors.New(text))
	}
	if got := strings.Count(stderr.String(), "\n"); got != 3 {
		t.Errorf("%d lines are printed, want 3: %s", got, &stderr)
	}
}
