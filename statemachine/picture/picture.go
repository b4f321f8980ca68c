// Package picture draws a state machine, and the path of an execution through it, as
// an SVG element of a page. The page's style sheet sets colours and fonts: see
// Machine.
package picture

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"html/template"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/goccy/go-graphviz"
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

// New reads a definition and counts the visits and transitions of a path through it,
// which must not be empty. It returns an error if the path has an unknown state.
func New(definition string, path []string) (*Machine, error) {
	states, err := Read(definition)
	if err != nil {
		return nil, err
	}
	if err := Count(states, path); err != nil {
		return nil, err
	}
	m := &Machine{States: states}
	m.Says = fmt.Sprintf("%d of the %d states were entered, from %s to %s. The list below has them all.", Visited(states), len(states), path[0], path[len(path)-1])
	file, err := draw(states, counted)
	if err != nil {
		return nil, err
	}
	m.Picture = inline(file, "The state machine with the path taken", m.Says)
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

// labels decides what the picture says of states and transitions.
type labels struct {
	state      func(i int, s State) string
	transition func(t Transition) string
}

// counted says how often each was taken.
var counted = labels{
	state:      func(_ int, s State) string { return times(s.Name, s.Visits) },
	transition: func(t Transition) string { return strings.TrimSuffix(times(" ", t.Taken), " ") },
}

// times returns a name with how often it was, if it was more than once.
func times(name string, n int) string {
	if n > 1 {
		name = strings.TrimSuffix(name, " ") + fmt.Sprintf(" ×%d", n)
	}
	return name
}

// draw lays out the states with Graphviz, and returns its SVG file. States and
// transitions on the path have the class "taken", for the style sheet.
func draw(states []State, say labels) (string, error) {
	var dot strings.Builder
	dot.WriteString("digraph {\nbgcolor=transparent\nnode [shape=box style=rounded fontname=Arial fontsize=13 height=0.4 margin=\"0.14,0.05\"]\nedge [fontname=Arial fontsize=11 arrowsize=0.7]\n")
	number := map[string]int{}
	for i, s := range states {
		number[s.Name] = i
	}
	for i, s := range states {
		fmt.Fprintf(&dot, "s%d [id=s%d label=%s class=%s]\n", i, i, quoted(say.state(i, s)), class(s.Visits))
		for j, t := range s.Next {
			style := "solid"
			if t.Caught {
				style = "dashed"
			}
			to, known := number[t.To]
			if !known {
				return "", fmt.Errorf("the state %q is followed by %q, which the workflow does not have", s.Name, t.To)
			}
			fmt.Fprintf(&dot, "s%d -> s%d [style=%s class=%s id=t%d_%d label=%s]\n", i, to, style, class(t.Taken), i, j, quoted(say.transition(t)))
		}
	}
	dot.WriteString("}\n")
	drawing.Lock()
	defer drawing.Unlock()
	ctx := context.Background()
	g, err := graphviz.New(ctx)
	if err != nil {
		return "", err
	}
	defer g.Close()
	graph, err := graphviz.ParseBytes([]byte(dot.String()))
	if err != nil {
		return "", err
	}
	defer graph.Close()
	var out bytes.Buffer
	if err := g.Render(ctx, graph, graphviz.SVG, &out); err != nil {
		return "", err
	}
	return out.String(), nil
}

// drawing is held while Graphviz runs: all of its instances share one memory, which
// is not safe for concurrent use.
var drawing sync.Mutex

// class returns the class of what was taken so often.
func class(taken int) string {
	if taken > 0 {
		return "taken"
	}
	return "idle"
}

// quoted returns a text as a string of Graphviz' language. Its labels are HTML texts
// with escapes of their own.
func quoted(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "&", "&amp;", "\n", " ", "\x00", "").Replace(text) + `"`
}

// ballast matches what Graphviz writes and the page does not need: comments,
// titles, and attributes that the style sheet sets.
var ballast = regexp.MustCompile(`(?s)<!--.*?-->\s*|<title>.*?</title>\s*| (font-family|font-size|fill|stroke)="[^"]*"`)

// inline turns Graphviz' SVG file into an element of the page with a title and a
// description.
func inline(file, title, says string) template.HTML {
	_, file, _ = strings.Cut(file, "<svg")
	attributes, content, _ := strings.Cut(file, ">")
	box := viewBox.FindString(attributes)
	head := `<svg class="machine" ` + box + ` role="img" aria-labelledby="machine-t machine-d"><title id="machine-t">` + template.HTMLEscapeString(title) +
		`</title><desc id="machine-d">` + template.HTMLEscapeString(says) + "</desc>"
	return template.HTML(head + ballast.ReplaceAllString(content, ""))
}

var viewBox = regexp.MustCompile(`viewBox="[^"]*"`)
