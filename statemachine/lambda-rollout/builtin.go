package main

import (
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// builtIn adds what the library brings, with our words for mistakes: help, completion and
// --version.
func builtIn(root *cobra.Command) {
	root.Version = version()
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetHelpCommand(&cobra.Command{
		Use: "help [SUBCOMMAND]", Short: "Show the help of a subcommand",
		RunE: func(_ *cobra.Command, args []string) error {
			of, rest, err := root.Find(args)
			if err != nil || len(args) > 0 && (of == root || of.HasSubCommands() && len(rest) > 0) {
				return knownSubcommand(root, args)
			}
			of.InitDefaultHelpFlag()
			return of.Help()
		},
	})
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	completion, _, err := root.Find([]string{"completion"})
	if err != nil {
		return // there is none
	}
	completion.Args = cobra.ArbitraryArgs
	completion.RunE = func(completion *cobra.Command, args []string) error {
		var shells []string
		for _, shell := range completion.Commands() {
			shells = append(shells, shell.Name())
		}
		if len(args) == 0 {
			return completion.Help()
		}
		return fmt.Errorf("there are no completions for %q%s: there are for %s", shortened(args[0]), rollout.DidYouMean(args[0], shells), strings.Join(shells, ", "))
	}
	for _, shell := range completion.Commands() {
		shell.Args = noArguments
	}
}

// version returns what this program was built from: the module's version, or the revision.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "lambda-rollout, of an unknown version"
	}
	text := "lambda-rollout " + info.Main.Version
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	if revision := settings["vcs.revision"]; revision != "" {
		text += ", revision " + revision + ", of " + settings["vcs.time"]
		if settings["vcs.modified"] == "true" {
			text += ", with changes"
		}
	}
	return text + ", " + info.GoVersion
}

// otherWords are what other tools call subcommands, beside the words for orders.
var otherWords = map[string]string{
	"status": "get", "describe": "get", "show": "get", "info": "get", "view": "get", "ls": "list", "ps": "list", "history": "list --all",
	"logs": "watch", "log": "watch", "tail": "watch", "follow": "watch", "why": "explain", "cancel": "stop", "kill": "stop", "terminate": "stop",
	"run": "start", "deploy": "start", "create": "start", "apply": "start", "begin": "start", "validate": "check", "lint": "check", "plan": "check", "diff": "check",
	"simulate": "rehearse", "test": "rehearse", "dry-run": "rehearse", "price": "cost", "costs": "cost", "restore": "undo", "reset": "undo", "version": "--version",
}

// meant returns a hint at the subcommand that was meant; "" if none is known.
func meant(given string, names []string) string {
	if known := otherWords[strings.ToLower(given)]; known != "" {
		return fmt.Sprintf(" (did you mean %q?)", known)
	}
	if order, ok := rollout.ReadCommand(given); ok {
		return fmt.Sprintf(" (did you mean %q?)", word(order))
	}
	return rollout.DidYouMean(given, names)
}

// fileFlags are the flags for a file to read, in the order in which a bare name means one.
var fileFlags = []string{"file", "input", "history"}

// bareFile returns how to name a file that stands alone; "" if the subcommand reads none.
func bareFile(sub *cobra.Command, given string) string {
	for _, name := range fileFlags {
		f := sub.Flags().Lookup(name)
		switch {
		case f == nil:
		case f.Shorthand != "":
			return fmt.Sprintf("name a file with -%s, as in: %s -%s %s", f.Shorthand, sub.CommandPath(), f.Shorthand, quoted(given))
		default:
			return fmt.Sprintf("name a file with --%s, as in: %s --%s %s", name, sub.CommandPath(), name, quoted(given))
		}
	}
	return ""
}

// noEmptyFiles refuses the empty name of a file, as of a variable of a shell that is not set: the
// file would be left out without a word.
func noEmptyFiles(sub *cobra.Command) error {
	var empty []error
	sub.Flags().Visit(func(f *pflag.Flag) {
		if what, _ := pflag.UnquoteUsage(f); what == "file" && (f.Value.String() == "" || f.Value.String() == "[]") {
			empty = append(empty, fmt.Errorf("--%s is empty: name a file, or leave it out", f.Name))
		}
	})
	return errors.Join(empty...)
}
