package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// oldestNode is the oldest major version of Node.js on which CDK's library works. CDK
// supports the versions that installNode names; on others it prints a warning.
const (
	oldestNode  = 20
	installNode = "install Node.js 22 or 24, which CDK needs, and put it on the PATH"
)

// findNode returns an error if there is no Node.js, which CDK's library runs on, or only
// one that is too old.
func findNode() error {
	node := cmp.Or(os.Getenv("JSII_NODE"), "node")
	output, err := exec.Command(node, "--version").Output()
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s was not found: %s", node, installNode)
	} else if err != nil {
		return fmt.Errorf("%s --version failed (%w): %s", node, err, installNode)
	}
	version, named := strings.CutPrefix(strings.TrimSpace(string(output)), "v")
	major, _, _ := strings.Cut(version, ".")
	number, err := strconv.Atoi(major)
	if err != nil || !named {
		return fmt.Errorf("%s --version printed %q, which is no version of Node.js: %s", node, output, installNode)
	} else if number < oldestNode {
		return fmt.Errorf("%s is Node.js %s, which is too old: %s", node, version, installNode)
	}
	return nil
}
