package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rollouts"
)

// TestReasonsOfOrdersAreShown beside the orders, before and after a check has read them.
func TestReasonsOfOrdersAreShown(t *testing.T) {
	a := newAccount(t, `{}`, nil)
	a.want(a.run("start", "--name", "it", "-f", a.write("rollout.json", blog)), 0)
	a.advance(30 * time.Second)
	a.want(a.run("get", "it"), 0)
	if n := a.calls["GetParameterHistory"]; n != 0 {
		t.Errorf("without orders, reasons are read with %d calls", n)
	}
	a.want(a.run("pause", "it", "--no-wait", "--reason", "the queue\x1b[2J grows"), 0)
	const why = `; the reason given: "the queue`
	a.want(a.run("get", "it"), 0, "the order to pause, given", why)
	a.advance(time.Minute)
	a.want(a.run("pause", "it", "--reason", ""), 0)
	for _, sub := range []string{"get", "explain"} {
		r := a.run(sub, "it")
		if a.want(r, 0, "pause by ", why); strings.ContainsRune(r.stdout, '\x1b') || strings.Count(r.stdout, "the reason given") != 1 {
			t.Errorf("%s: %q", sub, r.stdout)
		}
	}
	page := filepath.Join(t.TempDir(), "page.html")
	report := func(says ...string) {
		t.Helper()
		a.want(a.run("report", "it", "-o", page), 0)
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range says {
			if !strings.Contains(string(text), want) {
				t.Errorf("%q is not in the page", want)
			}
		}
		if strings.ContainsRune(string(text), '\x1b') {
			t.Error("the page has an escape")
		}
	}
	report("<td>pause</td>", "<td>the queue")
	var r rollouts.Rollout
	if err := json.Unmarshal([]byte(a.run("get", "it", "-o", "json").stdout), &r); err != nil || !strings.HasPrefix(r.OrderReasons[1], "the queue") || len(r.OrderReasons) != 1 {
		t.Errorf("%v: %v", err, r.OrderReasons)
	}
	a.inject(localaws.Fault{Operation: "GetParameterHistory", Kind: localaws.Throttled})
	a.want(a.run("get", "it"), 0, "pause by ", "why they were given is not known: AWS has too many calls")
	report("<td>pause</td>", "<td>–</td>", "Why they were given is not known: AWS has too many calls")
}

// TestReasonsOfOrdersToReleasesAreShown as those of orders to rollouts.
func TestReasonsOfOrdersToReleasesAreShown(t *testing.T) {
	a := begunShop(t, `{}`, shop, 40*time.Second)
	a.want(a.run("release", "get", "first"), 0)
	if n := a.calls["GetParameterHistory"]; n != 0 {
		t.Errorf("without orders, reasons are read with %d calls", n)
	}
	a.want(a.run("release", "pause", "first", "--no-wait", "--reason", "the queue\x1b[2J grows"), 0)
	const why = `; the reason given: "the queue`
	a.want(a.run("release", "get", "first"), 0, "the order to pause, given", why)
	a.advance(2 * time.Minute)
	for _, sub := range []string{"get", "explain"} {
		r := a.run("release", sub, "first")
		if a.want(r, 0, "pause by ", why); strings.ContainsRune(r.stdout, '\x1b') || strings.Count(r.stdout, "the reason given") != 1 {
			t.Errorf("%s: %q", sub, r.stdout)
		}
	}
	var r rollouts.Release
	if err := json.Unmarshal([]byte(a.run("release", "get", "first", "-o", "json").stdout), &r); err != nil || !strings.HasPrefix(r.OrderReasons[1], "the queue") || len(r.OrderReasons) != 1 {
		t.Errorf("%v: %v", err, r.OrderReasons)
	}
	a.inject(localaws.Fault{Operation: "GetParameterHistory", Kind: localaws.Throttled})
	a.want(a.run("release", "get", "first"), 0, "pause by ", "why they were given is not known: AWS has too many calls")
}
