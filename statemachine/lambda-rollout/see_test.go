package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/servedtest"
)

// linear is a rollout of five steps of two minutes each.
const linear = `{"function-name": "MyFunction", "alias-name": "MyAlias", "new-version": "2", "steps": 5, "interval": 120, "type": "linear"}`

// ran runs the command at the time of the served AWS, and returns its exit code and output.
func ran(t *testing.T, a *servedtest.AWS, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, problems bytes.Buffer
	c := &command{stdin: strings.NewReader(""), stdout: &out, stderr: &problems, now: a.Now}
	code = c.run(context.Background(), args)
	return code, out.String(), problems.String()
}

// expect runs the command, and checks its exit code and what it prints.
func expect(t *testing.T, a *servedtest.AWS, code int, out, problem string, args ...string) (stdout string) {
	t.Helper()
	got, stdout, stderr := ran(t, a, args...)
	if got != code || !strings.Contains(stdout, out) || !strings.Contains(stderr, problem) {
		t.Errorf("%q exits with %d, want %d; prints %s, want %q; and on stderr %s, want %q", args, got, code, stdout, out, stderr, problem)
	}
	if stderr != "" && strings.Count(stderr, "\n") != 1 {
		t.Errorf("%q has more than one line on stderr: %s", args, stderr)
	}
	return stdout
}

// TestSeeing reads rollouts that are promoted, rolled back, refused and missing.
func TestSeeing(t *testing.T) {
	a := servedtest.New(t, `{}`)
	a.Environment(t)
	a.Begin("good", linear)
	a.Advance(3 * time.Minute)
	expect(t, a, 0, "RUNNING", "", "get", "good")
	expect(t, a, 0, "The last check decided", "", "explain", "good")
	expect(t, a, 0, "good", "", "list")
	a.Advance(20 * time.Minute)
	a.Begin("again", linear)
	a.Begin("bad-input", "[]")
	a.Advance(time.Minute)

	expect(t, a, 0, "PROMOTED", "", "get", "good")
	expect(t, a, 0, "PROMOTED", "", "get", strings.Replace(a.StateMachine(), ":stateMachine:", ":execution:", 1)+":good")
	expect(t, a, 0, "Version 2 now has all traffic", "", "explain", "good")
	expect(t, a, 0, "No rollouts or releases match", "", "list")
	expect(t, a, 0, "good", "", "list", "--all")
	expect(t, a, 0, "good", "", "list", "--status", "SUCCEEDED")
	expect(t, a, 0, "end       PROMOTED", "", "watch", "good")
	expect(t, a, 0, "NOTHING TO DO", "", "watch", "again")
	expect(t, a, refused, "REFUSED", "", "watch", "bad-input")
	expect(t, a, unknown, "", "there is no rollout missing", "watch", "missing")
	expect(t, a, unknown, "", "there is no rollout missing", "get", "missing")
	expect(t, a, unknown, "", "there is no rollout missing", "explain", "missing")
	expect(t, a, unknown, "", "there is no rollout missing", "report", "missing", "-o", filepath.Join(t.TempDir(), "x.html"))
}

func TestWatchsExitCodes(t *testing.T) {
	for _, e := range []struct {
		scenario string
		code     int
		out      string
	}{
		{`{"requests-per-second": 0}`, unverified, "PROMOTED, UNVERIFIED"},
		{`{"changes": [{"after": 300, "new-version": {"error-rate": 0.3}}]}`, notPromoted, "ROLLED BACK"},
	} {
		a := servedtest.New(t, e.scenario)
		a.Environment(t)
		a.Begin("it", linear)
		a.Advance(20 * time.Minute)
		expect(t, a, e.code, e.out, "", "watch", "it")
		allowed := map[bool]int{true: 0, false: e.code}[e.code == unverified]
		expect(t, a, allowed, e.out, "", "watch", "it", "--allow-unverified")
		expect(t, a, e.code, `"outcome": "`, "", "watch", "it", "-o", "json")
		expect(t, a, 0, e.out, "", "get", "it")
	}
}

