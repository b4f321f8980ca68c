// Command speed compares how fast and how large this tree is with another commit. It
// builds both, runs both in turns, and prints a Markdown table of the minimum of each
// figure and of their ratio.
//
//	go run ./statemachine/benchmark/speed [-commit NAME] [-command PACKAGE] [-turns N] [-blog SOURCE] [-python COMMAND]
//		[-build] [-long] [-tests] [-figures PATTERN] [-write]
//
// The other commit is checked out into a temporary worktree, which is removed. -build,
// -long and -tests add figures that take minutes to hours. With -figures it measures only
// those whose names match a regular expression, and with -write it puts the table into
// docs/performance.md. Run it alone on the machine.
//
// The AWS Compute Blog's sample is measured from its public source, which -blog clones
// into a temporary folder: by default from GitHub, or from a clone of yours. It needs
// Python with boto3: python3 -m pip install boto3.
//
// A figure that cannot be measured here, such as without Python or npm, is printed as
// such, and the command then ends with status 1.
package main

import (
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/lambda-rollout/lambda-rollout/statemachine"
)

// options are the command line's.
type options struct {
	commit, command    string
	turns              int
	blog, python       string
	build, long, tests bool
	figures            string
	write              bool
}

func main() {
	log.SetFlags(0)
	var o options
	flag.StringVar(&o.commit, "commit", "dce1436", "the `commit` to compare with; its functions are built and run as dce1436 did")
	flag.StringVar(&o.command, "command", "./statemachine/rehearse", "the other commit's `package` of the command that rehearses; that of this tree has subcommands")
	flag.IntVar(&o.turns, "turns", 5, "how often most figures are measured")
	flag.StringVar(&o.blog, "blog", "https://github.com/aws-samples/aws-lambda-deploy", "the Git `repository` of the blog's sample: a URL, or the path of a clone")
	flag.StringVar(&o.python, "python", "python3", "the `command` of a Python that has boto3")
	flag.BoolVar(&o.build, "build", false, "measure building the command, too")
	flag.BoolVar(&o.long, "long", false, "measure a whole year of minute checks, and 1,000 runs a plan in advise")
	flag.BoolVar(&o.tests, "tests", false, "measure the tests on two cores, too")
	flag.StringVar(&o.figures, "figures", "", "measure only the figures whose names match this regular `expression`")
	flag.BoolVar(&o.write, "write", false, "put the table into docs/performance.md")
	flag.Parse()
	if o.write && o.figures != "" {
		log.Fatal("-write puts the whole table into the page: leave out -figures")
	}
	if err := run(o); err != nil {
		log.Fatal(err)
	}
}

func run(o options) error {
	wanted, err := regexp.Compile(o.figures)
	if err != nil {
		return err
	}
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
	before := tree{name: o.commit, root: filepath.Join(folder, "tree"), built: filepath.Join(folder, "before"), command: o.command, dashes: "-",
		arguments: []string{"-trimpath", "-buildvcs=false", "-ldflags", "-s -w -buildid=", "-tags", "lambda.norpc"}}
	now := tree{root: root, built: filepath.Join(folder, "now"), command: "./statemachine/lambda-rollout", rehearse: []string{"rehearse"}, dashes: "--",
		arguments: statemachine.BuildArguments(), settings: statemachine.RuntimeSettings()}
	if _, err := output(root, "git", "worktree", "add", "--detach", before.root, o.commit); err != nil {
		return err
	}
	defer output(root, "git", "worktree", "remove", "--force", before.root) //nolint:errcheck // the folder is removed all the same
	for _, t := range []tree{before, now} {
		if err := t.build(); err != nil {
			return err
		}
	}
	all := slices.DeleteFunc(figures(o, filepath.Join(folder, "blog")), func(f figure) bool { return !f.matches(wanted) })
	table, err := compare(o, before, now, all)
	if o.write {
		err = errors.Join(err, writeTable(filepath.Join(root, "docs", "performance.md"), table))
	}
	return err
}

// tree is a checked-out commit, and what was built of it.
type tree struct {
	name        string // that of the other commit; empty for this tree
	root, built string
	command     string   // the package of the command that rehearses
	rehearse    []string // its arguments for a rehearsal
	dashes      string   // before the names of its options
	// arguments are those of go build with which its stack builds the functions, and
	// settings the environment variables that the stack sets for Go's runtime: for any other
	// commit, those of dce1436.
	arguments []string
	settings  map[string]string
}

// build builds the functions as they are deployed, but for this processor, the command,
// and the tests that have benchmarks.
func (t tree) build() error {
	for _, name := range functions {
		if err := t.goBuild(filepath.Join(t.built, name), "./lambdas/"+name, t.arguments); err != nil {
			return err
		}
	}
	for _, pkg := range []string{"rehearsal", "asl"} {
		test := exec.Command("go", "test", "-c", "-o", filepath.Join(t.built, pkg+".test"), "./statemachine/"+pkg)
		test.Dir, test.Env = t.root, append(os.Environ(), "GOWORK=off")
		if out, err := test.CombinedOutput(); err != nil {
			return fmt.Errorf("build the tests of %s: %w\n%s", pkg, err, out)
		}
	}
	return t.goBuild(filepath.Join(t.built, "command"), t.command, []string{"-trimpath", "-buildvcs=false", "-ldflags", "-s -w -buildid="})
}

func (t tree) goBuild(to, pkg string, arguments []string) error {
	build := exec.Command("go", slices.Concat([]string{"build"}, arguments, []string{"-o", to, pkg})...)
	build.Dir, build.Env = t.root, append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", pkg, err, out)
	}
	return nil
}

// output runs a command and returns what it prints on standard output. An error has what
// it printed on standard error.
func output(folder, name string, arguments ...string) (string, error) {
	command := exec.Command(name, arguments...)
	command.Dir = folder
	out, err := command.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return "", fmt.Errorf("%s: %w\n%s", strings.Join(command.Args, " "), err, exit.Stderr)
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", strings.Join(command.Args, " "), err)
	}
	return string(out), nil
}

// cpu returns the processor time that a process took until it ended, in milliseconds.
func cpu(p *exec.Cmd) float64 {
	return float64((p.ProcessState.UserTime() + p.ProcessState.SystemTime()).Microseconds()) / 1000
}
