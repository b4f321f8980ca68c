package rehearsal

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"sync"

	runtime "github.com/aws/aws-lambda-go/lambda"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
)

// states remembers the state that a task returned last, so that the next task, which is mostly
// called with the same text, need not decode it. Nil remembers nothing.
type states struct {
	// evidence is the same for the evidence of checks.
	evidence health.Recent

	mu      sync.Mutex
	text    []byte // nil if nothing is remembered
	state   rollout.State
	scratch bytes.Buffer // for texts that are being written
}

// recent returns where the functions keep the last state, or nil if they decode each.
func (r *run) recent() *states {
	if r.options.wired {
		return nil
	}
	return &r.states
}

// last returns the remembered state if it has that text. It must not be modified: the next task may
// take it.
func (s *states) last(text []byte) (rollout.State, bool) {
	if s == nil {
		return rollout.State{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.text == nil || !bytes.Equal(text, s.text) {
		return rollout.State{}, false
	}
	return s.state, true
}

// stateMember is how the last member of a call begins, before the state.
const stateMember = `,"rollout":`

// take decodes a call. Its state is the remembered one if the text is the same. The task may
// modify it, so it is taken once.
func (s *states) take(payload []byte) (call task.Call, err error) {
	if rest, state, known := s.split(payload); known && json.Unmarshal(rest, &call) == nil {
		call.Rollout = state
		return call, nil
	}
	return call, decodeAs(payload, &call)
}

// split returns the remembered state, and a call without it, if the call ends with the state's
// text. Then the text is the last member of the outermost object.
func (s *states) split(payload []byte) (rest []byte, state rollout.State, known bool) {
	if s == nil {
		return nil, state, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	head, closed := bytes.CutSuffix(payload, []byte("}"))
	head, same := bytes.CutSuffix(head, s.text)
	if s.text == nil || !closed || !same || !bytes.HasSuffix(head, []byte(stateMember)) {
		return nil, state, false
	}
	state = s.state
	s.text, s.state = nil, rollout.State{}
	return slices.Concat(head, []byte("null}")), state, true
}

// remember remembers a state with its text. What JSON leaves out of it is left out.
func (s *states) remember(text []byte, state rollout.State) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	state.Gates = rollout.Gates{}
	s.text, s.state = text, state
}

// stateHandler is the handler of a task that returns a state. It decodes and encodes as the Lambda
// runtime's handler does.
type stateHandler[In any] struct {
	states *states
	decode func(payload []byte) (In, error)
	handle func(context.Context, In) (rollout.State, error)
}

// keepsAnswers marks handlers that do not write into an answer again.
type keepsAnswers interface{ keepsAnswers() }

func (stateHandler[In]) keepsAnswers() {}

// handlerOf returns the handler of what a function does.
func (s *states) handlerOf(handle any) runtime.Handler {
	switch handle := handle.(type) {
	case func(context.Context, task.Start) (rollout.State, error):
		return s.handlerOfStart(handle)
	case func(context.Context, task.Call) (rollout.State, error):
		return s.handlerOfCalls(handle)
	}
	return runtime.NewHandler(handle)
}

// handlerOfCalls returns the handler of a task that takes a call.
func (s *states) handlerOfCalls(handle func(context.Context, task.Call) (rollout.State, error)) runtime.Handler {
	return stateHandler[task.Call]{s, s.take, handle}
}

// handlerOfStart returns the handler of the task that starts a rollout.
func (s *states) handlerOfStart(handle func(context.Context, task.Start) (rollout.State, error)) runtime.Handler {
	return stateHandler[task.Start]{s, func(payload []byte) (start task.Start, err error) {
		return start, decodeAs(payload, &start)
	}, handle}
}

// Invoke implements [runtime.Handler].
func (h stateHandler[In]) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	in, err := h.decode(payload)
	if err != nil {
		return nil, err
	}
	state, err := h.handle(ctx, in)
	if err != nil {
		return nil, err
	}
	text, err := h.states.encode(state)
	if err != nil {
		return nil, err
	}
	h.states.remember(text, state)
	return text, nil
}

// encode encodes a state. encoding/json would read and compact its evidence, most of the text, once
// more; evidence that has just been written takes its place in the text afterwards.
func (s *states) encode(state rollout.State) ([]byte, error) {
	if s == nil || len(state.Evidence) == 0 {
		return encoded(state)
	}
	if _, written := s.evidence.Last(state.Evidence); !written {
		return encoded(state)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	evidence := state.Evidence
	state.Evidence = evidencePlace
	s.scratch.Reset()
	if err := encodeTo(&s.scratch, state); err != nil {
		return nil, err
	}
	text := bytes.TrimSuffix(s.scratch.Bytes(), []byte("\n"))
	if before, after, found := bytes.Cut(text, evidencePlace); found && !bytes.Contains(after, evidencePlace) {
		return slices.Concat(before, evidence, after), nil
	}
	state.Evidence = evidence
	return encoded(state)
}

// evidencePlace is JSON that encoding/json writes for no value: it does not escape letters. What the
// rollout's input has as JSON may contain it.
var evidencePlace = json.RawMessage(`"\u0065vidence"`)

// encoded encodes a state as the Lambda runtime's handler does.
func encoded(state rollout.State) ([]byte, error) {
	var out bytes.Buffer
	err := encodeTo(&out, state)
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), err
}

// encodeTo is encoded, with a newline at the end.
func encodeTo(out *bytes.Buffer, state rollout.State) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(state)
}

// decodeAs decodes an event as the Lambda runtime's handler does.
func decodeAs(payload []byte, into any) error {
	return json.NewDecoder(bytes.NewReader(payload)).Decode(into)
}
