package main

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/servedtest"
)

// documentedActions returns the IAM actions of each subcommand in docs/command.md.
func documentedActions(t *testing.T) map[string][]string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "command.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "| subcommand | IAM actions |")
	all := map[string][]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z ]+)` \\| (.*) \\|$").FindAllStringSubmatch(table, -1) {
		for _, action := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row[2], -1) {
			all[row[1]] = append(all[row[1]], action[1])
		}
	}
	return all
}

// TestReadingNeedsTheDocumentedActions runs the subcommands that read with exactly the
// documented actions, and without each of them.
func TestReadingNeedsTheDocumentedActions(t *testing.T) {
	a := servedtest.New(t, `{}`)
	a.Environment(t)
	a.Begin("it", linear)
	a.Begin("refused", "[]") // which a list has to describe
	a.Advance(20 * time.Minute)
	documented := documentedActions(t)
	page := filepath.Join(t.TempDir(), "page.html")
	for name, args := range map[string][]string{
		"get": {"get", "it"}, "explain": {"explain", "it"}, "watch": {"watch", "it"}, "list": {"list", "--all"}, "report": {"report", "it", "-o", page},
	} {
		actions := documented[name]
		if len(actions) < 2 {
			t.Errorf("%s has the actions %q in the documentation", name, actions)
			continue
		}
		allow(a, actions)
		a.Called()
		if code, out, problem := ran(t, a, args...); code != 0 || problem != "" {
			t.Errorf("%s with exactly %q: %d, %s, %s", name, actions, code, out, problem)
		}
		if called := slices.Sorted(maps.Keys(a.Called())); !slices.Equal(called, slices.Sorted(slices.Values(actions))) {
			t.Errorf("%s calls %q, and documented are %q", name, called, actions)
		}
		for _, missing := range actions {
			allow(a, slices.DeleteFunc(slices.Clone(actions), func(action string) bool { return action == missing }))
			_, out, problem := ran(t, a, args...)
			if text := strings.Join(strings.Fields(out+problem), " "); !strings.Contains(text, "don't allow "+missing) {
				t.Errorf("%s without %s says %s", name, missing, text)
			}
		}
	}
}

// TestTheStackNeedsAnAction finds the state machine in the stack, with and without the
// permission to.
func TestTheStackNeedsAnAction(t *testing.T) {
	a := servedtest.New(t, `{}`)
	a.Environment(t)
	t.Setenv("STATE_MACHINE_ARN", "")
	allow(a, []string{"states:ListExecutions"})
	expect(t, a, unknown, "", "don't allow cloudformation:DescribeStacks", "list")
	allow(a, []string{"states:ListExecutions", "cloudformation:DescribeStacks"})
	a.Called()
	expect(t, a, 0, "No rollouts or releases match", "", "list")
	if called := a.Called(); !called["cloudformation:DescribeStacks"] || !called["states:ListExecutions"] {
		t.Errorf("called are %v", called)
	}
}

// allow has the AWS refuse all actions but some.
func allow(a *servedtest.AWS, actions []string) {
	a.Answer(func(action string, w http.ResponseWriter, r *http.Request) bool {
		if slices.Contains(actions, action) {
			return false
		}
		text := fmt.Sprintf("User: arn:aws:iam::123456789012:user/me is not authorized to perform: %s because no identity-based policy allows the %[1]s action", action)
		if strings.HasPrefix(action, "cloudformation:") {
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprintf(w, "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>%s</Message></Error></ErrorResponse>", text)
			return true
		}
		if strings.HasPrefix(action, "cloudwatch:") {
			servedtest.RefuseCBOR(w, http.StatusForbidden, "AccessDenied", text)
			return true
		}
		servedtest.Refuse(w, http.StatusForbidden, "AccessDeniedException", text)
		return true
	})
}
