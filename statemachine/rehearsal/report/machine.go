package report

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"html/template"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-graphviz"
)

// machine is the state machine with the path that a rollout took.
type machine struct {
	Picture template.HTML
	States  []state
	Says    string
}

// state is a state of the workflow.
type state struct {
	Name, Comment string
	Visits        int
	Next          []transition
}

// transition is a transition to another state, and how often it was taken.
type transition struct {
	To     string
	Caught bool // after an error
	Taken  int
}

// newMachine reads the workflow's definition and counts the visits and transitions
// of a path through it. It returns an error if the path has an unknown state.
func newMachine(definition string, path []string) (*machine, error) {
	states, err := readStates(definition)
	if err != nil {
		return nil, err
	}
	byName := map[string]*state{}
	for i := range states {
		byName[states[i].Name] = &states[i]
	}
	for i, name := range path {
		s, ok := byName[name]
		if !ok {
			return nil, fmt.Errorf("the path has a state %q, which the workflow does not have", name)
		}
		s.Visits++
		for j := range s.Next {
			if i+1 < len(path) && s.Next[j].To == path[i+1] {
				s.Next[j].Taken++
				break
			}
		}
	}
	m := &machine{States: states}
	visited := 0
	for _, s := range states {
		visited += min(s.Visits, 1)
	}
	m.Says = fmt.Sprintf("%d of the %d states were entered, from %s to %s. The list below has them all.", visited, len(states), path[0], path[len(path)-1])
	m.Picture, err = m.draw()
	return m, err
}

// readStates returns the states in the order of the definition.
func readStates(definition string) ([]state, error) {
	var file struct{ States json.RawMessage }
	if err := json.Unmarshal([]byte(definition), &file); err != nil {
		return nil, err
	}
	type target struct{ Next string }
	decoder := json.NewDecoder(bytes.NewReader(file.States))
	if _, err := decoder.Token(); err != nil {
		return nil, err
	}
	var all []state
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		var read struct {
			Comment, Next, Default string
			Choices, Catch         []target
		}
		if err := decoder.Decode(&read); err != nil {
			return nil, err
		}
		s := state{Name: fmt.Sprint(name), Comment: read.Comment}
		add := func(to string, caught bool) {
			known := func(t transition) bool { return t.To == to }
			if to != "" && !slices.ContainsFunc(s.Next, known) {
				s.Next = append(s.Next, transition{To: to, Caught: caught})
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

// draw lays out the states with Graphviz. States and transitions on the path have
// the class "taken", for the style sheet.
func (m *machine) draw() (template.HTML, error) {
	var dot strings.Builder
	dot.WriteString("digraph {\nbgcolor=transparent\nnode [shape=box style=rounded fontname=Arial fontsize=13 height=0.4 margin=\"0.14,0.05\"]\nedge [fontname=Arial fontsize=11 arrowsize=0.7]\n")
	for _, s := range m.States {
		text, class := s.Name, "idle"
		if s.Visits > 0 {
			class = "taken"
		}
		if s.Visits > 1 {
			text += " ×" + fmt.Sprint(s.Visits)
		}
		fmt.Fprintf(&dot, "%q [label=%q class=%s]\n", s.Name, text, class)
		for _, t := range s.Next {
			style, class, label := "solid", "idle", ""
			if t.Caught {
				style = "dashed"
			}
			if t.Taken > 0 {
				class = "taken"
			}
			if t.Taken > 1 {
				label = fmt.Sprintf(" ×%d", t.Taken)
			}
			fmt.Fprintf(&dot, "%q -> %q [style=%s class=%s label=%q]\n", s.Name, t.To, style, class, label)
		}
	}
	dot.WriteString("}\n")
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
	return m.inline(out.String()), nil
}

// ballast matches what Graphviz writes and the page does not need: comments,
// titles, and attributes that the style sheet sets.
var ballast = regexp.MustCompile(`(?s)<!--.*?-->\s*|<title>.*?</title>\s*| (font-family|font-size|fill|stroke)="[^"]*"`)

// inline turns Graphviz' SVG file into an element of the page.
func (m *machine) inline(file string) template.HTML {
	_, file, _ = strings.Cut(file, "<svg")
	attributes, content, _ := strings.Cut(file, ">")
	box := regexp.MustCompile(`viewBox="[^"]*"`).FindString(attributes)
	head := `<svg class="machine" ` + box + ` role="img" aria-labelledby="machine-t machine-d"><title id="machine-t">The state machine with the path taken</title><desc id="machine-d">` +
		template.HTMLEscapeString(m.Says) + "</desc>"
	return template.HTML(head + ballast.ReplaceAllString(content, ""))
}
