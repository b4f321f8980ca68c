package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/jsii-runtime-go"
)

// shared is the synthesized app that most tests use.
var shared synthOnce

// asCommand is the environment variable that makes the test binary run as the command:
// CDK reads an app's context when its process starts.
const asCommand = "INFRA_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
		return
	}
	defer jsii.Close()
	outdir, err := os.MkdirTemp("", "infra-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(outdir)
	shared.outdir = outdir
	m.Run()
}

func TestMissingNodeIsNamed(t *testing.T) {
	if err := findNode(); err != nil {
		t.Fatal(err)
	}
	t.Setenv("JSII_NODE", "no-such-node")
	err := findNode()
	if err == nil || !strings.HasPrefix(err.Error(), "no-such-node was not found: install Node.js") {
		t.Errorf("without Node.js: %v", err)
	}
}

// TestNodeThatIsTooOldIsRefused has a command on the PATH that says it is a Node.js.
func TestNodeThatIsTooOldIsRefused(t *testing.T) {
	const install = ": install Node.js 22 or 24, which CDK needs, and put it on the PATH"
	for prints, want := range map[string]string{
		"echo v18.20.4":   "node is Node.js 18.20.4, which is too old" + install,
		"echo v0.10.48":   "node is Node.js 0.10.48, which is too old" + install,
		"echo v20.0.0":    "",
		"echo v24.11.1":   "",
		"echo v100.0.0":   "",
		"echo v22-rc.1":   `node --version printed "v22-rc.1\n", which is no version of Node.js` + install,
		"echo 22.1.0":     `node --version printed "22.1.0\n", which is no version of Node.js` + install,
		"true":            `node --version printed "", which is no version of Node.js` + install,
		"echo no; exit 3": "node --version failed (exit status 3)" + install,
	} {
		folder := t.TempDir()
		if err := os.WriteFile(filepath.Join(folder, "node"), []byte("#!/bin/sh\n"+prints+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		t.Setenv("PATH", folder+string(os.PathListSeparator)+os.Getenv("PATH"))
		got := ""
		if err := findNode(); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("a node that does %s: %q, not %q", prints, got, want)
		}
	}
}
