package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/lambda-rollout/lambda-rollout/statemachine"
	pages "github.com/lambda-rollout/lambda-rollout/statemachine/console"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal/journal"
)

const serveUsage = `Usage of rehearse serve:
Serves the local AWS, with the stack in it as deployed, until it is interrupted. The AWS CLI and the
SDKs of all languages use it with the environment that it prints:

  rehearse serve > aws.env &
  . ./aws.env

`

// serveAWS is the subcommand serve. It serves until ctx is done.
func serveAWS(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("rehearse serve", flag.ContinueOnError)
	flags.SetOutput(stderr)
	listen := flags.String("listen", "127.0.0.1:0", "the loopback `address` to serve on; the port 0 means a free one")
	scenario := flags.String("scenario", "healthy", "the traffic of all aliases, and how their versions behave: a JSON `file`, or a built-in scenario's name")
	template := flags.String("template", "", "the stack's synthesized template: a `file` (default: that of the CDK app with all gates)")
	seed := flags.Uint64("seed", 1, "seed of the random numbers")
	speed := flags.Float64("speed", 1, "how many seconds pass in the local AWS per second; with 0, time passes only by calls of "+rehearsal.TimePath)
	data := flags.String("data", "", "the `file` that keeps the AWS when the command ends, to start with the next time (default: it is in memory)")
	flags.Usage = func() {
		fmt.Fprint(stderr, serveUsage)
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return promoted
	} else if err != nil {
		return misused
	}
	fail := func(err error) int {
		fmt.Fprintln(stderr, "rehearse serve:", rehearsal.Printable(err.Error()))
		return misused
	}
	if flags.NArg() > 0 {
		return fail(fmt.Errorf("%q is not an option", flags.Arg(0)))
	}
	if !(*speed >= 0 && *speed <= maxSpeed) {
		return fail(fmt.Errorf("-speed must be from 0 to %d; given: %v", maxSpeed, *speed))
	}
	given := map[string]bool{}
	flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
	begin := beginning{scenario: *scenario, template: *template, seed: *seed, given: given}
	kept, err := openData(*data)
	if err != nil {
		return fail(err)
	}
	if kept != nil {
		defer kept.Close()
	}
	settings, err := begin.settings(kept)
	if err != nil {
		return fail(err)
	}
	served, err := newServed(settings, rehearsal.ServeOptions{
		Speed: *speed, Journal: kept, Trouble: printOnce(stderr),
		Unsupported: func(text string) { fmt.Fprintln(stderr, "rehearse serve: refused:", rehearsal.Printable(text)) },
	})
	if err != nil {
		return fail(err)
	}
	listener, err := rehearsal.Listen(*listen)
	if err != nil {
		return fail(err)
	}
	defer listener.Close()
	if err := restore(ctx, served, kept, settings, stderr); errors.Is(err, context.Canceled) {
		return promoted
	} else if err != nil {
		return fail(err)
	}
	endpoint := "http://" + listener.Addr().String()
	handler, err := withConsole(served, endpoint)
	if err != nil {
		return fail(err)
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(100) // unlike a rehearsal, it keeps much
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }() // ends with Close
	defer server.Close()
	fmt.Fprint(stdout, environment(endpoint, served.StateMachine()))
	if err := served.Serve(ctx); !errors.Is(err, context.Canceled) {
		return fail(err)
	}
	return promoted
}

// maxSpeed is the highest speed of a served AWS: a day in a second.
const maxSpeed = 24 * 60 * 60

// newServed returns a served AWS that begins with settings.
func newServed(begin journal.Settings, o rehearsal.ServeOptions) (*rehearsal.ServedAWS, error) {
	var err error
	if o.Scenario, err = rehearsal.ParseScenario(begin.Scenario); err != nil {
		return nil, err
	}
	o.Seed, o.Template, o.Start = begin.Seed, begin.Template, begin.Start
	return rehearsal.NewServed(o)
}

// consolePath is where the page about the executions is.
const consolePath = "/_lambda-rollout/console/"

// withConsole returns a handler that serves the AWS and, beside it, the console.
func withConsole(served *rehearsal.ServedAWS, endpoint string) (http.Handler, error) {
	beside, err := pages.New(pages.Options{
		Config: served.Config(endpoint), StateMachineARN: served.StateMachine(), Definition: statemachine.Definition,
		Prefix: consolePath, Now: served.Now,
		Notifications: func() []pages.Notification {
			var all []pages.Notification
			for _, p := range served.Notifications() {
				all = append(all, pages.Notification{Topic: p.Topic, Subject: p.Subject, Message: p.Message, Time: p.At})
			}
			return all
		},
		Advance: func(d time.Duration) time.Time {
			now, _ := served.Advance(d) // it fails only when the command ends
			return now
		},
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle(consolePath, beside)
	mux.Handle("/", served)
	return mux, nil
}

// environment returns the lines for a shell that point AWS's clients at an endpoint.
func environment(endpoint, machine string) string {
	return fmt.Sprintf(`export AWS_ENDPOINT_URL=%[1]s
export AWS_ACCESS_KEY_ID=local
export AWS_SECRET_ACCESS_KEY=local
export AWS_REGION=eu-central-1
export AWS_DEFAULT_REGION=eu-central-1
export STATE_MACHINE_ARN=%[2]s
# The executions, in a browser: %[1]s%[3]s
`, endpoint, machine, consolePath)
}

// untilInterrupted returns a context that is done when the process is interrupted.
func untilInterrupted() (context.Context, context.CancelFunc) {
	return signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
}
