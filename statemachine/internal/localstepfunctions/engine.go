// Package localstepfunctions runs state machines on aws-local-stepfunctions, an
// independent interpreter of Amazon States Language, on package asl's virtual
// clock. Tests compare both interpreters: results on which they agree do not
// depend on one author's reading of the language.
//
// Start runs the engine in a Node.js process, Engine.Define sends it a definition,
// and Machine.Run runs an execution:
//
//	engine := localstepfunctions.ForTest(t)
//	machine, err := engine.Define(definition)
//	clock.Go(func() { result, err = machine.Run(options) })
//
// The engine takes the time from the clock, and Go functions do its tasks. The
// tests that compare the two know what the engine does not support.
package localstepfunctions

import (
	"bufio"
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/nodetool"
)

//go:embed package.json package-lock.json
var pins embed.FS

//go:embed engine.js
var script string

// Engine is a running engine, in its own process. It can run any number of
// executions at the same time, also on different clocks.
type Engine struct {
	connection net.Conn
	exited     chan error

	mutex  sync.Mutex // held from a message to its answer
	answer *bufio.Reader
	last   int // the last number given to a machine or an execution
}

// ForTest starts an engine that is closed when the test ends. It fails the test if
// the engine can't be started.
func ForTest(t testing.TB) *Engine {
	t.Helper()
	engine, err := Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	})
	return engine
}

// Start starts an engine. It first installs the engine into the user's cache if
// it is not there yet, which needs Node.js and network access.
func Start() (*Engine, error) {
	installed, err := nodetool.Install("localstepfunctions", pins)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer listener.Close()
	port := listener.Addr().(*net.TCPAddr).Port
	node := nodetool.Command(installed, "-e", script, strconv.Itoa(port))
	var complaint bytes.Buffer
	node.Stderr = &complaint
	if err := node.Start(); err != nil {
		return nil, nodetool.Explain(node, err)
	}
	e := &Engine{exited: make(chan error, 1)}
	go func() {
		e.exited <- node.Wait()
		listener.Close() // no connection will come
	}()
	if e.connection, err = listener.Accept(); err != nil {
		return nil, fmt.Errorf("aws-local-stepfunctions did not start: %w: %s", <-e.exited, complaint.Bytes())
	}
	e.answer = bufio.NewReader(e.connection)
	return e, nil
}

// Close ends the engine's process and waits for its end.
func (e *Engine) Close() error {
	return errors.Join(e.connection.Close(), <-e.exited)
}

// Machine is a state machine that an engine can run.
type Machine struct {
	engine *Engine
	number int
}

// Define sends a definition, a JSON text, to the engine, which does not validate it.
func (e *Engine) Define(definition string) (*Machine, error) {
	m := &Machine{engine: e, number: e.next()}
	_, err := e.send(message{Define: &define{Machine: m.number, Definition: definition}})
	return m, err
}

// next returns a new number for a machine or an execution.
func (e *Engine) next() int {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	e.last++
	return e.last
}

// message is a message to engine.js: a definition, or the next thing that happens
// to an execution.
type message struct {
	Define    *define `json:"define,omitempty"`
	Execution int     `json:"execution,omitempty"`
	Now       int64   `json:"now,omitempty"` // milliseconds since 1970
	// At most one of these is set. If none is, the execution is aborted.
	Start *start  `json:"start,omitempty"`
	Timer int     `json:"timer,omitempty"` // the number of a timer that is due
	Task  *answer `json:"task,omitempty"`
}

// define defines a machine.
type define struct {
	Machine    int    `json:"machine"`
	Definition string `json:"definition"`
}

// start starts an execution.
type start struct {
	Machine int             `json:"machine"`
	Input   json.RawMessage `json:"input"`
	Context map[string]any  `json:"context"`
}

// answer is the answer of a task: either Answer, or Error and Cause.
type answer struct {
	Number int             `json:"number"`
	Answer json.RawMessage `json:"answer,omitempty"`
	Error  *string         `json:"error,omitempty"`
	Cause  string          `json:"cause"`
}

// turn holds what an execution has asked for since the last message.
type turn struct {
	Timers []struct {
		Number int     `json:"number"`
		After  float64 `json:"after"` // milliseconds
	} `json:"timers"`
	Cleared []int `json:"cleared"`
	Tasks   []struct {
		Number   int             `json:"number"`
		Resource string          `json:"resource"`
		Input    json.RawMessage `json:"input"`
	} `json:"tasks"`
	End    *Result `json:"end"`
	Broken string  `json:"broken"`
}

// send sends a message to the engine and returns what the execution asked for then.
func (e *Engine) send(m message) (turn, error) {
	text, err := json.Marshal(m)
	if err != nil {
		return turn{}, err
	}
	e.mutex.Lock()
	defer e.mutex.Unlock()
	if _, err := e.connection.Write(append(text, '\n')); err != nil {
		return turn{}, fmt.Errorf("aws-local-stepfunctions is gone: %w", err)
	}
	line, err := e.answer.ReadBytes('\n')
	if err != nil {
		return turn{}, fmt.Errorf("aws-local-stepfunctions is gone: %w", err)
	}
	var t turn
	if err := json.Unmarshal(line, &t); err != nil {
		return turn{}, err
	}
	if t.Broken != "" {
		return turn{}, errors.New(t.Broken)
	}
	return t, nil
}
