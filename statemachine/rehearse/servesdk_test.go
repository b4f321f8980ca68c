package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/nodetool"
)

// servedCommand is the running command serve, with the environment that it printed.
type servedCommand struct{ env map[string]string }

var exported = regexp.MustCompile(`^export ([A-Z_]+)=(\S+)$`)

// serving runs `serve` with options until the test ends.
func serving(t *testing.T, options ...string) *servedCommand {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	reader, writer := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		code := serveAWS(ctx, options, writer, writer)
		writer.Close()
		ended <- code
	}()
	t.Cleanup(func() {
		stop()
		if code := <-ended; code != promoted {
			t.Errorf("serve exits with %d", code)
		}
	})
	s := &servedCommand{map[string]string{}}
	lines := bufio.NewScanner(reader)
	for lines.Scan() {
		if found := exported.FindStringSubmatch(lines.Text()); found != nil {
			s.env[found[1]] = found[2]
		} else if strings.HasPrefix(lines.Text(), "# The executions") {
			go func() { _, _ = io.Copy(io.Discard, reader) }() // until it is closed
			return s
		}
	}
	t.Fatalf("serve ended after printing %v", s.env)
	return nil
}

// environ returns the printed environment as that of a process.
func (s *servedCommand) environ() []string {
	var all []string
	for name, value := range s.env {
		all = append(all, name+"="+value)
	}
	return all
}

// TestThePostWithTheSDKForJavaScript rolls out with the AWS SDK for JavaScript.
func TestThePostWithTheSDKForJavaScript(t *testing.T) {
	sdk := filepath.Join("testdata", "sdk")
	installed, err := nodetool.Install("sdk", os.DirFS(sdk))
	if err != nil {
		t.Fatal(err)
	}
	node := nodetool.Command(installed, filepath.Join(sdk, "post.js"), base64.StdEncoding.EncodeToString(codeZIP(t)))
	served := serving(t, "-speed", "60")
	node.Env = append(served.environ(), "HOME="+t.TempDir(), "PATH="+os.Getenv("PATH"), "NODE_PATH="+filepath.Join(installed, "node_modules"))
	output, err := nodetool.Output(node)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(output, &got); err != nil {
		t.Fatalf("%v in %s", err, output)
	}
	execution := strings.Replace(served.env["STATE_MACHINE_ARN"], ":stateMachine:", ":execution:", 1)
	for name, want := range map[string]any{
		"updated":   "InProgress",
		"published": "3",
		"shifted":   map[string]any{"at": "1", "weights": map[string]any{"2": 0.05}},
		"promoted":  map[string]any{"at": "2"},
		"back":      map[string]any{"at": "1"},
		"simple":    map[string]any{"error": "Unhandled", "type": "TooLong"},
		"execution": execution + ":js",
		"running":   "RUNNING",
		"listed":    []any{"js"},
		"ended":     "SUCCEEDED",
		"first":     "CalculateWeights",
		"last":      "ExecutionSucceeded",
		"alias":     map[string]any{"at": "2"},
		"served":    true,
		"stopped":   "ABORTED",
		"redriven":  "Redriven",
		"again":     "ExecutionAlreadyExists",
		"missing":   "ResourceNotFoundException",
	} {
		if !reflect.DeepEqual(got[name], want) {
			t.Errorf("%s is %v, want %v", name, got[name], want)
		}
	}
}
