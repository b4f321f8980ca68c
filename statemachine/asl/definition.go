package asl

import (
	"errors"
	"fmt"
	"time"
)

// Definition is a checked state machine. It never changes, and serves any
// number of executions at the same time, also on different clocks.
type Definition struct {
	start   *state
	states  []*state // in the order of the definition
	timeout time.Duration
	nested  bool // it has tasks that start executions
}

// Has tells whether there is a state of that name.
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

// work is what makes a type of state.
type work interface {
	// run does the state's work on its raw input and returns its output and the
	// state to go on with, nil to end. e.emit has recorded that it was entered.
	run(e *Execution, s *state, raw document) (document, *state, error)
	// targets lists the states it can lead to by other ways than Next.
	targets() []*state
}

// Limits of Step Functions on definitions.
const (
	maxDefinition = 1 << 20 // bytes
	maxStateName  = 80      // characters
	maxSeconds    = 99999999
)

// Parse reads and checks a definition. Whatever it does not know (a field, a
// type of state, an operator, a function, a form of path) and whatever can't
// be right (a missing or unreachable state, rules that exclude each other) it
// refuses, each by name with its JSON path, all at once (errors.Join).
//
// It is stricter than AWS where AWS would only fail when the state runs: a
// field of the context object that is not known here, a States.Format whose
// values and places differ in number, a field given twice.
func Parse(definition []byte) (*Definition, error) {
	if len(definition) > maxDefinition {
		return nil, fmt.Errorf("$: a definition has at most %d bytes, this one %d", maxDefinition, len(definition))
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

// parser builds a definition; its states exist before their fields are read,
// so that each can point at any other.
type parser struct {
	problems
	states map[string]*state
}

func (p *parser) machine(root any) *Definition {
	f := p.fields("$", "a state machine", root)
	defer f.done()
	f.text("Comment")
	if language, ok := f.text("QueryLanguage"); ok && language != "JSONPath" {
		p.addf(f.place("QueryLanguage"), "%q is not known here: JSONPath is", language)
	}
	if version, ok := f.text("Version"); ok && version != "1.0" {
		p.addf(f.place("Version"), "%q is not known here: 1.0 is", version)
	}
	d := &Definition{timeout: time.Duration(f.integer("TimeoutSeconds", 0, 1, maxSeconds)) * time.Second}

	states := &object{}
	if v, ok := f.need("States"); ok {
		if states, ok = v.(*object); !ok || len(states.members) == 0 {
			p.addf(f.place("States"), "States is an object with at least one state")
			states = &object{}
		}
	}
	for _, m := range states.members {
		name := m.key
		s := &state{name: name}
		p.states[name] = s
		d.states = append(d.states, s)
		if n := len([]rune(name)); n == 0 || n > maxStateName {
			p.addf(memberPath("$.States", name), "a state's name has 1 to %d characters, this one %d", maxStateName, n)
		}
	}
	for i, s := range d.states {
		p.state(s, memberPath("$.States", s.name), states.members[i].value)
		if w, ok := s.work.(*task); ok {
			_, nested := w.resource.(nested)
			d.nested = d.nested || nested
		}
	}
	if name, ok := f.needText("StartAt"); ok {
		d.start = p.target(f.place("StartAt"), name)
	}
	p.unreachable(d)
	return d
}

// target returns the state of that name, or a stand-in after reporting it.
func (p *parser) target(at, name string) *state {
	if s, ok := p.states[name]; ok {
		return s
	}
	p.addf(at, "there is no state %q", name)
	return nil
}

// next reads a state's Next or End.
func (p *parser) next(f *fields) *state {
	if f.atMostOne("Next", "End") == 0 {
		p.addf(f.at, "%s has neither Next nor End", f.what)
	}
	if v, ok := f.get("End"); ok && v != true {
		p.addf(f.place("End"), "End is true or left out")
	}
	if name, ok := f.text("Next"); ok {
		return p.target(f.place("Next"), name)
	}
	return nil
}

// unreachable reports the states that no path from StartAt reaches. A broken
// StartAt is a report of its own.
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
			p.addf(memberPath("$.States", s.name), "no way leads to the state %q", s.name)
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
