package nodetool

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

func TestMissingNodeIsNamed(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if _, err := Output(Command(t.TempDir(), "validate.js")); err == nil || !strings.HasPrefix(err.Error(), "node was not found: install Node.js") {
		t.Errorf("without node: %v", err)
	}
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	pins := fstest.MapFS{"package.json": {Data: []byte("{}")}, "package-lock.json": {Data: []byte("{}")}}
	for prints, want := range map[string]string{
		"":              "node was not found: install Node.js",
		"echo v18.20.4": `node is Node.js "18.20.4", which is too old: install Node.js 22 or 24`,
		"echo nonsense": `node is Node.js "nonsense", which is too old: install Node.js 22 or 24`,
		"echo v20.0.0":  "npm was not found: install Node.js",
	} {
		folder := t.TempDir()
		if prints != "" {
			if err := os.WriteFile(filepath.Join(folder, "node"), []byte("#!/bin/sh\n"+prints+"\n"), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		t.Setenv("PATH", folder)
		if _, err := Install("nothing", pins); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("a node that does %q, without npm: %v", prints, err)
		}
	}
}
