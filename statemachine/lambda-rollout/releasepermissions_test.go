package main

import (
	"context"
	"maps"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// TestReleasesNeedTheDocumentedActions runs the subcommands for releases with exactly the
// documented actions, and without each of them.
func TestReleasesNeedTheDocumentedActions(t *testing.T) {
	approval := with(`"approval": {"before-waves": [2]}`)
	file := strings.Replace(shop, `"steps"`, `"health": {"alarms": ["errors"]}, "steps"`, 1)
	type scene struct {
		input string // of a release that runs; "" for none
		after time.Duration
		run   func(*account) result
		done  func(result) bool
	}
	ok := func(r result) bool { return r.code == 0 }
	scenes := map[string]scene{
		"get":     {shop, time.Minute, func(a *account) result { return a.run("release", "get", "first") }, ok},
		"explain": {shop, time.Minute, func(a *account) result { return a.run("release", "explain", "first") }, ok},
		"wait": {shop, time.Minute, func(a *account) result {
			ctx, cancel := context.WithCancelCause(context.Background())
			a.slept = func() {
				if a.calls["GetExecutionHistory"] > 6 {
					cancel(interruption{syscall.SIGINT})
				}
			}
			return a.runIn(ctx, 0, "release", "wait", "first")
		}, func(r result) bool { return strings.Contains(r.stderr, "the release was stopped") }},
		"report": {shop, time.Minute, func(a *account) result {
			return a.run("release", "report", "first", "-o", a.write("page.html", ""))
		}, ok},
		"watch": {shop, 20 * time.Minute, func(a *account) result { return a.run("release", "watch", "first") }, ok},
		"list": {shop, time.Minute, func(a *account) result { return a.run("release", "list", "--all") }, func(r result) bool {
			return r.code == 0 && !strings.Contains(r.stdout, "don't allow")
		}},
		"check": {"", 0, func(a *account) result { return a.run("release", "check", "-f", a.write("release.json", file)) }, func(r result) bool {
			return strings.Contains(r.stderr, "errors") && r.code == refused && !strings.Contains(r.stderr, "allow")
		}},
		"start": {"", 0, func(a *account) result {
			ctx, cancel := context.WithCancelCause(context.Background())
			a.slept = func() {
				if a.calls["GetExecutionHistory"] > 6 {
					cancel(interruption{syscall.SIGINT})
				}
			}
			return a.runIn(ctx, 0, "release", "start", "-f", a.write("release.json", shop), "--wait")
		}, func(r result) bool { return strings.Contains(r.stderr, "the release was stopped") }},
		"stop": {shop, 100 * time.Second, func(a *account) result { return a.run("release", "stop", "first") }, ok},
	}
	for _, command := range rollout.Commands() {
		s := scene{shop, 40 * time.Second, func(a *account) result { return a.run("release", word(command), "first") }, func(r result) bool { return r.code == 0 }}
		switch command {
		case rollout.Approve, rollout.Disapprove:
			s.input, s.after = approval, 4*time.Minute
		}
		scenes[word(command)] = s
	}
	documented := documentedActions(t)
	for name, s := range scenes {
		t.Run(name, func(t *testing.T) {
			actions := documented["release "+name]
			if len(actions) < 2 {
				t.Fatalf("the documented actions are %q", actions)
			}
			set := func() (*account, *granted) {
				g := &granted{used: map[string]bool{}}
				a := newShop(t, `{}`, g.authorize)
				if s.input != "" {
					a.want(a.run("release", "start", "-f", a.write("release.json", s.input), "--name", "first"), 0)
					a.advance(s.after)
				}
				if name == "list" {
					a.want(a.run("release", "stop", "first", "--no-wait"), 0) // which takes a look at another execution
				}
				return a, g
			}
			a, g := set()
			g.limit(actions)
			if r := s.run(a); !s.done(r) {
				t.Errorf("with exactly %q: %d, %s", actions, r.code, r.all())
			}
			if used := slices.Sorted(maps.Keys(g.used)); !slices.Equal(used, slices.Sorted(slices.Values(actions))) {
				t.Errorf("uses %q, and documented are %q", used, actions)
			}
			for _, missing := range actions {
				a, g := set()
				g.limit(slices.DeleteFunc(slices.Clone(actions), func(action string) bool { return action == missing }))
				if r := s.run(a); s.done(r) && missing != "ssm:GetParameter" || !strings.Contains(r.all(), missing) {
					t.Errorf("without %s: %d, %s", missing, r.code, r.all())
				}
			}
		})
	}
}