// TestWatchFollowsWhatAnotherDoes watches a rollout over the wire while time passes.
func TestWatchFollowsWhatAnotherDoes(t *testing.T) {
	a := servedtest.New(t, `{}`)
	a.Environment(t)
	a.Begin("it", linear)
	a.Advance(time.Minute)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 3 {
			time.Sleep(1200 * time.Millisecond)
			_, _ = a.ServedAWS.Advance(5 * time.Minute)
		}
	}()
	out := expect(t, a, 0, "end       PROMOTED", "", "watch", "it", "--interval", "1s")
	<-done
	for step := 2; step <= 5; step++ {
		if !strings.Contains(out, fmt.Sprintf("shift     step %d of 5", step)) {
			t.Errorf("step %d is not in %s", step, out)
		}
	}
}

func TestJSONOfSubcommands(t *testing.T) {
	a := servedtest.New(t, `{}`)
	a.Environment(t)
	a.Begin("it", linear)
	a.Advance(3 * time.Minute)
	for _, args := range [][]string{{"get", "it"}, {"explain", "it"}, {"list"}} {
		out := expect(t, a, 0, "", "", append(args, "-o", "json")...)
		var document map[string]any
		if err := json.Unmarshal([]byte(out), &document); err != nil || document["schema"] != 1.0 {
			t.Errorf("%q prints %s: %v", args, out, err)
		}
	}
}

func TestReport(t *testing.T) {
	a := servedtest.New(t, `{}`)
	a.Environment(t)
	a.Begin("it", linear)
	a.Advance(20 * time.Minute)
	path := filepath.Join(t.TempDir(), "page.html")
	expect(t, a, 0, "wrote "+path+"\n", "", "report", "it", "-o", path)
	page, err := os.ReadFile(path)
	if err != nil || !bytes.Contains(page, []byte("traffic as CloudWatch counted it")) {
		t.Errorf("the page has %d bytes, %v", len(page), err)
	}
	a.Answer(func(action string, w http.ResponseWriter, _ *http.Request) bool {
		if action != "cloudwatch:GetMetricData" {
			return false
		}
		w.WriteHeader(http.StatusForbidden)
		return true
	})
	expect(t, a, 0, path, "The page is without CloudWatch's metrics: ", "report", "it", "--output", path)
	if page, err = os.ReadFile(path); err != nil || bytes.Contains(page, []byte("traffic as CloudWatch counted it")) {
		t.Errorf("without metrics, the page has %d bytes, %v", len(page), err)
	}
	a.Answer(nil)
	for _, wrong := range []struct{ path, problem string }{
		{"", "give the file to write"},
		{"x.pdf", "x.pdf: the page is HTML"},
		{filepath.Join(t.TempDir(), "no", "page.html"), "can't be written"},
	} {
		expect(t, a, refused, "", wrong.problem, "report", "it", "-o", wrong.path)
	}
}

// TestConfigurations reads a rollout as the environment, a profile and a stack point to it.
func TestConfigurations(t *testing.T) {
	a := servedtest.New(t, `{}`)
	a.Environment(t)
	a.Begin("it", linear)
	a.Advance(time.Minute)
	machine := a.StateMachine()
	expect(t, a, 0, "RUNNING", "", "get", "it")
	for _, name := range []string{"AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "STATE_MACHINE_ARN"} {
		if err := os.Unsetenv(name); err != nil { // Environment restores it
			t.Fatal(err)
		}
	}
	expect(t, a, 0, "RUNNING", "", "get", "it", "--profile", "rollouts", "--state-machine", machine)
	expect(t, a, 0, "RUNNING", "", "--profile", "rollouts", "get", "it", "--region", "eu-central-1", "--state-machine", machine)
	expect(t, a, refused, "", "there is no Region", "get", "it", "--state-machine", machine)
	expect(t, a, refused, "", "nowhere", "get", "it", "--profile", "nowhere")
	expect(t, a, 0, "RUNNING", "", "get", "it", "--profile", "rollouts")
	expect(t, a, 0, "RUNNING", "", "get", "it", "--profile", "rollouts", "--stack", "LambdaRollout")
	expect(t, a, unknown, "", "names the state machine, and the stack \"Other\" can't be read: ", "get", "it", "--profile", "rollouts", "--stack", "Other")
}

