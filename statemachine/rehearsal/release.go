package rehearsal

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
	"github.com/lambda-rollout/lambda-rollout/lambdas/release"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/wire"
	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// ReleaseOptions describe a rehearsal of a release.
type ReleaseOptions struct {
	// Input is the input of the release's execution, as start-execution takes it.
	Input []byte
	// Scenario has the conditions. All members have its traffic and versions, except as
	// its Members say.
	Scenario Scenario
	// Seed is the seed of the random numbers. The same options give the same result.
	Seed uint64
	// Template makes the functions and both state machines run with the permissions of
	// their roles in it; nil to allow everything.
	Template *Template
	// Limits are the rates at which AWS throttles calls, such as those of
	// [localaws.AWSLimits]; none for no limits.
	Limits []localaws.Limit
	// Watch is called with each entry of the timeline as it happens; may be nil.
	Watch func(ReleaseEntry)
	// Brief leaves the lines of the timeline out of the result.
	Brief bool

	// adjust changes a rehearsal before it runs, and through the deployed ports; both
	// may be nil.
	adjust  func(*releaseRun)
	through func(wire.Ports) wire.Ports
	// apart starts the members as rollouts without a release.
	apart bool
	log   *slog.Logger
	wired bool // see Options
}

// releaseRun is a rehearsal of a release under way.
type releaseRun struct {
	run
	release release.Request
	apart   bool
	over    bool
	// mostSweeps limits how many sweeps follow the end.
	mostSweeps int
	lines      []ReleaseEntry
	watch      func(ReleaseEntry)
	brief      bool
	seen       releaseSeen
}

// RunRelease rehearses a release to its end: until all of its members, and everything that
// cleans up after them, have ended. An error means that the rehearsal itself failed; a
// release that is refused, rolled back or stopped is a result. The error is a
// *[ScenarioError] if the scenario names a member that the release does not have.
func RunRelease(o ReleaseOptions) (ReleaseResult, error) {
	var input any
	if err := json.Unmarshal(o.Input, &input); err != nil {
		return ReleaseResult{}, fmt.Errorf("the input is not JSON: %w", err)
	}
	r, err := newReleaseRun(o)
	if err != nil {
		return ReleaseResult{}, err
	}
	if o.adjust != nil {
		o.adjust(r)
	}
	r.clock.Go(r.play)
	if err := errors.Join(r.clock.Run(), r.err, r.timeline.err, r.machine.permits.failure()); err != nil {
		return ReleaseResult{}, err
	}
	if r.catchUp(); r.members != nil {
		r.err = errors.Join(r.err, r.members.catchUp(r.clock.Now()))
	}
	if r.err != nil {
		return ReleaseResult{}, r.err
	}
	return r.result(), nil
}

