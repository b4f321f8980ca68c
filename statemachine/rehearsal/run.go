// Package rehearsal runs a rollout on this machine in virtual time: the
// deployed state machine file and the deployed task code, against a local AWS
// that real SDK clients talk to, in a world that a Scenario describes. It shows
// what would happen, and why, before anything real is touched.
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
)

// Options say what to rehearse.
type Options struct {
	// Input is the execution's input, as start-execution would take it.
	Input    []byte
	Scenario Scenario
	// Seed decides all chance. The same options give the same result.
	Seed uint64
	// Template has the functions and the state machine run as its roles, which
	// may do no more than it says; nil to let them do everything.
	Template *Template
	// Simple has the one-function deployer carry out the rollout, instead of the
	// workflow.
	Simple bool
	// Listen is a loopback address to serve the local AWS on, such as
	// "127.0.0.1:0"; empty to do without a socket.
	Listen string
	// Watch is told what happens, as it happens; nil for nobody.
	Watch func(Entry)
	// Brief keeps no lines, no path and no periods in the result; lines and path
	// are hundreds of megabytes for a rollout of a year.
	Brief bool

	// adjust changes a rehearsal before it runs; nil for nothing.
	adjust func(*run)
	log    *slog.Logger // what the functions log; nil for nowhere
	// For tests: the workflow, if it is not the deployed one, and what people and
	// functions reach AWS through, if it is not as deployed.
	definition *asl.Definition
	through    func(wire.Ports) wire.Ports
}

// started is when every rehearsal starts, on its virtual clock.
var started = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// Run rehearses a rollout to its end. An error means that the rehearsal itself
// failed; a rollout that is refused or rolled back is a result like any other.
func Run(o Options) (Result, error) {
	var input any
	if err := json.Unmarshal(o.Input, &input); err != nil {
		return Result{}, fmt.Errorf("the input is not JSON: %w", err)
	}
	def, err := o.definition, error(nil)
	if def == nil {
		def, err = deployedWorkflow()
	}
	if err != nil {
		return Result{}, err
	}
	r := &run{options: o, clock: asl.NewClock(started), description: "Rehearsed"}
	r.machine = &machine{
		definition: def, clock: r.clock, seed: o.Seed, events: 1, faults: newTaskFaults(o.Scenario.Faults, started),
		arn: machineARN, permits: newPermissions(o.Template),
		onEvent: r.timeline.event, onCleanup: r.cleaned,
	}
	if o.Template != nil {
		r.machine.arn = o.Template.machineARN
	}
	r.server = localaws.New(r.world())
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
	r.machine.functions = functions(r.ports)
	if o.Template != nil {
		if err := r.enforce(cfg); err != nil {
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

// world is how the local AWS is to be.
func (r *run) world() localaws.Options {
	o := localaws.Options{
		Now: r.clock.Now, Sleep: r.clock.Sleep,
		Latency:    seconds(r.options.Scenario.Latency),
		Seed:       r.options.Seed,
		BeforeCall: r.beforeCall,
		OnCall:     r.afterCall,
		Executions: r.machine,
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
	machine *machine
	ports   wire.Ports // of people and, without a template, of all functions
	request rollout.Request
	traffic *traffic        // nil until the world is ready, and if the request is refused
	was     *localaws.Alias // before the rollout
	simple  simple
	// simplePorts are those of the one-function deployer, and topics the stack's
	// own ones that there are.
	simplePorts wire.Ports
	topics      []string

	description string // of the alias
	timeline    timeline
	left        string // what the last cleanup said
	err         error

	// Told before a call of AWS has its effect, and after it; nil for nobody.
	before func(operation string)
	after  func(localaws.Call)
}

// play builds the world, runs the rollout in it and waits until all is settled.
func (r *run) play() {
	if r.err = r.prepare(); r.err != nil {
		return
	}
	if r.options.Simple {
		r.playSimple()
		return
	}
	r.machine.permits.created()
	execution, err := r.machine.start("rehearsal", r.options.Input)
	if err != nil {
		r.err = err
		return
	}
	r.letIntervene(steered{
		ended:   execution.Ended,
		stop:    func() { execution.Stop("", "Stopped by somebody") },
		redrive: func() error { return r.machine.Redrive(execution.ARN()) },
	})
	r.machine.settle()
}

// letIntervene lets people do what the scenario says, until the rollout has
// ended, or for good if it is redriven.
func (r *run) letIntervene(on steered) {
	changes := r.options.Scenario.Changes
	redriven := slices.ContainsFunc(changes, func(c Change) bool { return c.Redrive })
	for _, change := range changes {
		if change.intervenes() {
			r.clock.Go(func() { r.intervene(change, on, redriven) })
		}
	}
}

// catchUp lets the traffic happen that has not been drawn yet.
func (r *run) catchUp() {
	if r.traffic != nil && r.err == nil {
		r.err = r.traffic.catchUp(r.clock.Now())
	}
}

func (r *run) beforeCall(operation string) {
	r.catchUp()
	if r.before != nil {
		r.before(operation)
	}
}

func (r *run) afterCall(c localaws.Call) {
	if r.after != nil {
		r.after(c)
	}
}

// connect returns how clients reach the local AWS, and how to end that.
func (r *run) connect() (cfg aws.Config, hangUp func(), err error) {
	if r.options.Listen == "" {
		return r.server.Config(), func() {}, nil
	}
	host, _, err := net.SplitHostPort(r.options.Listen)
	if err != nil {
		return aws.Config{}, nil, fmt.Errorf("the address to listen on: %w", err)
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return aws.Config{}, nil, fmt.Errorf("the local AWS listens on loopback addresses only, such as 127.0.0.1:0, not on %s", r.options.Listen)
	}
	listener, err := net.Listen("tcp", r.options.Listen)
	if err != nil {
		return aws.Config{}, nil, err
	}
	server := &http.Server{Handler: r.server, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }() // ends with hangUp
	return r.server.ConfigAt("http://" + listener.Addr().String()), func() { _ = server.Close() }, nil
}

// prepare builds the world that the request expects. For a request that will
// be refused there is nothing to build.
func (r *run) prepare() error {
	var err error
	if r.request, err = rollout.Decode(r.options.Input); err != nil {
		r.timeline.begin(r.clock.Now(), r.options)
		return nil
	}
	if err := build(r.server, r.request, r.description); err != nil {
		return fmt.Errorf("preparing the rehearsal: %w", err)
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
	if err := errors.Join(r.keepSecrets(), r.tag()); err != nil {
		return fmt.Errorf("the scenario's secrets and tags: %w", err)
	}
	for _, fault := range r.options.Scenario.Faults {
		if fault.Task != "" {
			continue
		}
		if _, err := r.server.Inject(fault.local(start)); err != nil {
			return err
		}
	}
	if found, ok := r.server.Alias(r.request.Function(), r.request.AliasName); ok {
		r.was = &found
	}
	r.timeline.begin(start, r.options)
	return nil
}
