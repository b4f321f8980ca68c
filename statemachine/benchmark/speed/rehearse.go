package main

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// rehearsal measures a rehearsal with options, whose names begin with two dashes.
func rehearsal(options ...string) func(tree) (float64, error) {
	return func(t tree) (float64, error) {
		return t.run(append(t.rehearse[:len(t.rehearse):len(t.rehearse)], options...))
	}
}

// advise measures the advice on the blog's plan, with so many runs a plan.
func advise(runs int) func(tree) (float64, error) {
	return func(t tree) (float64, error) { return t.run([]string{"advise", "--runs", strconv.Itoa(runs)}) }
}

// run runs the command, and returns its processor time.
func (t tree) run(arguments []string) (float64, error) {
	for i, a := range arguments {
		if name, ok := strings.CutPrefix(a, "--"); ok {
			arguments[i] = t.dashes + name
		}
	}
	command := exec.Command(filepath.Join(t.built, "command"), arguments...)
	out, err := command.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1) { // 1: the rollout was rolled back
		return 0, fmt.Errorf("%w\n%s", err, out)
	}
	return cpu(command), nil
}

// benchmark runs a benchmark of a package so many times in one process. It returns what
// it reports by name and unit, such as "0steps allocs/op", and the process.
func (t tree) benchmark(pkg, name string, times int, more ...string) (map[string]float64, *exec.Cmd, error) {
	command := exec.Command(filepath.Join(t.built, pkg+".test"), append([]string{
		"-test.run=^$", "-test.bench=^Benchmark" + name + "$", "-test.benchmem", "-test.timeout=2h",
		"-test.benchtime=" + strconv.Itoa(times) + "x",
	}, more...)...)
	command.Dir = filepath.Join(t.root, "statemachine", pkg)
	out, err := command.CombinedOutput()
	if err != nil {
		return nil, nil, fmt.Errorf("benchmark %s: %w\n%s", name, err, out)
	}
	reported := map[string]float64{}
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		if len(words) < 4 || !strings.HasPrefix(words[0], "Benchmark") {
			continue
		}
		part, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(words[0], "Benchmark"+name), "/"), "-")
		for i := 2; i+1 < len(words); i += 2 {
			value, err := strconv.ParseFloat(words[i], 64)
			if err != nil {
				return nil, nil, fmt.Errorf("benchmark %s reports %q", name, line)
			}
			reported[strings.TrimSpace(part+" "+words[i+1])] = value
		}
	}
	if len(reported) == 0 {
		return nil, nil, fmt.Errorf("benchmark %s reports nothing:\n%s", name, out)
	}
	return reported, command, nil
}

// warmRollout measures the blog's rollout, with its 20 checks and its timeline, in a
// process that has already rehearsed one.
func warmRollout(t tree) (float64, error) {
	const more = 300 // so that the process's memory has long been in use
	_, first, err := t.benchmark("rehearsal", "BlogRollout", 1)
	if err != nil {
		return 0, err
	}
	_, all, err := t.benchmark("rehearsal", "BlogRollout", 1+more)
	if err != nil {
		return 0, err
	}
	return (cpu(all) - cpu(first)) / more, nil
}

// minuteChecks measures a rollout with a check in each minute of a period: a month, or
// the year that is the longest.
func minuteChecks(period string, checks int) figure {
	name := period + " of minute checks"
	return figure{rows: []row{
		{name: name, unit: "s CPU"},
		{name: name, unit: "µs CPU a check"},
		{name: name, unit: "allocations a check"},
		{name: name, unit: "bytes allocated a check"},
		{name: name, unit: "MB in use after a quarter"},
		{name: name, unit: "MB in use at the end"},
		{name: name, unit: "MB of the process at most"},
	}, turns: 1, of: func(t tree) ([]float64, error) {
		var options []string
		if checks < 365*24*60 {
			options = []string{"-test.short"}
		}
		found, process, err := t.benchmark("rehearsal", "Year", 1, options...)
		if err != nil {
			return nil, err
		}
		n := float64(checks)
		if found["checks"] != n {
			return nil, fmt.Errorf("%s had %v checks, not %v", name, found["checks"], n)
		}
		most, err := peak(process)
		took := cpu(process)
		return []float64{took / 1000, took * 1000 / n, found["allocs/op"] / n, found["B/op"] / n, found["MB-early"], found["MB-late"], most}, err
	}}
}

// engines measures the states a second of the interpreter, and how many times as many as
// aws-local-stepfunctions has in the same process, in turns.
func engines() figure {
	steps := []string{"0", "40"}
	var rows []row
	for _, n := range steps {
		rows = append(rows, row{"the interpreter, with the state of " + n + " steps", "states a second", true},
			row{"the interpreter, with the state of " + n + " steps", "times as many as aws-local-stepfunctions", true})
	}
	return figure{rows: rows, turns: 3, of: func(t tree) ([]float64, error) {
		const times = 20
		found, _, err := t.benchmark("asl", "Engines", times)
		var values []float64
		for _, n := range steps {
			values = append(values, found[n+"steps states/s"], found[n+"steps other-states/s"])
		}
		return values, err
	}, finish: func(best []float64) []float64 {
		for i := 0; i < len(best); i += 2 {
			best[i+1] = best[i] / best[i+1]
		}
		return best
	}}
}
