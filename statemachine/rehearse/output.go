package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// outputs refuses files that can't be written, or that are read as well, before
// any work is done for them. Empty names are of files that nobody wants.
func outputs(written []string, read ...string) error {
	for i, path := range written {
		if path == "" {
			continue
		}
		for _, other := range read {
			if same(path, other) {
				return fmt.Errorf("%s is read, and would be overwritten: name another file to write", path)
			}
		}
		for _, other := range written[:i] {
			if absolute(path) == absolute(other) || same(path, other) {
				return fmt.Errorf("%s would be written twice: name two files", path)
			}
		}
		if err := replace(path, nil, false); err != nil {
			return err
		}
	}
	return nil
}

// same tells whether both are the same file.
func same(a, b string) bool {
	one, err := os.Stat(a)
	if err != nil || !one.Mode().IsRegular() {
		return false
	}
	other, err := os.Stat(b)
	return err == nil && os.SameFile(one, other)
}

func absolute(path string) string {
	if path == "" {
		return ""
	}
	if whole, err := filepath.Abs(path); err == nil {
		return whole
	}
	return path
}

// writeFile writes a file, and leaves what was there if that fails.
func writeFile(path string, text []byte) error { return replace(path, text, true) }

// replace writes a text to a new file beside that of the path, and gives it its
// name; or, if it is not to be kept, only tries whether that file can be made.
// What is no file, such as a pipe, is written to as it is.
func replace(path string, text []byte, keep bool) error {
	mode := os.FileMode(0o644)
	switch old, err := os.Stat(path); {
	case err != nil: // there is nothing to replace
	case old.IsDir():
		return fmt.Errorf("%s is a directory: name a file to write", path)
	case !old.Mode().IsRegular():
		if !keep {
			return nil
		}
		return os.WriteFile(path, text, mode)
	default:
		mode = old.Mode().Perm()
		if path, err = filepath.EvalSymlinks(path); err != nil {
			return err
		}
		writable, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		if err := writable.Close(); err != nil {
			return err
		}
	}
	beside := fmt.Sprintf("%s.%d.tmp", path, os.Getpid())
	file, err := os.OpenFile(beside, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return fmt.Errorf("%s can't be written: %w", path, err)
	}
	_, err = file.Write(text)
	if err = errors.Join(err, file.Close()); err == nil && keep {
		err = os.Rename(beside, path)
	}
	if err != nil || !keep {
		err = errors.Join(err, os.Remove(beside))
	}
	return err
}

// indented writes a value as JSON for people and programs.
func indented(out io.Writer, value any) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}
