package picture

import (
	"fmt"
	"html/template"
	"regexp"
	"strconv"
	"strings"
)

// Layout is a state machine that was laid out once, and is drawn again and again with
// the paths of executions. It is safe for concurrent use.
type Layout struct {
	states []State
	file   string
}

// The room that the layout leaves in a state for its mark and its count.
const room = "▶  ×999"

// Lay reads a definition and lays it out, which takes a hundred times as long as to
// draw it.
func Lay(definition string) (*Layout, error) {
	states, err := Read(definition)
	if err != nil {
		return nil, err
	}
	file, err := draw(states, labels{
		state:      func(_ int, s State) string { return s.Name + room },
		transition: func(Transition) string { return "" },
	})
	if err != nil {
		return nil, err
	}
	return &Layout{states: states, file: file}, nil
}

// States returns the states of the definition, without any visits.
func (l *Layout) States() []State {
	all := make([]State, len(l.states))
	for i, s := range l.states {
		s.Next = append([]Transition(nil), s.Next...)
		all[i] = s
	}
	return all
}

// node matches a state's group, up to its text's content, and edge a transition's start.
var (
	node = regexp.MustCompile(`(?s)(<g id="s(\d+)" class="node) idle(">.*?<text [^>]*>)[^<]*(</text>)`)
	edge = regexp.MustCompile(`<g id="t(\d+)_(\d+)" class="edge idle">`)
)

// Draw draws the machine with states that Count has counted. The state with the name
// current, if any, has the class "current" and a mark before its name.
func (l *Layout) Draw(states []State, current, says string) template.HTML {
	file := node.ReplaceAllStringFunc(l.file, func(group string) string {
		part := node.FindStringSubmatch(group)
		n, err := strconv.Atoi(part[2])
		if err != nil || n >= len(states) {
			return group
		}
		s := states[n]
		text, classes := times(s.Name, s.Visits), class(s.Visits)
		if s.Name == current {
			text, classes = "▶ "+text, classes+" current"
		}
		return part[1] + " " + classes + part[3] + template.HTMLEscapeString(text) + part[4]
	})
	file = edge.ReplaceAllStringFunc(file, func(group string) string {
		part := edge.FindStringSubmatch(group)
		from, _ := strconv.Atoi(part[1])
		to, _ := strconv.Atoi(part[2])
		if from >= len(states) || to >= len(states[from].Next) {
			return group
		}
		return fmt.Sprintf(`<g id="t%d_%d" class="edge %s">`, from, to, class(states[from].Next[to].Taken))
	})
	return inline(strings.TrimSpace(file), "The state machine with the path taken", says)
}
