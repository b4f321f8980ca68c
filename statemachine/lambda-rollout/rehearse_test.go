package main

import (
	"bytes"
	"context"
	"encoding/json"
	"html"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/terminal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
)

// typed runs the command as a shell would: rehearse, unless the arguments begin with
// another subcommand.
func typed(stdin string, args ...string) (code int, stdout, stderr string) {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		args = append([]string{"rehearse"}, args...)
	}
	var out, err bytes.Buffer
	code = run(context.Background(), args, strings.NewReader(stdin), &out, &err)
	return code, out.String(), err.String()
}

func TestExitCodes(t *testing.T) {
	file := func(name, text string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, test := range []struct {
		args           []string
		stdin          string
		code           int
		stdout, stderr string // a part of each
	}{
		{nil, "", 0, "PROMOTED after 0:20:00", ""},
		{[]string{"-scenario", "no-traffic"}, "", 0, "PROMOTED, UNVERIFIED,", ""},
		{[]string{"-scenario", "no-traffic", "-fail-unverified"}, "", 4, "PROMOTED, UNVERIFIED,", ""},
		{[]string{"-fail-unverified", "-input", "-"}, canary, 0, "PROMOTED after 0:02:00", ""},
		{[]string{"-scenario", "errors"}, "", 1, "ROLLED BACK after 0:01:00", ""},
		{[]string{"-input", "-"}, canary, 0, "alias     version 3", ""},
		{[]string{"-input", file("input.json", canary)}, "", 0, "PROMOTED after 0:02:00", ""},
		{[]string{"-input", "-"}, `{"function-name": "f"}`, 2, "REFUSED after 0:00:00", ""},
		{[]string{"-input", "-"}, `nonsense`, 2, "", "standard input: line 1: it is not JSON: "},
		{[]string{"-scenario", file("world.json", `{"new-version": {"error-rate": 1}}`)}, "", 1, "ROLLED BACK", ""},
		{[]string{"-scenario", file("world.json", `{"errors": 1}`)}, "", 2, "", "errors is not a known field"},
		{[]string{"-scenario", "sunny"}, "", 2, "", `no scenario "sunny": it is none of burst, contested, drift,`},
		{[]string{"-input", "nowhere.json"}, "", 2, "", "nowhere.json"},
		{[]string{"-listen", "127.0.0.1:0"}, "", 0, "PROMOTED", ""},
		{[]string{"-listen", "0.0.0.0:0"}, "", 2, "", "loopback"},
		{[]string{"-template", "nowhere.json"}, "", 2, "", "nowhere.json"},
		{[]string{"-template", file("template.json", `{"Resources": {"T": {"Type": "AWS::SNS::Topic"}}}`)}, "", 2, "", "has 0 state machines"},
		{[]string{"-runs", "3", "-scenario", "errors"}, "", 0, "Harm found: 3 of 3 rehearsals, 100% (95% interval: ", ""},
		{[]string{"-runs", "3", "-json"}, "", 0, `"outcome": "promoted"`, ""},
		{[]string{"-runs", "3", "-listen", "127.0.0.1:0"}, "", 2, "", "many rehearsals can't be served on one address: leave out one of the two"},
		{[]string{"-runs", "3", "-speed", "60"}, "", 2, "", "--speed is for watching one rehearsal, and with --runs or --json there is none to watch: leave out one of the two"},
		{[]string{"-json", "-speed", "60"}, "", 2, "", "--speed is for watching one rehearsal"},
		{[]string{"-runs", "3", "-fail-unverified"}, "", 2, "", "--fail-unverified is for the exit code of one rehearsal"},
		{[]string{"-runs", "0"}, "", 2, "", `--runs must be a whole number from 1 to 1000000; given: "0"`},
		{[]string{"advise", "-runs", "1"}, "", 2, "", "--runs must be a whole number from 2"},
		{[]string{"advise", "-harm", "0.0001"}, "", 2, "", "above the baseline's 0.001"},
		{[]string{"advise", "--help"}, "", 0, "--unseen", ""},
		{[]string{"--sed", "1"}, "", 2, "", `there is no option --sed (did you mean "seed"?): lambda-rollout rehearse --help lists the options`},
		{[]string{"-o", "xml"}, "", 2, "", `--output is "xml"; it must be text or json`},
		{[]string{"--seed", "x"}, "", 2, "", `--seed must be a whole number from 0 to 18446744073709551615; given: "x"`},
		{[]string{"-speed", "NaN"}, "", 2, "", `--speed must be a number from 0 to 1000000; given: "NaN"`},
		{[]string{"-speed", "Inf"}, "", 2, "", `--speed must be a number from 0 to 1000000; given: "Inf"`},
		{[]string{"-speed", "-1"}, "", 2, "", `--speed must be a number from 0 to 1000000; given: "-1"`},
		{[]string{"help"}, "", 0, "Rehearse a rollout on this machine", ""},
		{[]string{"-help"}, "", 0, "--fail-unverified", ""},
		{[]string{"advice"}, "", 2, "", `there is no subcommand "advice" (did you mean "advise"?)`},
		{[]string{"-report", filepath.Join(t.TempDir(), "x.pdf")}, "", 2, "", "the page is HTML, so its name must end in .html"},
		{[]string{"-runs", "100", "-report", "nowhere/many.html"}, "", 2, "", "nowhere/many.html"},
	} {
		code, stdout, stderr := typed(test.stdin, test.args...)
		if code != test.code || !strings.Contains(stdout, test.stdout) || !strings.Contains(stderr, test.stderr) || (stderr == "") != (test.stderr == "") {
			t.Errorf("%q exits with %d, want %d\n%s%s", test.args, code, test.code, stdout, stderr)
		}
	}
}

func TestReportIsWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rehearsal.html")
	code, stdout, _ := typed("", "-scenario", "errors", "-report", path)
	page, err := os.ReadFile(path)
	if err != nil || code != 1 || !strings.Contains(stdout, "ROLLED BACK") || !strings.HasSuffix(stdout, "\nwrote "+path+"\n") || !strings.Contains(string(page), "<title>Rolled back: ") {
		t.Errorf("exits with %d, and the page is %.300s: %v", code, page, err)
	}
	if code, _, stderr := typed("", "-report", t.TempDir()); code != 2 || !strings.Contains(stderr, "lambda-rollout: ") {
		t.Errorf("a report that can't be written: exits with %d and says %q", code, stderr)
	}
}

