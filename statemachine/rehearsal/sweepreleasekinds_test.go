package rehearsal

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// allCases makes the sweep of releases try every point, which takes some minutes, and not
// only some of them.
var allCases = flag.Bool("all-cases", false, "sweep releases at every point")

// some returns the numbers from 1 to n at which something is tried: each of them, or one in
// every so many, from a different beginning for each salt.
func some(n, every, salt int) []int {
	if *allCases {
		every = 1
	}
	var all []int
	for i := 1 + salt%every; i <= n; i += every {
		all = append(all, i)
	}
	return all
}

// faultsOfRelease has one call fail, or its answer get lost.
func faultsOfRelease(s releaseSubject, plain *seenRelease, every int) (all []releaseTrial) {
	for i, fault := range []localaws.FaultKind{localaws.Throttled, localaws.CutAfter, localaws.CutBefore} {
		for _, call := range some(plain.calls, every, i) {
			all = append(all, releaseTrial{subject: s, name: fmt.Sprintf("call %d %s", call, fault), disturb: func(o *seenRelease) {
				o.onCall = func(n int) {
					if n == call-1 || call == 1 && n == 1 {
						if _, err := o.server.Inject(localaws.Fault{Operation: localaws.Every, Kind: fault, Count: 1}); err != nil {
							panic(err)
						}
					}
				}
			}})
		}
	}
	return all
}

// crashesOfRelease has a task die after its work, or run twice.
func crashesOfRelease(s releaseSubject, plain *seenRelease, every int) (all []releaseTrial) {
	for _, task := range some(plain.tasks, every, 0) {
		all = append(all, releaseTrial{subject: s, name: fmt.Sprintf("task %d dies after its work", task), disturb: func(o *seenRelease) {
			o.onTask = func(n int, next func() (json.RawMessage, error)) (json.RawMessage, error) {
				answer, err := next()
				if n == task {
					return nil, &asl.TaskError{Name: "Runtime.ExitError", Cause: "{}"}
				}
				return answer, err
			}
		}}, releaseTrial{subject: s, name: fmt.Sprintf("task %d runs twice", task), disturb: func(o *seenRelease) {
			o.onTask = func(n int, next func() (json.RawMessage, error)) (json.RawMessage, error) {
				if n == task {
					_, _ = next()
				}
				return next()
			}
		}})
	}
	return all
}

// atEventOfRelease has others do something at one of the events.
func atEventOfRelease(event int, do func(*seenRelease)) func(*seenRelease) {
	return func(o *seenRelease) {
		o.onEvent = func(n int) {
			if n == event {
				o.byOthers(func() { do(o) })
			}
		}
	}
}

// stopsOfRelease stops the release's execution; of every third, no event is delivered.
func stopsOfRelease(s releaseSubject, plain *seenRelease, every int) (all []releaseTrial) {
	for i, event := range some(plain.events, every, 1) {
		all = append(all, releaseTrial{subject: s, name: fmt.Sprintf("the release is stopped at event %d", event), lost: i%3 == 0, disturb: atEventOfRelease(event, func(o *seenRelease) {
			if len(o.releases.executions) > 0 {
				o.releases.executions[0].Stop("", "Stopped by an operator")
			}
		})})
	}
	return all
}

// redrivesOfRelease stops the release's execution, redrives it some events later, at once or
// when another one has concluded it, and of every second stops it again.
func redrivesOfRelease(s releaseSubject, plain *seenRelease, every int) (all []releaseTrial) {
	for i, event := range some(plain.events, every, 2) {
		later := []int{1, 12, 60}[i%3]
		all = append(all, releaseTrial{subject: s, name: fmt.Sprintf("the release is stopped at event %d and redriven %d events later", event, later), disturb: func(o *seenRelease) {
			o.onEvent = func(n int) {
				o.byOthers(func() {
					switch {
					case len(o.releases.executions) == 0:
					case n == event, i%2 == 1 && n == event+2*later:
						o.releases.executions[0].Stop("", "Stopped by an operator")
					case n == event+later:
						_ = o.releases.Redrive(o.releases.executions[0].ARN())
					}
				})
			}
		}})
	}
	return all
}

// stopsOfMembers stops the execution of one of the members.
func stopsOfMembers(s releaseSubject, plain *seenRelease, every int) (all []releaseTrial) {
	for i, event := range some(plain.events, every, 2) {
		all = append(all, releaseTrial{subject: s, name: fmt.Sprintf("a member is stopped at event %d", event), lost: i%3 == 0, disturb: atEventOfRelease(event, func(o *seenRelease) {
			if n := len(o.machine.executions); n > 0 {
				o.machine.executions[event%n].Stop("", "Stopped by an operator")
			}
		})})
	}
	return all
}

