package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// TestMistakesAreNamed with an exit code that is not 0, in our words, and with what was meant.
func TestMistakesAreNamed(t *testing.T) {
	for line, want := range map[string]string{
		"completion tcsh": `there are no completions for "tcsh"`, "completion bsh": `did you mean "bash"?`, "completion bash x": `"x" is not an option`,
		"help frob": `there is no subcommand "frob"`, "help statsu": `there is no subcommand "statsu"`,
		"abort it": `did you mean "rollback"?`, "status it": `did you mean "get"?`, "STATUS it": `did you mean "get"?`, "ls": `did you mean "list"?`, "continue it": `did you mean "resume"?`, "lst": `did you mean "list"?`,
		"check rollout.json": "as in: lambda-rollout check -f rollout.json", "start it.json": "lambda-rollout start -f it.json", "cost it.json": "lambda-rollout cost --input it.json",
		"undo it": "as in: lambda-rollout undo FUNCTION ALIAS", "undo a b c": "as in: lambda-rollout undo FUNCTION ALIAS",
		"rehearse --report=": "--report is empty: name a file", "record --history=": "--history is empty", "record --write-scenario= --history x": "--write-scenario is empty", "rehearse --input=": "--input is empty",
		"rehearse --report nowhere/x.html": "lambda-rollout: nowhere/x.html can't be written: no such file or directory\n",
	} {
		if code, _, stderr := typed("", strings.Fields(line)...); code != refused || !strings.Contains(stderr, want) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%s: %d, %s", line, code, stderr)
		}
	}
	for _, line := range []string{"--version", "help", "help get", "help completion bash", "completion", "completion zsh"} {
		if code, stdout, stderr := typedPlainly(line); code != 0 || stdout == "" || stderr != "" {
			t.Errorf("%s: %d, %s", line, code, stderr)
		}
	}
	if _, stdout, _ := typedPlainly("--version"); !strings.HasPrefix(stdout, "lambda-rollout ") || strings.Count(stdout, "\n") != 1 || !strings.Contains(stdout, ", go1.") {
		t.Errorf("the version is %q", stdout)
	}
}

// typedPlainly is typed without a subcommand that is added.
func typedPlainly(line string) (code int, stdout, stderr string) {
	var out, err strings.Builder
	code = run(context.Background(), strings.Fields(line), strings.NewReader(""), &out, &err)
	return code, out.String(), err.String()
}

// TestWriteErrorsNameNoTemporaryFile, though that is the one that can't be written.
func TestWriteErrorsNameNoTemporaryFile(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"nowhere/x.html", "file/x.html", strings.Repeat("x", 300) + ".html"} {
		path = filepath.Join(folder, path)
		code, _, stderr := typed("", "rehearse", "--report", path)
		if code != refused || strings.Contains(stderr, ".tmp") || strings.Contains(stderr, "open ") || !strings.Contains(stderr, path+" can't be written: ") {
			t.Errorf("%d: %s", code, stderr)
		}
	}
}

// TestInterruptedReads exit as every command does that a signal ends.
func TestInterruptedReads(t *testing.T) {
	a := newAccount(t, `{}`, nil)
	a.want(a.run("start", "--name", "it", "-f", a.write("rollout.json", blog)), 0)
	for _, line := range []string{"get it", "explain it", "list", "wait it", "watch it"} {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(interruption{syscall.SIGINT})
		if r := a.runIn(ctx, 0, strings.Fields(line)...); r.code != 130 || !strings.Contains(r.stderr, "interrupted") {
			t.Errorf("%s: %d, %s", line, r.code, r.all())
		}
	}
}

// TestInterruptedOrders and stops say once that they were interrupted, and what stands.
func TestInterruptedOrders(t *testing.T) {
	a := newAccount(t, `{}`, nil)
	a.want(a.run("start", "--name", "it", "-f", a.write("rollout.json", blog)), 0)
	a.advance(30 * time.Second)
	for _, test := range []struct{ line, want string }{
		{"pause it", "interrupted; the order stands, and is read at the next check\n"},
		{"stop it", "interrupted; the rollout was stopped, and the stack's cleanup puts its alias back"},
	} {
		ctx, cancel := context.WithCancelCause(t.Context())
		a.slept = func() { cancel(interruption{syscall.SIGINT}) }
		r := a.runIn(ctx, 0, strings.Fields(test.line)...)
		if !strings.Contains(r.stderr, test.want) || strings.Count(r.stderr, "interrupted") != 1 || r.code != 130 {
			t.Errorf("%s: %d, %s", test.line, r.code, r.all())
		}
		a.inject(localaws.Fault{Operation: "UpdateAlias", Kind: localaws.Throttled}) // the cleanup does not succeed
	}
}
