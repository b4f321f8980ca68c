package rehearsal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
	"github.com/lambda-rollout/lambda-rollout/lambdas/notify"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
	"github.com/lambda-rollout/lambda-rollout/lambdas/wire"
)

// TestEachSafeguardIsNeededByCombinations is the same as TestEachSafeguardIsNeeded for
// what single faults don't show.
func TestEachSafeguardIsNeededByCombinations(t *testing.T) {
	t.Parallel()
	for _, s := range []safeguard{
		{name: "the cleanup passes over no error's name", trials: drawnTrials("stopped"), remove: onExecutions(func(e *changedExecutions) {
			e.describe = func(found task.Execution) task.Execution {
				found.Running = found.Running || found.Status == task.Aborted && slices.Contains(task.Refusals(), found.Error)
				return found
			}
		})},
		{name: "a continuation is what its owner's history says", trials: drawnTrials("a forged continuation"), remove: func(o *observed) {
			onExecutions(func(e *changedExecutions) {
				e.handedOver = func() (task.Handover, error) { // whatever is claimed is confirmed
					forged := o.named(forger)
					if forged == nil {
						return task.Handover{}, task.ErrHandedOverNothing
					}
					return task.Handover{Name: forger, Input: forged.input}, nil
				}
			})(o)
		}},
		{name: "what is not known to be final is retried", trials: drawnTrials("a function is idle"), remove: func(*observed) {},
			workflow: func(text string) string {
				const known = `["Throttled", "ServiceUnavailable", "Lambda.TooManyRequestsException", "Lambda.ServiceException", "Lambda.Unknown", "States.Timeout"]`
				return regexp.MustCompile(`\["States.ALL"\],\s+"IntervalSeconds": 2`).ReplaceAllString(text, known+`, "IntervalSeconds": 2`)
			}},
		{name: "what was cut off is looked at again", trials: drawnTrials("a write comes late"), remove: func(o *observed) {
			onExecutions(func(e *changedExecutions) {
				e.endedBadly = func(all []task.Ended) []task.Ended {
					return slices.DeleteFunc(all, func(ended task.Ended) bool { return o.heard.answered[arn.Name(ended.ARN)] })
				}
			})(o)
			before := o.onPorts
			o.onPorts = func(p wire.Ports) wire.Ports { p = before(p); p.Sleep = nil; return p }
		}},
		{name: "a read that lags is no change", trials: drawnTrials("reads lag", "an answer is lost"), remove: onStore(afterRefusal(alias.ErrStale))},
		{name: "a version that was deleted is no change of the alias", trials: drawnTrials("the new version is deleted"), remove: onStore(afterRefusal(alias.ErrNotFound))},
		{name: "notifications say what was found", trials: drawnTrials("a write comes late", "AWS is away for minutes"), remove: onNotices(func(n rollout.Notification) (rollout.Notification, bool) {
			if n.AliasLeft != "" {
				n.AliasLeft = rollout.AliasUntouched
			}
			return n, true
		})},
		{name: "a sweep's work is notified", trials: drawnTrials("a write comes late"), remove: onNotices(func(n rollout.Notification) (rollout.Notification, bool) {
			return n, n.Event != rollout.EventPutBack
		})},
		{name: "a redriven rollout shifts nothing", trials: drawnTrials("redriven"), remove: func(*observed) {},
			workflow: func(text string) string {
				return strings.ReplaceAll(text, `"redrives.$": "$$.Execution.RedriveCount",`, "")
			}},
	} {
		t.Run(s.name, s.isNeeded)
	}
}

// drawnTrials are combinations of one disturbance of each kind.
func drawnTrials(kinds ...string) func(testing.TB) []namedTrial {
	return func(t testing.TB) []namedTrial {
		c := newCombiner(t)
		c.only = kinds
		draw := c.draw(len(kinds))
		var all []namedTrial
		for i := range 600 {
			of := draw.Example(i)
			if distinct := slices.Compact(slices.Sorted(slices.Values(of.kinds))); len(distinct) == len(kinds) && !of.subject.simple {
				all = append(all, namedTrial{c.trial(of), of.String()})
			}
		}
		return all
	}
}

// changedExecutions has Step Functions answer otherwise. What is nil is as it is.
type changedExecutions struct {
	wire.Executions
	describe   func(task.Execution) task.Execution
	endedBadly func([]task.Ended) []task.Ended
	handedOver func() (task.Handover, error)
}

func onExecutions(change func(*changedExecutions)) func(*observed) {
	return func(o *observed) {
		o.onPorts = func(p wire.Ports) wire.Ports {
			changed := &changedExecutions{Executions: p.Executions}
			change(changed)
			p.Executions = changed
			return p
		}
	}
}

func (e *changedExecutions) Describe(ctx context.Context, arn string) (task.Execution, error) {
	found, err := e.Executions.Describe(ctx, arn)
	if err == nil && e.describe != nil {
		found = e.describe(found)
	}
	return found, err
}

func (e *changedExecutions) EndedBadly(ctx context.Context, machine string, since time.Time) ([]task.Ended, error) {
	all, err := e.Executions.EndedBadly(ctx, machine, since)
	if err == nil && e.endedBadly != nil {
		all = e.endedBadly(all)
	}
	return all, err
}

func (e *changedExecutions) HandedOver(ctx context.Context, arn string) (task.Handover, error) {
	if e.handedOver != nil {
		return e.handedOver()
	}
	return e.Executions.HandedOver(ctx, arn)
}

// afterRefusal has a refusal read as that of a revision which is not the alias's, and
// the read after it show one that no one has seen: someone's change, it seems.
func afterRefusal(refusal error) func(store) store {
	return func(s store) store {
		refused := false
		s.write = func(ctx context.Context, name alias.Name, to alias.Content, revisionID string) (alias.Alias, error) {
			a, err := s.Store.Write(ctx, name, to, revisionID)
			if refused = errors.Is(err, refusal); refused {
				err = alias.ErrStale
			}
			return a, err
		}
		s.read = func(ctx context.Context, name alias.Name) (alias.Alias, error) {
			a, err := s.Store.Read(ctx, name)
			if refused {
				a.RevisionID, refused = "unseen", false
			}
			return a, err
		}
		return s
	}
}

// onNotices changes what the event bus is notified of, or leaves it out.
func onNotices(change func(rollout.Notification) (rollout.Notification, bool)) func(*observed) {
	return func(o *observed) {
		o.onPorts = func(p wire.Ports) wire.Ports {
			p.Bus, p.Topic = changedBus{p.Bus, change}, ""
			return p
		}
	}
}

type changedBus struct {
	notify.Bus
	change func(rollout.Notification) (rollout.Notification, bool)
}

func (b changedBus) Put(ctx context.Context, e notify.Event) error {
	var n rollout.Notification
	if err := json.Unmarshal([]byte(e.Detail), &n); err != nil {
		return fmt.Errorf("the product's own event: %w", err)
	}
	n, ok := b.change(n)
	if !ok {
		return nil
	}
	e.Detail = string(n.JSON())
	return b.Bus.Put(ctx, e)
}
