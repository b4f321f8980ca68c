package asl

import (
	"errors"
	"fmt"
	"time"
)

// Definition is a parsed and checked state machine. It is immutable and serves
// any number of executions at the same time, also on different clocks.
type Definition struct {
	start   *state
	states  []*state // in the order of the definition
	timeout time.Duration
	nested  bool // it has tasks that start executions
}

// Has reports whether the definition has a state of that name.
func (d *Definition) Has(state string) bool {
	for _, s := range d.states {
		if s.name == state {
			return true
		}
	}
	return false
}

// state is one state of a definition.
type state struct {
	name           string
	entered, exits EventType
	flow           dataFlow
	next           *state // nil: the execution ends here
	work           work
}

// nests reports whether the state starts an execution.
func (s *state) nests() bool {
	w, ok := s.work.(*task)
	if !ok {
		return false
	}
	_, ok = w.resource.(nested)
	return ok
}

// work has what distinguishes the types of states.
type work interface {
	// run does the state's work on its raw input. It returns the state's output
	// and the next state, or nil to end. Its StateEntered event is already recorded.
	run(e *Execution, s *state, raw document) (document, *state, error)
	// targets returns the states that can follow other than by Next.
	targets() []*state
}

// Limits of Step Functions on definitions.
const (
	maxDefinition = 1 << 20 // bytes
	maxStateName  = 80      // characters
	maxSeconds    = 99999999
)

// Parse reads and checks a definition, a JSON text. It refuses what this package
// does not support (a field, a type of state, an operator, a function, a form of
// path) and what cannot be right (a missing or unreachable state, rules that
// exclude each other). The error joins all problems (errors.Join), each with its
// JSON path.
//
// Parse is stricter than AWS where AWS would fail only when the state runs: for
// an unsupported field of the context object, a States.Format whose values and
// places differ in number, and a field given twice.
func Parse(definition []byte) (*Definition, error) {
	if len(definition) > maxDefinition {
		return nil, fmt.Errorf("$: a definition may have at most %d bytes; this one has %d", maxDefinition, len(definition))
	}
	root, err := parseJSON(definition)
	if err != nil {
		return nil, fmt.Errorf("$: %w", err)
	}
	p := &parser{states: map[string]*state{}}
	p.repeats("$", root)
	d := p.machine(root)
	if len(p.list) > 0 {
		return nil, errors.Join(p.list...)
	}
	return d, nil
}

// parser builds a definition. It creates all states before it reads their
// fields, so that each can refer to any other.
type parser struct {
	problems
	states map[string]*state
	alone  bool // the definition is of one state: the others are not known
}

// machine reads the whole definition.
func (p *parser) machine(root any) *Definition {
	f := p.fields("$", "a state machine", root)
	defer f.done()
	f.text("Comment")
	if language, ok := f.text("QueryLanguage"); ok && language != "JSONPath" {
		p.addf(f.place("QueryLanguage"), "%q is not supported; use JSONPath", language)
	}
	if version, ok := f.text("Version"); ok && version != "1.0" {
		p.addf(f.place("Version"), "%q is not supported; use 1.0", version)
	}
	d := &Definition{timeout: time.Duration(f.integer("TimeoutSeconds", 0, 1, maxSeconds)) * time.Second}

	states := &object{}
	if v, ok := f.need("States"); ok {
		if states, ok = v.(*object); !ok || len(states.members) == 0 {
			p.addf(f.place("States"), "States must be an object with at least one state")
			states = &object{}
		}
	}
	for _, m := range states.members {
		name := m.key
		s := &state{name: name}
		p.states[name] = s
		d.states = append(d.states, s)
		if n := len([]rune(name)); n == 0 || n > maxStateName {
			p.addf(memberPath("$.States", name), "a state's name must have 1 to %d characters; this one has %d", maxStateName, n)
		}
	}
	for i, s := range d.states {
		p.state(s, memberPath("$.States", s.name), states.members[i].value)
		d.nested = d.nested || s.nests()
	}
	if name, ok := f.needText("StartAt"); ok {
		d.start = p.target(f.place("StartAt"), name)
	}
	p.unreachable(d)
	return d
}

// target returns the state of that name. If there is none, it reports that and
// returns nil.
func (p *parser) target(at, name string) *state {
	if s, ok := p.states[name]; ok {
		return s
	}
	if p.alone {
		return &state{name: name}
	}
	p.addf(at, "there is no state %q", name)
	return nil
}

// next reads a state's Next or End. It returns nil for End.
func (p *parser) next(f *fields) *state {
	if f.atMostOne("Next", "End") == 0 {
		p.addf(f.at, "%s has neither Next nor End", f.what)
	}
	if v, ok := f.get("End"); ok && v != true {
		p.addf(f.place("End"), "End must be true or absent")
	}
	if name, ok := f.text("Next"); ok {
		return p.target(f.place("Next"), name)
	}
	return nil
}

// unreachable reports the states that cannot be reached from StartAt. A wrong
// StartAt has already been reported.
func (p *parser) unreachable(d *Definition) {
	if d.start == nil {
		return
	}
	reached := map[*state]bool{nil: true}
	todo := []*state{d.start}
	for len(todo) > 0 {
		s := todo[0]
		todo = todo[1:]
		if reached[s] {
			continue
		}
		reached[s] = true
		todo = append(todo, s.next)
		if s.work != nil {
			todo = append(todo, s.work.targets()...)
		}
	}
	for _, s := range d.states {
		if !reached[s] {
			p.addf(memberPath("$.States", s.name), "the state %q is unreachable", s.name)
		}
	}
}

// States returns the names of the states, in the order of the definition.
func (d *Definition) States() []string {
	names := make([]string, len(d.states))
	for i, s := range d.states {
		names[i] = s.name
	}
	return names
}
