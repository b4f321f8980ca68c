package project

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTimeComesInAsData(t *testing.T) {
	for name, source := range sources(t) {
		if strings.HasPrefix(name, "lambdas/") && !strings.HasSuffix(name, "_test.go") {
			for _, reading := range clockReadings(t, name, source) {
				t.Errorf("%s: a task takes the time from its input, so that it can be replayed", reading)
			}
		}
	}
}

func TestClockReadingsAreSeen(t *testing.T) {
	const source = `package task
import clock "time"
var second = clock.Second
func f() { g(clock.Now); g(clock.Since(t)) }
`
	want := []string{"f.go:4:14: Now", "f.go:4:28: Since"}
	if diff := cmp.Diff(want, clockReadings(t, "f.go", []byte(source))); diff != "" {
		t.Errorf("clock readings (-want +got):\n%s", diff)
	}
	if found := clockReadings(t, "main.go", []byte(strings.Replace(source, "package task", "package main", 1))); found != nil {
		t.Errorf("package main may read the clock: %q", found)
	}
}

// clockReadings returns where a file reads the clock: nothing for a file of
// package main, which may.
func clockReadings(t *testing.T, name string, source []byte) []string {
	t.Helper()
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, source, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	clock := ""
	for _, spec := range file.Imports {
		if path, _ := strconv.Unquote(spec.Path.Value); path == "time" {
			clock = "time"
			if spec.Name != nil {
				clock = spec.Name.Name
			}
		}
	}
	if clock == "" || file.Name.Name == "main" {
		return nil
	}
	var found []string
	ast.Inspect(file, func(node ast.Node) bool {
		selector, ok := node.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		pkg, ok := selector.X.(*ast.Ident)
		if ok && pkg.Name == clock && slices.Contains([]string{"Now", "Since", "Until"}, selector.Sel.Name) {
			found = append(found, files.Position(node.Pos()).String()+": "+selector.Sel.Name)
		}
		return true
	})
	return found
}
