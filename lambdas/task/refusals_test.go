package task_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// TestTheCleanupKnowsEveryRefusal reads the refusals' names from where they
// are declared: what was refused has no alias, and is not looked after.
func TestTheCleanupKnowsEveryRefusal(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var source []byte
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		source = append(source, text...)
	}
	names := []string{"InvalidRequest", "AccessDenied"}
	for _, declared := range regexp.MustCompile(`(?m)^\t(\w+) struct\{ refusal \}`).FindAllStringSubmatch(string(source), -1) {
		names = append(names, declared[1])
	}
	if len(names) != 15 {
		t.Errorf("found %v", names)
	}
	for _, name := range append(names, "RollbackFailed") {
		w := newWorld(t)
		e := w.execution("FAILED")
		e.Error = name
		if _, err := w.server.Inject(localaws.Fault{Operation: "GetAlias", Kind: localaws.ServerError}); err != nil {
			t.Fatal(err)
		}
		_, err := w.cleanup(ran{e}).Handle(context.Background(), json.RawMessage(endedEvent))
		if looked := err != nil; looked != (name == "RollbackFailed") {
			t.Errorf("%s: looked at the alias: %v", name, looked)
		}
	}
}
