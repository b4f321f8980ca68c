package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// figures returns the figures of the table. The blog's sample goes into a folder.
func figures(o options, blog string) []figure {
	plan, checks, period := 100, 30*24*60, "a month"
	if o.long {
		plan, checks, period = 1000, 365*24*60, "a year"
	}
	all := []figure{
		one("one rollout rehearsed, with the process's start", "ms CPU", 0, rehearsal("--scenario", "errors")),
		one("one rollout of the blog rehearsed, in a warm process", "ms CPU", 3, warmRollout),
		one("1,000 rollouts (--runs 1000)", "ms CPU", 1, rehearsal("--runs", "1000")),
		one("1,000 rollouts in scenario errors", "ms CPU", 1, rehearsal("--runs", "1000", "--scenario", "errors")),
		minuteChecks(period, checks),
		one(fmt.Sprintf("advise with %d runs a plan", plan), "ms CPU", 1, advise(plan)),
		engines(),
	}
	for _, name := range functions {
		all = append(all,
			one(name+": package initialisation", "bytes", 0, func(t tree) (float64, error) { return initialisation(t, name, "bytes") }),
			one(name+": package initialisation", "allocations", 0, func(t tree) (float64, error) { return initialisation(t, name, "allocs") }),
			one(name+": zipped executable", "bytes", 1, func(t tree) (float64, error) { return zipped(t, name) }),
			one(name+": from start to first answer, without a call", "ms CPU", 0, func(t tree) (float64, error) { return firstAnswer(t, name) }),
		)
	}
	all = append(all,
		healthChecks(),
		blogChecks(&sample{source: o.blog, folder: blog, command: o.python}),
		one("metrics that AWS bills for a check", "metrics", 1, billedMetrics),
		one("modules that the command downloads, zipped", "bytes", 1, download),
		one("go run -v into an empty cache, until its first line", "s", 0, firstLine),
	)
	if o.build {
		all = append(all, one("building the command into an empty cache", "ms CPU", 1, building))
	}
	if o.tests {
		all = append(all, one("all tests on two cores, warm", "s", 1, tests))
	}
	return all
}

// download returns the size of the modules that have a package of the command.
func download(t tree) (float64, error) {
	list, err := output(t.root, "go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}}@{{.Version}}{{end}}{{end}}", t.command)
	if err != nil {
		return 0, err
	}
	sum, seen := 0.0, map[string]bool{}
	for _, module := range strings.Fields(list) {
		if seen[module] {
			continue
		}
		seen[module] = true
		text, err := output(t.root, "go", "mod", "download", "-json", module)
		if err != nil {
			return 0, err
		}
		var downloaded struct{ Zip string }
		if err := json.Unmarshal([]byte(text), &downloaded); err != nil {
			return 0, err
		}
		info, err := os.Stat(downloaded.Zip)
		if err != nil {
			return 0, err
		}
		sum += float64(info.Size())
	}
	return sum, nil
}

// building returns the processor time of building the command, and all that it
// imports, for the first time.
func building(t tree) (float64, error) {
	cache, err := os.MkdirTemp("", "speed-cache")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(cache)
	command := exec.Command("go", "build", "-o", filepath.Join(cache, "command"), t.command)
	command.Dir, command.Env = t.root, append(os.Environ(), "GOCACHE="+cache, "GOWORK=off")
	if out, err := command.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("%w\n%s", err, out)
	}
	return cpu(command), nil
}

// firstLine returns how many seconds go run -v takes, with an empty cache, until it says
// what it compiles.
func firstLine(t tree) (float64, error) {
	cache, err := os.MkdirTemp("", "speed-cache")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(cache)
	command := exec.Command("go", "run", "-v", t.command)
	command.Dir, command.Env = t.root, append(os.Environ(), "GOCACHE="+cache, "GOWORK=off")
	said, err := command.StderrPipe()
	if err != nil {
		return 0, err
	}
	began := time.Now()
	if err := command.Start(); err != nil {
		return 0, err
	}
	line, failed := bufio.NewReader(said).ReadString('\n')
	took := time.Since(began)
	_ = command.Process.Signal(os.Interrupt) // go then waits for its compilers
	go io.Copy(io.Discard, said)             //nolint:errcheck // it ends with the process
	_ = command.Wait()                       // it was interrupted
	if failed != nil {
		return 0, fmt.Errorf("go run -v compiles nothing: %w", failed)
	}
	if strings.ContainsAny(line, " :") { // an error, or a module
		return 0, fmt.Errorf("go run -v says %q before the first package", line)
	}
	return took.Seconds(), nil
}

// tests returns how many seconds all tests take on two cores, with their packages compiled,
// but not linked. If tests of the other commit fail, as one that compares processor time may
// on a slow machine, it says so: the others ran all the same.
func tests(t tree) (float64, error) {
	run := func(arguments ...string) (time.Duration, []byte, error) {
		command := exec.Command("go", append([]string{"test", "-p", strconv.Itoa(twoCores), "-count", "1", "-timeout", "2h"}, arguments...)...)
		command.Dir, command.Env = t.root, append(os.Environ(), "GOWORK=off", "GOMAXPROCS="+strconv.Itoa(twoCores))
		began := time.Now()
		out, err := command.CombinedOutput()
		took := time.Since(began)
		if err != nil {
			err = fmt.Errorf("%w\n%s", err, out)
		}
		return took, out, err
	}
	if _, _, err := run("-run", "^$", "./..."); err != nil { // builds them
		return 0, err
	}
	took, out, err := run("./...")
	if failed := failedTest.FindAllStringSubmatch(string(out), -1); err != nil && failed != nil && t.name != "" && !cutShort.Match(out) {
		for _, test := range failed {
			log.Printf("%s of %s failed", test[1], t.name)
		}
		err = nil
	}
	return took.Seconds(), err
}

var (
	failedTest = regexp.MustCompile(`(?m)^--- FAIL: (\S+)`)
	cutShort   = regexp.MustCompile(`(?m)^(panic|fatal error|signal): `) // a process of tests ended before the last one
)

const twoCores = 2