// TestErrorsSayWhatToDo fails as the network, AWS and users fail.
func TestErrorsSayWhatToDo(t *testing.T) {
	a := servedtest.New(t, `{}`)
	a.Environment(t)
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	a.Begin("it", linear)
	for _, e := range []struct {
		status        int
		code, message string
		want          string
	}{
		{400, "ExpiredTokenException", "The security token included in the request is expired", "have expired or are not valid: set AWS_ACCESS_KEY_ID"},
		{400, "UnrecognizedClientException", "The security token included in the request is invalid.", "have expired or are not valid"},
		{400, "AccessDeniedException", "User: x is not authorized to perform: states:DescribeExecution on resource: y", "don't allow states:DescribeExecution"},
		{400, "AccessDeniedException", "no", "don't allow states:DescribeExecution"},
		{400, "ThrottlingException", "Rate exceeded", "too many calls"},
		{500, "InternalFailure", "\x1b[31mred", "AWS does not answer"},
	} {
		a.Answer(func(_ string, w http.ResponseWriter, _ *http.Request) bool {
			servedtest.Refuse(w, e.status, e.code, e.message)
			return true
		})
		expect(t, a, unknown, "", e.want, "get", "it")
	}
	a.Answer(func(_ string, w http.ResponseWriter, _ *http.Request) bool {
		fmt.Fprint(w, "<html>sign in to the Wi-Fi</html>")
		return true
	})
	if code, _, problem := ran(t, a, "get", "it"); code != unknown || strings.Contains(problem, "<html>") {
		t.Errorf("a page in place of AWS: %d, %s", code, problem)
	}
	t.Setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
	expect(t, a, unknown, "", "AWS can't be reached", "get", "it")
	for _, e := range []struct {
		args []string
		want string
	}{
		{[]string{"get"}, "give the name or the ARN of one rollout, as in: lambda-rollout get NAME"},
		{[]string{"explain", "a", "b"}, "give the name or the ARN of one rollout"},
		{[]string{"get", ""}, "the rollout's name is empty"},
		{[]string{"get", "a:b"}, "neither the name nor the ARN"},
		{[]string{"get", "arn:aws:states:eu-central-1:123456789012:execution:Other:it"}, "is not an execution of"},
		{[]string{"get", "it", "-o", "yaml"}, "it must be text or json"},
		{[]string{"list", "--status", "odd"}, "--status is"},
		{[]string{"list", "--all", "--status", "running"}, "leave out --all or --status"},
		{[]string{"list", "--limit", "0"}, "--limit must be a whole number from 1 to 1000"},
		{[]string{"watch", "it", "--interval", "1ms"}, "--interval must be a time from 1s to 10m"},
		{[]string{"get", "it", "--state-machine", "lambda-rollout"}, "is not the ARN of a state machine"},
	} {
		expect(t, a, refused, "", e.want, e.args...)
	}
}

// TestWatchTakesRenewedCredentials watches with credentials of a file, which expire and are
// renewed in the file, as aws sso login and others do.
func TestWatchTakesRenewedCredentials(t *testing.T) {
	a := servedtest.New(t, `{}`)
	a.Environment(t)
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	file := filepath.Join(t.TempDir(), "credentials")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", file)
	sign := func(key string) {
		text := "[default]\naws_access_key_id = " + key + "\naws_secret_access_key = secret\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Error(err)
		}
	}
	sign("OLD")
	a.Begin("it", linear)
	a.Advance(time.Minute)
	done := make(chan struct{})
	go func() {
		defer close(done)
		time.Sleep(500 * time.Millisecond)
		a.Answer(func(_ string, w http.ResponseWriter, r *http.Request) bool {
			if strings.Contains(r.Header.Get("Authorization"), "Credential=NEW/") {
				return false
			}
			servedtest.Refuse(w, 403, "ExpiredTokenException", "The security token included in the request is expired")
			return true
		})
		time.Sleep(time.Second)
		sign("NEW")
		_, _ = a.ServedAWS.Advance(time.Hour)
	}()
	out := expect(t, a, 0, "end       PROMOTED", "", "watch", "it", "--interval", "1s")
	<-done
	for _, want := range []string{"lost      the AWS credentials", "back      AWS answers again", "shift     step 2 of 5"} {
		if !strings.Contains(out, want) {
			t.Errorf("there is no %q in %s", want, out)
		}
	}
}
