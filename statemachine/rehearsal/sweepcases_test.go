package rehearsal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// undisturbed are the rollouts of everySubject without a disturbance, tried once for all
// tests. They must not be modified.
var undisturbed = sync.OnceValues(func() ([]*observed, error) {
	all := append(subjects(), heldSubject())
	plain, failed := make([]*observed, len(all)), make([]error, len(all))
	OnAllCores(len(all), func(i int) {
		if plain[i], failed[i] = (trial{subject: all[i], deliveries: 1, harmless: true}).try(); failed[i] != nil {
			failed[i] = fmt.Errorf("%s, undisturbed: %w", all[i].name, failed[i])
		}
	})
	return plain, errors.Join(failed...)
})

// everySubject makes trials of each subject and each delivery. The undisturbed
// rollout shows how many points of disturbance there are.
func everySubject(t testing.TB, trials func(plain *observed, with func(name string, harmless bool, disturb func(*observed)))) []namedTrial {
	t.Helper()
	plain, err := undisturbed()
	if err != nil {
		t.Fatal(err)
	}
	var all []namedTrial
	for i, s := range append(subjects(), heldSubject()) {
		for _, d := range deliveries {
			if s.scenario.Provisioned != nil && d != 1 { // where the cleanup differs, the others show it
				continue
			}
			trials(plain[i], func(name string, harmless bool, disturb func(*observed)) {
				all = append(all, namedTrial{trial{subject: s, deliveries: d, disturb: disturb, harmless: harmless}, name})
			})
		}
	}
	return all
}

// faults are what can happen to a call of AWS. After most of them the rollout
// must go on as if nothing had happened.
var faults = []struct {
	name     string
	harmless bool
	fault    localaws.Fault
	lasting  time.Duration // 0: this one call
}{
	{"throttled once", true, localaws.Fault{Kind: localaws.Throttled}, 0},
	{"throttled for an hour", false, localaws.Fault{Kind: localaws.Throttled}, time.Hour},
	{"500", true, localaws.Fault{Kind: localaws.ServerError}, 0},
	{"a proxy's 403", true, localaws.Fault{Kind: localaws.ProxyForbidden}, 0},
	{"a proxy's 403 for an hour", false, localaws.Fault{Kind: localaws.ProxyForbidden}, time.Hour},
	{"a proxy's 503", true, localaws.Fault{Kind: localaws.ProxyUnavailable}, 0},
	{"a bare 429", true, localaws.Fault{Kind: localaws.BareThrottle}, 0},
	{"cut before the effect", true, localaws.Fault{Kind: localaws.CutBefore}, 0},
	{"cut after the effect", true, localaws.Fault{Kind: localaws.CutAfter}, 0},
	{"answer after the task's timeout", true, localaws.Fault{Kind: localaws.Slow, After: 5 * time.Minute}, 0},
	{"effect after the task's timeout", true, localaws.Fault{Kind: localaws.Slow, Before: 5 * time.Minute}, 0},
}

// faultTrials disturb every call of AWS in every way.
func faultTrials(t testing.TB) []namedTrial {
	return everySubject(t, func(plain *observed, with func(string, bool, func(*observed))) {
		count := map[string]int{}
		for i, operation := range plain.calls {
			count[operation]++
			for _, f := range faults {
				fault := f.fault
				fault.Operation, fault.First, fault.Count = operation, count[operation], 1
				lasting, nth := f.lasting, i+1
				with(fmt.Sprintf("call %d (%s) %s", nth, operation, f.name), f.harmless, func(o *observed) {
					if lasting == 0 {
						o.inject(fault)
						return
					}
					o.onCall = func(number int, _ string) { // from the call before on
						if number == nth-1 || nth == 1 && number == 1 {
							o.inject(localaws.Fault{Operation: operation, Kind: fault.Kind, Until: o.clock.Now().Add(lasting)})
						}
					}
				})
			}
		}
	})
}

func (o *observed) inject(f localaws.Fault) {
	if _, err := o.server.Inject(f); err != nil {
		panic(err) // the sweep is wrong
	}
}

// crashes are how Step Functions learns of a function that died.
var crashes = []*asl.TaskError{
	{Name: "Lambda.Unknown", Cause: "The function died"},
	{Name: "Runtime.ExitError", Cause: `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: 1 Error: Runtime exited with error: signal: killed"}`},
}

// crashTrials let every invocation of a task die before its last call of AWS,
// and after it, and deliver each twice.
func crashTrials(t testing.TB) []namedTrial {
	return everySubject(t, func(plain *observed, with func(string, bool, func(*observed))) {
		for task := 1; task <= plain.tasks; task++ {
			with(fmt.Sprintf("task %d dies before its last call", task), true, func(o *observed) {
				o.onTask = func(number int, next func() (json.RawMessage, error)) (json.RawMessage, error) {
					if number != task {
						return next()
					}
					last := lastCall[o.currentState()]
					if last != "" {
						o.inject(localaws.Fault{Operation: last, Kind: localaws.CutBefore, Count: 1})
						_, _ = next()
					}
					return nil, crashes[task%2]
				}
			})
			with(fmt.Sprintf("task %d dies after its last call", task), true, func(o *observed) {
				o.onTask = func(number int, next func() (json.RawMessage, error)) (json.RawMessage, error) {
					answer, err := next()
					if number == task {
						return nil, crashes[task%2]
					}
					return answer, err
				}
			})
			with(fmt.Sprintf("task %d is delivered twice", task), true, func(o *observed) {
				o.onTask = func(number int, next func() (json.RawMessage, error)) (json.RawMessage, error) {
					if number == task {
						_, _ = next()
					}
					return next()
				}
			})
		}
	})
}

