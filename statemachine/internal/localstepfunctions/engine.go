// Package localstepfunctions runs state machines on aws-local-stepfunctions, an
// interpreter of Amazon States Language by other people, on the virtual clock of
// our own: what both agree on is more than one author's reading of the language.
//
// It is given the time, and its tasks are answered by Go. What it lacks is
// known by the tests that compare the two.
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

// Engine is the other engine, in a process of its own. Any number of executions
// may be under way in it, also on different clocks.
type Engine struct {
	connection net.Conn
	exited     chan error

	mutex  sync.Mutex // holds one message and its answer together
	answer *bufio.Reader
	last   int // number of a machine or execution
}

// ForTest starts the engine until the test's end.
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

// Start starts the engine, after installing it into the user's cache if it is
// not there yet.
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
		listener.Close() // nobody will come
	}()
	if e.connection, err = listener.Accept(); err != nil {
		return nil, fmt.Errorf("the other engine did not start: %w: %s", <-e.exited, complaint.Bytes())
	}
	e.answer = bufio.NewReader(e.connection)
	return e, nil
}

// Close ends the process.
func (e *Engine) Close() error {
	return errors.Join(e.connection.Close(), <-e.exited)
}

// Machine is a definition that the engine has taken.
type Machine struct {
	engine *Engine
	number int
}

// Define hands a definition to the engine. It is not checked.
func (e *Engine) Define(definition string) (*Machine, error) {
	m := &Machine{engine: e, number: e.next()}
	_, err := e.send(message{Define: &define{Machine: m.number, Definition: definition}})
	return m, err
}

func (e *Engine) next() int {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	e.last++
	return e.last
}

// message is what engine.js is told.
type message struct {
	Define    *define `json:"define,omitempty"`
	Execution int     `json:"execution,omitempty"`
	Now       int64   `json:"now,omitempty"` // milliseconds
	// One of these; nothing aborts the execution.
	Start *start  `json:"start,omitempty"`
	Timer int     `json:"timer,omitempty"`
	Task  *answer `json:"task,omitempty"`
}

type define struct {
	Machine    int    `json:"machine"`
	Definition string `json:"definition"`
}

type start struct {
	Machine int             `json:"machine"`
	Input   json.RawMessage `json:"input"`
	Context map[string]any  `json:"context"`
}

// answer is a task's: either Answer, or Error and Cause.
type answer struct {
	Number int             `json:"number"`
	Answer json.RawMessage `json:"answer,omitempty"`
	Error  *string         `json:"error,omitempty"`
	Cause  string          `json:"cause"`
}

// turn is what an execution asked for since the last message.
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

// send tells the engine something and returns what came of it.
func (e *Engine) send(m message) (turn, error) {
	text, err := json.Marshal(m)
	if err != nil {
		return turn{}, err
	}
	e.mutex.Lock()
	defer e.mutex.Unlock()
	if _, err := e.connection.Write(append(text, '\n')); err != nil {
		return turn{}, fmt.Errorf("the other engine is gone: %w", err)
	}
	line, err := e.answer.ReadBytes('\n')
	if err != nil {
		return turn{}, fmt.Errorf("the other engine is gone: %w", err)
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
