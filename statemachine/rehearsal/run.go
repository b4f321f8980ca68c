package rehearsal

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/wire"
	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
	"github.com/lambda-rollout/lambda-rollout/statemachine/loopback"
)

// Options describe a rehearsal.
type Options struct {
	// Input is the execution's input, as start-execution takes it.
	Input    []byte
	Scenario Scenario
	// Seed is the seed of the random numbers. The same options give the same result.
	Seed uint64
	// Template makes the functions and the state machine run with the permissions of
	// their roles in it; nil to allow everything.
	Template *Template
	// Simple rehearses the one-function deployer instead of the workflow.
	Simple bool
	// Stack rehearses the rollout as a resource of a CloudFormation stack; nil for an
	// execution that is started by hand.
	Stack *Stack
	// Listen is a loopback address to serve the local AWS on, such as
	// "127.0.0.1:0"; empty to call it without a socket.
	Listen string
	// Watch is called with each entry of the timeline as it happens; may be nil.
	Watch func(Entry)
	// Brief leaves lines, path and periods out of the result. For a rollout of a
	// year, lines and path take hundreds of megabytes.
	Brief bool

	limits []localaws.Limit // of a release
	// adjust changes a rehearsal before it runs; may be nil.
	adjust func(*run)
	log    *slog.Logger // for the functions' logs; nil to discard them
	// definition replaces the deployed workflow in tests, and through the deployed
	// ports of users and functions; both may be nil.
	definition *asl.Definition
	through    func(wire.Ports) wire.Ports
	// wired sends each AWS call over the wire, though nothing on it matters, and decodes
	// each state and its evidence, though they are known; see localaws.Server.CloudWatch
	// and states.
	wired bool
}

// Run rehearses a rollout to its end. An error means that the rehearsal itself
// failed, for example because the input is not JSON; a rollout that is refused,
// rolled back or stopped is a result.
func Run(o Options) (Result, error) {
	var input any
	if err := json.Unmarshal(o.Input, &input); err != nil {
		return Result{}, fmt.Errorf("the input is not JSON: %w", err)
	}
	if len(o.Scenario.Members) > 0 {
		return Result{}, &ScenarioError{[]rollout.Problem{problemAt("members", wantNoMembers, nil)}}
	}
	def, err := o.definition, error(nil)
	if def == nil {
		def, err = rolloutWorkflow.parsed()
	}
	if err != nil {
		return Result{}, err
	}
	start := o.Scenario.start()
	r := &run{options: o, clock: asl.NewClock(start), description: "Rehearsed"}
	r.timeline.known = r.recent()
	r.machine = &machine{
		workflow: &rolloutWorkflow, definition: def, clock: r.clock, seed: o.Seed, events: 1, faults: newTaskFaults(o.Scenario.Faults, start),
		arn: machineARN, permits: newPermissions(o.Template),
		onEvent: r.happened, onCleanup: r.cleaned,
	}
	if o.Template != nil {
		r.machine.deploy(&o.Template.deployedMachine)
	}
	r.server = localaws.New(r.serverOptions())
	if _, err := r.server.AddTopic(topicName); err != nil {
		return Result{}, err
	}
	cfg, hangUp, err := r.connect()
	if err != nil {
		return Result{}, err
	}
	defer hangUp()
	r.ports = r.portsThrough(cfg)
	r.simplePorts, r.topics = r.ports, []string{topicARN}
	r.machine.functions = rolloutWorkflow.handlers(r.ports, r.recent())
	if o.Template != nil {
		if err := r.enforce(cfg); err != nil {
			return Result{}, err
		}
	}
	if o.Stack != nil {
		if err := r.provide(cfg); err != nil {
			return Result{}, err
		}
	}
	if o.adjust != nil {
		o.adjust(r)
	}
	r.clock.Go(r.play)
	if err := errors.Join(r.clock.Run(), r.err, r.timeline.err, r.machine.permits.failure()); err != nil {
		return Result{}, err
	}
	r.catchUp()
	if r.err != nil {
		return Result{}, r.err
	}
	return r.result(), nil
}

// serverOptions returns the options of the local AWS.
func (r *run) serverOptions() localaws.Options {
	o := localaws.Options{
		Now: r.clock.Now, Sleep: r.clock.Sleep,
		Limits:     r.options.limits,
		Latency:    seconds(r.options.Scenario.Latency),
		Seed:       r.options.Seed,
		BeforeCall: r.beforeCall,
		OnCall:     r.afterCall,
		Executions: r.machines(),
	}
	if r.machine.permits != nil {
		o.Authorize = r.machine.permits.authorize
	}
	return o
}

