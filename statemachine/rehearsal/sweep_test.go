package rehearsal

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/wire"
	"github.com/lambda-rollout/lambda-rollout/statemachine"
	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// The sweep of faults: every rollout of a few, with every fault at every
// point, and the invariants of the design at the end of each, after the
// cleanup has had its chance.

// subject is a rollout that the sweep disturbs.
type subject struct {
	name     string
	input    string
	scenario Scenario
	outcome  Outcome // if nothing disturbs it
	// nested makes each execution's history seem full at once, so that the
	// rollout goes on in another one after every check but the last.
	nested bool
	simple bool // by the one-function deployer
	// people are those who take part in the rollout; nil if none do.
	people func(*observed)
}

// deliveries are how often EventBridge delivers an execution's end: once, twice
// or never, when only the sweep is left.
var deliveries = []int{1, 2, 0}

// trial is one rollout with one disturbance.
type trial struct {
	subject    subject
	deliveries int
	// disturb puts the disturbance in place.
	disturb func(*observed)
	// harmless says that the rollout must end as if nothing had happened.
	harmless bool
	// combined says that there is more than one disturbance.
	combined bool
	workflow *asl.Definition
	template *Template // whose permissions are enforced, if any
}

// observed is a rehearsal with all that the invariants need to know of it.
type observed struct {
	*run
	changed       changes
	heard         notices
	spoken        bool            // someone may have been notified since the last look
	approved      map[string]bool // rollouts that a user has approved
	secondVersion string          // what the second rollout moves to
	untagged      bool            // the function was not opted in for a while
	caller        string          // the name of the execution whose task makes the call
	task          string          // the same of the task that was called last
	calls         []string        // operations of the first execution and its parts, in their order
	second        int             // how many calls the second execution has made
	tasks         int             // invocations of functions by the workflow
	onCall        func(number int, operation string)
	onSecond      func(number int) // after a call of the second execution
	onReply       func(number int, operation string)
	onTask        func(number int, next func() (json.RawMessage, error)) (json.RawMessage, error)
	onEvent       func(number int, e *execution)
	onPorts       func(wire.Ports) wire.Ports
	events        int
	nested        bool
	handling      bool    // a hook is at work: what it does is not observed
	noClean       bool    // there is no cleanup at all
	outcome       Outcome // in the end
}

// first and second are the names of the executions, where there are two.
const (
	first  = "rehearsal"
	second = "second"
)

// fullHistory is where a state counts its history.
var fullHistory = regexp.MustCompile(`"events":[0-9]+,`)

// standing is the alias as it is; false if it is gone.
func (o *observed) standing() (alias.Content, bool) {
	a, ok := o.server.Alias("f", "live")
	return alias.Content{Routing: alias.Routing{Version: a.Version, Weights: a.Weights()}, Description: a.Description}, ok
}

// observe stands at every boundary of a rehearsal.
func observe(r *run) *observed {
	o := &observed{}
	o.observe(r)
	return o
}

