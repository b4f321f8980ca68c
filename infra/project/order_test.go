package project

import (
	"bytes"
	"fmt"
	"go/format"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

// sources returns the tree's Go files by their names from the root. Because it reads
// them in this process, and not only in the commands below, `go test` runs these tests
// again, instead of using its cache, whenever one of the files changes.
func sources(t *testing.T) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	tree := os.DirFS(root)
	err := fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name != "." && (strings.HasPrefix(entry.Name(), ".") || name == "cdk.out"):
			return fs.SkipDir
		case path.Ext(name) == ".go" || path.Base(name) == "go.mod" || path.Base(name) == "go.sum":
			files[name], err = fs.ReadFile(tree, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestFilesAreFormatted(t *testing.T) {
	for name, source := range sources(t) {
		if path.Ext(name) == ".go" && !formatted(t, source) {
			t.Errorf("%s is not formatted: run gofmt -w %[1]s", name)
		}
	}
	if formatted(t, []byte("package bad\nvar  a = 1\n")) {
		t.Error("a file that is not formatted passes the check")
	}
}

// formatted reports whether a Go file is as gofmt writes it.
func formatted(t *testing.T, source []byte) bool {
	t.Helper()
	result, err := format.Source(source)
	if err != nil {
		t.Error(err)
	}
	return bytes.Equal(result, source)
}

// TestCommandsFindNothing runs the commands that check all the code. Each fails if it
// finds anything.
func TestCommandsFindNothing(t *testing.T) {
	sources(t)
	for _, command := range []string{
		"go vet ./...",
		"go tool staticcheck ./...",
		"go mod tidy -diff",
	} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			if complaint := complaintOf(root, command); complaint != "" {
				t.Error(complaint)
			}
		})
	}
}

func TestComplaintsAreSeen(t *testing.T) {
	const source = "package bad\n\nimport \"fmt\"\n\nfunc unused() { fmt.Printf(\"%d\", \"text\") }\n"
	folder := t.TempDir()
	for name, content := range map[string]string{
		"go.mod": "module bad\n\ngo 1.26\n\nrequire github.com/google/go-cmp v0.7.0\n",
		"bad.go": source,
	} {
		if err := os.WriteFile(path.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	staticcheck, err := exec.Command("go", "tool", "-n", "staticcheck").Output()
	if err != nil {
		t.Fatal(err)
	}
	for command, want := range map[string]string{
		"go vet ./...":                 "wrong type",
		string(staticcheck) + " ./...": "func unused is unused",
		"go mod tidy -diff":            "-require github.com/google/go-cmp",
	} {
		if complaint := complaintOf(folder, command); !strings.Contains(complaint, want) {
			t.Errorf("%s in a bad module: %q, want %q in it", command, complaint, want)
		}
	}
}

// complaintOf runs a command in a folder. If it fails, it returns the error and what the
// command wrote, otherwise "".
func complaintOf(folder, command string) string {
	words := strings.Fields(command)
	run := exec.Command(words[0], words[1:]...)
	run.Dir = folder
	out, err := run.CombinedOutput()
	if err != nil {
		return fmt.Sprintf("%s: %v\n%s", command, err, out)
	}
	return ""
}

// misplaced returns those of the names that do not belong at the top level.
func misplaced(names []string) []string {
	belongs := []string{
		"lambdas", "statemachine", "infra", "docs", "findings",
		"go.mod", "go.sum", "cdk.json", "README.md", "LICENSE",
		"cdk.out", // written by a synth; not under version control
	}
	return slices.DeleteFunc(names, func(name string) bool {
		return strings.HasPrefix(name, ".") || slices.Contains(belongs, name)
	})
}

func TestTopLevelHoldsNothingElse(t *testing.T) {
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	if found := misplaced(names); len(found) > 0 {
		t.Errorf("not allowed at the top level: %q", found)
	}
	if found := misplaced([]string{".ci", "infra", "pkg", "main.go"}); !slices.Equal(found, []string{"pkg", "main.go"}) {
		t.Errorf("misplaced finds only %q in a bad top level", found)
	}
}
