package statemachine_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/statemachine"
)

var (
	diagramName = regexp.MustCompile(`(?m)^    state "([^"]+)" as (\w+)$`)
	diagramEdge = regexp.MustCompile(`(?m)^    (\w+) --> (\w+)`)
)

// edges returns the transitions of the diagram in a page, in order, each as "from > to",
// by the states' names in the workflow.
func edges(page string) []string {
	names := map[string]string{}
	for _, name := range diagramName.FindAllStringSubmatch(page, -1) {
		names[name[2]] = name[1]
	}
	byName := func(id string) string {
		if name := names[id]; name != "" {
			return name
		}
		return id
	}
	var all []string
	for _, edge := range diagramEdge.FindAllStringSubmatch(page, -1) {
		all = append(all, byName(edge[1])+" > "+byName(edge[2]))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// transitions returns those of the workflow between the states that are shown, through
// states that are not shown, in the same form.
func transitions(t *testing.T, definition string, shown func(state string) bool) []string {
	t.Helper()
	var workflow struct {
		States map[string]struct {
			Next, Default  string
			Choices, Catch []struct{ Next string }
		}
	}
	if err := json.Unmarshal([]byte(definition), &workflow); err != nil {
		t.Fatal(err)
	}
	var all []string
	for from := range workflow.States {
		if !shown(from) {
			continue
		}
		seen := map[string]bool{}
		var follow func(state string)
		leave := func(state string) {
			of := workflow.States[state]
			next := []string{of.Next, of.Default}
			for _, to := range slices.Concat(of.Choices, of.Catch) {
				next = append(next, to.Next)
			}
			for _, to := range next {
				if to != "" {
					follow(to)
				}
			}
		}
		follow = func(state string) {
			if shown(state) {
				all = append(all, from+" > "+state)
			} else if !seen[state] {
				seen[state] = true
				leave(state)
			}
		}
		leave(from)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// onlyAtFirst are transitions through the Choice state Begin that only CalculateWeights can
// cause: no other task says that the alias is on the new version already.
var onlyAtFirst = []string{"Allocate > Unchanged", "Decide > Unchanged"}

// TestTheDiagramIsTheWorkflow: the picture in docs/architecture.md has each transition
// between the states that it shows, and no other, and shows each state that does something.
func TestTheDiagramIsTheWorkflow(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "docs", "architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	drawn := edges(string(text))
	shown := func(state string) bool {
		return slices.ContainsFunc(drawn, func(edge string) bool {
			return strings.HasPrefix(edge, state+" > ") || strings.HasSuffix(edge, " > "+state)
		})
	}
	want := slices.DeleteFunc(transitions(t, statemachine.Definition, shown), func(edge string) bool { return slices.Contains(onlyAtFirst, edge) })
	if diff := cmp.Diff(want, drawn); diff != "" {
		t.Errorf("transitions (-workflow +docs/architecture.md):\n%s", diff)
	}
	for _, name := range []string{"Unchanged", "Promoted", "Rolled back", "Refused", "Not started", "Alias changed", "Rollback failed", "Handed back"} {
		if !shown(name) {
			t.Errorf("the diagram does not show the ending %s", name)
		}
	}
	changed := strings.Replace(statemachine.Definition, `"Next": "Finalize"`, `"Next": "Promoted"`, 1)
	if changed == statemachine.Definition || slices.Equal(want, transitions(t, changed, shown)) {
		t.Error("another transition of the workflow is not seen")
	}
}
