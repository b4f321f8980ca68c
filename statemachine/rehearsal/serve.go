package rehearsal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal/journal"
)

// ServeOptions describe a served AWS.
type ServeOptions struct {
	// Scenario has the traffic of each alias, the profiles of the versions before a
	// rollout and of the new one, and everything that gates use. Its changes happen
	// during each rollout, at their times since its start. It can't have actions of
	// users: those are for the clients.
	Scenario Scenario
	// Seed is the seed of the random numbers.
	Seed uint64
	// Template is the stack's template, in JSON: its functions and the state machine run
	// with the permissions of their roles in it, and its alarms are evaluated.
	Template []byte
	// Start is the time at which virtual time starts; from then on, Speed seconds of it
	// pass in each real second. With the speed 0 it passes only by Advance.
	Start time.Time
	Speed float64
	// Unsupported receives a sentence about each request for what a served AWS does not
	// have, once, and at most a hundred of them. Nil for none. It is called by the
	// goroutines that serve requests.
	Unsupported func(text string)
	// Journal keeps what changes the AWS, so that Restore brings it back; nil to keep it
	// in memory only. Scenario, Seed, Template and Start must be the journal's settings.
	Journal *journal.Journal
	// Trouble is called when something could not be stored; may be nil. It is called
	// concurrently.
	Trouble func(error)
	// Authorize decides about the calls of principals that are no roles of the template: a
	// client's access key id names its principal. nil allows all.
	Authorize localaws.Authorize
}

// ServedAWS is a local AWS that stays: real clients call it over HTTP while rollouts run
// in it. It has the stack as deployed, and a function to roll out.
type ServedAWS struct {
	run
	pacer    *asl.Pacer
	speed    float64
	traffics map[aliasName]*traffic
	begun    uint64 // traffics, for their seeds
	logs     map[*machine]machineLog
	queues   map[string]*queue // by name

	unsupported noted

	journal   *journal.Journal
	trouble   func(error)
	faulty    bool       // calls can be struck by faults, which count them
	advancing sync.Mutex // held while Advance moves the pacer
	departed  error      // how the replay departs from what is stored
	giveUp    func()     // ends the replay
	others    localaws.Authorize
}

// aliasName identifies an alias.
type aliasName struct{ function, alias string }

// What a served AWS has from the start: the function, alias and version of the AWS
// Compute Blog's post, in the state before its rollout.
const (
	servedFunction = "MyFunction"
	servedAlias    = "MyAlias"
	servedNew      = "2"
)

// The limits of what a served AWS keeps.
const (
	maxHistories  = 128 << 20 // bytes of compressed events
	maxExecutions = 10_000    // executions that have ended
	keptMinutes   = 4 * 24 * time.Hour
)

// functionUpdates is how long a function is updated, as on AWS.
const functionUpdates = 2 * time.Second

// NewServed returns a served AWS. It answers no calls until Serve is called.
func NewServed(o ServeOptions) (*ServedAWS, error) {
	for i, change := range o.Scenario.Changes {
		if change.intervenes() {
			return nil, fmt.Errorf("changes[%d] of the scenario is the action of a user, which is for the clients of a served AWS: leave it out", i)
		}
	}
	template, err := ParseTemplate(o.Template)
	if err != nil {
		return nil, err
	}
	definition, err := rolloutWorkflow.parsed()
	if err != nil {
		return nil, err
	}
	s := &ServedAWS{
		run: run{
			options: Options{Scenario: o.Scenario, Seed: o.Seed, Template: template},
			clock:   asl.NewClock(o.Start), description: "Served",
		},
		pacer: asl.NewPacer(o.Start, o.Speed), speed: o.Speed,
		traffics: map[aliasName]*traffic{}, logs: map[*machine]machineLog{}, unsupported: noted{seen: map[string]bool{}, report: o.Unsupported},
		others: o.Authorize, journal: o.Journal, trouble: o.Trouble,
		faulty: slices.ContainsFunc(o.Scenario.Faults, func(f Fault) bool { return f.Task == "" }),
	}
	s.machine = &machine{
		workflow: &rolloutWorkflow, definition: definition, clock: s.clock, seed: o.Seed, events: 1, faults: newTaskFaults(o.Scenario.Faults, o.Start),
		created: o.Start, permits: newPermissions(template), histories: &histories{budget: maxHistories},
		onEvent: s.onEvent, onCleanup: func(json.RawMessage, error) bool { return false },
	}
	s.machine.deploy(&template.deployedMachine)
	s.machine.histories.forgetOldest = s.machine.forgetOldest
	if err := s.addReleases(o.Start); err != nil {
		return nil, err
	}
	s.before = s.beforeChange
	s.after = func(call localaws.Call) {
		if call.Unsupported != "" {
			s.unsupported.note(call.Unsupported)
		}
	}
	options := s.serverOptions()
	options.Authorize = s.authorize
	options.FunctionUpdates, options.Go = functionUpdates, s.clock.Go
	options.Minutes = keptMinutes
	s.server = localaws.New(options)
	s.logOf = s.logger
	if err := s.furnish(); err != nil {
		return nil, err
	}
	s.clock.Go(func() { s.every(grain, s.serveAliases) })
	s.clock.Go(func() { s.every(time.Minute, s.measureQueues) })
	s.clock.Go(func() { s.every(time.Minute, s.server.EvaluateAlarms) })
	s.clock.Go(func() { s.every(sweepInterval, func() { s.sweep() }) })
	return s, nil
}

