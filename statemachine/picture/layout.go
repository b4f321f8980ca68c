package picture

import (
	"crypto/sha256"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"regexp"
	"strconv"
	"strings"
)

// layouts are workflows as Graphviz laid them out. A test keeps them current.
//
//go:embed layouts/*.svg
var layouts embed.FS

// ErrNoLayout means that a definition is none of those that were laid out.
var ErrNoLayout = errors.New("the workflow has no layout: run go test ./statemachine/picture -run Layouts -update")

// Layout is a state machine that is drawn again and again with the paths of
// executions. It is safe for concurrent use.
type Layout struct {
	states []State
	file   string
}

// Lay reads a definition and returns its layout. The error is ErrNoLayout if the
// definition has other states or transitions than every workflow that was laid out.
func Lay(definition string) (*Layout, error) {
	states, err := Read(definition)
	if err != nil {
		return nil, err
	}
	file, err := layoutOf(layouts, fingerprint(states))
	if err != nil {
		return nil, err
	}
	return &Layout{states: states, file: file}, nil
}

// layoutOf returns the layout in files that has the fingerprint.
func layoutOf(files fs.FS, fingerprint string) (string, error) {
	names, err := fs.Glob(files, "layouts/*.svg")
	if err != nil {
		return "", err
	}
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return "", err
		}
		if layout, found := strings.CutSuffix(string(text), "<!-- "+fingerprint+" -->\n"); found {
			return layout, nil
		}
	}
	return "", ErrNoLayout
}

// fingerprint returns a text that is the same for states with the same names and
// transitions, in the same order, and for no others.
func fingerprint(states []State) string {
	type state struct {
		Name string
		Next []Transition
	}
	var all []state
	for _, s := range states {
		of := state{Name: s.Name}
		for _, t := range s.Next {
			of.Next = append(of.Next, Transition{To: t.To, Caught: t.Caught})
		}
		all = append(all, of)
	}
	text, _ := json.Marshal(all) // there is nothing in it that can't be encoded
	return fmt.Sprintf("%x", sha256.Sum256(text))
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

// node matches a state's group, up to its text's content, and edge a transition's.
var (
	node = regexp.MustCompile(`(?s)(<g id="s(\d+)" class="node)(">.*?<text [^>]*>)(</text>)`)
	edge = regexp.MustCompile(`(?s)(<g id="t(\d+)_(\d+)" class="edge)(">.*?)(<text [^>]*>)(</text>)`)
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
		from, _ := strconv.Atoi(part[2])
		to, _ := strconv.Atoi(part[3])
		if from >= len(states) || to >= len(states[from].Next) {
			return group
		}
		taken := states[from].Next[to].Taken
		drawn := part[1] + " " + class(taken) + part[4]
		if taken > 1 {
			drawn += part[5] + times("", taken) + part[6]
		}
		return drawn
	})
	attributes, content, _ := strings.Cut(strings.TrimPrefix(file, "<svg "), ">")
	return template.HTML(`<svg class="machine" ` + attributes + ` role="img" aria-labelledby="machine-t machine-d">` +
		`<title id="machine-t">The state machine with the path taken</title><desc id="machine-d">` + template.HTMLEscapeString(says) + "</desc>" +
		strings.TrimSpace(content))
}
