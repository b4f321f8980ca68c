package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

// commandLine matches a command line of lambda-rollout in a page or an example, without what
// a shell does with its output.
var commandLine = regexp.MustCompile(`(?m)(?:^|[\s/"(])lambda-rollout"? ([a-z]+ [^\n|<>&;)` + "`" + `]*)`)

// wrongOption returns the first option of a command line that the subcommand does not have;
// "" if there is none. It is false for what is no subcommand.
func wrongOption(root *cobra.Command, line string) (string, bool) {
	words := strings.Fields(line)
	cmd, _, err := root.Find(words[:min(2, len(words))])
	if err != nil || cmd == root {
		return "", false
	}
	for _, word := range words[1:] {
		name, _, _ := strings.Cut(strings.Trim(word, `"`), "=")
		switch {
		case strings.HasPrefix(name, "--") && cmd.Flags().Lookup(name[2:]) == nil && cmd.InheritedFlags().Lookup(name[2:]) == nil,
			len(name) == 2 && name[0] == '-' && cmd.Flags().ShorthandLookup(name[1:]) == nil && cmd.InheritedFlags().ShorthandLookup(name[1:]) == nil:
			return name, true
		}
	}
	return "", true
}

// TestTheDocumentationsCommandLines have only subcommands and options that there are.
func TestTheDocumentationsCommandLines(t *testing.T) {
	root := (&command{}).root()
	found := 0
	for _, pattern := range []string{"../../docs/*.md", "../../docs/ci/*", "../../docs/ci/action/*", "../../README.md"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatal(pattern, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				continue // a folder
			}
			for _, line := range commandLine.FindAllStringSubmatch(string(text), -1) {
				option, is := wrongOption(root, line[1])
				if is {
					found++
				}
				if option != "" {
					t.Errorf("%s: there is no option %s in %s", file, option, line[1])
				}
			}
		}
	}
	if found < 15 {
		t.Errorf("only %d command lines were found", found)
	}
	for _, line := range []string{"start -f rollout.json --publsh", "get it -q", "wait it --interval=3s"} {
		if option, _ := wrongOption(root, line); option == "" {
			t.Errorf("%s passes", line)
		}
	}
}

// TestEverySubcommandIsDocumented in a section and with its actions.
func TestEverySubcommandIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/command.md")
	if err != nil {
		t.Fatal(err)
	}
	local := []string{"rehearse", "advise", "cost", "record", "serve"} // they don't call AWS
	documented := documentedActions(t)
	root := (&command{}).root()
	releases, _, err := root.Find([]string{releaseWord})
	if err != nil {
		t.Fatal(err)
	}
	for _, cmd := range append(root.Commands(), releases.Commands()...) {
		name := strings.TrimPrefix(cmd.CommandPath(), root.Name()+" ")
		if name != "help" && name != "completion" && name != releaseWord {
			if !regexp.MustCompile(`(?m)^###? (.*, )?`+name+`(,.*)?$`).Match(page) || len(documented[name]) == 0 && !slices.Contains(local, name) {
				t.Errorf("docs/command.md has no section or no actions of %s", name)
			}
		}
	}
}

// TestSignalsEndTheContext with themselves as the cause.
func TestSignalsEndTheContext(t *testing.T) {
	for signal, code := range map[syscall.Signal]int{syscall.SIGINT: 130, syscall.SIGTERM: 143} {
		ctx, stop := untilSignal(context.Background())
		if signalOf(ctx) != nil {
			t.Error("there is a signal before there was one")
		}
		if err := syscall.Kill(os.Getpid(), signal); err != nil {
			t.Fatal(err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(10 * time.Second):
			t.Fatal("the signal does not end the context")
		}
		if by := signalOf(ctx); by == nil || by.code() != code || !errors.Is(ctx.Err(), context.Canceled) {
			t.Errorf("%v: %v", signal, by)
		}
		stop()
	}
}