// authorize implements the Authorize option.
func (s *ServedAWS) authorize(principal, action, resource string, context map[string][]string) error {
	if _, ok := s.machine.permits.roles[principal]; !ok {
		if s.others == nil {
			return nil
		}
		return s.others(principal, action, resource, context)
	}
	return s.machine.permits.authorize(principal, action, resource, context)
}

// furnish creates what stands in the account from the start.
func (s *ServedAWS) furnish() error {
	var err error
	s.request, err = rollout.Decode(fmt.Appendf(nil, `{"function-name": %q, "alias-name": %q, "new-version": %q, "steps": 1, "interval": 60, "type": "linear"}`,
		servedFunction, servedAlias, servedNew))
	if err != nil {
		return err
	}
	start := s.clock.Now()
	if err := build(s.server, s.request, s.options.Scenario.Baseline.Version, "", nil); err != nil {
		return err
	}
	if err := s.deactivate(); err != nil {
		return err
	}
	t, err := newTraffic(s.server, s.options.Scenario, s.request, start, s.options.Seed)
	if err != nil {
		return err
	}
	t.changes, t.asks = nil, true // until a rollout starts
	s.traffic, s.traffics[aliasName{servedFunction, servedAlias}] = t, t
	if err := errors.Join(s.provision(), s.settleDependencies(), s.keepSecrets(), s.tag()); err != nil {
		return fmt.Errorf("the scenario: %w", err)
	}
	cfg := s.server.Config()
	s.ports = s.portsThrough(cfg)
	for _, m := range s.machines() {
		m.functions = m.workflow.handlers(s.ports, s.recent())
	}
	if err := s.enforce(cfg); err != nil {
		return err
	}
	if _, ok := s.options.Template.functions[simpleDeploy]; ok {
		if s.simplePorts, err = s.portsOf(simpleDeploy, cfg); err != nil {
			return err
		}
	}
	if err := s.injectFaults(start); err != nil {
		return err
	}
	return errors.Join(s.install(), s.deploy(), s.addRules(), s.addQueues(), s.addLogs())
}

// Serve lets time pass, and with it everything that runs in the AWS, until ctx is
// done. It returns ctx's error, or what broke the simulation.
func (s *ServedAWS) Serve(ctx context.Context) error {
	if s.journal == nil {
		return s.clock.Serve(ctx, s.pacer)
	}
	var keeping sync.WaitGroup
	over := make(chan struct{})
	keeping.Go(func() { s.keepTime(over) })
	err := s.clock.Serve(ctx, s.pacer)
	close(over)
	keeping.Wait()
	s.report(s.journal.Reach(s.clock.Moment()))
	return err
}

// every calls f at each multiple of an interval.
func (s *ServedAWS) every(interval time.Duration, f func()) {
	for {
		now := s.clock.Now()
		s.clock.Sleep(now.Truncate(interval).Add(interval).Sub(now))
		f()
	}
}

// Advance moves virtual time on by d, and returns when all that happens until then has
// happened, with the time then. It moves nothing on if that can't be stored.
func (s *ServedAWS) Advance(d time.Duration) (time.Time, error) {
	until, err := s.moveOn(d)
	if err != nil {
		return s.clock.Now(), err
	}
	err = s.clock.Do(func() {
		s.clock.Sleep(until.Sub(s.clock.Now()))
		s.clock.Settle()
	})
	return s.clock.Now(), err
}

// moveOn moves the pacer on, and returns the time that it has reached then.
func (s *ServedAWS) moveOn(d time.Duration) (time.Time, error) {
	s.advancing.Lock()
	defer s.advancing.Unlock()
	until := s.pacer.Reached().Add(d)
	if s.journal != nil {
		if err := s.journal.Advance(until); err != nil {
			s.report(err)
			return until, err
		}
	}
	s.pacer.AdvanceTo(until)
	return until, nil
}

// Inject makes calls of an operation fail, those of the stack's functions as well.
func (s *ServedAWS) Inject(f localaws.Fault) (*localaws.Injection, error) { return s.server.Inject(f) }

// Now returns the virtual time.
func (s *ServedAWS) Now() time.Time { return s.clock.Now() }

// Config returns the configuration of clients in this process, which call the AWS at
// the endpoint where it is served.
func (s *ServedAWS) Config(endpoint string) aws.Config { return s.server.ConfigAt(endpoint) }

// Notifications returns what was published to topics, the oldest first.
func (s *ServedAWS) Notifications() []localaws.Published { return s.server.Published() }

// StateMachine returns the ARN of the workflow.
func (s *ServedAWS) StateMachine() string { return s.machine.arn }

// observe records the metrics and the log that Step Functions has of an event.
func (s *ServedAWS) observe(m *machine, e *execution, event asl.Event) {
	if ends[event.Type] != "" || event.Type == asl.ExecutionStarted {
		result := e.Result()
		if err := s.server.RecordExecution(m.arn, string(result.Status), result.Start, result.Stop); err != nil {
			panic(err) // the status and the times are the interpreter's
		}
	}
	s.writeLog(m, e.ARN(), event)
}

// onEvent observes an event of a rollout, starts the scenario from its beginning
// for the alias of a rollout that starts, and forgets the oldest executions.
func (s *ServedAWS) onEvent(e *execution, event asl.Event) {
	s.observe(s.machine, e, event)
	if event.Type != asl.ExecutionStarted || e.parent != "" {
		return
	}
	s.machine.forget(maxExecutions)
	request, err := rollout.Decode(e.input)
	if err != nil {
		return // it will be refused
	}
	s.beginRollout(request)
}
