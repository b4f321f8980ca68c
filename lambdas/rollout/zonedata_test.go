package rollout_test

import (
	"archive/zip"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// TestWhoReadsRequestsHasTimeZones: the commands that read requests embed time zone data,
// as their environment may have none. The other functions need none, and don't carry it.
func TestWhoReadsRequestsHasTimeZones(t *testing.T) {
	for path, wants := range map[string]bool{
		"../calculateweights": true, "../stackrollout": true, "../simpledeploy": true, "../../statemachine/lambda-rollout": true,
		"../updatealias": false, "../healthcheck": false, "../finalize": false, "../rollback": false,
	} {
		file, err := parser.ParseFile(token.NewFileSet(), path+"/main.go", nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		has := false
		for _, imported := range file.Imports {
			has = has || imported.Path.Value == `"time/tzdata"`
		}
		if has != wants {
			t.Errorf("%s embeds time zone data: %v", path, has)
		}
	}
}

// TestTheZonesAreGos: the names that requests may have are those of Go's time zone data.
func TestTheZonesAreGos(t *testing.T) {
	names := rollout.ZoneNames()
	if !slices.IsSorted(names) || len(names) < 500 {
		t.Fatalf("%d names", len(names))
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	data, err := zip.OpenReader(filepath.Join(strings.TrimSpace(string(root)), "lib", "time", "zoneinfo.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer data.Close()
	for _, file := range data.File {
		if _, known := slices.BinarySearch(names, file.Name); !known && !strings.HasSuffix(file.Name, "/") && file.Name != "Factory" {
			t.Errorf("zones.txt has no %s", file.Name)
		}
	}
	for _, name := range names {
		if strings.TrimSpace(name) == "" {
			t.Error("an empty name")
		}
		decode(t, called(`"windows": [{"from": "09:00", "to": "16:00", "time-zone": "`+name+`"}]`))
	}
}
