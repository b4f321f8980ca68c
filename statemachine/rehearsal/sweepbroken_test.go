package rehearsal

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
	"github.com/lambda-rollout/lambda-rollout/lambdas/wire"
	"github.com/lambda-rollout/lambda-rollout/statemachine"
)

// TestEachSafeguardIsNeeded takes away one safeguard after the other. Each
// time the sweep finds a case that ends wrongly.
func TestEachSafeguardIsNeeded(t *testing.T) {
	t.Parallel()
	for _, s := range []safeguard{
		{name: "writes carry the revision", trials: foreignTrials, remove: onStore(func(s store) store {
			s.write = func(ctx context.Context, name alias.Name, to alias.Content, _ string) (alias.Alias, error) {
				now, err := s.Store.Read(ctx, name)
				if err != nil {
					return now, err
				}
				return s.Store.Write(ctx, name, to, now.RevisionID)
			}
			return s
		})},
		{name: "a refused write is read back", trials: faultTrials, remove: onStore(func(s store) store {
			stale := false
			s.write = func(ctx context.Context, name alias.Name, to alias.Content, revisionID string) (alias.Alias, error) {
				a, err := s.Store.Write(ctx, name, to, revisionID)
				stale = errors.Is(err, alias.ErrStale)
				return a, err
			}
			s.read = func(ctx context.Context, name alias.Name) (alias.Alias, error) {
				a, err := s.Store.Read(ctx, name)
				if stale {
					a.Description, stale = "something else", false
				}
				return a, err
			}
			return s
		})},
		{name: "the marker is written", trials: stopTrials, remove: onStore(func(s store) store {
			s.write = func(ctx context.Context, name alias.Name, to alias.Content, revisionID string) (alias.Alias, error) {
				to.Description = longDescription
				return s.Store.Write(ctx, name, to, revisionID)
			}
			return s
		})},
		{name: "the marker's split is compared with the alias's", trials: foreignTrials, remove: onStore(func(s store) store {
			s.read = func(ctx context.Context, name alias.Name) (alias.Alias, error) {
				a, err := s.Store.Read(ctx, name)
				if m := alias.ParseDescription(a.Description).Marker; m != nil && a.Version == m.Baseline {
					a.Weights = map[string]float64{m.NewVersion: m.Weight}
				}
				return a, err
			}
			return s
		})},
		{name: "the cleanup looks whose marker it is", trials: contestTrials, remove: func(o *observed) {
			o.onPorts = func(p wire.Ports) wire.Ports {
				asked := ""
				p.Executions = spied{p.Executions, func(execution string) { asked = arn.Name(execution) }}
				s := store{Aliases: p.Aliases, Store: p.Aliases}
				s.read = func(ctx context.Context, name alias.Name) (alias.Alias, error) {
					a, err := s.Store.Read(ctx, name)
					if m := alias.ParseDescription(a.Description).Marker; m != nil && asked != "" {
						a.Description = strings.Replace(a.Description, "[rollout "+m.Owner, "[rollout "+asked, 1)
					}
					return a, err
				}
				p.Aliases = s
				return p
			}
		}},
		{name: "the cleanup looks whether the execution is running", trials: strayTrials, remove: func(o *observed) {
			o.onPorts = func(p wire.Ports) wire.Ports { p.Executions = neverRunning{p.Executions}; return p }
		}},
		{name: "there is a cleanup", trials: stopTrials, remove: func(o *observed) { o.noClean = true }},
		{name: "a cut description is found in the history", trials: stopTrials, remove: func(o *observed) {
			o.onPorts = func(p wire.Ports) wire.Ports { p.Executions = noPlan{p.Executions}; return p }
		}},
		{name: "AWS's own weights are known for what they are", trials: ofProvisioned(faultTrials), remove: onStore(func(s store) store {
			s.read = func(ctx context.Context, name alias.Name) (alias.Alias, error) {
				a, err := s.Store.Read(ctx, name)
				if a.HeldBy() != "" && alias.ParseDescription(a.Description).Marker == nil {
					a.Description = "of another writer"
				}
				return a, err
			}
			return s
		})},
		{name: "what was allocated is deleted after a stop", trials: ofProvisioned(stopTrials), remove: func(o *observed) {
			o.onPorts = func(p wire.Ports) wire.Ports { p.Aliases = hoard{p.Aliases}; return p }
		}},
		{name: "a rollback is tried again", trials: faultTrials, remove: func(*observed) {},
			workflow: func(text string) string { return strings.Replace(text, `"MaxAttempts": 90`, `"MaxAttempts": 0`, 1) }},
		{name: "the other tasks are tried again", trials: faultTrials, remove: func(*observed) {},
			workflow: func(text string) string { return strings.ReplaceAll(text, `"MaxAttempts": 8`, `"MaxAttempts": 0`) }},
		{name: "the end of an execution that a rollout went on in is caught", trials: nestedTrials, remove: func(*observed) {},
			workflow: func(text string) string {
				const catch = `      "Catch": [
        { "ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Rollback" }
      ],
      "Next": "Continued"`
				return strings.Replace(text, catch, `      "Next": "Continued"`, 1)
			}},
	} {
		t.Run(s.name, s.isNeeded)
	}
}

