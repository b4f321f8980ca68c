package terminal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// CheckFiles returns an error if a file can't be written, is read as well, or is
// named twice, so that the command fails before it does any work. Empty names are
// ignored.
func CheckFiles(written []string, read ...string) error {
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

// same reports whether both paths are of one regular file.
func same(a, b string) bool {
	one, err := os.Stat(a)
	if err != nil || !one.Mode().IsRegular() {
		return false
	}
	other, err := os.Stat(b)
	return err == nil && os.SameFile(one, other)
}

// absolute returns an absolute path; "" for no path.
func absolute(path string) string {
	if path == "" {
		return ""
	}
	if full, err := filepath.Abs(path); err == nil {
		return full
	}
	return path
}

// WriteFile writes a file. If that fails, the old file is left as it was.
func WriteFile(path string, text []byte) error { return replace(path, text, true) }

// replace writes text to a temporary file next to path, and renames it to path. If
// keep is false, it only checks that this is possible, and removes the temporary
// file. What is not a regular file, such as a pipe, is written to directly.
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
		return unwritten(path, os.WriteFile(path, text, mode))
	default:
		mode = old.Mode().Perm()
		if path, err = filepath.EvalSymlinks(path); err != nil {
			return err
		}
		writable, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return unwritten(path, err)
		}
		if err := writable.Close(); err != nil {
			return err
		}
	}
	beside := fmt.Sprintf("%s.%d.tmp", path, os.Getpid())
	file, err := os.OpenFile(beside, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return unwritten(path, err)
	}
	_, err = file.Write(text)
	if err = errors.Join(err, file.Close()); err == nil && keep {
		err = os.Rename(beside, path)
	}
	if err != nil || !keep {
		if removed := os.Remove(beside); err == nil {
			err = removed
		}
	}
	return unwritten(path, err)
}

// unwritten returns the error of a file that can't be written, without the names of the calls and
// of the temporary file.
func unwritten(path string, err error) error {
	if err == nil {
		return nil
	}
	var named *fs.PathError
	var renamed *os.LinkError
	switch {
	case errors.As(err, &named):
		err = named.Err
	case errors.As(err, &renamed):
		err = renamed.Err
	}
	return fmt.Errorf("%s can't be written: %w", path, err)
}

// WriteJSON writes a value as JSON, indented by two spaces.
func WriteJSON(out io.Writer, value any) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}