// run is a rehearsal under way.
type run struct {
	options Options
	clock   *asl.Clock
	server  *localaws.Server
	machine *machine // the rollouts'
	// releases is the releases' state machine; nil if there is none.
	releases *machine
	states   states     // see recent
	ports    wire.Ports // of users and, without a template, of all functions
	request  rollout.Request
	traffic  *traffic        // nil until it is prepared, and if the request is refused
	was      *localaws.Alias // before the rollout
	simple   simple
	stack    stackRun
	// simplePorts are those of the one-function deployer, and topics the stack's
	// own topics that exist.
	simplePorts wire.Ports
	topics      []string

	members *releaseMembers // of a release; nil without one
	// parameter is where users write orders to a release; empty for the rollout's.
	parameter string

	description string // of the alias
	timeline    timeline
	left        string                      // the text of the last cleanup's entry
	logOf       func(deployed) *slog.Logger // nil for that of the options
	err         error

	// before is called before an AWS call takes effect, and after after it; both may
	// be nil.
	before func(operation string)
	after  func(localaws.Call)
}

// play prepares the local AWS, runs the rollout, and waits until all executions and
// cleanups are over.
func (r *run) play() {
	if r.err = r.prepare(); r.err != nil {
		return
	}
	if r.options.Simple {
		r.playSimple()
		return
	}
	if r.options.Stack != nil {
		r.playStack()
		return
	}
	r.machine.authorizeCreation()
	execution, err := r.machine.start("rehearsal", r.options.Input)
	if err != nil {
		r.err = err
		return
	}
	r.letIntervene(steered{
		ended:   execution.Ended,
		stop:    func() { execution.Stop("", "Stopped by an operator") },
		redrive: func() error { return r.machine.Redrive(execution.ARN()) },
	})
	r.machine.settle()
}

// letIntervene starts the users' actions in the scenario.
func (r *run) letIntervene(on steered) {
	changes := r.options.Scenario.Changes
	redriven := slices.ContainsFunc(changes, func(c Change) bool { return c.Redrive })
	for _, change := range changes {
		if change.intervenes() {
			r.clock.Go(func() { r.intervene(change, on, redriven) })
		}
	}
}

// catchUp draws the traffic up to now.
func (r *run) catchUp() {
	if r.traffic != nil && r.err == nil {
		r.err = r.traffic.catchUp(r.clock.Now())
	}
}

// beforeCall brings the traffic up to date before each AWS call.
func (r *run) beforeCall(operation string) {
	r.catchUp()
	if r.before != nil {
		r.before(operation)
	}
}

// afterCall passes an AWS call on to after.
func (r *run) afterCall(c localaws.Call) {
	if r.after != nil {
		r.after(c)
	}
}

// connect returns the configuration of the local AWS's clients, and a function that
// closes its socket, if there is one.
func (r *run) connect() (cfg aws.Config, hangUp func(), err error) {
	if r.options.Listen == "" {
		return r.server.Config(), func() {}, nil
	}
	listener, err := Listen(r.options.Listen)
	if err != nil {
		return aws.Config{}, nil, err
	}
	server := &http.Server{Handler: loopback.Handler(r.server), ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }() // ends with hangUp
	return r.server.ConfigAt("http://" + listener.Addr().String()), func() { _ = server.Close() }, nil
}

// Listen listens on a loopback address, such as "127.0.0.1:0". It returns an error for
// any other one.
func Listen(address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("the address to listen on: %w", err)
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("the local AWS listens on loopback addresses only, such as 127.0.0.1:0, not on %s", address)
	}
	return net.Listen("tcp", address)
}

// prepare creates what the request and the scenario expect on the local AWS, and
// starts the traffic. For a request that will be refused it creates nothing.
func (r *run) prepare() error {
	var err error
	if r.request, err = r.decode(); err != nil {
		r.timeline.begin(r.clock.Now(), r.options)
		return nil
	}
	if err := build(r.server, r.request, r.options.Scenario.Baseline.Version, r.description, r.options.Stack); err != nil {
		return fmt.Errorf("preparing the rehearsal: %w", err)
	}
	if err := r.deactivate(); err != nil {
		return fmt.Errorf("the scenario's inactive versions: %w", err)
	}
	start := r.clock.Now()
	if r.traffic, err = newTraffic(r.server, r.options.Scenario, r.request, start, r.options.Seed); err != nil {
		return fmt.Errorf("the traffic before the rollout: %w", err)
	}
	if !r.options.Brief {
		r.traffic.series = newSeries(start)
	}
	if err := r.provision(); err != nil {
		return fmt.Errorf("the scenario's provisioned concurrency: %w", err)
	}
	if err := r.settleDependencies(); err != nil {
		return fmt.Errorf("the scenario's functions: %w", err)
	}
	if err := errors.Join(r.keepSecrets(), r.tag(), r.injectFaults(start)); err != nil {
		return fmt.Errorf("the scenario's secrets, tags and faults: %w", err)
	}
	if found, ok := r.server.Alias(r.request.Function(), r.request.AliasName); ok {
		r.was = &found
	}
	r.timeline.begin(start, r.options)
	return nil
}

// injectFaults injects the scenario's faults of AWS calls, for times since start.
func (r *run) injectFaults(start time.Time) error {
	for _, fault := range r.options.Scenario.Faults {
		if fault.Task != "" {
			continue
		}
		if _, err := r.server.Inject(fault.local(start)); err != nil {
			return err
		}
	}
	return nil
}
