package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rollouts"
)

// input is an execution's input as flags name it.
type input struct {
	file, name               string
	function, alias, version string
	path                     string // of messages: the file's, or "standard input"
	source                   []byte // of the file, as UTF-8
	effective                []byte // with the flags' values
}

// flags adds the flags of an input.
func (in *input) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVarP(&in.file, "file", "f", "", "the `file` with the execution's input, a JSON object; - for standard input")
	flags.StringVar(&in.name, "name", "", "the rollout's name (default: from function, alias and time)")
	flags.StringVar(&in.function, "function", "", "the function, instead of the file's function-name")
	flags.StringVar(&in.alias, "alias", "", "the alias, instead of the file's alias-name")
	flags.StringVar(&in.version, "new-version", "", "the version, instead of the file's new-version")
}

// load reads the input, and sets the fields that flags give.
func (in *input) load(c *command) error {
	var file []byte
	var err error
	switch in.file {
	case "":
		return errors.New("there is no input: name its file with -f rollout.json, or - for standard input")
	case "-":
		in.path = "standard input"
		file, err = io.ReadAll(io.LimitReader(c.stdin, maxFile+1))
	default:
		in.path = in.file
		file, err = os.ReadFile(in.file)
	}
	if err != nil {
		return err
	}
	if len(file) > maxFile {
		return fmt.Errorf("%s is larger than an execution's input may be", in.path)
	}
	if in.source, err = rollouts.Text(file); err == nil {
		err = rollouts.Syntax(in.source)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", in.path, err)
	}
	return in.set(nil)
}

// maxFile is the size of the largest file that is read, in bytes: that of the longest input,
// in UTF-16, with as many blanks.
const maxFile = 4 * rollout.MaxInput

// set sets fields of the input beside those that flags give.
func (in *input) set(fields map[string]string) error {
	all := map[string]string{"function-name": in.function, "alias-name": in.alias, "new-version": in.version}
	for name, value := range fields {
		all[name] = value
	}
	var err error
	in.effective, err = rollouts.With(in.source, all)
	return err
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

// where returns the place of a problem with a field: file and line, if the file has it.
func (in *input) where(path string) string {
	lines := rollouts.Lines(in.source)
	for ; path != ""; path = parent(path) {
		if line, ok := lines[path]; ok {
			return fmt.Sprintf("%s:%d", in.path, line)
		}
	}
	return in.path
}

// parent returns the path of what a path's value is in; "" for the whole.
func parent(path string) string {
	for i := len(path) - 1; i > 0; i-- {
		if path[i] == '.' || path[i] == '[' {
			return path[:i]
		}
	}
	return ""
}
