package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// noArguments refuses arguments that are no options.
func noArguments(sub *cobra.Command, args []string) error {
	if len(args) > 0 {
		if how := bareFile(sub, args[0]); how != "" {
			return fmt.Errorf("%q is not an option: %s", shortened(args[0]), how)
		}
		return fmt.Errorf("%q is not an option: %s --help lists them", shortened(args[0]), sub.CommandPath())
	}
	return nil
}

// knownSubcommand refuses what is no subcommand.
func knownSubcommand(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, sub := range root.Commands() {
		names = append(names, sub.Name())
	}
	return fmt.Errorf("there is no subcommand %q%s: %s --help lists them", shortened(args[0]), meant(args[0], names), root.CommandPath())
}

// doubled returns arguments in which long options have two dashes: one is accepted, too.
func doubled(root *cobra.Command, args []string) []string {
	long := map[string]bool{"help": true}
	var add func(sub *cobra.Command)
	add = func(sub *cobra.Command) {
		for _, flags := range []*pflag.FlagSet{sub.Flags(), sub.PersistentFlags()} {
			flags.VisitAll(func(f *pflag.Flag) { long[f.Name] = true })
		}
		for _, below := range sub.Commands() {
			add(below)
		}
	}
	add(root)
	args = slices.Clone(args)
	for i, arg := range args {
		name, _, _ := strings.Cut(strings.TrimPrefix(arg, "-"), "=")
		if len(name) > 1 && strings.HasPrefix(arg, "-") && long[name] {
			args[i] = "-" + arg
		}
	}
	return args
}
