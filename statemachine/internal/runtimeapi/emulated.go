package runtimeapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Emulated is one execution environment of a function under AWS's Lambda Runtime
// Interface Emulator. It does what Instance does, with a Runtime API that is not this
// project's, and serves one invocation at a time.
type Emulated struct {
	function  Function
	emulator  string
	log       func(string)
	turn      sync.Mutex // held during an invocation
	count     int        // number of invocations so far
	restarted bool
	process   *child
	url       string
}

// StartEmulated starts an emulator, an executable of BuildEmulator, for a function
// whose timeout is in whole seconds. The emulator starts the function's process with
// the first invocation. log gets a line when the emulator had to be restarted.
func StartEmulated(f Function, emulator string, log func(string)) (*Emulated, error) {
	if f.Timeout < time.Second || f.Timeout%time.Second != 0 {
		return nil, fmt.Errorf("the emulator needs a timeout in whole seconds, not %s", f.Timeout)
	}
	e := &Emulated{function: f, emulator: emulator, log: log}
	return e, e.start()
}

// start starts an emulator and waits until it serves. It gets a loopback address of
// its own, because it can't choose free ports by itself.
func (e *Emulated) start() error {
	host := net.IPv4(127, byte(1+rand.IntN(254)), byte(rand.IntN(256)), byte(1+rand.IntN(254))).String()
	runtimeAPI, address := host+":9001", host+":8080"
	p := newChild(e.emulator, "--runtime-api-address", runtimeAPI, "--runtime-interface-emulator-address", address, e.function.Executable)
	variables, err := e.function.environment(runtimeAPI)
	if err != nil {
		return err
	}
	p.command.Env = append(variables, "AWS_LAMBDA_FUNCTION_TIMEOUT="+strconv.Itoa(int(e.function.Timeout.Seconds())))
	if err := p.start(func() {}); err != nil {
		return fmt.Errorf("start the emulator: %w", err)
	}
	e.process, e.url = p, "http://"+address+"/2015-03-31/functions/function/invocations"
	for begun := time.Now(); time.Since(begun) < startLimit; time.Sleep(5 * time.Millisecond) {
		if connection, err := net.Dial("tcp", address); err == nil {
			return connection.Close()
		}
		if e.hasEnded(0) {
			return fmt.Errorf("the emulator ended at once: %s\n%s", p.command.ProcessState, p.output.String())
		}
	}
	p.kill()
	return fmt.Errorf("the emulator does not serve at %s after %s", address, startLimit)
}

// hasEnded reports whether the emulator has ended, or does so within a limit.
func (e *Emulated) hasEnded(within time.Duration) bool {
	select {
	case <-e.process.ended:
		return true
	case <-time.After(within):
		return false
	}
}

// Invoke invokes the function as Instance.Invoke does. It restarts an emulator that
// has ended by itself, once, and then repeats the invocation. As the emulator
// answers a function's error with status 200, like an output, an output that is an
// object with errorType and errorMessage can't be told from an error.
func (e *Emulated) Invoke(input json.RawMessage) (json.RawMessage, error) {
	e.turn.Lock()
	defer e.turn.Unlock()
	e.count++
	id := requestID(e.count)
	status, body, err := e.post(id, input)
	if err != nil && !e.restarted && e.hasEnded(time.Second) {
		e.restarted = true
		e.log(fmt.Sprintf("the emulator of %s ended by itself (%s) and is restarted for invocation %d, once: %v", e.function.ARN, e.process.command.ProcessState, e.count, err))
		if err := e.start(); err != nil {
			return nil, err
		}
		status, body, err = e.post(id, input)
	}
	if err != nil {
		return nil, fmt.Errorf("invoke %s under the emulator: %w", e.function.ARN, err)
	}
	return e.answer(id, status, body)
}

// post sends an invocation to the emulator.
func (e *Emulated) post(id string, input []byte) (status int, body []byte, err error) {
	request, err := http.NewRequest(http.MethodPost, e.url, bytes.NewReader(input))
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("X-Amzn-RequestId", id)
	client := http.Client{Timeout: startLimit + e.function.Timeout, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	body, err = io.ReadAll(response.Body)
	return response.StatusCode, body, err
}

// answer returns the emulator's answer as the results of Invoke.
func (e *Emulated) answer(id string, status int, body []byte) (json.RawMessage, error) {
	var document struct{ ErrorType, ErrorMessage *string }
	failed := json.Unmarshal(body, &document) == nil && document.ErrorType != nil && document.ErrorMessage != nil
	late := timedOut(id, e.function.Timeout)
	switch {
	case failed && slices.Contains([]int{http.StatusOK, http.StatusBadGateway}, status):
		return nil, reported(body)
	case status == http.StatusOK && strings.Contains(late.Error(), " Error: "+string(body)+`"`):
		return nil, late
	case status == http.StatusOK && json.Valid(body):
		return body, nil
	}
	return nil, fmt.Errorf("the emulator of %s answered with status %d and %q: it gives no reason when a process can't start", e.function.ARN, status, body)
}

// PID returns the emulator's process id.
func (e *Emulated) PID() int { return e.process.command.Process.Pid }

// Output returns what the emulator and the function's process have written.
func (e *Emulated) Output() string {
	if e.process == nil {
		return ""
	}
	return e.process.output.String()
}

// Stop ends the emulator, which ends the function's process.
func (e *Emulated) Stop() {
	_ = e.process.command.Process.Signal(syscall.SIGTERM) // it may have ended already
	if !e.hasEnded(5 * time.Second) {
		e.process.kill()
	}
}
