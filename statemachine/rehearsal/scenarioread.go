package rehearsal

import (
	"embed"
	"fmt"
	"strings"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal/strictjson"
)

//go:embed scenarios/*.json
var builtIn embed.FS

// BuiltIn returns the names of the built-in scenarios, sorted.
func BuiltIn() []string {
	entries, err := builtIn.ReadDir("scenarios")
	if err != nil {
		panic(err) // the folder is part of the program
	}
	var names []string
	for _, entry := range entries {
		names = append(names, strings.TrimSuffix(entry.Name(), ".json"))
	}
	return names
}

// LoadBuiltIn returns the built-in scenario of that name; false if there is none.
func LoadBuiltIn(name string) (Scenario, bool) {
	data, ok := BuiltInJSON(name)
	if !ok {
		return Scenario{}, false
	}
	scenario, err := ParseScenario(data)
	if err != nil {
		panic(fmt.Sprintf("built-in scenario %s: %v", name, err)) // a test parses each
	}
	return scenario, true
}

// BuiltInJSON returns the text of a built-in scenario; false if there is none with that name.
func BuiltInJSON(name string) ([]byte, bool) {
	data, err := builtIn.ReadFile("scenarios/" + name + ".json")
	return data, err == nil
}

// ScenarioError is the error of a scenario that can't be rehearsed.
type ScenarioError struct {
	Problems []rollout.Problem // at least one
}

// Error returns the problems, each on a line.
func (e *ScenarioError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.Error()
	}
	return "the scenario is not valid:\n" + strings.Join(lines, "\n")
}

// ParseScenario reads a scenario from JSON, as docs/scenario.schema.json has it. The
// defaults are ten requests per second without errors, of 100 ms in the mean, and
// metrics that are 30 s late. A field that is unknown, in another case, given twice, or
// null is an error, as is a value out of range. The error is a *[ScenarioError] with all
// of them.
func ParseScenario(data []byte) (Scenario, error) {
	s := Scenario{RequestsPerSecond: 10, Baseline: usual, NewVersion: usual, MetricDelay: 30}
	read := strictjson.Read(data, &s)
	found := read.Problems
	for _, p := range problemsOf(s.check()) {
		switch follows := p.Want == wantKnownMetric(s) && read.Spoilt("metrics"); {
		case follows || read.Spoilt(p.Path):
			continue // what is there is not what was given
		case p.Given != "" && read.Given(p.Path) != "":
			p.Given = read.Given(p.Path)
		}
		found = append(found, p)
	}
	if found != nil {
		return Scenario{}, &ScenarioError{found}
	}
	return s, nil
}

// problemsOf returns the problems that were joined to an error.
func problemsOf(err error) []rollout.Problem {
	switch err := err.(type) {
	case nil:
		return nil
	case rollout.Problem:
		return []rollout.Problem{err}
	case interface{ Unwrap() []error }:
		var all []rollout.Problem
		for _, one := range err.Unwrap() {
			all = append(all, problemsOf(one)...)
		}
		return all
	}
	return []rollout.Problem{{Path: strictjson.Root, Want: err.Error()}}
}

// problemAt returns the problem with a value; given is left out if it is nil.
func problemAt(path, want string, given any) rollout.Problem {
	p := rollout.Problem{Path: path, Want: want}
	if given != nil {
		p.Given = rollout.Shorten(rollout.OneLine(inJSON(given)), 80)
	}
	return p
}