func (o *observed) observe(r *run) {
	o.run = r
	r.before = func(operation string) {
		o.look()
		o.spoken = o.spoken || notifies(operation)
		if o.handling {
			return
		}
		if o.caller == second {
			o.second++
			return
		}
		o.calls = append(o.calls, operation)
		o.hook(o.onCall, len(o.calls), operation)
	}
	r.after = func(c localaws.Call) {
		o.spoken = o.spoken || notifies(c.Operation)
		o.look()
		if notifies(c.Operation) && c.Status != 200 {
			o.heard.lost = append(o.heard.lost, len(o.changed.all))
		}
		if o.handling {
			return
		}
		if o.caller == second {
			if o.onSecond != nil {
				o.onSecond(o.second)
			}
			return
		}
		o.hook(o.onReply, len(o.calls), c.Operation)
	}
	r.machine.wrap = func(call asl.Invoke) asl.Invoke {
		return func(ctx context.Context, resource string, input json.RawMessage) (json.RawMessage, error) {
			name := callerOf(input)
			next := func(ctx context.Context) (json.RawMessage, error) {
				o.caller = first
				if name == second {
					o.caller = second
				}
				answer, err := call(ctx, resource, input)
				if o.nested {
					answer = []byte(fullHistory.ReplaceAllString(string(answer), `"events":30000,`))
				}
				return answer, err
			}
			switch {
			case name == "": // the cleanup is not disturbed, or nothing would be proven
				if o.noClean {
					return []byte("[]"), nil
				}
				return o.cleanUp(ctx, input, next)
			case name == second, name == forger:
				return next(by(ctx, name))
			}
			o.tasks++
			o.task = name
			task := func() (json.RawMessage, error) { return next(by(ctx, name)) }
			if o.onTask != nil {
				return o.onTask(o.tasks, task)
			}
			return task()
		}
	}
	onEvent := r.machine.onEvent
	r.machine.onEvent = func(e *execution, event asl.Event) {
		onEvent(e, event)
		o.events++
		if o.onEvent != nil {
			o.onEvent(o.events, e)
		}
	}
}

// hook calls a hook, once: what it does itself is not disturbed again.
func (o *observed) hook(f func(int, string), number int, operation string) {
	if f != nil {
		o.handling = true
		f(number, operation)
		o.handling = false
	}
}

// longDescription leaves no room for a marker beside it.
var longDescription = strings.Repeat("Serves everybody. ", 14)

// try runs a trial and returns what is wrong with its end.
func (t trial) try() (*observed, error) {
	o := &observed{}
	result, err := Run(Options{
		Input: []byte(t.subject.input), Scenario: t.subject.scenario, Seed: 1, Brief: true,
		definition: t.workflow, Template: t.template, Simple: t.subject.simple,
		through: func(p wire.Ports) wire.Ports {
			p.Aliases = seam{p.Aliases, o}
			return p
		},
		adjust: func(r *run) {
			o.observe(r)
			o.nested = t.subject.nested
			r.machine.events = t.deliveries
			r.description = longDescription
			if t.subject.people != nil {
				t.subject.people(o)
			}
			if t.disturb != nil {
				t.disturb(o)
			}
			if o.onPorts != nil {
				r.machine.functions = rolloutWorkflow.handlers(o.onPorts(r.ports), r.recent())
			}
		},
	})
	if err != nil {
		return o, fmt.Errorf("the rehearsal failed: %w", err)
	}
	o.outcome = result.Outcome
	return o, t.judge(o, result)
}

// sweep runs trials on all cores and reports those that end wrongly.
func sweep(t *testing.T, kind string, trials []namedTrial) {
	t.Helper()
	start := time.Now()
	workflow, err := definition(statemachine.Definition) // parsed once for all
	if err != nil {
		t.Fatal(err)
	}
	template := deployedTemplate(t)
	for i := range trials {
		trials[i].workflow, trials[i].template = workflow, template
	}
	wrong := failures(trials)
	for i, failure := range wrong {
		if i == 5 {
			t.Errorf("%s: and %d more", kind, len(wrong)-i)
			break
		}
		t.Errorf("%s: %v", kind, failure)
	}
	t.Logf("%s: %d cases, %d wrong, %s", kind, len(trials), len(wrong), time.Since(start).Round(time.Millisecond))
}

// namedTrial is a trial and what it tries.
type namedTrial struct {
	trial
	name string
}

// failures runs trials on all cores and returns what went wrong, in their order.
func failures(trials []namedTrial) []error {
	return slices.DeleteFunc(results(trials), func(err error) bool { return err == nil })
}

// results runs trials on all cores and returns what went wrong with each; nil if nothing did.
func results(trials []namedTrial) []error {
	results := make([]error, len(trials))
	OnAllCores(len(trials), func(i int) {
		t := trials[i]
		if _, err := t.try(); err != nil {
			results[i] = fmt.Errorf("%s, %s, the event delivered %d times: %w", t.subject.name, t.name, t.deliveries, err)
		}
	})
	return results
}
