package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rollouts"
)

// source is a text with what it was read from.
type source struct {
	path string // in messages: the file's, or "standard input"
	text []byte // as UTF-8
	// lines returns the line of each value of the text, which is JSON: see rollouts.Lines.
	lines func() map[string]int
}

// The largest files that are read, in bytes: an input is the longest one in UTF-16, with as
// many blanks, and CloudFormation takes templates of 1 MB.
const (
	mostInputBytes    = 4 * rollout.MaxInput
	mostScenarioBytes = 64 << 20
	mostTemplateBytes = 64 << 20
)

// readSource reads a text file of at most so many bytes, or standard input for "-" unless it
// is nil: in UTF-8 or UTF-16, with or without a byte order mark. Errors name the file. If ctx
// ends first, the error is its cause: a terminal or a pipe may never have an end.
func readSource(ctx context.Context, path string, stdin io.Reader, most int64) (source, error) {
	s := source{path: path}
	if path == "-" && stdin != nil {
		s.path = "standard input"
	} else {
		stdin = nil
	}
	bytes, err := readAll(ctx, path, stdin, most+1)
	if err != nil && stdin != nil && ctx.Err() == nil {
		err = fmt.Errorf("%s: %w", s.path, err) // a file's error names it
	}
	if err != nil {
		return source{}, err
	}
	if int64(len(bytes)) > most {
		return source{}, fmt.Errorf("%s is larger than %d bytes", s.path, most)
	}
	if s.text, err = rollouts.Text(bytes); err != nil {
		return source{}, fmt.Errorf("%s: %w", s.path, err)
	}
	s.lines = sync.OnceValue(func() map[string]int { return rollouts.Lines(s.text) }) // there may be thousands of problems
	return s, nil
}

// readAll reads at most so many bytes of a file, or of stdin unless it is nil. If ctx ends first, it
// returns the cause, and leaves the read to the end of the process: nothing else ends it.
func readAll(ctx context.Context, path string, stdin io.Reader, most int64) ([]byte, error) {
	type answer struct {
		bytes []byte
		err   error
	}
	read := make(chan answer, 1)
	go func() {
		if stdin != nil {
			bytes, err := io.ReadAll(io.LimitReader(stdin, most))
			read <- answer{bytes, err}
			return
		}
		file, err := os.Open(path) // which waits for the writer of a named pipe
		if err != nil {
			read <- answer{nil, err}
			return
		}
		defer file.Close()
		bytes, err := io.ReadAll(io.LimitReader(file, most))
		read <- answer{bytes, err}
	}()
	select {
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case a := <-read:
		return a.bytes, a.err
	}
}

// readInputFile reads a file with an execution's input, or standard input for "-": a JSON
// object with each name once.
func readInputFile(ctx context.Context, path string, stdin io.Reader) (source, error) {
	s, err := readSource(ctx, path, stdin, mostInputBytes)
	if err != nil {
		return source{}, err
	}
	if err := rollouts.Syntax(s.text); err != nil {
		return source{}, fmt.Errorf("%s: %w", s.path, err)
	}
	return s, nil
}

// readRequest returns an execution's input as readInput does, and an error with all problems
// and their places if it is no valid request.
func readRequest(ctx context.Context, path, version string, stdin io.Reader) ([]byte, error) {
	s, text, err := readInput(ctx, path, version, stdin)
	if err != nil {
		return nil, err
	}
	var invalid *rollout.RequestError
	if _, err := rollout.Decode(text); errors.As(err, &invalid) {
		return nil, s.refused("would be refused", invalid.Problems)
	}
	return text, nil
}

// readInput returns an execution's input: the blog post's without a path, that of standard
// input for "-", or else a file's; with a version, that is its new-version. The source is what
// was read.
func readInput(ctx context.Context, path, version string, stdin io.Reader) (source, []byte, error) {
	s := theBlogs()
	var err error
	if path != "" {
		if s, err = readInputFile(ctx, path, stdin); err != nil {
			return source{}, nil, err
		}
	}
	text, err := rollouts.With(s.text, map[string]string{"new-version": version})
	return s, text, err
}

// theBlogs returns the blog post's input as if it were a file's.
func theBlogs() source {
	text := []byte(blogExample)
	return source{path: "the blog post's example", text: text, lines: func() map[string]int { return rollouts.Lines(text) }}
}

// refused returns an error that lists problems with their places.
func (s source) refused(what string, problems []rollout.Problem) error {
	return itemized(s.path+" "+what+":", len(problems), func(i int) string {
		return s.where(problems[i].Path) + ": " + rollout.OneLine(problems[i].Error())
	})
}

// mostProblems is how many problems are printed: who has more has made the same mistake often,
// or has given another file.
const mostProblems = 50

// itemized returns an error with a head and a line for each of n problems, but for no more than
// mostProblems.
func itemized(head string, n int, problem func(i int) string) error {
	lines := []string{head}
	for i := range min(n, mostProblems) {
		lines = append(lines, "- "+problem(i))
	}
	if n > mostProblems {
		lines = append(lines, fmt.Sprintf("- and %s more", rollout.Thousands(int64(n-mostProblems))))
	}
	return errors.New(strings.Join(lines, "\n"))
}

// where returns the place of a problem with a field: file and line, if the text has it.
func (s source) where(path string) string {
	lines := s.lines()
	for ; path != ""; path = parent(path) {
		if line, ok := lines[path]; ok {
			return fmt.Sprintf("%s:%d", s.path, line)
		}
	}
	return s.path
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
