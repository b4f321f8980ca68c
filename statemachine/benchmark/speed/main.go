// Command speed compares how fast and how large this tree is with another commit. It
// builds both, runs both in turns, and prints a Markdown table of the minimum of each
// figure and of their ratio.
//
//	go run ./statemachine/benchmark/speed [-commit NAME] [-turns N] [-command COMMAND] [-build] [-figures PATTERN]
//
// The other commit is checked out into a temporary worktree, which is removed. With
// -build it also measures the processor time of building the command into an empty
// cache, which takes minutes. With -figures it measures only those whose names match a
// regular expression. Run it alone on the machine.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// tree is a checked-out commit, and what was built of it.
type tree struct {
	root, built string
	command     string   // the package of the command that rehearses
	rehearse    []string // its arguments for a rehearsal
	dashes      string   // before the names of its options
}

func main() {
	log.SetFlags(0)
	commit := flag.String("commit", "dce1436", "the `commit` to compare with")
	command := flag.String("command", "./statemachine/rehearse", "the other commit's `package` of the command that rehearses")
	turns := flag.Int("turns", 5, "how often each figure is measured")
	build := flag.Bool("build", false, "measure building the command, too")
	pattern := flag.String("figures", "", "measure only the figures whose names match this regular `expression`")
	flag.Parse()
	wanted, err := regexp.Compile(*pattern)
	if err != nil {
		log.Fatal(err)
	}
	all := slices.DeleteFunc(figures(*build), func(f figure) bool { return !wanted.MatchString(f.name) })
	if err := run(*commit, *command, *turns, all); err != nil {
		log.Fatal(err)
	}
}

func run(commit, command string, turns int, all []figure) error {
	folder, err := os.MkdirTemp("", "speed")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	root, err := output(".", "git", "rev-parse", "--show-toplevel")
	if err != nil {
		return err
	}
	root = strings.TrimSpace(root)
	before := tree{root: filepath.Join(folder, "tree"), built: filepath.Join(folder, "before"), command: command, dashes: "-"}
	now := tree{root: root, built: filepath.Join(folder, "now"), command: "./statemachine/lambda-rollout", rehearse: []string{"rehearse"}, dashes: "--"}
	if _, err := output(root, "git", "worktree", "add", "--detach", before.root, commit); err != nil {
		return err
	}
	defer output(root, "git", "worktree", "remove", "--force", before.root) //nolint:errcheck // the folder is removed all the same
	for _, t := range []tree{before, now} {
		if err := t.build(); err != nil {
			return err
		}
	}
	fmt.Printf("| figure | %s | now | ratio |\n| --- | ---: | ---: | ---: |\n", commit)
	for _, f := range all {
		if f.heavy {
			turns = 1
		}
		if err := f.compare(before, now, turns); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	return nil
}

// build builds the functions as they are deployed, but for this processor, and the
// command.
func (t tree) build() error {
	for _, name := range functions {
		if err := t.goBuild(filepath.Join(t.built, name), "./lambdas/"+name, "-tags", "lambda.norpc,nethttpomithttp2"); err != nil {
			return err
		}
	}
	return t.goBuild(filepath.Join(t.built, "command"), t.command)
}

func (t tree) goBuild(to, pkg string, more ...string) error {
	build := exec.Command("go", append(append([]string{"build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -buildid=", "-o", to}, more...), pkg)...)
	build.Dir, build.Env = t.root, append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", pkg, err, out)
	}
	return nil
}

// output runs a command and returns what it prints.
func output(folder, name string, arguments ...string) (string, error) {
	command := exec.Command(name, arguments...)
	command.Dir = folder
	out, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w", strings.Join(command.Args, " "), err)
	}
	return string(out), nil
}
