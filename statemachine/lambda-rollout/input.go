package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rollouts"
)

// input is an execution's input as flags name it.
type input struct {
	file, name               string
	function, alias, version string
	source
	effective []byte // the text with the flags' values
}

// flags adds the flags of an input.
func (in *input) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVarP(&in.file, "file", "f", "", "the `file` with the execution's input, a JSON object; - for standard input")
	flags.StringVar(&in.name, "name", "", "the rollout's name (default: from function, alias and time)")
	flags.StringVar(&in.function, "function", "", "the function, instead of the file's function-name")
	flags.StringVar(&in.alias, "alias", "", "the alias, instead of the file's alias-name")
	versionFlag(flags, &in.version)
}

// versionFlag adds the flag for the version of an input, whose file may have none.
func versionFlag(flags *pflag.FlagSet, version *string) {
	flags.StringVar(version, "new-version", "", "the version, instead of the file's new-version")
}

// load reads the input, and sets the fields that flags give.
func (in *input) load(ctx context.Context, c *command) error {
	if in.file == "" {
		return errors.New("there is no input: name its file with -f rollout.json, or - for standard input")
	}
	var err error
	if in.source, err = readInputFile(ctx, in.file, c.stdin); err != nil {
		return err
	}
	return in.set(nil)
}

// set sets fields of the input beside those that flags give.
func (in *input) set(fields map[string]string) error {
	all := map[string]string{"function-name": in.function, "alias-name": in.alias, "new-version": in.version}
	for name, value := range fields {
		all[name] = value
	}
	var err error
	in.effective, err = rollouts.With(in.text, all)
	return err
}

// executionName returns the name of the rollout or the release.
func (in *input) executionName(c *command) (string, error) {
	if !c.releases || in.name != "" {
		return in.rolloutName(c)
	}
	title := rollouts.ReleaseTitle(in.effective)
	if title == "" {
		return "check", nil // it will be refused
	}
	return rollouts.NewReleaseName(title, c.now()), nil
}

// rolloutName returns the rollout's name: as given, or from function, alias and time.
func (in *input) rolloutName(c *command) (string, error) {
	if in.name != "" {
		return in.name, rollouts.CheckName(in.name)
	}
	to := rollout.ReadAddressee(in.effective)
	if to.Function == "" || to.Alias == "" {
		return "check", nil // it will be refused
	}
	return rollouts.NewName(to.Function, to.Alias, c.now()), nil
}
