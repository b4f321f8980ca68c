// Package picture draws a state machine, and the path of an execution through it, as
// an SVG element of a page. The page's style sheet sets colours and fonts: see
// Machine.
package picture

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html/template"
	"slices"
	"strings"
)

// Machine is a state machine with the path that an execution took.
type Machine struct {
	// Picture is an SVG element of the class "machine". Its nodes and edges have the
	// class "taken" if they are on the path, and "idle" otherwise.
	Picture template.HTML
	States  []State
	Says    string
}

// State is a state of a state machine.
type State struct {
	Name, Comment string
	Type          string
	Visits        int
	Next          []Transition
}

// Transition is a transition to another state, and how often it was taken.
type Transition struct {
	To     string
	Caught bool // after an error
	Taken  int
}

// New reads a definition that has a layout, and counts the visits and transitions of
// a path through it, which must not be empty. It returns an error if the path has an
// unknown state.
func New(definition string, path []string) (*Machine, error) {
	l, err := Lay(definition)
	if err != nil {
		return nil, err
	}
	m := &Machine{States: l.States()}
	if err := Count(m.States, path); err != nil {
		return nil, err
	}
	m.Says = fmt.Sprintf("%d of the %d states were entered, from %s to %s. The list below has them all.", Visited(m.States), len(m.States), path[0], path[len(path)-1])
	m.Picture = l.Draw(m.States, "", m.Says)
	return m, nil
}

// Count adds the visits and transitions of a path to the states. It returns an error
// if the path has an unknown state.
func Count(states []State, path []string) error {
	byName := map[string]*State{}
	for i := range states {
		byName[states[i].Name] = &states[i]
	}
	for i, name := range path {
		s, ok := byName[name]
		if !ok {
			return fmt.Errorf("the path has a state %q, which the workflow does not have", name)
		}
		s.Visits++
		for j := range s.Next {
			if i+1 < len(path) && s.Next[j].To == path[i+1] {
				s.Next[j].Taken++
				break
			}
		}
	}
	return nil
}

// Visited returns how many of the states were entered.
func Visited(states []State) int {
	visited := 0
	for _, s := range states {
		visited += min(s.Visits, 1)
	}
	return visited
}

// Read returns the states of a definition in its order.
func Read(definition string) ([]State, error) {
	var file struct{ States json.RawMessage }
	if err := json.Unmarshal([]byte(definition), &file); err != nil {
		return nil, err
	}
	type target struct{ Next string }
	decoder := json.NewDecoder(bytes.NewReader(file.States))
	if _, err := decoder.Token(); err != nil {
		return nil, err
	}
	var all []State
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		var read struct {
			Comment, Type, Next, Default string
			Choices, Catch               []target
		}
		if err := decoder.Decode(&read); err != nil {
			return nil, err
		}
		s := State{Name: fmt.Sprint(name), Comment: read.Comment, Type: read.Type}
		add := func(to string, caught bool) {
			known := func(t Transition) bool { return t.To == to }
			if to != "" && !slices.ContainsFunc(s.Next, known) {
				s.Next = append(s.Next, Transition{To: to, Caught: caught})
			}
		}
		add(read.Next, false)
		for _, choice := range read.Choices {
			add(choice.Next, false)
		}
		add(read.Default, false)
		for _, caught := range read.Catch {
			add(caught.Next, true)
		}
		all = append(all, s)
	}
	return all, nil
}

// times returns a name with how often it was, if it was more than once.
func times(name string, n int) string {
	if n > 1 {
		name = strings.TrimSpace(name + fmt.Sprintf(" ×%d", n))
	}
	return name
}

// class returns the class of what was taken so often.
func class(taken int) string {
	if taken > 0 {
		return "taken"
	}
	return "idle"
}
