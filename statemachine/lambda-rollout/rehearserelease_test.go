package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
)

// shopRelease is a release of three rollouts in two waves.
const shopRelease = `{"release": "shop", "waves": [["cart", "pay"], ["mail"]], "defaults": {"alias-name": "live", "type": "linear", "steps": 3, "interval": 120},
	"rollouts": {"cart": {"function-name": "cart", "new-version": "8"}, "pay": {"function-name": "pay", "new-version": "3"}, "mail": {"function-name": "mail", "new-version": "2"}}}`

// badPay has the new version of pay go bad.
func badPay(t *testing.T) string {
	path := filepath.Join(t.TempDir(), "world.json")
	if err := os.WriteFile(path, []byte(`{"members": {"pay": {"changes": [{"after-share": 0.4, "new-version": {"error-rate": 0.2}}]}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestRehearseReleaseAtEachWidth promotes a release and rolls one back.
func TestRehearseReleaseAtEachWidth(t *testing.T) {
	bad := badPay(t)
	for _, columns := range []int{40, 80, 200} {
		args := []string{"rehearse", "--release", "--input", "-"}
		text := session(columns, shopRelease, args...) + "\n" + session(columns, shopRelease, append(args, "-v")...) + "\n" +
			session(columns, shopRelease, append(args, "--scenario", bad)...) + "\n" + session(columns, `{"release": "shop"}`, args...)
		golden(t, fmt.Sprintf("rehearse-release-%d", columns), strings.ReplaceAll(text, bad, "world.json"))
		fits(t, text, columns)
	}
}

func TestRehearseReleaseExits(t *testing.T) {
	bad := badPay(t)
	for _, test := range []struct {
		args           []string
		stdin          string
		code           int
		stdout, stderr string // a part of each
	}{
		{[]string{"-input", "-"}, shopRelease, 0, "PROMOTED after", ""},
		{[]string{"-input", "-", "-scenario", bad}, shopRelease, 1, "ROLLED BACK after", ""},
		{[]string{"-input", "-"}, `{"release": "shop"}`, 2, "REFUSED after", ""},
		{[]string{"-input", "-"}, `nonsense`, 2, "", "it is not JSON"},
		{nil, "", 2, "", "there is no release to rehearse"},
		{[]string{"-input", "-", "-runs", "2"}, shopRelease, 2, "", "--release can't be combined with --runs"},
		{[]string{"-input", "-", "-simple"}, shopRelease, 2, "", "--release can't be combined with --simple"},
		{[]string{"-input", "-", "-scenario", bad}, strings.ReplaceAll(shopRelease, "pay", "bill"), 2, "", "members.pay must be the name of one of the release's rollouts"},
	} {
		code, stdout, stderr := typed(test.stdin, append([]string{"rehearse", "-release"}, test.args...)...)
		if code != test.code || !strings.Contains(stdout, test.stdout) || !strings.Contains(stderr, test.stderr) {
			t.Errorf("%q: exit %d, stdout %s, stderr %s", test.args, code, stdout, stderr)
		}
	}
	if code, _, stderr := typed("", "rehearse", "-scenario", bad); code != 2 || !strings.Contains(stderr, "members must be left out") {
		t.Errorf("a rollout with members: exit %d, %s", code, stderr)
	}
}

// TestRehearseReleaseInJSON reads the result back.
func TestRehearseReleaseInJSON(t *testing.T) {
	code, stdout, _ := typed(shopRelease, "rehearse", "--release", "--input", "-", "--json")
	var result rehearsal.ReleaseResult
	if err := json.Unmarshal([]byte(stdout), &result); err != nil || code != 0 {
		t.Fatalf("exit %d: %v", code, err)
	}
	if len(result.Members) != 3 || result.OnNew != 3 || len(result.Limits) == 0 || len(result.Lines) < 10 {
		t.Errorf("the result is %+v", result)
	}
}

// TestTheDocsReleaseIsRehearsed rehearses the example of docs/releases.md with its scenario.
func TestTheDocsReleaseIsRehearsed(t *testing.T) {
	page, err := os.ReadFile("../../docs/releases.md")
	if err != nil {
		t.Fatal(err)
	}
	block := func(name string) string {
		_, text, _ := strings.Cut(string(page), "<!-- "+name+" -->\n```json\n")
		text, _, _ = strings.Cut(text, "```")
		return text
	}
	path := filepath.Join(t.TempDir(), "scenario.json")
	if err := os.WriteFile(path, []byte(block("scenario")), 0o600); err != nil {
		t.Fatal(err)
	}
	for scenario, want := range map[string]int{path: 0, "healthy": 2} { // without it, there are no such alarms
		if code, stdout, stderr := typed(block("release"), "rehearse", "--release", "--input", "-", "--scenario", scenario); code != want {
			t.Errorf("%s: exits with %d: %s%s", scenario, code, stdout, stderr)
		}
	}
}

func TestHelpOfReleasesIsAboutReleases(t *testing.T) {
	if _, help, _ := typed("", "release", "start", "--help"); !strings.Contains(help, "follow the release to its end") || strings.Contains(help, "the rollout") {
		t.Error(help)
	}
}
