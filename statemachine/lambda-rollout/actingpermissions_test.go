package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// granted allows an operator some actions, and records those that are used.
type granted struct {
	mu      sync.Mutex
	allowed []string // nil for all
	used    map[string]bool
}

func (g *granted) authorize(principal, action, _ string, _ map[string][]string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if principal != operator {
		return nil
	}
	g.used[action] = true
	if g.allowed != nil && !slices.Contains(g.allowed, action) {
		return fmt.Errorf("no identity-based policy allows the %s action", action)
	}
	return nil
}

// limit allows only some actions from now on.
func (g *granted) limit(actions []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.allowed, g.used = actions, map[string]bool{}
}

// TestActingNeedsTheDocumentedActions runs the subcommands that act with exactly the
// documented actions, and without each of them.
func TestActingNeedsTheDocumentedActions(t *testing.T) {
	approval := strings.Replace(blog, "}", `, "approval": {"before-weights": [0.4]}}`, 1)
	alarms := strings.Replace(blog, "}", `, "health": {"alarms": ["errors"]}}`, 1)
	type scene struct {
		input string // of a rollout that runs; "" for none
		after time.Duration
		split bool // the rollout is stopped, and its alias left split
		run   func(*account) result
		done  func(result) bool
	}
	ends := func(code int) func(result) bool { return func(r result) bool { return r.code == code } }
	scenes := map[string]scene{
		"check": {run: func(a *account) result { return a.run("check", "-f", a.write("rollout.json", alarms)) }, done: func(r result) bool { return strings.Contains(r.stderr, "AlarmNotFound") }},
		"start": {run: func(a *account) result {
			ctx, cancel := context.WithCancelCause(context.Background())
			waits := 0
			a.slept = func() {
				if waits++; waits == 5 {
					cancel(interruption{syscall.SIGINT})
				}
			}
			return a.runIn(ctx, 0, "start", "-f", a.write("rollout.json", strings.Replace(blog, `"new-version": "2", `, "", 1)), "--publish", "--wait")
		}, done: func(r result) bool { return strings.Contains(r.stderr, "the rollout was stopped") }},
		"wait": {input: blog, after: 10 * time.Second, run: func(a *account) result {
			ctx, cancel := context.WithCancelCause(context.Background())
			a.slept = func() { cancel(interruption{syscall.SIGINT}) }
			return a.runIn(ctx, 0, "wait", "first")
		}, done: func(r result) bool { return strings.Contains(r.stderr, "the rollout was stopped") }},
		"stop": {input: blog, after: 130 * time.Second, run: func(a *account) result { return a.run("stop", "first") }, done: ends(0)},
		"undo": {input: blog, after: 130 * time.Second, split: true, run: func(a *account) result { return a.run("undo", "MyFunction", "MyAlias", "--yes") }, done: ends(0)},
	}
	for _, command := range rollout.Commands() {
		s := scene{input: blog, after: 10 * time.Second, run: func(a *account) result { return a.run(word(command), "first") }, done: func(r result) bool { return r.code == 0 || strings.Contains(r.stdout, "obeyed") }}
		if command == rollout.Approve || command == rollout.Disapprove {
			s.input, s.after = approval, 200*time.Second
		}
		scenes[word(command)] = s
	}
	documented := documentedActions(t)
	for name, s := range scenes {
		t.Run(name, func(t *testing.T) {
			actions := documented[name]
			if len(actions) < 2 {
				t.Fatalf("the documented actions are %q", actions)
			}
			set := func() (*account, *granted) {
				g := &granted{used: map[string]bool{}}
				a := newAccount(t, `{}`, g.authorize)
				if s.input != "" {
					a.want(a.run("start", "-f", a.write("rollout.json", s.input), "--name", "first"), 0)
					a.advance(s.after)
				}
				if s.split {
					split := a.alias()
					a.want(a.run("stop", "first"), 0)
					a.set(split)
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
				if r := s.run(a); s.done(r) && missing != "lambda:GetAlias" || !strings.Contains(r.all(), missing) {
					t.Errorf("without %s: %d, %s", missing, r.code, r.all())
				}
			}
		})
	}
}
