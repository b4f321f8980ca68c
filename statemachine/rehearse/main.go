// Command rehearse runs a rollout on this machine, in virtual time and without an
// AWS account. It runs the deployed state machine and task code against a local
// AWS, prints each step and check as it happens, and a summary at the end.
//
//	go run ./statemachine/rehearse                            the blog post's example
//	go run ./statemachine/rehearse -scenario errors           with a bad new version
//	go run ./statemachine/rehearse -input rollout.json        your own rollout
//	go run ./statemachine/rehearse -runs 1000 -report out.html
//	                                                          how a thousand of them end, as a page
//	go run ./statemachine/rehearse -stack                     as a resource of a CloudFormation stack
//	go run ./statemachine/rehearse -template cdk.out/LambdaRollout.template.json
//	                                                          with the permissions of that stack, and no others
//
// Four subcommands have options of their own:
//
//	go run ./statemachine/rehearse cost                       what rollouts cost
//	go run ./statemachine/rehearse advise -harm 0.02          which plan finds such an error rate soonest
//	go run ./statemachine/rehearse record -history FILE       a rollout on AWS, from its history
//	go run ./statemachine/rehearse verify -aws                whether AWS does what the interpreter does
//
// It exits with 0 if the new version was promoted, 1 if it was not, and 2 if the
// input was refused or the command line is wrong. With -fail-unverified, it exits
// with 4 if the promotion is unverified. With -runs, and for the
// subcommands, it exits with 0, or with 2 if the input or the options can't be
// used. The subcommand verify exits with 1 if AWS differs.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"runtime/debug"
	"strings"
	"time"
	_ "time/tzdata" // for windows: Windows has none

	"golang.org/x/term"

	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal/report"
)

func main() {
	// A rehearsal makes much garbage and keeps little, so collect it less often,
	// unless the environment says otherwise.
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// The exit codes; that of -help is promoted's.
const (
	promoted    = 0
	notPromoted = 1
	misused     = 2
	unverified  = 4 // with -fail-unverified; as of docs/ci/rollout.sh, where 3 is another
)

// blogExample is the execution input of the AWS Compute Blog's post.
const blogExample = `{
  "function-name": "MyFunction",
  "alias-name": "MyAlias",
  "new-version": "2",
  "steps": 10,
  "interval" : 120,
  "type": "linear"
}
`

// usage is printed above the options.
const usage = `Usage of rehearse:
  rehearse [options]          rehearse a rollout, or many with -runs
  rehearse cost [options]     print what rollouts cost
  rehearse advise [options]   compare plans under a scenario's traffic
  rehearse record [options]   make a page and a scenario from a rollout on AWS
  rehearse verify [options]   compare the interpreter with AWS, state by state
For the options of a subcommand, run for example rehearse cost -help. The options of rehearse:
`

// run runs the command and returns its exit code.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) > 0 {
		switch args[0] {
		case "cost":
			return cost(args[1:], stdin, stdout, stderr)
		case "advise":
			return advise(args[1:], stdin, stdout, stderr)
		case "serve":
			ctx, stop := untilInterrupted()
			defer stop()
			return serveAWS(ctx, args[1:], stdout, stderr)
		case "record":
			return record(args[1:], time.Now(), stdout, stderr)
		case "verify":
			return verifyStates(args[1:], awsTester, stdout, stderr)
		}
	}
	flags := flag.NewFlagSet("rehearse", flag.ContinueOnError)
	flags.SetOutput(stderr)
	input := flags.String("input", "", "`file` with the execution's input, - for standard input (default: the blog post's example)")
	scenario := flags.String("scenario", "healthy", "the traffic, faults and changes to rehearse under: a JSON `file`, or one of "+strings.Join(rehearsal.BuiltIn(), ", "))
	seed := flags.Uint64("seed", 1, "seed of the random numbers: the same seed gives the same rollout")
	simple := flags.Bool("simple", false, "rehearse the one-function deployer instead of the workflow: 15 minutes at most")
	inStack := flags.Bool("stack", false, "rehearse the rollout as a resource of a CloudFormation stack, which is updated to the new version and waits for it")
	stackFails := flags.Bool("stack-fails", false, "with -stack: another resource fails after the promotion, so that the stack is rolled back")
	template := flags.String("template", "", "run the functions with the permissions of their roles in this synthesized template: a `file` such as cdk.out/LambdaRollout.template.json")
	asJSON := flags.Bool("json", false, "print the whole result as JSON, and nothing else")
	page := flags.String("report", "", "write a page about the rehearsal, or with -runs about all of them, to this `file`, such as rehearsal.html")
	runs := flags.Int("runs", 1, "rehearse this many rollouts on all cores, with consecutive seeds from -seed on, and print how they end")
	speed := flags.Float64("speed", 0, "watch in slow motion, at this many seconds of the rollout per second (default: as fast as possible)")
	failUnverified := flags.Bool("fail-unverified", false, "exit with 4 if the new version was promoted and too little was seen to judge it")
	listen := flags.String("listen", "", "serve the local AWS on this loopback `address`, such as 127.0.0.1:0, and call it there")
	flags.Usage = func() {
		fmt.Fprint(stderr, usage)
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return promoted
	} else if err != nil {
		return misused
	}
	fail := func(err error) int {
		fmt.Fprintln(stderr, "rehearse:", rehearsal.Printable(err.Error()))
		return misused
	}
	if flags.NArg() > 0 {
		return fail(fmt.Errorf("%q is neither an option nor one of cost, advise, record and verify, which must come first", flags.Arg(0)))
	}
	if !(*speed >= 0) || math.IsInf(*speed, 0) {
		return fail(fmt.Errorf("-speed must be a number from 0 on; given: %v", *speed))
	}
	if *speed > 0 && (*runs != 1 || *asJSON) {
		return fail(errors.New("-speed is for watching one rehearsal, and with -runs or -json there is none to watch: leave out one of the two"))
	}
	if *failUnverified && *runs != 1 {
		return fail(errors.New("-fail-unverified is for the exit code of one rehearsal, and with -runs there are many: leave out one of the two"))
	}
	if *stackFails && !*inStack {
		return fail(errors.New("-stack-fails is for a stack: add -stack"))
	}
	if *inStack && (*simple || *runs != 1 || *page != "") {
		return fail(errors.New("-stack rehearses one stack, and can't be combined with -simple, -runs or -report: leave out one of the two"))
	}
	request, err := readInput(*input, stdin)
	if err != nil {
		return fail(err)
	}
	conditions, err := readScenario(*scenario)
	if err != nil {
		return fail(err)
	}
	roles, err := readTemplate(*template)
	if err != nil {
		return fail(err)
	}
	if err := outputs([]string{*page}, *input, *scenario, *template); err != nil {
		return fail(err)
	}

	live := newConsole(stdout)
	options := rehearsal.Options{
		Input: request, Scenario: conditions, Seed: *seed, Simple: *simple, Template: roles, Listen: *listen,
		Watch: paced(live.show, *speed),
	}
	if *inStack {
		options.Stack = &rehearsal.Stack{Fails: *stackFails}
	}
	if *asJSON {
		options.Watch = nil
	}
	if *runs != 1 {
		about := report.ManyPage{Input: request, Scenario: conditions, ScenarioName: *scenario, Command: commandLine(args)}
		if err := many(options, *runs, *asJSON, *page, about, stdout, stderr); err != nil {
			return fail(err)
		}
		return promoted
	}
	result, err := rehearsal.Run(options)
	live.clear()
	if err != nil {
		return fail(err)
	}
	if *asJSON {
		err = indented(stdout, result)
	} else {
		err = result.Summary(stdout)
	}
	if err != nil {
		return fail(err)
	}
	if *page != "" {
		about := report.Page{Result: result, Input: request, Scenario: conditions, ScenarioName: *scenario, Seed: *seed}
		if err := writeReport(*page, func(w io.Writer) error { return report.Write(w, about) }); err != nil {
			return fail(err)
		}
	}
	if result.Stack != nil && !result.Stack.Updated() && result.Outcome == rehearsal.Promoted {
		return notPromoted
	}
	switch result.Outcome {
	case rehearsal.Promoted:
		if result.Unverified && *failUnverified {
			return unverified
		}
		return promoted
	case rehearsal.Refused:
		return misused
	}
	return notPromoted
}