// safeguard is something of the product that can be taken away.
type safeguard struct {
	name   string
	trials func(testing.TB) []namedTrial
	remove func(*observed)
	// workflow changes the definition; nil leaves it.
	workflow func(string) string
}

// isNeeded fails unless some trial ends wrongly without the safeguard.
func (s safeguard) isNeeded(t *testing.T) {
	text := statemachine.Definition
	if s.workflow != nil {
		if text = s.workflow(text); text == statemachine.Definition {
			t.Fatal("the workflow is the same")
		}
	}
	workflow, err := definition(text)
	if err != nil {
		t.Fatal(err)
	}
	intact := s.trials(t)
	broken := slices.Clone(intact)
	for i, trial := range intact {
		broken[i].workflow = workflow
		broken[i].disturb = func(o *observed) { trial.disturb(o); s.remove(o) }
	}
	// Red is red: the sweep need not be run to its end.
	const batch = 100
	for start := 0; start < len(broken); start += batch {
		end := min(start+batch, len(broken))
		for i, err := range results(broken[start:end]) {
			if err == nil {
				continue
			}
			if _, ill := intact[start+i].try(); ill == nil {
				t.Logf("one of the first %d cases that end wrongly: %.500s", end, shortened(err))
				return
			}
		}
	}
	t.Error("nothing ends wrongly without it")
}

// nestedTrials are the faults of long rollouts.
func nestedTrials(t testing.TB) []namedTrial {
	return slices.DeleteFunc(faultTrials(t), func(trial namedTrial) bool { return !trial.subject.nested })
}

// store is the alias port with another way to read or write.
type store struct {
	wire.Aliases
	Store alias.Store
	read  func(context.Context, alias.Name) (alias.Alias, error)
	write func(context.Context, alias.Name, alias.Content, string) (alias.Alias, error)
}

func (s store) Read(ctx context.Context, name alias.Name) (alias.Alias, error) {
	if s.read == nil {
		return s.Store.Read(ctx, name)
	}
	return s.read(ctx, name)
}

func (s store) Write(ctx context.Context, name alias.Name, to alias.Content, revisionID string) (alias.Alias, error) {
	if s.write == nil {
		return s.Store.Write(ctx, name, to, revisionID)
	}
	return s.write(ctx, name, to, revisionID)
}

// hoard are aliases whose versions' provisioned concurrency is never deleted.
type hoard struct{ wire.Aliases }

func (hoard) Deallocate(context.Context, string, string) error { return nil }

// ofProvisioned are those trials that have to do with provisioned concurrency.
func ofProvisioned(trials func(testing.TB) []namedTrial) func(testing.TB) []namedTrial {
	return func(t testing.TB) []namedTrial {
		return slices.DeleteFunc(trials(t), func(one namedTrial) bool { return one.subject.scenario.Provisioned == nil })
	}
}

func onStore(change func(store) store) func(*observed) {
	return func(o *observed) {
		o.onPorts = func(p wire.Ports) wire.Ports {
			p.Aliases = change(store{Aliases: p.Aliases, Store: p.Aliases})
			return p
		}
	}
}

type spied struct {
	wire.Executions
	asked func(arn string)
}

// Last hides that a rollout was refused, which also keeps the cleanup off.
func (s spied) Last(context.Context, string) (task.Last, error) {
	return task.Last{Status: task.Failed}, nil
}

func (s spied) Describe(ctx context.Context, arn string) (task.Execution, error) {
	s.asked(arn)
	return s.Executions.Describe(ctx, arn)
}

type neverRunning struct{ wire.Executions }

func (n neverRunning) Describe(ctx context.Context, arn string) (task.Execution, error) {
	e, err := n.Executions.Describe(ctx, arn)
	e.Running = false
	return e, err
}

// Last takes a running execution's history for whole, which also keeps the cleanup off.
func (n neverRunning) Last(ctx context.Context, arn string) (task.Last, error) {
	last, err := n.Executions.Last(ctx, arn)
	if last.Status == task.Running {
		last.Status, last.State = task.Aborted, "Wait"
	}
	return last, err
}

type noPlan struct{ wire.Executions }

// Last hides the plan that the data of the last state has.
func (n noPlan) Last(ctx context.Context, arn string) (task.Last, error) {
	last, err := n.Executions.Last(ctx, arn)
	last.Data = nil
	return last, err
}

func (n noPlan) Begun(ctx context.Context, arn string) (task.Begun, error) {
	begun, err := n.Executions.Begun(ctx, arn)
	begun.Plan.Description = ""
	return begun, err
}
