// Package console serves pages about the executions of the state machines of rollouts and
// releases: lists by status, each execution live, and forms to start, steer, stop and redrive
// them. It reads and does everything through clients of the AWS SDK, so that it
// shows a local AWS and AWS itself alike.
//
// [New] returns the handler. It has no build step, needs no other server, and its
// pages work without scripts; one script keeps them up to date.
//
// Pages are for the people of one machine: they are answered only to requests for a
// loopback host, and forms are accepted only from the console's own pages.
package console

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
	"github.com/lambda-rollout/lambda-rollout/statemachine/picture"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rollouts"
)

// Options configure the console.
type Options struct {
	// Config is of the AWS to look at. The console retries only as it does.
	Config aws.Config
	// StateMachineARN is the state machine whose executions are shown.
	StateMachineARN string
	// ReleaseStateMachineARN is the state machine of releases; empty for no pages about them.
	ReleaseStateMachineARN string
	// Definition is the rollouts' state machine's, and ReleaseDefinition that of releases, for
	// their pictures, in Amazon States Language. Placeholders may stand in them.
	// ReleaseDefinition may be empty without a ReleaseStateMachineARN.
	Definition, ReleaseDefinition string
	// Notifications returns the notifications that were sent, the oldest first. Nil if
	// they are not known, as on AWS.
	Notifications func() []Notification
	// Advance moves virtual time on and returns the time that is reached. Nil if time
	// can't be moved.
	Advance func(time.Duration) time.Time
	// Now returns AWS's time; time.Now if nil.
	Now func() time.Time
	// Prefix is the path under which the handler is mounted, with a slash at both ends;
	// "/" if empty. Requests keep it: there is no http.StripPrefix in between.
	Prefix string
}

// Notification is a message that was sent to a topic.
type Notification struct {
	Topic   string // the topic's ARN
	Subject string
	Message string
	Time    time.Time
}

// console implements the handler of New.
type console struct {
	Options
	executions *sfn.Client
	functions  *lambda.Client
	metrics    *cloudwatch.Client
	parameters *ssm.Client
	layout     *picture.Layout
	// releaseLayout is nil without releases.
	releaseLayout *picture.Layout
	pages         pages
	// rollouts and releases are the kinds of executions; releases is nil if there are none.
	rollouts, releases *kind
	reader             *rollouts.Client // of releases
	histories          histories

	mu     sync.Mutex
	charts map[string]drawnCharts // by execution ARN
	inputs map[string]document    // of releases, by execution ARN and start
}

// New returns the handler that serves the console below o.Prefix. It returns an error
// if the definition, the ARN or the prefix can't be used.
func New(o Options) (http.Handler, error) {
	if o.Prefix == "" {
		o.Prefix = "/"
	}
	if !strings.HasPrefix(o.Prefix, "/") || !strings.HasSuffix(o.Prefix, "/") || strings.ContainsAny(o.Prefix, "{}?#%\" ") || strings.Contains(o.Prefix, "//") {
		return nil, fmt.Errorf("console: the prefix %q is no path with a slash at both ends", o.Prefix)
	}
	for _, machine := range []string{o.StateMachineARN, cmp.Or(o.ReleaseStateMachineARN, o.StateMachineARN)} {
		if id, ok := arn.Parse(machine); !ok || !strings.HasPrefix(id.Resource, "stateMachine:") {
			return nil, fmt.Errorf("console: %q is no state machine's ARN", machine)
		}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	c := &console{
		Options: o, executions: sfn.NewFromConfig(o.Config), functions: lambda.NewFromConfig(o.Config),
		metrics: cloudwatch.NewFromConfig(o.Config), parameters: ssm.NewFromConfig(o.Config),
		charts: map[string]drawnCharts{}, inputs: map[string]document{}, reader: rollouts.New(o.Config, o.StateMachineARN, o.ReleaseStateMachineARN).Releases(),
	}
	var errs [4]error
	c.layout, errs[0] = picture.Lay(o.Definition)
	if o.ReleaseStateMachineARN != "" {
		c.releaseLayout, errs[3] = picture.Lay(o.ReleaseDefinition)
	}
	c.pages, errs[1] = readPages(o.Prefix)
	c.rollouts, c.releases, errs[2] = kinds(o)
	if err := errors.Join(errs[:]...); err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	return guarded(c.routes()), nil
}

// routes returns the handler of all paths, without protection.
func (c *console) routes() http.Handler {
	mux := http.NewServeMux()
	get := func(path string, answer func(*http.Request) (*page, error)) {
		mux.HandleFunc("GET "+c.Prefix+path, func(w http.ResponseWriter, r *http.Request) { c.show(w, r, answer) })
	}
	post := func(path string, act func(*http.Request) (target string, err error)) {
		mux.HandleFunc("POST "+c.Prefix+path, func(w http.ResponseWriter, r *http.Request) { c.act(w, r, act) })
	}
	for _, k := range []*kind{c.rollouts, c.releases} {
		if k == nil {
			continue
		}
		get(cmp.Or(k.List, "{$}"), func(r *http.Request) (*page, error) { return c.list(r, k) })
		get(k.Start, func(r *http.Request) (*page, error) { return c.startForm(r, k) })
		mux.HandleFunc("POST "+c.Prefix+k.Start, func(w http.ResponseWriter, r *http.Request) { c.start(w, r, k) })
	}
	if c.releases != nil {
		get("release", c.release)
		post("release/stop", c.stopRelease)
		post("release/order", c.orderRelease)
	}
	get("execution", c.execution)
	get("visit", c.visit)
	get("notifications", c.notifications)
	post("stop", c.stop)
	post("redrive", c.redrive)
	post("order", c.order)
	post("advance", c.advance)
	mux.HandleFunc("GET "+c.Prefix+"static/{file}", c.static)
	get("", func(*http.Request) (*page, error) { return nil, errNotFound })
	return mux
}

// executionARN returns the ARN of the rollouts' execution with a name.
func (c *console) executionARN(name string) string { return c.rollouts.executionARN(name) }
