package main

import (
	"os"
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
