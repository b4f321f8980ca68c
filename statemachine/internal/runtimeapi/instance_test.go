package runtimeapi_test

import (
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/runtimeapi"
)

// TestFailuresAreReportedAsByLambda also checks that an instance serves again after each failure.
func TestFailuresAreReportedAsByLambda(t *testing.T) {
	instance := start(t, function(serves))
	for _, test := range []struct {
		order, name, payload string
		another              bool // process after it
	}{
		{"fail so", "MyError", `^{"errorMessage":"so","errorType":"MyError"}$`, false},
		{"panic thus", "errorString", `^{"errorMessage":"thus","errorType":"errorString","stackTrace":\[`, true},
		{"exit abc", "Runtime.ExitError", `"errorMessage":"RequestId: [-0-9a-f]+ Error: Runtime exited with error: exit status 3"`, true},
		{"exit", "Runtime.ExitError", `"errorMessage":"RequestId: [-0-9a-f]+ Error: Runtime exited without providing a reason"`, true},
	} {
		before := instance.PID()
		answer, err := instance.Invoke(order(test.order))
		var failure *runtimeapi.Failure
		if !errors.As(err, &failure) || answer != nil {
			t.Errorf("%s: answered %s, %v", test.order, answer, err)
			continue
		}
		if failure.Type != test.name || !regexp.MustCompile(test.payload).Match(failure.Payload) {
			t.Errorf("%s: %v", test.order, failure)
		}
		if strings.HasPrefix(test.order, "exit") && !strings.Contains(instance.Output(), "last words") {
			t.Errorf("%s: its output is %q", test.order, instance.Output())
		}
		if answer, err := instance.Invoke(order("well?")); string(answer) != `"well?"` || err != nil {
			t.Errorf("after %q: %s %v", test.order, answer, err)
		}
		if another := instance.PID() != before; another != test.another {
			t.Errorf("after %q: another process: %v", test.order, another)
		}
	}
}

// TestAFunctionThatHangsIsEnded also checks that it serves again, in another
// process. Starting that counts towards the timeout, so on a busy machine it may
// take more than one invocation.
func TestAFunctionThatHangsIsEnded(t *testing.T) {
	f := function(serves)
	f.Timeout = 2 * time.Second
	instance := start(t, f)
	const says = `"errorMessage":"RequestId: [-0-9a-f]+ Error: Task timed out after 2.00 seconds"`
	for hung, words := 0, "hang"; ; words = "well?" {
		before := instance.PID()
		answer, err := instance.Invoke(order(words))
		if err == nil && words != "hang" {
			if string(answer) != `"well?"` || hung == 0 {
				t.Errorf("after hanging %d times: %s", hung, answer)
			}
			return
		}
		var failure *runtimeapi.Failure
		if !errors.As(err, &failure) || failure.Type != "Sandbox.Timedout" || !regexp.MustCompile(says).Match(failure.Payload) {
			t.Fatalf("%s: answered %s, %v", words, answer, err)
		}
		if hung++; hung == 30 {
			t.Fatalf("it hangs for ever, lastly as process %d", before)
		}
	}
}

func TestAFunctionThatCannotStartIsAFailure(t *testing.T) {
	for _, test := range []struct{ role, want string }{
		{refuses, `NoConfig: {"errorType": "NoConfig", "errorMessage": "there is none"}`},
		{exits, `Runtime.ExitError: {"errorType":"Runtime.ExitError","errorMessage":"RequestId: 00000000-0000-4000-8000-000000000000 Error: Runtime exited with error: exit status 3"}`},
	} {
		_, err := runtimeapi.Start(function(test.role))
		var failure *runtimeapi.Failure
		if !errors.As(err, &failure) || failure.Error() != test.want {
			t.Errorf("one that %s: %v", test.role, err)
		}
	}
	for _, test := range []struct{ arn, executable, want string }{
		{"f", function(serves).Executable, "not a function's ARN"},
		{arn, "/there/is/none", "/there/is/none"},
	} {
		_, err := runtimeapi.Start(runtimeapi.Function{ARN: test.arn, Executable: test.executable})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s at %s: %v", test.arn, test.executable, err)
		}
	}
}

// patience is a limit for what takes a moment on an idle machine.
const patience = 5 * time.Minute

// TestNoProcessOutlivesWhoStartedIt kills a test process during an invocation: the
// function, which would otherwise continue, must end too.
func TestNoProcessOutlivesWhoStartedIt(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux ends a process with its parent; elsewhere it ends after its invocation")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if err := listener.(*net.TCPListener).SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	tester := exec.Command(function(serves).Executable)
	tester.Env = append(os.Environ(), roleVariable+"="+isATester+listener.Addr().String())
	if err := tester.Start(); err != nil {
		t.Fatal(err)
	}
	connection, err := listener.Accept()
	if err := errors.Join(err, tester.Process.Kill()); err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	_ = tester.Wait() // it was killed
	if err := connection.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := connection.Read(make([]byte, 1)); !errors.Is(err, io.EOF) && !strings.Contains(err.Error(), "reset") {
		t.Errorf("the function is still there: %v", err)
	}
}
