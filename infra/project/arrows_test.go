// Package project has the tests that look at the whole tree: which package may
// import which, what may lie where, and that every file is in order.
package project

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const module = "github.com/lambda-rollout/lambda-rollout"

// root is the module's folder, seen from the folder in which the tests run.
var root = filepath.Join("..", "..")

// forbidden returns why the package from must not depend on the package to, or
// "" if it may. Packages of the module are named from its root.
func forbidden(from, to string) string {
	within := func(pkg, folder string) bool {
		return pkg == folder || strings.HasPrefix(pkg, folder+"/")
	}
	ours := within(to, "lambdas") || within(to, "statemachine") || within(to, "infra")
	pure := from == "lambdas/rollout" || from == "lambdas/sequential"
	switch {
	case ours && (pure || from == "statemachine/asl" || from == "statemachine/iam"):
		return "it imports nothing of ours"
	case pure && within(to, "github.com/aws"):
		return "it knows nothing of AWS"
	case within(from, "lambdas") && (within(to, "statemachine") || within(to, "infra")):
		return "the functions know nothing of what calls or deploys them"
	case within(from, "infra") && ours && to != "statemachine" && !within(to, "infra"):
		return "of the rest of the project, infra sees only statemachine"
	case within(to, "statemachine/rehearsal") && from != "statemachine/rehearse" && !within(from, "statemachine/rehearsal"):
		return "only rehearse imports it, and what is in it"
	case from == "statemachine/rehearsal" && within(to, "statemachine/rehearsal/report"):
		return "a rehearsal knows nothing of its report"
	case within(to, "gonum.org/v1/plot") && within(from, "lambdas"):
		return "the functions draw nothing"
	}
	return ""
}

// violations returns the dependencies that are forbidden, of packages with all
// that they depend on.
func violations(graph map[string][]string) []string {
	var found []string
	for from, dependencies := range graph {
		for _, to := range dependencies {
			if why := forbidden(from, to); why != "" && from != to {
				found = append(found, from+" depends on "+to+": "+why)
			}
		}
	}
	slices.Sort(found)
	return found
}

func TestImportsPointOneWay(t *testing.T) {
	list := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Deps " "}}`, "./...")
	list.Dir = root
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	graph := map[string][]string{}
	for line := range strings.Lines(strings.ReplaceAll(string(out), module+"/", "")) {
		packages := strings.Fields(line)
		graph[packages[0]] = packages[1:]
	}
	for _, pkg := range []string{"lambdas/rollout", "statemachine", "statemachine/asl", "statemachine/iam", "infra", "infra/lambdarollout"} {
		if graph[pkg] == nil {
			t.Errorf("there is no package %s: has it been renamed? Then so must the rules be", pkg)
		}
	}
	for _, violation := range violations(graph) {
		t.Error(violation)
	}
}

func TestForbiddenImportsAreSeen(t *testing.T) {
	good := map[string][]string{
		"lambdas/rollout":               {"time", "strings"},
		"lambdas/task":                  {"lambdas/rollout", "lambdas/alias", "github.com/aws/smithy-go"},
		"statemachine/localaws":         {"lambdas/rollout", "github.com/aws/smithy-go"},
		"statemachine/rehearse":         {"statemachine/rehearsal", "lambdas/task"},
		"statemachine/rehearsal/report": {"statemachine/rehearsal", "gonum.org/v1/plot"},
		"infra":                         {"statemachine", "infra/lambdarollout"},
		"statemachine/rehearsaler":      nil,
	}
	if found := violations(good); found != nil {
		t.Errorf("a good graph: %q", found)
	}
	bad := map[string][]string{
		"lambdas/rollout":        {"lambdas/alias", "github.com/aws/smithy-go"},
		"lambdas/sequential":     {"lambdas/rollout"},
		"lambdas/task":           {"statemachine", "infra/lambdarollout"},
		"statemachine/asl":       {"statemachine"},
		"statemachine/iam":       {"statemachine/localaws"},
		"statemachine/localaws":  {"statemachine/rehearsal/report"},
		"statemachine/rehearsal": {"statemachine/rehearsal/report"},
		"lambdas/health":         {"gonum.org/v1/plot/vg"},
		"infra/lambdarollout":    {"lambdas/task", "statemachine/asl"},
	}
	want := []string{
		"infra/lambdarollout depends on lambdas/task: of the rest of the project, infra sees only statemachine",
		"infra/lambdarollout depends on statemachine/asl: of the rest of the project, infra sees only statemachine",
		"lambdas/health depends on gonum.org/v1/plot/vg: the functions draw nothing",
		"lambdas/rollout depends on github.com/aws/smithy-go: it knows nothing of AWS",
		"lambdas/rollout depends on lambdas/alias: it imports nothing of ours",
		"lambdas/sequential depends on lambdas/rollout: it imports nothing of ours",
		"lambdas/task depends on infra/lambdarollout: the functions know nothing of what calls or deploys them",
		"lambdas/task depends on statemachine: the functions know nothing of what calls or deploys them",
		"statemachine/asl depends on statemachine: it imports nothing of ours",
		"statemachine/iam depends on statemachine/localaws: it imports nothing of ours",
		"statemachine/localaws depends on statemachine/rehearsal/report: only rehearse imports it, and what is in it",
		"statemachine/rehearsal depends on statemachine/rehearsal/report: a rehearsal knows nothing of its report",
	}
	if diff := cmp.Diff(want, violations(bad)); diff != "" {
		t.Errorf("a bad graph (-want +got):\n%s", diff)
	}
}

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

// clockReadings returns where a file that is not of package main reads the clock.
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
