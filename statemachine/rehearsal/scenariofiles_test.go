package rehearsal

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// ScenarioFile is a file of testdata: an input, a scenario, and what is to be seen.
type ScenarioFile struct {
	Path    string
	Archive *txtar.Archive
	Options Options // what to rehearse
	Seen    string
}

// Name is the file's, without its folder.
func (f ScenarioFile) Name() string { return strings.TrimSuffix(filepath.Base(f.Path), ".txtar") }

// OfGates reports whether the file is about gates.
func (f ScenarioFile) OfGates() bool { return filepath.Base(filepath.Dir(f.Path)) == "gates" }

// ScenarioFiles reads all of them. An input that a file leaves out is the blog's.
func ScenarioFiles(t testing.TB) []ScenarioFile {
	t.Helper()
	var all []ScenarioFile
	for _, pattern := range []string{"testdata/*.txtar", "testdata/gates/*.txtar"} {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			t.Fatal("no scenario files in ", pattern, err)
		}
		for _, path := range paths {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			parts := map[string]string{"input.json": blogs, "scenario.json": "{}"}
			for _, part := range archive.Files {
				parts[part.Name] = string(part.Data)
			}
			scenario, err := ParseScenario([]byte(parts["scenario.json"]))
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			options := Options{Input: []byte(parts["input.json"]), Scenario: scenario, Seed: 1}
			all = append(all, ScenarioFile{path, archive, options, parts["seen"]})
		}
	}
	return all
}