// newReleaseRun returns the rehearsal before it starts.
func newReleaseRun(o ReleaseOptions) (*releaseRun, error) {
	start := o.Scenario.start()
	r := &releaseRun{
		run: run{
			options: Options{Input: o.Input, Scenario: o.Scenario, Seed: o.Seed, Template: o.Template, Brief: true, log: o.log, through: o.through, limits: o.Limits, wired: o.wired},
			clock:   asl.NewClock(start), description: "Rehearsed",
		},
		watch: o.Watch, brief: o.Brief, apart: o.apart, mostSweeps: mostSweeps,
	}
	permits, faults := newPermissions(o.Template), newTaskFaults(o.Scenario.Faults, start)
	for i, w := range []*workflow{&rolloutWorkflow, &releaseWorkflow} {
		definition, err := w.parsed()
		if err != nil {
			return nil, err
		}
		m := &machine{workflow: w, definition: definition, clock: r.clock, seed: o.Seed + uint64(i)<<32, events: 1,
			faults: faults, permits: permits, arn: machineARN, kept: releaseKept}
		if i == 0 {
			m.onEvent, m.onCleanup, r.machine = r.onMember, r.cleanedMember, m
			continue
		}
		m.arn, m.onEvent, m.onCleanup, r.releases = machineARN+releasesSuffix, r.onRelease, r.concluded, m
	}
	if o.Template != nil {
		if o.Template.releases == nil {
			return nil, errors.New("the template has no state machine for releases: synthesize it with the current version")
		}
		r.machine.deploy(&o.Template.deployedMachine)
		r.releases.deploy(o.Template.releases)
	}
	options := r.serverOptions()
	options.BeforeFunction = func(name string) {
		r.err = errors.Join(r.err, r.members.catchUpFunction(name, r.clock.Now()))
	}
	r.server = localaws.New(options)
	if _, err := r.server.AddTopic(topicName); err != nil {
		return nil, err
	}
	cfg := r.server.Config()
	r.ports = r.portsThrough(cfg)
	r.simplePorts, r.topics = r.ports, []string{topicARN}
	for _, m := range r.machines() {
		m.functions = m.workflow.handlers(r.ports, r.recent())
	}
	if o.Template != nil {
		if err := r.enforce(cfg); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// play prepares the local AWS, runs the release, and waits until everything is over.
func (r *releaseRun) play() {
	if r.err = r.prepare(); r.err != nil {
		return
	}
	for _, m := range r.machines() {
		m.authorizeCreation()
	}
	r.clock.Go(func() {
		for r.clock.Sleep(sweepInterval); !r.over; r.clock.Sleep(sweepInterval) {
			r.sweep()
		}
	})
	defer func() { r.over = true }()
	if r.apart {
		r.startApart()
		r.settle()
		return
	}
	first, err := r.releases.start("rehearsal", r.options.Input)
	if err != nil {
		r.err = err
		return
	}
	r.parameter = release.ControlParameter(arn.Name(first.ARN()))
	r.letIntervene(steered{
		ended:   first.Ended,
		stop:    func() { first.Stop("", "Stopped by an operator") },
		redrive: func() error { return r.releases.Redrive(first.ARN()) },
	})
	r.settle()
}

// startApart starts all members as rollouts of their own.
func (r *releaseRun) startApart() {
	for _, m := range r.members.all {
		var fields map[string]json.RawMessage
		err := json.Unmarshal(r.release.Input(m.of, r.releases.executionARN("apart")), &fields)
		delete(fields, "release")
		input, encodeErr := json.Marshal(fields)
		_, startErr := r.machine.start(release.MemberName("apart", m.name), input)
		r.err = errors.Join(r.err, err, encodeErr, startErr)
	}
}

// settle waits for the end of all executions of both state machines, and sweeps until there
// is nothing more to do, for at most a day.
func (r *releaseRun) settle() {
	sweepUntilQuiet(r.mostSweeps, r.allEnded, r.started, func() bool {
		r.over = true // no other sweeps
		r.clock.Sleep(sweepInterval)
		return r.sweep()
	})
}

// started returns how many executions both state machines have started.
func (r *releaseRun) started() int { return len(r.machine.executions) + len(r.releases.executions) }

// allEnded waits until no execution is running, and reports whether any ended badly.
func (r *releaseRun) allEnded() (bad bool) {
	for known := -1; known != r.started(); {
		known = r.started()
		rollouts, releases := r.machine.allEnded(), r.releases.allEnded()
		r.clock.Sleep(eventDelay) // the event of an end may start another one
		bad = bad || rollouts || releases
	}
	return bad
}

// prepare creates what the request and the scenario expect on the local AWS, and starts
// the traffic. For a request that will be refused it creates nothing.
func (r *releaseRun) prepare() error {
	start, scenario := r.clock.Now(), r.options.Scenario
	r.timeline.begin(start, Options{Brief: true, Watch: func(e Entry) { r.add(ReleaseEntry{Entry: e}) }})
	var err error
	if r.release, err = release.Decode(r.options.Input); err != nil {
		return nil
	}
	var names []string
	for _, m := range r.release.Members {
		names = append(names, m.Name)
	}
	if err := scenario.checkRelease(names); err != nil {
		return err
	}
	r.members = newMembers(r.release)
	if err := errors.Join(r.buildMembers(), r.addTopics()); err != nil {
		return fmt.Errorf("preparing the rehearsal: %w", err)
	}
	account := trafficOf(r.server, scenario.account(), rollout.Request{}, start, r.options.Seed, newTables(scenario))
	for _, m := range r.members.all {
		account.total = max(account.total, plannedTime(m.request, start))
	}
	account.begin(start, newChance(r.options.Seed, duringRollout), account.now.Changes)
	account.onAccount = func(at time.Time) { r.err = errors.Join(r.err, r.members.catchUp(at)) }
	r.traffic = &account
	if err := r.prepareTraffic(start); err != nil {
		return fmt.Errorf("the traffic before the release: %w", err)
	}
	problems := []error{r.settleDependencies(), r.keepSecrets(), r.injectFaults(start)}
	for _, m := range r.members.all {
		r.request = m.request
		problems = append(problems, r.deactivate(), r.provision(), r.tag(), r.answerProbes(m.request, m.traffic))
		m.was, _ = r.server.Alias(m.request.Function(), m.request.AliasName)
	}
	r.request = rollout.Request{}
	if err := errors.Join(problems...); err != nil {
		return fmt.Errorf("the scenario's functions, versions and faults: %w", err)
	}
	return nil
}

// addTopics creates the topics that the release notifies.
func (r *releaseRun) addTopics() error {
	var problems []error
	for _, topic := range r.release.Notify.Topics {
		_, err := r.server.AddTopic(arn.Name(topic))
		problems = append(problems, err)
	}
	return errors.Join(problems...)
}
