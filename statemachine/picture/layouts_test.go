package picture

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/statemachine"
)

var update = flag.Bool("update", false, "lay the workflows out again, and write layouts/")

// workflows are those that are drawn, by the names of their files in layouts/.
var workflows = map[string]string{
	"rollout": statemachine.Definition,
	"release": statemachine.ReleaseDefinition,
}

// TestLayoutsAreThoseOfTheWorkflows lays the workflows out again and compares them with the files.
func TestLayoutsAreThoseOfTheWorkflows(t *testing.T) {
	tool := graphvizTool(t)
	for name, definition := range workflows {
		states, err := Read(definition)
		if err != nil {
			t.Fatal(err)
		}
		laid, err := layOut(tool, states)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join("layouts", name+".svg")
		if *update {
			if err := os.WriteFile(file, []byte(laid), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if kept, err := os.ReadFile(file); err != nil || string(kept) != laid {
			t.Errorf("%s is not the layout of its workflow (%v): run go test ./statemachine/picture -run Layouts -update\n%s", file, err, cmp.Diff(string(kept), laid))
		}
	}
	if files, err := filepath.Glob("layouts/*"); err != nil || len(files) != len(workflows) {
		t.Errorf("the layouts %q (%v) are not those of %d workflows", files, err, len(workflows))
	}
}

// graphvizTool builds the command in graphviz/, whose modules the go command downloads
// unless the module cache has them.
func graphvizTool(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"go.mod", "go.sum", "main.go"} { // so that `go test` notices their changes
		if _, err := os.ReadFile(filepath.Join("graphviz", name)); err != nil {
			t.Fatal(err)
		}
	}
	tool := filepath.Join(t.TempDir(), "graphviz")
	build := exec.Command("go", "build", "-C", "graphviz", "-o", tool, ".")
	build.Env = append(os.Environ(), "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build graphviz/: %v\n%s", err, out)
	}
	return tool
}

// layOut lays states out with Graphviz, and returns what layouts/ has of them.
func layOut(tool string, states []State) (string, error) {
	graph, err := dot(states)
	if err != nil {
		return "", err
	}
	var out, problems bytes.Buffer
	lay := exec.Command(tool)
	lay.Stdin, lay.Stdout, lay.Stderr = strings.NewReader(graph), &out, &problems
	if err := lay.Run(); err != nil {
		return "", errors.Join(err, errors.New(problems.String()))
	}
	return stripped(out.String()) + "<!-- " + fingerprint(states) + " -->\n", nil
}

// The room that the layout leaves in a state for its mark and its count.
const room = "▶ ×99"

// dot returns states as a graph in Graphviz' language. The states that follow one another
// when all goes well are in one column, and what is caught does not move others.
func dot(states []State) (string, error) {
	var dot strings.Builder
	dot.WriteString("digraph {\nbgcolor=transparent\nnodesep=0.1\nranksep=0.32\nnode [shape=box style=rounded fontname=Arial fontsize=13 height=0.4 margin=\"0.06,0.04\"]\nedge [fontname=Arial fontsize=11 arrowsize=0.7]\n")
	number := map[string]int{}
	for i, s := range states {
		number[s.Name] = i
	}
	column := mainColumn(states)
	for i, s := range states {
		group, place := "", slices.Index(column, s.Name)
		if place >= 0 {
			group = " group=main"
		}
		fmt.Fprintf(&dot, "s%d [id=s%d label=%s%s]\n", i, i, quoted(s.Name+room), group)
		for j, t := range s.Next {
			style, weight := "solid", 1
			if t.Caught {
				style, weight = "dashed", 0
			} else if place >= 0 && place+1 < len(column) && column[place+1] == t.To {
				weight = 8
			}
			to, known := number[t.To]
			if !known {
				return "", fmt.Errorf("the state %q is followed by %q, which the workflow does not have", s.Name, t.To)
			}
			fmt.Fprintf(&dot, "s%d -> s%d [style=%s weight=%d id=t%d_%d]\n", i, to, style, weight, i, j)
		}
	}
	dot.WriteString("}\n")
	return dot.String(), nil
}

// mainColumn returns the states from the first one on, each followed by the first of its
// transitions that leads to another one.
func mainColumn(states []State) (names []string) {
	for at := 0; at >= 0; {
		s := states[at]
		names = append(names, s.Name)
		next := slices.IndexFunc(s.Next, func(t Transition) bool { return !t.Caught && !slices.Contains(names, t.To) })
		if next < 0 {
			break
		}
		at = slices.IndexFunc(states, func(other State) bool { return other.Name == s.Next[next].To })
	}
	return names
}

// quoted returns a text as a string of Graphviz' language. Its labels are HTML texts
// with escapes of their own.
func quoted(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "&", "&amp;", "\n", " ", "\x00", "").Replace(text) + `"`
}

var (
	// ballast is what Graphviz writes and a page does not need: comments, titles, and
	// attributes that the style sheet sets.
	ballast   = regexp.MustCompile(`(?s)<!--.*?-->\s*|<title>.*?</title>\s*| (font-family|font-size|fill|stroke)="[^"]*"`)
	viewBox   = regexp.MustCompile(`viewBox="[^"]*"`)
	stateText = regexp.MustCompile(`(?s)(<g id="s\d+" class="node)(">.*?<text [^>]*>)[^<]*(</text>)`)
	edgeGroup = regexp.MustCompile(`(?s)(<g id="t\d+_\d+" class="edge)(">\s*<path[^>]* d="([^"]*)"[^>]*>.*?)(</g>)`)
	number    = regexp.MustCompile(`-?[\d.]+`)
)

// stripped returns what a page needs of Graphviz' file. States have no names, and
// transitions a place for their counts.
func stripped(file string) string {
	_, file, _ = strings.Cut(file, "<svg")
	attributes, content, _ := strings.Cut(file, ">")
	content = ballast.ReplaceAllString(content, "")
	content = stateText.ReplaceAllString(content, "$1$2$3")
	content = edgeGroup.ReplaceAllStringFunc(content, func(group string) string {
		part := edgeGroup.FindStringSubmatch(group)
		x, y, bentLeft := middle(part[3])
		if bentLeft { // on the right it would lie on the states that the transition passes
			return fmt.Sprintf("%s%s<text text-anchor=\"end\" x=\"%.0f\" y=\"%.0f\"></text>\n%s", part[1], part[2], x-4, y+4, part[4])
		}
		return fmt.Sprintf("%s%s<text x=\"%.0f\" y=\"%.0f\"></text>\n%s", part[1], part[2], x+4, y+4, part[4])
	})
	return "<svg " + viewBox.FindString(attributes) + ">" + strings.TrimSpace(content) + "\n"
}

// middle returns the middle of the middle one of a path's curves, and whether it is clearly
// on the left of both ends.
func middle(path string) (x, y float64, bentLeft bool) {
	var points []float64
	for _, text := range number.FindAllString(path, -1) {
		value, _ := strconv.ParseFloat(text, 64)
		points = append(points, value)
	}
	curves := (len(points)/2 - 1) / 3
	at := points[curves/2*6:]
	of := func(i int) float64 { return (at[i] + 3*at[i+2] + 3*at[i+4] + at[i+6]) / 8 }
	x = of(0)
	return x, of(1), x < min(points[0], points[len(points)-2])-10
}
