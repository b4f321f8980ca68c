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

// servedCommand is the running command serve, with the environment and the console's
// address that it printed.
type servedCommand struct {
	env     map[string]string
	console string
}

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
	s, printed := &servedCommand{env: map[string]string{}}, ""
	lines := bufio.NewScanner(reader)
	for lines.Scan() {
		printed += lines.Text() + "\n"
		if found := exported.FindStringSubmatch(lines.Text()); found != nil {
			s.env[found[1]] = found[2]
		} else if address, ok := strings.CutPrefix(lines.Text(), "# The executions, in a browser: "); ok {
			s.console = address
			go func() { _, _ = io.Copy(io.Discard, reader) }() // until it is closed
			return s
		}
	}
	t.Fatalf("serve ended after printing %v: %s", s.env, printed)
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

// printed runs a program with the AWS SDK for JavaScript against a served AWS, and
// returns the JSON that it prints.
func printed(t *testing.T, served *servedCommand, program string, args ...string) map[string]any {
	t.Helper()
	sdk := filepath.Join("testdata", "sdk")
	installed, err := nodetool.Install("sdk", os.DirFS(sdk))
	if err != nil {
		t.Fatal(err)
	}
	node := nodetool.Command(installed, append([]string{filepath.Join(sdk, program)}, args...)...)
	node.Env = append(served.environ(), "HOME="+t.TempDir(), "PATH="+os.Getenv("PATH"), "NODE_PATH="+filepath.Join(installed, "node_modules"))
	output, err := nodetool.Output(node)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(output, &got); err != nil {
		t.Fatalf("%v in %s", err, output)
	}
	return got
}

// compare compares what a program printed with what it should print.
func compare(t *testing.T, got, want map[string]any) {
	t.Helper()
	for name := range want {
		if !reflect.DeepEqual(got[name], want[name]) {
			t.Errorf("%s is %v, want %v", name, got[name], want[name])
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d results are printed, want %d: %v", len(got), len(want), got)
	}
}

// TestThePostWithTheSDKForJavaScript rolls out with the AWS SDK for JavaScript.
func TestThePostWithTheSDKForJavaScript(t *testing.T) {
	t.Parallel()
	served := serving(t, "-speed", "60")
	got := printed(t, served, "post.js", base64.StdEncoding.EncodeToString(codeZIP(t)))
	execution := strings.Replace(served.env["STATE_MACHINE_ARN"], ":stateMachine:", ":execution:", 1)
	compare(t, got, map[string]any{
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
	})
}

// TestReadsWithTheSDKForJavaScript has a rollout rolled back, reads, and asks for what
// there is not.
func TestReadsWithTheSDKForJavaScript(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:lambda:" + accountARN + "function:MyFunction"
	refused := func(name, message string, status float64) map[string]any {
		return map[string]any{"name": name, "message": message, "status": status}
	}
	compare(t, printed(t, serving(t, "-speed", "0", "-scenario", badScenario(t)), "reads.js"), map[string]any{
		"before": "OK",
		"alarm": map[string]any{"state": "ALARM", "updated": "date", "threshold": 1.0, "period": 60.0,
			"metric": "AWS/States ExecutionsFailed", "dimension": true},
		"execution":  map[string]any{"started": "date", "stopped": "date", "status": "FAILED", "error": "Unhealthy"},
		"data":       map[string]any{"id": "m", "label": "ExecutionsFailed", "status": "Complete", "values": []any{1.0}, "at": "date", "messages": []any{}},
		"set":        "OK seen",
		"noAlarm":    "ResourceNotFound",
		"stack":      []any{"AWS::StepFunctions::StateMachine CREATE_COMPLETE date"},
		"machines":   map[string]any{"own": true, "name": "LambdaRollout731340B9", "type": "STANDARD", "created": "date"},
		"machine":    map[string]any{"status": "ACTIVE", "start": "CalculateWeights", "level": "ALL", "traced": true},
		"aliases":    []any{arn + ":MyAlias 1"},
		"versions":   []any{"$LATEST", "1", "2"},
		"own":        map[string]any{"tags": map[string]any{"lambda-rollout": "enabled", "team": "shop"}, "state": "Active", "update": "Successful", "repository": "S3"},
		"put":        map[string]any{"version": 1.0, "tier": "Standard"},
		"topics":     []any{"arn:aws:sns:" + accountARN + "lambda-rollout-RolloutTopic"},
		"caller":     map[string]any{"id": true, "Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/local"},
		"line":       map[string]any{"alias": "MyAlias", "id": true, "at": "number", "ingested": "number"},
		"policy":     refused("UnknownOperationException", "the local AWS does not support the operation GetPolicy (GET /2015-03-31/functions/MyFunction/policy)", 404),
		"activity":   refused("UnknownOperationException", "the local AWS does not support the operation CreateActivity", 400),
		"dashboards": refused("UnknownOperationException", "the local AWS does not support the operation ListDashboards", 400),
		"topic":      refused("InvalidAction", "Could not find operation CreateTopic for version 2010-03-31: the local AWS does not support it", 400),
	})
}
