package main

import (
	"archive/zip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var functions = []string{"finalize", "updatealias", "calculateweights", "healthcheck"}

// figure is a figure that is the better the smaller it is.
type figure struct {
	name, unit string
	heavy      bool // measured once
	of         func(tree) (float64, error)
}

// figures returns the rows of the table.
func figures(build bool) []figure {
	all := []figure{
		{"one rollout rehearsed, with the process's start", "ms CPU", false, rehearsal("errors")},
		{"1,000 rollouts", "ms CPU", true, rehearsal("errors", "runs", "1000")},
	}
	for _, name := range functions {
		all = append(all,
			figure{name + ": package initialisation", "bytes", false, func(t tree) (float64, error) { return initialisation(t, name, "bytes") }},
			figure{name + ": package initialisation", "allocations", false, func(t tree) (float64, error) { return initialisation(t, name, "allocs") }},
			figure{name + ": zipped executable", "bytes", false, func(t tree) (float64, error) { return zipped(t, name) }},
			figure{name + ": from start to first answer", "ms CPU", false, func(t tree) (float64, error) { return firstAnswer(t, name) }},
		)
	}
	all = append(all, figure{"modules that the command downloads, zipped", "bytes", true, download})
	if build {
		all = append(all, figure{"building the command into an empty cache", "ms CPU", true, building})
	}
	return all
}

// compare measures the figure of both trees in turns, and prints its row.
func (f figure) compare(before, now tree, turns int) error {
	least := [2]float64{math.Inf(1), math.Inf(1)}
	for range turns {
		for i, t := range []tree{before, now} {
			value, err := f.of(t)
			if err != nil {
				return err
			}
			least[i] = min(least[i], value)
		}
	}
	fmt.Printf("| %s, %s | %.0f | %.0f | %.2f |\n", f.name, f.unit, least[0], least[1], least[1]/least[0])
	return nil
}

// cpu returns the processor time that a process took until it ended.
func cpu(p *exec.Cmd) float64 {
	return float64((p.ProcessState.UserTime() + p.ProcessState.SystemTime()).Microseconds()) / 1000
}

// rehearsal measures the rehearsal of a scenario, with options and their values.
func rehearsal(scenario string, options ...string) func(tree) (float64, error) {
	return func(t tree) (float64, error) {
		arguments := append(t.rehearse, t.dashes+"scenario", scenario)
		for i := 0; i < len(options); i += 2 {
			arguments = append(arguments, t.dashes+options[i], options[i+1])
		}
		command := exec.Command(filepath.Join(t.built, "command"), arguments...)
		out, err := command.CombinedOutput()
		var exit *exec.ExitError
		if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1) { // 1: the rollout was rolled back
			return 0, fmt.Errorf("%w\n%s", err, out)
		}
		return cpu(command), nil
	}
}

// environment is a function's.
func environment(more ...string) []string {
	return append(more, "AWS_REGION=eu-central-1", "AWS_ACCESS_KEY_ID=a", "AWS_SECRET_ACCESS_KEY=b", "AWS_ENDPOINT_URL=http://127.0.0.1:9",
		"HOME=/nonexistent", "LAMBDA_TASK_ROOT=/")
}

var initialised = regexp.MustCompile(`(?m)^init .* ([0-9]+) bytes, ([0-9]+) allocs$`)

// initialisation returns the sum of the bytes or allocs of all packages.
func initialisation(t tree, name, what string) (float64, error) {
	command := exec.Command(filepath.Join(t.built, name))
	command.Env = environment("GODEBUG=inittrace=1")
	out, _ := command.CombinedOutput() // it ends because there is no Runtime API
	found := initialised.FindAllStringSubmatch(string(out), -1)
	if found == nil {
		return 0, fmt.Errorf("%s traced no initialisation:\n%s", name, out)
	}
	sum := 0.0
	for _, line := range found {
		value, _ := strconv.ParseFloat(line[map[string]int{"bytes": 1, "allocs": 2}[what]], 64)
		sum += value
	}
	return sum, nil
}

func zipped(t tree, name string) (float64, error) {
	executable, err := os.Open(filepath.Join(t.built, name))
	if err != nil {
		return 0, err
	}
	defer executable.Close()
	var size counter
	archive := zip.NewWriter(&size)
	entry, err := archive.Create("bootstrap")
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(entry, executable)
	return float64(size), errors.Join(err, archive.Close())
}

type counter int

func (c *counter) Write(data []byte) (int, error) { *c += counter(len(data)); return len(data), nil }

// firstAnswer returns the processor time of a function's process until it has answered
// an invocation: one that it refuses, as its input is empty.
func firstAnswer(t tree, name string) (float64, error) {
	answered := make(chan struct{}, 1)
	given := false
	api := http.NewServeMux()
	api.HandleFunc("GET /2018-06-01/runtime/invocation/next", func(w http.ResponseWriter, r *http.Request) {
		if given { // no further invocation comes
			<-r.Context().Done()
			return
		}
		given = true
		w.Header().Set("Lambda-Runtime-Aws-Request-Id", "1")
		w.Header().Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(time.Now().Add(time.Minute).UnixMilli(), 10))
		w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-central-1:123456789012:function:f")
		_, _ = io.WriteString(w, "{}")
	})
	api.HandleFunc("POST /2018-06-01/runtime/invocation/1/{answer}", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusAccepted)
		answered <- struct{}{}
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	server := http.Server{Handler: api}
	go server.Serve(listener) //nolint:errcheck // it ends when it is closed
	defer server.Close()
	command := exec.Command(filepath.Join(t.built, name))
	command.Env = environment("AWS_LAMBDA_RUNTIME_API=" + listener.Addr().String())
	if err := command.Start(); err != nil {
		return 0, err
	}
	select {
	case <-answered:
	case <-time.After(time.Minute):
		err = errors.New("no answer within a minute")
	}
	_ = command.Process.Kill()
	_ = command.Wait() // it was killed
	return cpu(command), err
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
