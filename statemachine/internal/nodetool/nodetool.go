// Package nodetool runs the Node.js programs that the tests need. Install installs
// their packages, at pinned versions, once into the user's cache; Command and
// Output run a script that uses them.
package nodetool

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// Install returns a folder with the node_modules that the package.json and
// package-lock.json among the pins specify. The folder is in the user's cache,
// with the given name and a hash of the pins in its name. Install creates it with
// npm if it is missing, without running any script of a package. The error names the
// Node.js that it found if that is too old.
func Install(name string, pins fs.FS) (folder string, err error) {
	if err := check(); err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	files := map[string][]byte{}
	hash := sha256.New()
	for _, file := range []string{"package.json", "package-lock.json"} {
		data, err := fs.ReadFile(pins, file)
		if err != nil {
			return "", err
		}
		files[file] = data
		hash.Write(data)
	}
	installed := filepath.Join(cache, "lambda-rollout", fmt.Sprintf("%s-%x", name, hash.Sum(nil)[:8]))
	return installed, Make(installed, func(unfinished string) error {
		for file, data := range files {
			if err := os.WriteFile(filepath.Join(unfinished, file), data, 0o644); err != nil {
				return err
			}
		}
		npm := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", unfinished)
		npm.Dir = unfinished
		_, err := Output(npm)
		return err
	})
}

// Make creates a folder if it is missing: fill fills it under another name first,
// so that the folder either exists completely or not at all.
func Make(folder string, fill func(unfinished string) error) error {
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

// Command returns the command `node` with these arguments. Its scripts find the
// packages that are installed in the folder.
func Command(folder string, arguments ...string) *exec.Cmd {
	node := exec.Command("node", arguments...)
	node.Env = append(os.Environ(), "NODE_PATH="+filepath.Join(folder, "node_modules"))
	return node
}

// Output runs a command and returns its standard output. The error includes its
// standard error.
func Output(command *exec.Cmd) ([]byte, error) {
	output, err := command.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return nil, fmt.Errorf("%s: %w: %s", strings.Join(command.Args[:2], " "), err, exit.Stderr)
	}
	return output, Explain(command, err)
}

// Explain returns the error of starting a command; if the command is missing, one
// that says what to install.
func Explain(command *exec.Cmd, err error) error {
	if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("%s was not found: %s", command.Args[0], installNode)
	}
	return err
}

// oldestNode is the oldest major version of Node.js on which the programs work. As CDK
// needs Node.js too, installNode names the versions that CDK supports.
const (
	oldestNode  = 20
	installNode = "install Node.js 22 or 24, which includes node and npm, and put them on the PATH"
)

// check returns an error if there is no Node.js, or only one that is too old.
func check() error {
	output, err := Output(exec.Command("node", "--version"))
	if err != nil {
		return err
	}
	version := strings.TrimPrefix(strings.TrimSpace(string(output)), "v")
	major, _, _ := strings.Cut(version, ".")
	if number, err := strconv.Atoi(major); err != nil || number < oldestNode {
		return fmt.Errorf("node is Node.js %q, which is too old: %s", version, installNode)
	}
	return nil
}
