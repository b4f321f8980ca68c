package main

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

var functions = []string{"finalize", "updatealias", "calculateweights", "healthcheck"}

// environment is that of the tree's functions.
func (t tree) environment(more ...string) []string {
	variables := environment(more...)
	for name, value := range t.settings {
		variables = append(variables, name+"="+value)
	}
	return variables
}

// environment is what Lambda gives any function.
func environment(more ...string) []string {
	return append([]string{"AWS_REGION=eu-central-1", "AWS_DEFAULT_REGION=eu-central-1", "AWS_ACCESS_KEY_ID=a", "AWS_SECRET_ACCESS_KEY=b",
		"AWS_ENDPOINT_URL=http://127.0.0.1:9", "HOME=/nonexistent", "LAMBDA_TASK_ROOT=/"}, more...)
}

var initialised = regexp.MustCompile(`(?m)^init .* ([0-9]+) bytes, ([0-9]+) allocs$`)

// initialisation returns the sum of the bytes or allocs of all packages.
func initialisation(t tree, name, what string) (float64, error) {
	command := exec.Command(filepath.Join(t.built, name))
	command.Env = t.environment("GODEBUG=inittrace=1")
	out, _ := command.CombinedOutput() // it ends because there is no Runtime API
	found := initialised.FindAllStringSubmatch(string(out), -1)
	if found == nil {
		return 0, fmt.Errorf("%s traced no initialisation:\n%s", name, out)
	}
	sum := 0.0
	for _, line := range found {
		value, _ := strconv.ParseFloat(line[map[string]int{"bytes": 1, "allocs": 2}[what]], 64)
		sum += value
	}
	return sum, nil
}

func zipped(t tree, name string) (float64, error) {
	executable, err := os.Open(filepath.Join(t.built, name))
	if err != nil {
		return 0, err
	}
	defer executable.Close()
	var size counter
	archive := zip.NewWriter(&size)
	entry, err := archive.Create("bootstrap")
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(entry, executable)
	return float64(size), errors.Join(err, archive.Close())
}

type counter int

func (c *counter) Write(data []byte) (int, error) { *c += counter(len(data)); return len(data), nil }

// firstAnswer returns the processor time of a function's process until it has answered
// an invocation: one that it refuses, as its input is empty.
func firstAnswer(t tree, name string) (float64, error) {
	r := runtimeAPI{event: func(int, []byte) []byte { return []byte("{}") }, times: 1, refused: true}
	return r.serve(exec.Command(filepath.Join(t.built, name)), t.environment())
}

// runtimeAPI is Lambda's Runtime API for one process, which it invokes a number of times.
type runtimeAPI struct {
	event   func(i int, last []byte) []byte // the input of the i-th invocation, after an answer
	times   int
	refused bool // answers are errors

	mutex   sync.Mutex
	current []byte // the input of the invocation under way
	begun   int
	retries int
	last    []byte
	failed  error
	done    chan struct{}
}

// serve runs a function until it has answered all invocations, and returns the processor
// time that it took until then, in milliseconds. It returns an error if an answer is an
// error and should not be, and the reverse.
func (a *runtimeAPI) serve(function *exec.Cmd, environment []string) (float64, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	a.done = make(chan struct{})
	server := http.Server{Handler: a}
	go server.Serve(listener) //nolint:errcheck // it ends when it is closed
	defer server.Close()
	var out bytes.Buffer
	function.Env = append(environment, "AWS_LAMBDA_RUNTIME_API="+listener.Addr().String())
	function.Stdout, function.Stderr = &out, &out
	if err := function.Start(); err != nil {
		return 0, err
	}
	ended := make(chan struct{})
	go func() {
		_ = function.Wait() // it is killed
		close(ended)
	}()
	select {
	case <-a.done:
	case <-ended:
		return 0, fmt.Errorf("%s ended:\n%s", filepath.Base(function.Path), out.String())
	case <-time.After(time.Minute):
		err = errors.New("no answers within a minute")
	}
	_ = function.Process.Kill()
	<-ended
	a.mutex.Lock()
	defer a.mutex.Unlock()
	if err = errors.Join(err, a.failed); err != nil {
		err = fmt.Errorf("%s: %w\n%s", filepath.Base(function.Path), err, out.Bytes()[max(0, out.Len()-2000):])
	}
	return cpu(function), err
}

func (a *runtimeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	switch path := strings.TrimPrefix(r.URL.Path, "/2018-06-01/runtime/invocation/"); {
	case path == "next":
		event := a.next()
		if event == nil { // no further invocation comes
			<-r.Context().Done()
			return
		}
		w.Header().Set("Lambda-Runtime-Aws-Request-Id", "1")
		w.Header().Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(time.Now().Add(time.Minute).UnixMilli(), 10))
		w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-central-1:123456789012:function:f")
		_, _ = w.Write(event)
	default:
		w.WriteHeader(http.StatusAccepted)
		a.answered(body, !strings.HasSuffix(path, "/response"))
	}
}

// next returns the next event, or nil after the last.
func (a *runtimeAPI) next() []byte {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	if a.begun == a.times && a.current == nil || a.failed != nil {
		return nil
	}
	if a.current == nil {
		a.current = a.event(a.begun, a.last)
		a.begun++
	}
	return a.current
}

// mostRetries is how many errors of a process are retried, as the workflow does.
const mostRetries = 3

// answered takes an answer, which may be an error.
func (a *runtimeAPI) answered(body []byte, refused bool) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	if a.failed != nil {
		return
	}
	if refused && !a.refused && a.retries < mostRetries {
		a.retries++
		return
	}
	a.last, a.current = body, nil
	if refused != a.refused {
		a.failed = fmt.Errorf("invocation %d was answered with %s", a.begun, body)
	}
	if a.failed != nil || a.begun == a.times {
		close(a.done)
	}
}
