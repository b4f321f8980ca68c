package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// saysInOrder wants texts in a page, each after the one before.
func saysInOrder(t *testing.T, path string, texts ...string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	page := string(data)
	for _, text := range texts {
		_, rest, found := strings.Cut(page, text)
		if !found {
			t.Fatalf("the page has no %q, or not there", text)
		}
		page = rest
	}
}

func TestReleaseReports(t *testing.T) {
	approval := with(`"approval": {"before-waves": [2]}`)
	for _, test := range []struct {
		name, scenario, input string
		after                 time.Duration
		texts                 []string
	}{
		{"rolled back", `{"new-version": {"error-rate": 0.5}}`, shop, time.Hour, []string{
			"<title>Rolled back: The release shop, 3 rollouts", "Unhealthy: rolled back: cart ended as rolled-back", "lambda-rollout explain first.cart", "when harm was found",
			"from then until all were back", "Wave 1: 1 rollout", `class="bar-bad"`, `class="decided"`, "Wave 2: 2 rollouts", `id="red"`, ">cart<", "rolled back", "version 2 failed", `id="others"`, "not started", "decision: roll back"}},
		{"promoted", `{}`, shop, time.Hour, []string{"<title>Promoted: ", "3 promoted", `class="bar-good"`, `class="bar-ready"`, "decision: promote"}},
		{"waiting", `{}`, approval, 4 * time.Minute, []string{"WAITING FOR APPROVAL", "Approval: wave 2 waits for approval since", "lambda-rollout release approve first", "lambda-rollout release refuse first", "so far", `class="bar-open"`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := begunShop(t, test.scenario, test.input, test.after)
			path := filepath.Join(t.TempDir(), "page.html")
			a.want(a.run("release", "report", "first", "-o", path), 0, "wrote "+path)
			saysInOrder(t, path, test.texts...)
		})
	}
	path := filepath.Join(t.TempDir(), "page.html")
	a := begunShop(t, `{}`, shop, 100*time.Second)
	a.want(a.run("release", "pause", "first", "--no-wait", "--reason", "the shop is <slow>"), 0)
	a.advance(2 * time.Minute)
	a.want(a.run("release", "report", "first", "-o", path), 0)
	saysInOrder(t, path, "order: pause", "the reason given: “the shop is &lt;slow&gt;”", `<svg class="machine"`, ">PlanRelease<", ">CheckRelease ×")
	a = begunShop(t, `{}`, shop, 100*time.Second)
	a.want(a.run("release", "stop", "first"), 0)
	a.want(a.run("release", "report", "first", "-o", path), 0)
	saysInOrder(t, path, "<title>Rolled back", "ReleaseStopped", `class="bar-warn"`, "with the release")
	page, err := os.ReadFile(path)
	if err != nil || !regexp.MustCompile(`<td role="cell">0:\d\d:\d\d</td><td role="cell" class="text">with the release<`).Match(page) {
		t.Errorf("when a rollout ended is not read from the execution that ended the release: %v", err)
	}
	a.want(a.run("release", "report", "first", "-o", "page.pdf"), 2, "its name must end in .html")
	a.want(a.run("release", "report", "none", "-o", path), 3, "there is no release none")
}

func TestRehearsedReleaseReports(t *testing.T) {
	bad, path := badPay(t), filepath.Join(t.TempDir(), "page.html")
	code, stdout, stderr := typed(shopRelease, "rehearse", "--release", "--input", "-", "--scenario", bad, "--report", path)
	if code != 1 || !strings.HasSuffix(stdout, "wrote "+path+"\n") {
		t.Errorf("exit %d, %s, %s", code, stdout, stderr)
	}
	saysInOrder(t, path, "Rolled back", "when harm began", ">pay<", "Lambda control plane", "rehearse --input - --release --report")
	if code, _, stderr := typed(shopRelease, "rehearse", "--release", "--input", "-", "--report", "page.pdf"); code != 2 || !strings.Contains(stderr, ".html") {
		t.Errorf("exit %d, %s", code, stderr)
	}
}
