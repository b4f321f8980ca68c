package report

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// installPinned returns a folder in the user's cache with the node_modules that
// a folder's package.json and package-lock.json pin. It is made when missing:
// under another name first, so that it is there either whole or not at all.
func installPinned(name, folder string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	pins := map[string][]byte{}
	hash := sha256.New()
	for _, file := range []string{"package.json", "package-lock.json"} {
		if pins[file], err = os.ReadFile(filepath.Join(folder, file)); err != nil {
			return "", err
		}
		hash.Write(pins[file])
	}
	installed := filepath.Join(cache, "lambda-rollout", fmt.Sprintf("%s-%x", name, hash.Sum(nil)[:8]))
	return installed, wholeOrNot(installed, func(unfinished string) error {
		for file, data := range pins {
			if err := os.WriteFile(filepath.Join(unfinished, file), data, 0o644); err != nil {
				return err
			}
		}
		npm := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", unfinished)
		npm.Dir = unfinished
		return run(npm)
	})
}

// wholeOrNot makes a folder that is missing.
func wholeOrNot(folder string, fill func(unfinished string) error) error {
	if _, err := os.Stat(folder); err == nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(folder), 0o755); err != nil {
		return err
	}
	unfinished, err := os.MkdirTemp(filepath.Dir(folder), "unfinished-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(unfinished)
	if err := fill(unfinished); err != nil {
		return err
	}
	if err := os.Rename(unfinished, folder); err != nil {
		if _, other := os.Stat(folder); other != nil {
			return err
		}
	}
	return nil
}

// run runs a command. The error has what it complained of; a command that is
// missing is named, with what to install.
func run(command *exec.Cmd) error {
	_, err := command.Output()
	if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("%s was not found: install Node.js 20 or later, which brings node and npm, and put them on the PATH", command.Args[0])
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return fmt.Errorf("%s: %w: %s", strings.Join(command.Args[:2], " "), err, exit.Stderr)
	}
	return err
}
