package main

import (
	"fmt"
	"net/http"
	"os"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"github.com/lambda-rollout/lambda-rollout/statemachine"
	pages "github.com/lambda-rollout/lambda-rollout/statemachine/console"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal/journal"
)

// serve is the subcommand that serves the local AWS until it is interrupted.
func (c *command) serve() *cobra.Command {
	sub := &cobra.Command{
		Use:   "serve",
		Short: "Serve the local AWS, with the stack in it, for the AWS CLI, the SDKs and a browser",
		Long: `Serve the local AWS, with the stack in it as deployed, until it is interrupted. The AWS CLI and
the SDKs of all languages use it with the environment that it prints:

  lambda-rollout serve > aws.env &
  . ./aws.env`,
		Args: noArguments,
	}
	flags := sub.Flags()
	listen := flags.String("listen", "127.0.0.1:0", "the loopback `address` to serve on; the port 0 means a free one")
	scenario := flags.String("scenario", "healthy", "the traffic of all aliases, and how their versions behave: a JSON `file`, or a built-in scenario's name")
	template := flags.String("template", "", "the stack's synthesized template: a `file` (default: that of the CDK app with all gates)")
	speed := 1.0
	seed := seedFlag(flags, "seed of the random numbers")
	numberFlag(flags, &speed, "speed", 0, maxSpeed, "how many seconds pass in the local AWS per second; with 0, time passes only by calls of "+rehearsal.TimePath)
	data := flags.String("data", "", "the `file` in which the local AWS is kept for the next start (default: none; it is lost when the command ends)")
	sub.RunE = func(sub *cobra.Command, _ []string) error {
		begin := beginning{scenario: *scenario, template: *template, seed: *seed, given: flags.Changed}
		kept, err := openData(*data)
		if err != nil {
			return err
		}
		if kept != nil {
			defer kept.Close()
		}
		settings, err := begin.settings(sub.Context(), kept)
		if err != nil {
			return err
		}
		served, err := newServed(settings, rehearsal.ServeOptions{
			Speed: speed, Journal: kept, Trouble: printOnce(c.stderr),
			Unsupported: func(text string) { fmt.Fprintln(c.stderr, "lambda-rollout: refused:", rehearsal.Printable(text)) },
		})
		if err != nil {
			return err
		}
		listener, err := rehearsal.Listen(*listen)
		if err != nil {
			return err
		}
		defer listener.Close()
		if err := restore(sub.Context(), served, kept, settings, c.stderr); err != nil && sub.Context().Err() != nil {
			return nil
		} else if err != nil {
			return err
		}
		endpoint := "http://" + listener.Addr().String()
		handler, err := withConsole(served, endpoint)
		if err != nil {
			return err
		}
		if os.Getenv("GOGC") == "" {
			debug.SetGCPercent(100) // unlike a rehearsal, it keeps much
		}
		server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
		go func() { _ = server.Serve(listener) }() // ends with Close
		defer server.Close()
		if _, err := fmt.Fprint(c.stdout, environment(endpoint, served)); err != nil {
			return err // no one would find it
		}
		if err := served.Serve(sub.Context()); sub.Context().Err() == nil {
			return err
		}
		return nil
	}
	return sub
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
func withConsole(aws *rehearsal.ServedAWS, endpoint string) (http.Handler, error) {
	beside, err := pages.New(pages.Options{
		Config: aws.Config(endpoint), StateMachineARN: aws.StateMachine(), ReleaseStateMachineARN: aws.ReleaseStateMachine(), Definition: statemachine.Definition, ReleaseDefinition: statemachine.ReleaseDefinition,
		Prefix: consolePath, Now: aws.Now,
		Notifications: func() []pages.Notification {
			var all []pages.Notification
			for _, p := range aws.Notifications() {
				all = append(all, pages.Notification{Topic: p.Topic, Subject: p.Subject, Message: p.Message, Time: p.At})
			}
			return all
		},
		Advance: func(d time.Duration) time.Time {
			now, _ := aws.Advance(d) // it fails only when the command ends
			return now
		},
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle(consolePath, beside)
	mux.Handle("/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Server", served) // so that the command knows that there is a console
		aws.ServeHTTP(w, r)
	}))
	return mux, nil
}

// environment returns the lines for a shell that point AWS's clients at an endpoint.
func environment(endpoint string, aws *rehearsal.ServedAWS) string {
	machines := "export STATE_MACHINE_ARN=" + aws.StateMachine()
	if releases := aws.ReleaseStateMachine(); releases != "" {
		machines += "\nexport RELEASE_STATE_MACHINE_ARN=" + releases
	}
	return fmt.Sprintf(`export AWS_ENDPOINT_URL=%[1]s
export AWS_ACCESS_KEY_ID=local
export AWS_SECRET_ACCESS_KEY=local
export AWS_REGION=eu-central-1
export AWS_DEFAULT_REGION=eu-central-1
%[2]s
# The executions, in a browser: %[1]s%[3]s
`, endpoint, machines, consolePath)
}
