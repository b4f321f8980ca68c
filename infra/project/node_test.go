package project

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// nodePlaces are the files that say which versions of Node.js are needed, with the line
// that has the oldest one if they check it. They can't share a source: a shell script,
// the app, a package that only tests may import, and two pages.
var nodePlaces = map[string]string{
	"README.md":            "",
	"docs/CONTRIBUTING.md": "",
	".ci/run":              "oldest=20\n",
	"infra/node.go":        "oldestNode  = 20\n",
	"statemachine/internal/nodetool/nodetool.go": "oldestNode  = 20\n",
}

// supportedNode is what CDK's runtime supports; on Node.js 20, it prints a warning.
const supportedNode = "Node.js 22 or 24"

var nodeVersions = regexp.MustCompile(`Node(?:\.js)? [0-9]+(?: or [a-z0-9]+)?`)

// wrongNode returns what a text says about the versions of Node.js that it should not
// say: others, or nothing.
func wrongNode(text, oldest string) (wrong []string) {
	found := nodeVersions.FindAllString(text, -1)
	for _, version := range found {
		if version != supportedNode && version != "Node.js 20" {
			wrong = append(wrong, version)
		}
	}
	if !strings.Contains(text, supportedNode) {
		wrong = append(wrong, "nothing of "+supportedNode)
	}
	if !strings.Contains(text, oldest) {
		wrong = append(wrong, "nothing of "+oldest)
	}
	return wrong
}

func TestTheVersionsOfNodeAreTheSameEverywhere(t *testing.T) {
	for place, oldest := range nodePlaces {
		for _, wrong := range wrongNode(read(t, place), oldest) {
			t.Errorf("%s has %s", place, wrong)
		}
	}
	const bad = "Node.js 20 or later, or Node.js 24"
	if wrong := wrongNode(bad, "oldest=20"); len(wrong) != 4 {
		t.Errorf("%q has %q", bad, wrong)
	}
}

// TestTheCheckRefusesNodeThatIsTooOld runs .ci/run with commands that do nothing.
func TestTheCheckRefusesNodeThatIsTooOld(t *testing.T) {
	for version, want := range map[string]string{
		"v18.20.4": ".ci/run: node is Node.js 18.20.4, which is too old: install " + supportedNode,
		"v9.0.0":   ".ci/run: node is Node.js 9.0.0, which is too old: install " + supportedNode,
		"rubbish":  ".ci/run: node is Node.js rubbish, which is too old: install " + supportedNode,
		"v20.0.0":  "",
		"v24.1.0":  "",
	} {
		folder := t.TempDir()
		for name, does := range map[string]string{"go": `[ "$1" != env ] || echo sh`, "npm": "true", "node": "echo " + version} {
			if err := os.WriteFile(filepath.Join(folder, name), []byte("#!/bin/sh\n"+does+"\n"), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		run := exec.Command("bash", filepath.Join(root, ".ci", "run"))
		run.Env = append(os.Environ(), "PATH="+folder+string(os.PathListSeparator)+os.Getenv("PATH"))
		out, err := run.CombinedOutput()
		if (err != nil) != (want != "") || !strings.HasPrefix(string(out), want) || want == "" && len(out) > 0 {
			t.Errorf("with Node.js %s: %v: %s", version, err, out)
		}
	}
}