// lastCall is the call of AWS that a task makes last.
var lastCall = map[string]string{
	"CalculateWeights": "GetProvisionedConcurrencyConfig",
	"UpdateAlias":      "UpdateAlias",
	"HealthCheck":      "GetMetricData",
	"Finalize":         "UpdateAlias",
	"Rollback":         "UpdateAlias",
}

// currentState is that of the execution whose task was called last.
func (o *observed) currentState() string { return o.named(o.task).state }

// stopTrials stop the execution at every event of its history.
func stopTrials(t testing.TB) []namedTrial {
	return everySubject(t, func(plain *observed, with func(string, bool, func(*observed))) {
		for event := 1; event <= plain.events; event++ {
			for _, leave := range []bool{false, true}[:1+nestings(plain)] {
				with(fmt.Sprintf("stopped at event %d, its part left running: %v", event, leave), false, func(o *observed) {
					o.machine.leaveChildren = leave
					o.onEvent = func(number int, e *execution) {
						if number == event {
							e.Stop("", "Stopped by somebody")
							o.machine.executions[0].Stop("", "Stopped by somebody")
						}
					}
				})
			}
			if nestings(plain) > 0 {
				with(fmt.Sprintf("the part that runs stopped at event %d", event), false, func(o *observed) {
					o.onEvent = func(number int, e *execution) {
						if number == event && e.name != first {
							e.Stop("", "Stopped by somebody")
						}
					}
				})
			}
		}
		for call := 1; call <= len(plain.calls); call++ {
			with(fmt.Sprintf("stopped during call %d", call), false, func(o *observed) {
				o.onCall = func(number int, _ string) {
					if number == call {
						o.machine.executions[0].Stop("", "Stopped by somebody")
					}
				}
			})
		}
	})
}

// nestings is 1 for a rollout that goes on in other executions, else 0.
func nestings(plain *observed) int {
	if plain.nested {
		return 1
	}
	return 0
}

// deed is what another user does to the alias.
type deed struct {
	name string
	do   func(alias.Content) alias.Content
}

// deeds are what another user may do to the alias meanwhile. All but the
// change of the text before a marker must stand to the byte.
var deeds = []deed{
	{"another weight", func(c alias.Content) alias.Content {
		c.Weights = map[string]float64{map[bool]string{true: "7", false: "8"}[c.Version == "8"]: 0.77}
		return c
	}},
	{"another version", func(c alias.Content) alias.Content { c.Version, c.Weights = "6", nil; return c }},
	{"a split with another version", func(c alias.Content) alias.Content {
		c.Weights = map[string]float64{"6": 0.2}
		return c
	}},
	{"another text before the marker", func(c alias.Content) alias.Content {
		if m := alias.ParseDescription(c.Description).Marker; m != nil {
			c.Description = "mine now " + m.String()
		} else {
			c.Description = "mine now"
		}
		return c
	}},
	{"another description, without the marker", func(c alias.Content) alias.Content {
		c.Description = "mine now"
		return c
	}},
}

// foreignTrials let another user write, or delete, the alias between every
// two calls, and on both sides of each call's effect. What they do before the
// rollout has read the alias is the alias that it starts from.
func foreignTrials(t testing.TB) []namedTrial {
	return everySubject(t, func(plain *observed, with func(string, bool, func(*observed))) {
		for _, call := range meetings(plain) {
			at := func(o *observed, deed func(*observed)) func(int, string) {
				return func(number int, _ string) {
					if number == call {
						deed(o)
					}
				}
			}
			for _, deed := range deeds {
				write := func(o *observed) { o.foreignWrite(deed.do) }
				if call > 1 {
					with(fmt.Sprintf("%s before call %d", deed.name, call), false, func(o *observed) { o.onCall = at(o, write) })
				}
				with(fmt.Sprintf("%s after call %d", deed.name, call), false, func(o *observed) { o.onReply = at(o, write) })
			}
			with(fmt.Sprintf("the same, written again after call %d", call), false, func(o *observed) {
				o.onReply = at(o, func(o *observed) {
					o.foreignWrite(func(c alias.Content) alias.Content { return c })
				})
			})
			with(fmt.Sprintf("deleted before call %d", call), false, func(o *observed) { o.onCall = at(o, (*observed).foreignDelete) })
			with(fmt.Sprintf("deleted after call %d", call), false, func(o *observed) { o.onReply = at(o, (*observed).foreignDelete) })
		}
	})
}

// foreignWrite has another user write the alias, if it is there. They may fail, as
// rollouts may.
func (o *observed) foreignWrite(do func(alias.Content) alias.Content) {
	ctx, name := by(context.Background(), other), alias.Name{Function: "f", Alias: "live"}
	if found, err := o.ports.Aliases.Read(ctx, name); err == nil {
		_, _ = o.ports.Aliases.Write(ctx, name, do(found.Content), found.RevisionID)
	}
}

func (o *observed) foreignDelete() {
	function, name := "f", "live"
	_, _ = lambda.NewFromConfig(o.server.Config()).DeleteAlias(context.Background(), &lambda.DeleteAliasInput{FunctionName: &function, Name: &name})
}

// strayTrials deliver the event of an execution's end while it is running, and
// sweep then, at every call: the alias of a running execution is not touched.
func strayTrials(t testing.TB) []namedTrial {
	return everySubject(t, func(plain *observed, with func(string, bool, func(*observed))) {
		for _, call := range meetings(plain) {
			with(fmt.Sprintf("an event and a sweep at call %d", call), true, func(o *observed) {
				o.onReply = func(number int, _ string) {
					if number == call {
						o.machine.deliverEnd(o.machine.executions[0])
						o.machine.sweep()
					}
				}
			})
		}
	})
}
