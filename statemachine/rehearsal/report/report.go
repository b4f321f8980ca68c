// Package report writes HTML pages about rehearsed and recorded rollouts: with the
// outcome, charts over time, the checks, and the path through the state machine.
//
//   - [Write] writes the page about one rollout, rehearsed or recorded.
//   - [WriteMany] writes the page about many rehearsals: shares of outcomes with
//     their intervals, and histograms.
//   - [WriteRelease] writes the page about a release, and [WriteRehearsedRelease] that
//     about a rehearsal of one: its waves over time, its rollouts, what it decided.
//
// A page is one file that needs no other file, no network and no script. It fits
// screens of any width and print, and can be read with a keyboard or a screen
// reader.
package report

import (
	"bytes"
	"embed"
	"encoding/json"
	"html/template"
	"io"

	"github.com/lambda-rollout/lambda-rollout/statemachine"
	"github.com/lambda-rollout/lambda-rollout/statemachine/picture"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
)

// Page is the content of a page about one rollout.
type Page struct {
	Result rehearsal.Result
	// Input is the execution's input, which may be invalid.
	Input []byte
	// Scenario has the conditions that were rehearsed, and ScenarioName is the name
	// that the user gave them: a built-in scenario's or a file's. They and Seed are
	// not used for a recorded rollout.
	Scenario     rehearsal.Scenario
	ScenarioName string
	Seed         uint64
	// Reasons are why the result's orders were given, by their numbers, as far as they are
	// known, and ReasonsNote says why they are not; it may be empty.
	Reasons     map[int64]string
	ReasonsNote string
	// Command is the shell command that makes the page again; empty for a recorded rollout.
	Command string
}

//go:embed *.html page.css
var files embed.FS

// Write writes the page about one rollout as HTML. It returns an error if w does, or
// if the result's path has a state that the workflow does not have.
func Write(w io.Writer, p Page) error {
	v := newView(p)
	var err error
	if v.Charts, err = charts(p.Result, v); err != nil {
		return err
	}
	if len(p.Result.Path) > 0 {
		if v.Machine, err = picture.New(statemachine.Definition, p.Result.Path); err != nil {
			return err
		}
	}
	return fill(w, "page.html", v)
}

// fill executes the template of that name.
func fill(w io.Writer, name string, view any) error {
	page, err := template.New(name).Funcs(template.FuncMap{"style": style, "rows": rowsOf}).ParseFS(files, name, "head.html")
	if err != nil {
		return err
	}
	return page.Execute(w, view)
}

// style returns the style sheet.
func style() (template.CSS, error) {
	sheet, err := StyleSheet()
	return template.CSS(sheet), err
}

// pretty indents JSON; it returns anything else unchanged.
func pretty(data []byte) string {
	var out bytes.Buffer
	if err := json.Indent(&out, bytes.TrimSpace(data), "", "  "); err != nil {
		return string(data)
	}
	return out.String()
}