// TestErrorsDontControlTheTerminal: a file's name, and what is in it, may be
// anybody's.
func TestErrorsDontControlTheTerminal(t *testing.T) {
	for _, args := range [][]string{{"-scenario", "a\x1b[2Jb"}, {"cost", "-scenario", "a\x1b[2Jb"}, {"advise", "-scenario", "a\x1b[2Jb"}, {"record", "-history", "a\x1b[2Jb"}} {
		if code, _, stderr := typed("", args...); code != 2 || strings.Contains(stderr, "\x1b") || !strings.Contains(stderr, "[2Jb") {
			t.Errorf("%q exits with %d and says %q", args, code, stderr)
		}
	}
}

// TestAFileStaysIfItsSuccessorFails looks at what is in the folder afterwards.
func TestAFileStaysIfItsSuccessorFails(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "input.json")
	if err := os.WriteFile(path, []byte(`{"function-name": "f"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := typed("", "-input", path, "-report", path); code != 2 || !strings.Contains(stderr, "input.json is read, and would be overwritten") {
		t.Errorf("a report over the input exits with %d and says %q", code, stderr)
	}
	if err := terminal.CheckFiles([]string{path, filepath.Join(folder, "new.html")}); err != nil {
		t.Errorf("files that can be written: %v", err)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != `{"function-name": "f"}` {
		t.Errorf("the input is %q, %v", text, err)
	}
	if err := terminal.WriteFile(path, []byte("new")); err != nil {
		t.Error(err)
	}
	text, err := os.ReadFile(path)
	info, _ := os.Stat(path)
	if left, _ := os.ReadDir(folder); err != nil || string(text) != "new" || info.Mode().Perm() != 0o600 || len(left) != 1 {
		t.Errorf("there is %q with %v, %v, in a folder with %v", text, info.Mode(), err, left)
	}
}

func TestReportOfMany(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out of many.html")
	code, stdout, stderr := typed("", "-scenario", "errors", "-runs", "3", "-json", "-report", path)
	page, err := os.ReadFile(path)
	if err != nil || code != 0 || stderr != "wrote "+path+"\n" || !json.Valid([]byte(stdout)) || !strings.Contains(string(page), "<title>All 3 rollouts were rolled back: ") {
		t.Errorf("exits with %d and %q, and the page is %.300s: %v", code, stderr, page, err)
	}
	_, line, _ := strings.Cut(string(page), `<code id="command">`)
	line, _, _ = strings.Cut(line, "</code>")
	if want := "go run ./statemachine/lambda-rollout rehearse --json --report '" + path + "' --runs 3 --scenario errors"; html.UnescapeString(line) != want {
		t.Errorf("the page says that it was made by %s, want %s", line, want)
	}
}

func TestJSONIsTheWholeResultAndNothingElse(t *testing.T) {
	code, stdout, _ := typed("", "-json", "-scenario", "errors")
	var result rehearsal.Result
	decoder := json.NewDecoder(strings.NewReader(stdout))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&result); err != nil || decoder.More() {
		t.Fatalf("%v in %s", err, stdout)
	}
	if code != 1 || result.Outcome != rehearsal.RolledBack || result.BadRequests == 0 || len(result.Lines) == 0 {
		t.Errorf("exits with %d and %s", code, stdout)
	}
}

func TestPipedOutputIsPlain(t *testing.T) {
	if _, stdout, _ := typed("", "-scenario", "throttled"); strings.ContainsAny(stdout, "\x1b\r█") {
		t.Errorf("there is more than plain lines in %q", stdout)
	}
}

// TestTheReadmeShowsWhatTheCommandPrints holds the README to the command.
func TestTheReadmeShowsWhatTheCommandPrints(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, stdout, _ := typed("")
	if !strings.Contains(string(readme), "```\n"+stdout+"```") {
		t.Errorf("the README does not show what the command prints, which is\n%s", stdout)
	}
	page, err := os.ReadFile("../../docs/rehearsing.md")
	if err != nil {
		t.Fatal(err)
	}
	_, usage, _ := typed("", "--help")
	for _, name := range rehearsal.BuiltIn() {
		if !strings.Contains(usage, name) || !strings.Contains(string(page), "`"+name+"`") {
			t.Errorf("the scenario %s is not in the usage, or not in docs/rehearsing.md", name)
		}
	}
}
