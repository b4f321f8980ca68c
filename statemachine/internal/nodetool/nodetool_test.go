package nodetool

import (
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
	if _, err := Install("nothing", pins); err == nil || !strings.HasPrefix(err.Error(), "npm was not found: install Node.js") {
		t.Errorf("without npm: %v", err)
	}
}
