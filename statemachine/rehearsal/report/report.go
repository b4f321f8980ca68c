// Package report makes a page of a rehearsal, or of many: one HTML file that
// needs no other, no network and no script, for screens of any width, for print,
// and for those who hear it or go through it by keyboard.
package report

import (
	"bytes"
	"embed"
	"encoding/json"
	"html/template"
	"io"

	"github.com/lambda-rollout/lambda-rollout/statemachine"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
)

// Page is what a page is made of.
type Page struct {
	Result rehearsal.Result
	// Input is the execution's input, whatever it is.
	Input []byte
	// Scenario is the world that it was rehearsed in, by the name that the user
	// gave.
	Scenario     rehearsal.Scenario
	ScenarioName string
	Seed         uint64
}

//go:embed *.html page.css
var files embed.FS

// Write writes the page.
func Write(w io.Writer, p Page) error {
	v := newView(p)
	var err error
	if v.Charts, err = charts(p.Result, v); err != nil {
		return err
	}
	if len(p.Result.Path) > 0 {
		if v.Machine, err = newMachine(statemachine.Definition, p.Result.Path); err != nil {
			return err
		}
	}
	return fill(w, "page.html", v)
}

// fill writes the page of that name with what it says.
func fill(w io.Writer, name string, view any) error {
	page, err := template.New(name).Funcs(template.FuncMap{"style": style}).ParseFS(files, name, "head.html")
	if err != nil {
		return err
	}
	return page.Execute(w, view)
}

// style is the page's style sheet.
func style() (template.CSS, error) {
	sheet, err := files.ReadFile("page.css")
	return template.CSS(sheet), err
}

// pretty is JSON with line breaks, or what is no JSON as it is.
func pretty(data []byte) string {
	var out bytes.Buffer
	if err := json.Indent(&out, bytes.TrimSpace(data), "", "  "); err != nil {
		return string(data)
	}
	return out.String()
}
