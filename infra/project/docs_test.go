package project

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rhysd/actionlint"
	"mvdan.cc/sh/v3/syntax"
)

// read returns a file of the tree.
func read(t *testing.T, name ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{root}, name...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// pages returns the documentation's pages by their files' names.
func pages(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{"README.md": read(t, "README.md")}
	for _, pattern := range []string{"docs/*.md", "docs/*/*.md"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(files) == 0 {
			t.Fatal("no pages in ", pattern, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			all[file] = string(text)
		}
	}
	return all
}

// blocks returns a page's code blocks in a language, those in lists as well.
func blocks(page, language string) []string {
	var all []string
	for _, found := range regexp.MustCompile("(?ms)^ *```"+language+"\n(.*?)^ *```$").FindAllStringSubmatch(page, -1) {
		all = append(all, found[1])
	}
	return all
}

// shellProblem returns an error if a script's syntax is wrong.
func shellProblem(script string) error {
	_, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(script), "script")
	return err
}

func TestShellExamplesAreShell(t *testing.T) {
	if err := shellProblem(read(t, "docs", "ci", "rollout.sh")); err != nil {
		t.Error(err)
	}
	found := 0
	for name, page := range pages(t) {
		for _, script := range blocks(page, "sh") {
			found++
			if err := shellProblem(script); err != nil {
				t.Errorf("%s: %v in\n%s", name, err, script)
			}
		}
	}
	if found < 5 {
		t.Errorf("only %d shell examples were found", found)
	}
	for _, bad := range []string{"if true; echo; fi", "echo 'a", "aws lambda (publish"} {
		if shellProblem(bad) == nil {
			t.Errorf("%q passes as shell", bad)
		}
	}
}

// workflowProblems returns what actionlint finds in a workflow of GitHub Actions. It knows
// the actions in the folder of a project, which may be nil.
func workflowProblems(t *testing.T, workflow string, project *actionlint.Project) []string {
	t.Helper()
	linter, err := actionlint.NewLinter(io.Discard, &actionlint.LinterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	found, err := linter.Lint("workflow.yml", []byte(workflow), project)
	if err != nil {
		t.Fatal(err)
	}
	var problems []string
	for _, problem := range found {
		problems = append(problems, problem.Error())
	}
	return problems
}

func TestTheWorkflowOfGitHubActions(t *testing.T) {
	workflow := read(t, "docs", "ci", "github-actions.yml")
	for _, problem := range workflowProblems(t, workflow, nil) {
		t.Error(problem)
	}
	for _, change := range [][2]string{
		{"github.run_attempt", "github.attempt"},
		{"runs-on:", "run-on:"},
		{"role-to-assume:", "role:"},
		{"contents: read", "contents: see"},
	} {
		bad := strings.Replace(workflow, change[0], change[1], 1)
		if bad == workflow || len(workflowProblems(t, bad, nil)) == 0 {
			t.Errorf("with %s the workflow passes", change[1])
		}
	}
}
