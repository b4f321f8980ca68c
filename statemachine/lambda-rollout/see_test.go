package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/servedtest"
)

// linear is a rollout of ten steps of two minutes each.
const linear = `{"function-name": "MyFunction", "alias-name": "MyAlias", "new-version": "2", "steps": 10, "interval": 120, "type": "linear"}`

// ran runs the command at the time of the served AWS, and returns its exit code and output.
func ran(t *testing.T, a *servedtest.AWS, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, problems bytes.Buffer
	c := &command{stdin: strings.NewReader(""), stdout: &out, stderr: &problems, now: a.Now}
	code = c.run(context.Background(), args)
	return code, out.String(), problems.String()
}

func TestLook(t *testing.T) {
	a := servedtest.New(t, `{"changes": [{"after": 300, "new-version": {"error-rate": 0.3}}]}`)
	a.Environment(t)
	a.Begin("bad", linear)
	a.Advance(4 * time.Minute)
	for _, args := range [][]string{{"get", "bad"}, {"explain", "bad"}, {"list"}, {"get", "bad", "-o", "json"}} {
		code, out, problems := ran(t, a, args...)
		t.Log(args, code, "\n", out, problems)
	}
	a.Advance(20 * time.Minute)
	for _, args := range [][]string{{"get", "bad"}, {"explain", "bad"}, {"list"}, {"list", "--all"}, {"report", "bad", "-o", t.TempDir() + "/x.html"}, {"get", "nix"}} {
		code, out, problems := ran(t, a, args...)
		t.Log(args, code, "\n", out, problems)
	}
}
