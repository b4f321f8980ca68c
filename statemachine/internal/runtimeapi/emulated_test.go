package runtimeapi_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/runtimeapi"
)

// emulator builds the emulator, or skips the test if it can't be had here.
func emulator(t *testing.T) string {
	t.Helper()
	executable := filepath.Join(t.TempDir(), "emulator")
	err := runtimeapi.BuildEmulator("emulator", executable)
	if errors.Is(err, runtimeapi.ErrNoEmulator) {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	return executable
}

// emulate starts a function under the emulator.
func emulate(t *testing.T, f runtimeapi.Function, emulator string, log func(string)) *runtimeapi.Emulated {
	t.Helper()
	e, err := runtimeapi.StartEmulated(f, emulator, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Stop)
	return e
}

// TestTheEmulatorAgrees compares this package with AWS's emulator.
func TestTheEmulatorAgrees(t *testing.T) {
	path := emulator(t)
	t.Run("answers", func(t *testing.T) { t.Parallel(); answersAgree(t, path) })
	t.Run("starts", func(t *testing.T) { t.Parallel(); startsAgree(t, path) })
	t.Run("timeouts", func(t *testing.T) { t.Parallel(); timeoutsAgree(t, path) })
	t.Run("Runtime API", func(t *testing.T) { t.Parallel(); runtimeAPIsAgree(t, path) })
	t.Run("environment", func(t *testing.T) { t.Parallel(); environmentsAgree(t, path) })
	t.Run("restart", func(t *testing.T) { t.Parallel(); emulatorIsRestartedOnce(t, path) })
}

// answersAgree compares outputs and failures, of which some end the process.
func answersAgree(t *testing.T, path string) {
	ours, theirs := start(t, function(serves)), emulate(t, function(serves), path, func(line string) { t.Log(line) })
	for _, order := range []string{
		`"well?"`, `"Größe   <&> \ud83d\ude00"`, `""`, `"` + strings.Repeat("x", 1<<20) + `"`, `null`, "\"spaced\"  \n",
		`"fail so"`, `"fail \"<ü>"`, `"panic thus"`, `"well?"`, `"exit"`, `"well?"`, `"exit abc"`, `"exit ` + strings.Repeat("x", 255) + `"`, `"well?"`,
		`{}`, `[`, `1`, `"repeat 6291554"`, `"repeat 6291555"`, `"well?"`, // with the quotes, Lambda accepts 6291556
	} {
		if diff := cmp.Diff(answered(theirs.Invoke(json.RawMessage(order))), answered(ours.Invoke(json.RawMessage(order)))); diff != "" {
			t.Errorf("%.20s (-the emulator +here): %s", order, diff)
		}
	}
	if !strings.Contains(theirs.Output(), "last words") {
		t.Errorf("what a process under the emulator writes is not in %q", theirs.Output())
	}
}

// answered returns an answer as text.
func answered(output json.RawMessage, err error) string {
	var failure *runtimeapi.Failure
	if errors.As(err, &failure) {
		return "failed: " + failure.Error()
	} else if err != nil {
		return "no answer: " + err.Error()
	}
	return "output: " + string(output)
}

// startsAgree compares what is said of a function that can't start. The emulator says
// so to the first caller, and only if the function does.
func startsAgree(t *testing.T, path string) {
	_, err := runtimeapi.Start(function(refuses))
	theirs := emulate(t, function(refuses), path, func(line string) { t.Log(line) })
	if diff := cmp.Diff(answered(theirs.Invoke(order("well?"))), answered(nil, err)); diff != "" {
		t.Errorf("one that refuses (-the emulator +here): %s", diff)
	}
	theirs = emulate(t, function(exits), path, func(line string) { t.Log(line) })
	if got := answered(theirs.Invoke(order("well?"))); !strings.Contains(got, `answered with status 502 and "": it gives no reason`) {
		t.Errorf("one that exits: %s", got)
	}
}

// timeoutsAgree compares what is said of an invocation that takes too long.
func timeoutsAgree(t *testing.T, path string) {
	f := function(serves)
	f.Timeout = 2 * time.Second
	ours, theirs := start(t, f), emulate(t, f, path, func(line string) { t.Log(line) })
	var here, there string
	var both sync.WaitGroup
	both.Go(func() { here = answered(ours.Invoke(order("hang"))) })
	both.Go(func() { there = answered(theirs.Invoke(order("hang"))) })
	both.Wait()
	if diff := cmp.Diff(there, here); diff != "" || !strings.HasPrefix(here, "failed: Sandbox.Timedout") {
		t.Errorf("(-the emulator +here): %s", diff)
	}
}

// environmentsAgree compares the variables that a function sees.
func environmentsAgree(t *testing.T, path string) {
	names := func(i interface {
		Invoke(json.RawMessage) (json.RawMessage, error)
	}) (seen []string) {
		answer, err := i.Invoke(order("environment"))
		if err := errors.Join(err, json.Unmarshal(answer, &seen)); err != nil {
			t.Fatal(err)
		}
		return slices.Sorted(slices.Values(slices.DeleteFunc(seen, func(variable string) bool {
			name, _, _ := strings.Cut(variable, "=")
			return slices.Contains([]string{"AWS_LAMBDA_RUNTIME_API", "_X_AMZN_TRACE_ID", // which differ by invocation
				"AWS_LAMBDA_FUNCTION_TIMEOUT", "AWS_LAMBDA_METADATA_API", "AWS_LAMBDA_METADATA_TOKEN"}, name) // the emulator's own
		})))
	}
	ours, theirs := start(t, function(serves)), emulate(t, function(serves), path, func(line string) { t.Log(line) })
	if diff := cmp.Diff(names(theirs), names(ours)); diff != "" {
		t.Errorf("(-the emulator +here): %s", diff)
	}
}

// emulatorIsRestartedOnce kills the emulator twice.
func emulatorIsRestartedOnce(t *testing.T, path string) {
	var lines []string
	e := emulate(t, function(serves), path, func(line string) { lines = append(lines, line) })
	for n, want := range []string{`output: "well?"`, `output: "well?"`, "no answer: invoke " + arn + " under the emulator: "} {
		if n > 0 {
			process, err := os.FindProcess(e.PID())
			if err := errors.Join(err, process.Kill()); err != nil {
				t.Fatal(err)
			}
		}
		if got := answered(e.Invoke(order("well?"))); !strings.HasPrefix(got, want) {
			t.Errorf("after the emulator was killed %d times: %s", n, got)
		}
	}
	if len(lines) != 1 || !strings.Contains(lines[0], "ended by itself (signal: killed) and is restarted for invocation 2") {
		t.Errorf("logged %q", lines)
	}
}

// TestTheEmulatorsModuleIsTidy does for that module what a test of the whole tree does
// for the project's.
func TestTheEmulatorsModuleIsTidy(t *testing.T) {
	emulator(t) // or skip
	tidy := exec.Command("go", "mod", "tidy", "-diff")
	tidy.Dir = "emulator"
	if out, err := tidy.CombinedOutput(); err != nil {
		t.Errorf("go mod tidy -diff: %v\n%s", err, out)
	}
}

// TestAnEmulatorThatCanNotBeHadIsNamed builds it where nothing can be downloaded, and
// from a module that does not pin it.
func TestAnEmulatorThatCanNotBeHadIsNamed(t *testing.T) {
	if _, err := runtimeapi.StartEmulated(runtimeapi.Function{ARN: arn, Timeout: 1500 * time.Millisecond}, "", nil); err == nil || !strings.Contains(err.Error(), "whole seconds, not 1.5s") {
		t.Errorf("a timeout of one and a half seconds: %v", err)
	}
	executable := filepath.Join(t.TempDir(), "emulator")
	if err := runtimeapi.BuildEmulator(".", executable); err == nil || errors.Is(err, runtimeapi.ErrNoEmulator) {
		t.Errorf("without its module: %v", err)
	}
	t.Setenv("GOMODCACHE", t.TempDir())
	for proxy, want := range map[string]string{"off": "module lookup disabled by GOPROXY=off", "http://127.0.0.1:1": "connection refused"} {
		t.Setenv("GOPROXY", proxy)
		if err := runtimeapi.BuildEmulator("emulator", executable); !errors.Is(err, runtimeapi.ErrNoEmulator) || !strings.Contains(err.Error(), want) {
			t.Errorf("with GOPROXY=%s: %v", proxy, err)
		}
	}
}

// runtimeAPIsAgree compares what a function observes that calls the Runtime API
// without a library, also in ways that are refused.
func runtimeAPIsAgree(t *testing.T, path string) {
	ours, theirs := start(t, function(observes)), emulate(t, function(observes), path, func(line string) { t.Log(line) })
	for n, agreed := 0, true; n < 3 && agreed; n++ {
		if diff := cmp.Diff(observed(theirs.Invoke(order("?"))), observed(ours.Invoke(order("?")))); diff != "" {
			agreed = false
			t.Errorf("invocation %d (-the emulator +here): %s", n, diff)
		}
	}
}

// observed returns the lines of an observer's answer.
func observed(output json.RawMessage, err error) []string {
	var lines []string
	if err := errors.Join(err, json.Unmarshal(output, &lines)); err != nil {
		return []string{err.Error()}
	}
	return lines
}

// observe is a function that answers each invocation with what it has observed of the
// Runtime API since the one before.
func observe() {
	base := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/"
	var lines []string
	call := func(method, path, body string) http.Header {
		request, err := http.NewRequest(method, base+path, strings.NewReader(body))
		if err != nil {
			panic(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			os.Exit(0) // the Runtime API is gone
		}
		defer response.Body.Close()
		var answer any
		_ = json.NewDecoder(response.Body).Decode(&answer)
		kind := response.Header.Get("Content-Type")
		if response.StatusCode == http.StatusMethodNotAllowed {
			kind = "" // it has no content worth a type
		}
		lines = append(lines, fmt.Sprintf("%s %s: %d %s %v", method, path, response.StatusCode, kind, answer))
		return response.Header
	}
	for {
		header := call(http.MethodGet, "invocation/next", "")
		for name := range header {
			if strings.HasPrefix(name, "Lambda-Runtime-") && name != "Lambda-Runtime-Trace-Id" {
				lines = append(lines, name)
			}
		}
		slices.Sort(lines)
		id := header.Get("Lambda-Runtime-Aws-Request-Id")
		call(http.MethodPost, "invocation/00000000-0000-4000-8000-00000000ffff/response", "{}")
		call(http.MethodPost, "invocation/00000000-0000-4000-8000-00000000ffff/error", "{}")
		call(http.MethodGet, "invocation/"+id+"/response", "")
		call(http.MethodPost, "invocation/next", "{}")
		call(http.MethodPost, "init/error", "{}")
		if again := call(http.MethodGet, "invocation/next", ""); again.Get("Lambda-Runtime-Aws-Request-Id") != id {
			panic("asked again, the Runtime API gave another invocation")
		}
		call(http.MethodGet, "elsewhere", "")
		body, err := json.Marshal(lines)
		if err != nil {
			panic(err)
		}
		lines = nil
		call(http.MethodPost, "invocation/"+id+"/response", string(body))
		call(http.MethodPost, "invocation/"+id+"/response", string(body))
		call(http.MethodPost, "invocation/"+id+"/error", "{}")
	}
}