// changesOfMembers changes the alias of one of the members by hand.
func changesOfMembers(s releaseSubject, plain *seenRelease, every int) (all []releaseTrial) {
	for _, event := range some(plain.events, every, 3) {
		all = append(all, releaseTrial{subject: s, name: fmt.Sprintf("an alias is changed by hand at event %d", event), disturb: atEventOfRelease(event, func(o *seenRelease) {
			name := alias.Name{Function: o.members.all[event%len(o.members.all)].request.Function(), Alias: "live"}
			o.foreign[name.Function] = true
			if found, err := o.ports.Aliases.Read(context.Background(), name); err == nil {
				_, _ = o.ports.Aliases.Write(context.Background(), name, alias.Content{Routing: alias.Routing{Version: "6"}}, found.RevisionID)
			}
		})})
	}
	return all
}

// contestsOfMembers starts a rollout, or another release, of the alias of a member.
func contestsOfMembers(s releaseSubject, plain *seenRelease, every int) (all []releaseTrial) {
	const own = `"alias-name": "live", "type": "linear", "steps": 2, "interval": 60`
	for _, event := range some(plain.events, every, 4) {
		all = append(all, releaseTrial{subject: s, name: fmt.Sprintf("a rollout of a member's alias starts at event %d", event), disturb: atEventOfRelease(event, func(o *seenRelease) {
			o.foreign["fb"] = true // the other rollout may promote it
			_, _ = o.machine.start("by-hand", json.RawMessage(`{"function-name": "fb", "new-version": "8", `+own+`}`))
		})}, releaseTrial{subject: s, name: fmt.Sprintf("a second release starts at event %d", event), disturb: atEventOfRelease(event, func(o *seenRelease) {
			o.foreign["fb"] = true
			_, _ = o.releases.start("second", json.RawMessage(`{"release": "other", "defaults": {`+own+`}, "rollouts": {"b": {"function-name": "fb", "new-version": "8"}}}`))
		})})
	}
	return all
}

// releaseKinds are all kinds of disturbances, and at one in how many points each is tried.
var releaseKinds = []struct {
	name   string
	every  int
	trials func(releaseSubject, *seenRelease, int) []releaseTrial
}{
	{"release, call x fault", 7, faultsOfRelease},
	{"release, crash or double delivery", 2, crashesOfRelease},
	{"release, stops", 7, stopsOfRelease},
	{"release, stops and redrives", 41, redrivesOfRelease},
	{"release, stops of members", 11, stopsOfMembers},
	{"release, foreign changes", 11, changesOfMembers},
	{"release, another rollout or release", 19, contestsOfMembers},
}

// TestSweepOfReleases tries each kind of disturbance, and pairs of them.
func TestSweepOfReleases(t *testing.T) {
	t.Parallel()
	all := make([][]releaseTrial, len(releaseKinds))
	for _, s := range releaseSubjects() {
		plain := plainRelease(t, s)
		for i, kind := range releaseKinds {
			all[i] = append(all[i], kind.trials(s, plain, kind.every)...)
		}
	}
	for i, kind := range releaseKinds {
		sweepReleases(t, kind.name, all[i])
	}
	var pairs []releaseTrial
	chance := rand.New(rand.NewPCG(1, 18))
	for range map[bool]int{false: 80, true: 3000}[*allCases] {
		one := all[chance.IntN(len(all))]
		first := one[chance.IntN(len(one))]
		for {
			other := all[chance.IntN(len(all))]
			if second := other[chance.IntN(len(other))]; second.subject.name == first.subject.name {
				pairs = append(pairs, first.and(second))
				break
			}
		}
	}
	sweepReleases(t, "release, pairs", pairs)
}

// and returns a trial with the disturbances of both.
func (t releaseTrial) and(other releaseTrial) releaseTrial {
	one, two := t.disturb, other.disturb
	t.name, t.lost = t.name+" and "+other.name, t.lost || other.lost
	t.disturb = func(o *seenRelease) {
		one(o)
		call, task, event := o.onCall, o.onTask, o.onEvent
		o.onCall, o.onTask, o.onEvent = nil, nil, nil
		two(o)
		call2, task2, event2 := o.onCall, o.onTask, o.onEvent
		o.onCall = func(n int) {
			for _, do := range []func(int){call, call2} {
				if do != nil {
					do(n)
				}
			}
		}
		o.onEvent = func(n int) {
			for _, do := range []func(int){event, event2} {
				if do != nil {
					do(n)
				}
			}
		}
		o.onTask = func(n int, next func() (json.RawMessage, error)) (json.RawMessage, error) {
			if task != nil {
				inner := next
				next = func() (json.RawMessage, error) { return task(n, inner) }
			}
			if task2 != nil {
				return task2(n, next)
			}
			return next()
		}
	}
	return t
}
