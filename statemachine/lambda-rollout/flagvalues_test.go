package main

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TestNonsenseNumbers are refused by each flag of each subcommand that takes a number or a time,
// with what would be right, and without a library's words.
func TestNonsenseNumbers(t *testing.T) {
	given := map[string][]string{
		"number": {"-1", "NaN", "Inf", "-Inf", "1e300", "x", ""}, "int": {"-1", "0", "NaN", "1.5", "99999999999999999999", "1e300", "x", ""},
		"uint": {"-1", "NaN", "1.5", "99999999999999999999", "x", ""}, "duration": {"-1s", "0s", "5", "NaN", "Inf", "1000000h", "99999999999h", "x", ""},
	}
	flags := 0
	each(new(command).root(), func(sub *cobra.Command) {
		sub.Flags().VisitAll(func(f *pflag.Flag) {
			switch f.Value.Type() {
			case "string", "bool", "stringArray":
				return
			}
			flags++
			if given[f.Value.Type()] == nil {
				t.Errorf("%s --%s: a %s has no range", sub.CommandPath(), f.Name, f.Value.Type())
			}
			for _, text := range given[f.Value.Type()] {
				var stderr bytes.Buffer
				code := run(context.Background(), append(strings.Fields(sub.CommandPath())[1:], "--"+f.Name, text), strings.NewReader(""), io.Discard, &stderr)
				said := stderr.String()
				if code != 2 || !strings.Contains(said, "--"+f.Name+" must be a") || !strings.Contains(said, " from ") || !strings.Contains(said, "; given: ") ||
					strings.Contains(said, "strconv") || strings.Contains(said, "invalid") {
					t.Errorf("%s --%s %q: %d, %s", sub.CommandPath(), f.Name, text, code, said)
				}
			}
		})
	})
	if flags < 15 {
		t.Errorf("only %d flags are tried", flags)
	}
}

// each calls f for a command and all of its subcommands.
func each(c *cobra.Command, f func(*cobra.Command)) {
	f(c)
	for _, sub := range c.Commands() {
		each(sub, f)
	}
}

func TestWrongOptions(t *testing.T) {
	for line, want := range map[string]string{
		"rehearse --json=x":   `--json must be true or false, or stand alone; given: "x"`,
		"rehearse --scenario": "--scenario needs a value: lambda-rollout rehearse --help says which",
		"rehearse -x":         "there is no option -x: lambda-rollout rehearse --help lists the options",
		"check -f":            "--file needs a value",
		"cost --chek-seconds": `there is no option --chek-seconds (did you mean "check-seconds"?): lambda-rollout cost --help lists the options`,
	} {
		if code, _, stderr := typed("", strings.Fields(line)...); code != 2 || stderr != "lambda-rollout: "+want+"\n" && !strings.HasPrefix(stderr, "lambda-rollout: "+want+":") {
			t.Errorf("%s: %d, %s", line, code, stderr)
		}
	}
}