// writeReport writes the page that write makes to a file.
func writeReport(path string, write func(io.Writer) error) error {
	var page bytes.Buffer
	if err := write(&page); err != nil {
		return fmt.Errorf("the report: %w", err)
	}
	return writeFile(path, page.Bytes())
}

// readInput returns an execution's input: the blog post's without a path, that of
// standard input for "-", or else a file's.
func readInput(path string, stdin io.Reader) ([]byte, error) {
	switch path {
	case "":
		return []byte(blogExample), nil
	case "-":
		return io.ReadAll(stdin)
	}
	return os.ReadFile(path)
}

// readScenario returns the built-in scenario of that name, or else a file's.
func readScenario(name string) (rehearsal.Scenario, error) {
	if scenario, ok := rehearsal.LoadBuiltIn(name); ok {
		return scenario, nil
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return rehearsal.Scenario{}, fmt.Errorf("there is no scenario %q: it is none of %s, and can't be read as a file: %w", name, strings.Join(rehearsal.BuiltIn(), ", "), err)
	}
	return rehearsal.ParseScenario(data)
}

// readTemplate reads the template of a stack; it returns nil without a path.
func readTemplate(path string) (*rehearsal.Template, error) {
	if path == "" {
		return nil, nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	template, err := rehearsal.ParseTemplate(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return template, nil
}

// newConsole returns a console that prints to out: in colours if that is a terminal
// and NO_COLOR is not set (https://no-color.org).
func newConsole(out io.Writer) *console {
	columns := width(out)
	return &console{out: out, width: columns, colour: columns > 0 && os.Getenv("NO_COLOR") == ""}
}

// paced returns a function that shows each entry when it is due, at speed seconds
// of the rollout per second; with speed 0, show itself.
func paced(show func(rehearsal.Entry), speed float64) func(rehearsal.Entry) {
	if speed == 0 {
		return show
	}
	start := time.Now()
	return func(l rehearsal.Entry) {
		time.Sleep(time.Duration(l.At/speed*float64(time.Second)) - time.Since(start))
		show(l)
	}
}

// width returns the terminal's width in characters; 0 if out is not a terminal, or
// one without control sequences.
func width(out io.Writer) int {
	file, ok := out.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" {
		return 0
	}
	columns, _, err := term.GetSize(int(file.Fd()))
	if err != nil {
		return 0
	}
	return columns
}
