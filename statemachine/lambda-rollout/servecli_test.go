package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// postInput is the input of the post's rollout.
const postInput = `{"function-name": "MyFunction", "alias-name": "MyAlias", "new-version": "2", "steps": 10, "interval" : 120, "type": "linear"}`

// codeZIP returns new code of a function.
func codeZIP(t *testing.T) []byte {
	t.Helper()
	var file bytes.Buffer
	archive := zip.NewWriter(&file)
	w, err := archive.Create("index.js")
	if err == nil {
		_, err = w.Write([]byte("exports.handler = async () => 'new'\n"))
	}
	if err == nil {
		err = archive.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// cli is an AWS CLI of this machine, with the served AWS that it uses.
type cli struct {
	program string
	aws     *servedCommand
	home    string
}

// programs returns the AWS CLIs of this machine: the first on the PATH, and the one of
// the Linux distribution.
func programs(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, name := range []string{"aws", "/usr/bin/aws"} {
		if path, err := exec.LookPath(name); err == nil && !slices.Contains(all, path) {
			all = append(all, path)
		}
	}
	if len(all) == 0 {
		t.Skip("the AWS CLI is not installed, so that it can't be tried: see https://aws.amazon.com/cli/")
	}
	return all
}

// newCLI returns a CLI that has no configuration but how version 2 reads payloads, and how it
// prints times, which version 1 leaves as they come.
func newCLI(t *testing.T, program string, aws *servedCommand) cli {
	t.Helper()
	c := cli{program, aws, t.TempDir()}
	for name, text := range map[string][]byte{"config": []byte("[default]\ncli_binary_format = raw-in-base64-out\ncli_timestamp_format = iso8601\n"), "new.zip": codeZIP(t)} {
		if err := os.WriteFile(filepath.Join(c.home, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// run runs a command, and returns what it prints, also where it fails.
func (c cli) run(args ...string) (string, error) {
	// AWS CLI 2 before 2.13 does not read AWS_ENDPOINT_URL.
	cmd := exec.Command(c.program, append([]string{"--endpoint-url", c.aws.env["AWS_ENDPOINT_URL"], "--output", "json"}, args...)...)
	cmd.Dir = c.home
	cmd.Env = append(c.aws.environ(), "PATH="+os.Getenv("PATH"), "HOME="+c.home, "AWS_CONFIG_FILE="+filepath.Join(c.home, "config"),
		"AWS_SHARED_CREDENTIALS_FILE="+filepath.Join(c.home, "credentials"), "AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// field returns a field of JSON, by a path of names and indices.
func field(text, path string) string {
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		return fmt.Sprintf("%v in %s", err, text)
	}
	for step := range strings.SplitSeq(path, " ") {
		switch of := value.(type) {
		case map[string]any:
			value = of[step]
		case []any:
			var i int
			if _, err := fmt.Sscan(step, &i); err != nil || i >= len(of) {
				return "nothing in " + text
			}
			value = of[i]
		}
	}
	return fmt.Sprint(value)
}

// expect runs a command, written as in a shell but with two spaces between its words,
// and compares fields of its answer: "path=value", or "path~pattern" for a regular
// expression that matches all of it.
func (c cli) expect(t *testing.T, line string, fields ...string) string {
	t.Helper()
	out, err := c.run(words(line)...)
	if err != nil {
		t.Fatalf("aws %s: %v: %s", line, err, out)
	}
	for _, f := range fields {
		if problem := mismatch(out, f); problem != "" {
			t.Errorf("aws %s: %s in %s", line, problem, out)
		}
	}
	return out
}

// checked is expect for goroutines of a test: it does not end it.
func (c cli) checked(t *testing.T, line string, fields ...string) {
	out, err := c.run(words(line)...)
	if err != nil {
		t.Errorf("aws %s: %v: %s", line, err, out)
		return
	}
	for _, f := range fields {
		if problem := mismatch(out, f); problem != "" {
			t.Errorf("aws %s: %s in %s", line, problem, out)
		}
	}
}

// mismatch returns how JSON differs from what is expected of one of its fields, which is
// written as for expect; "" if it does not.
func mismatch(out, expected string) string {
	at := strings.IndexAny(expected, "=~")
	path, want := expected[:at], expected[at+1:]
	got := field(out, path)
	same := got == want
	if expected[at] == '~' {
		same = regexp.MustCompile("^(?:" + want + ")$").MatchString(got)
	}
	if same {
		return ""
	}
	return fmt.Sprintf("%s is %q, want %q", path, got, want)
}

// refused runs a command that has to fail with a text.
func (c cli) refused(t *testing.T, line, want string) {
	t.Helper()
	if out, err := c.run(words(line)...); err == nil || !strings.Contains(out, want) {
		t.Errorf("aws %s: %v, %s; want a failure with %q", line, err, out, want)
	}
}

// words splits a command at two spaces, or at each space where it has no two.
func words(line string) []string {
	head, rest, _ := strings.Cut(line, "  ")
	all := strings.Fields(head)
	for rest != "" {
		var word string
		word, rest, _ = strings.Cut(rest, "  ")
		all = append(all, word)
	}
	return all
}

// invoke invokes SimpleDeployFunction, and returns its answer's payload.
func (c cli) invoke(t *testing.T, payload string, fields ...string) string {
	t.Helper()
	c.expect(t, "lambda invoke --function-name SimpleDeployFunction  --payload  "+payload+"  output.json", append(fields, "StatusCode=200")...)
	answer, err := os.ReadFile(filepath.Join(c.home, "output.json"))
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

// until runs a command, after each pause, until a field of its answer is another than a
// value: the other commands need the processors, too.
func (c cli) until(t *testing.T, pause time.Duration, line, path, other string) string {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; {
		out := c.expect(t, line)
		if field(out, path) != other || time.Now().After(end) {
			return out
		}
		time.Sleep(pause)
	}
}

// thePost runs the commands of the post in real time, with short intervals.
func thePost(t *testing.T, c cli) {
	arn, alias := c.aws.env["STATE_MACHINE_ARN"], "lambda update-alias --function-name MyFunction --name MyAlias"
	execution := strings.Replace(arn, ":stateMachine:", ":execution:", 1) + ":post"
	c.expect(t, "lambda update-function-code --function-name MyFunction --zip-file fileb://new.zip", "LastUpdateStatus=InProgress", "Version=$LATEST")
	c.expect(t, "lambda wait function-updated --function-name MyFunction")
	c.expect(t, "lambda publish-version --function-name MyFunction", "Version=3", "LastUpdateStatus=Successful")
	c.expect(t, alias+`  --routing-config  {"AdditionalVersionWeights": {"2": 0.05}}`, "FunctionVersion=1", "RoutingConfig AdditionalVersionWeights 2=0.05")
	c.expect(t, alias+" --function-version 2  --routing-config  {}", "FunctionVersion=2", "RoutingConfig=<nil>")
	c.expect(t, alias+" --function-version 1  --routing-config  {}", "FunctionVersion=1", "RoutingConfig=<nil>")
	answer := c.invoke(t, postInput, "FunctionError=Unhandled")
	if kind, why := field(answer, "errorType"), field(answer, "errorMessage"); kind != "TooLong" || !strings.Contains(why, "the plan needs 20 min 0 s") {
		t.Errorf("SimpleDeployFunction answers %s", answer)
	}
	input := strings.NewReplacer("10", "2", "120", "10", `"type"`, `"check-interval": 10, "type"`).Replace(postInput)
	c.expect(t, "stepfunctions start-execution --name post --state-machine-arn "+arn+"  --input  "+input, "executionArn="+execution)
	c.expect(t, "stepfunctions describe-execution --execution-arn "+execution, "input="+input, "name=post", "stateMachineArn="+arn)
	c.expect(t, "ssm put-parameter --name /lambda-rollout/post --type String --overwrite --value promote", "Version=1")
	ended := c.until(t, 3*time.Second, "stepfunctions describe-execution --execution-arn "+execution, "status", "RUNNING")
	if order := field(field(ended, "output"), "progress orders 0 effect"); field(ended, "status") != "SUCCEEDED" || !strings.HasPrefix(order, "obeyed") {
		t.Errorf("the order's effect is %q in %s", order, ended)
	}
	c.expect(t, "lambda get-alias --function-name MyFunction --name MyAlias", "FunctionVersion=2", "RoutingConfig=<nil>")
}

// theRest runs the other commands that operators use, on an AWS in which a minute takes
// a second.
func theRest(t *testing.T, c cli) {
	arn := c.aws.env["STATE_MACHINE_ARN"]
	execution := strings.Replace(arn, ":stateMachine:", ":execution:", 1) + ":stopped"
	// The rollout takes 20 hours, which last longer than this test on any machine.
	long := strings.Replace(postInput, "120", "7200", 1)
	c.expect(t, "stepfunctions start-execution --name stopped --state-machine-arn "+arn+"  --input  "+long, "executionArn="+execution)
	c.refused(t, "stepfunctions start-execution --name stopped --state-machine-arn "+arn+"  --input  {}", "ExecutionAlreadyExists")
	c.expect(t, "stepfunctions list-executions --status-filter RUNNING --state-machine-arn "+arn, "executions 0 name=stopped")
	c.expect(t, "stepfunctions stop-execution --execution-arn "+execution+"  --error  Operator  --cause  not today")
	c.expect(t, "stepfunctions describe-execution --execution-arn "+execution, "status=ABORTED", "error=Operator", "cause=not today")
	c.expect(t, "stepfunctions get-execution-history --reverse-order --max-items 1 --execution-arn "+execution, "events 0 type=ExecutionAborted", "events 0 executionAbortedEventDetails error=Operator")
	redrives := true
	if out, err := c.run("stepfunctions", "redrive-execution", "--execution-arn", execution); err != nil {
		if !strings.Contains(out, "Invalid choice") {
			t.Fatalf("the execution is not redriven: %s", out)
		}
		redrives = false
		t.Logf("%s is too old to redrive executions, so that this is not tried with it", c.program)
	}
	c.expect(t, "stepfunctions get-execution-history --max-items 2 --execution-arn "+execution, "events 0 type=ExecutionStarted", "events 1 stateEnteredEventDetails name=CalculateWeights")
	ended := c.until(t, time.Second, "stepfunctions describe-execution --execution-arn "+execution, "status", "RUNNING")
	if redrives && (field(ended, "status") != "FAILED" || field(ended, "error") != "Redriven") {
		t.Errorf("the redriven rollout ended as %s", ended)
	}
	short := strings.NewReplacer("10", "2", "120", "60").Replace(postInput)
	if answer := c.invoke(t, short); field(answer, "outcome result") != "promoted" {
		t.Errorf("SimpleDeployFunction answers %s", answer)
	}
	c.refused(t, "lambda get-policy --function-name MyFunction", "does not support the operation GetPolicy")
}

// TestThePostWithTheAWSCLI runs the commands of the post, and others. Of several AWS CLIs of
// this machine, it uses the last one for the post and the first one for the others.
func TestThePostWithTheAWSCLI(t *testing.T) {
	t.Parallel()
	all := programs(t)
	var wait sync.WaitGroup
	defer wait.Wait()
	post := newCLI(t, all[len(all)-1], serving(t, "-speed", "1"))
	wait.Go(func() { t.Run("the post", func(t *testing.T) { thePost(t, post) }) })
	c := newCLI(t, all[0], serving(t, "-speed", "60"))
	wait.Go(func() { t.Run("the rest", func(t *testing.T) { theRest(t, c) }) })
	still := newCLI(t, all[len(all)-1], serving(t, "-speed", "0", "-scenario", badScenario(t)))
	wait.Go(func() { t.Run("alarms", func(t *testing.T) { theAlarms(t, still) }) })
	wait.Go(func() { t.Run("reads", func(t *testing.T) { theReads(t, still) }) })
}
