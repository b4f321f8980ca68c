package main

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// ranged is the value of a flag: a number or a time from low to high.
type ranged[T cmp.Ordered] struct {
	value     *T
	low, high T
	kind      string // the word for the value in the usage
	what      string // "a whole number"
	example   string // " such as 15s", or ""
	parse     func(string) (T, error)
	format    func(T) string
}

// Set takes what the command line gives. The error continues a sentence that begins with the
// flag.
func (r *ranged[T]) Set(text string) error {
	n, err := r.parse(text)
	if err != nil || !(n >= r.low && n <= r.high) { // NaN is neither
		return fmt.Errorf("must be %s from %s to %s%s", r.what, r.format(r.low), r.format(r.high), r.example)
	}
	*r.value = n
	return nil
}

func (r *ranged[T]) String() string {
	if r.value == nil {
		return ""
	}
	return r.format(*r.value)
}

func (r *ranged[T]) Type() string { return r.kind }

// numberFlag adds a flag for a number from low to high.
func numberFlag(flags *pflag.FlagSet, value *float64, name string, low, high float64, usage string) {
	flags.Var(&ranged[float64]{
		value: value, low: low, high: high, kind: "number", what: "a number",
		parse:  func(text string) (float64, error) { return strconv.ParseFloat(text, 64) },
		format: func(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) },
	}, name, usage)
}

// countFlag adds a flag for a whole number from low to high.
func countFlag(flags *pflag.FlagSet, value *int, name string, low, high int, usage string) {
	flags.Var(&ranged[int]{
		value: value, low: low, high: high, kind: "int", what: "a whole number", parse: strconv.Atoi, format: strconv.Itoa,
	}, name, usage)
}

// seedFlag adds the flag --seed, with the default 1.
func seedFlag(flags *pflag.FlagSet, usage string) *uint64 {
	seed := uint64(1)
	flags.Var(&ranged[uint64]{
		value: &seed, low: 0, high: 1<<64 - 1, kind: "uint", what: "a whole number",
		parse:  func(text string) (uint64, error) { return strconv.ParseUint(text, 10, 64) },
		format: func(n uint64) string { return strconv.FormatUint(n, 10) },
	}, "seed", usage)
	return &seed
}

// timeFlag adds a flag for a time from low to high.
func timeFlag(flags *pflag.FlagSet, value *time.Duration, name string, low, high time.Duration, usage string) {
	flags.Var(&ranged[time.Duration]{
		value: value, low: low, high: high, kind: "duration", what: "a time", example: ", such as 15s or 2m", parse: time.ParseDuration, format: plainTime,
	}, name, usage)
}

// plainTime formats a time without the units that are zero: 1s, 10m, 1h.
func plainTime(d time.Duration) string {
	switch {
	case d >= time.Hour && d%time.Hour == 0:
		return strconv.Itoa(int(d/time.Hour)) + "h"
	case d >= time.Minute && d%time.Minute == 0:
		return strconv.Itoa(int(d/time.Minute)) + "m"
	}
	return d.String()
}

// wrongFlag returns the error of a command line whose flags can't be read, with what would be
// right.
func wrongFlag(sub *cobra.Command, err error) error {
	var invalid *pflag.InvalidValueError
	var none *pflag.ValueRequiredError
	var unknown *pflag.NotExistError
	switch {
	case errors.As(err, &invalid):
		want := rollout.OneLine(invalid.Unwrap().Error())
		if invalid.GetFlag().Value.Type() == "bool" {
			want = "must be true or false, or stand alone"
		}
		return fmt.Errorf("--%s %s; given: %s", invalid.GetFlag().Name, want, strconv.Quote(shortened(invalid.GetValue())))
	case errors.As(err, &none):
		return fmt.Errorf("--%s needs a value: %s --help says which", none.GetFlag().Name, sub.CommandPath())
	case errors.As(err, &unknown):
		given, known := unknown.GetSpecifiedName(), []string{}
		if unknown.GetSpecifiedShortnames() != "" {
			return fmt.Errorf("there is no option -%s: %s --help lists the options", shortened(given), sub.CommandPath())
		}
		sub.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, f.Name) })
		return fmt.Errorf("there is no option --%s%s: %s --help lists the options", shortened(given), rollout.DidYouMean(given, known), sub.CommandPath())
	}
	return fmt.Errorf("%w: %s --help lists the options", err, sub.CommandPath())
}

// shortened returns a text of the command line for an error.
func shortened(text string) string { return rollout.Shorten(rollout.OneLine(text), 80) }
