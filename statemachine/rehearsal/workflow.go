package rehearsal

import (
	"sync"

	runtime "github.com/aws/aws-lambda-go/lambda"

	"github.com/lambda-rollout/lambda-rollout/lambdas/wire"
	"github.com/lambda-rollout/lambda-rollout/statemachine"
	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
)

// workflow is the definition of a state machine, with the functions that it calls.
type workflow struct {
	name       string // of what its executions are, for people
	definition string // with placeholders
	functions  []statemachine.Function
	// cleanup is the task whose function is called after the end of each execution,
	// and regularly.
	cleanup string
	// tasks returns what the functions do, by the task's name. Without states, a check decodes
	// all that it is called with.
	tasks func(wire.Ports, *states) map[string]any
	// parsed returns the definition with the functions' ARNs. It is parsed once, which
	// takes as long as a few checks.
	parsed func() (*asl.Definition, error)
}

// rolloutWorkflow is the workflow of a rollout.
var rolloutWorkflow = workflow{
	name:       "rollouts",
	definition: statemachine.Definition,
	functions:  statemachine.Functions(),
	cleanup:    "Rollback",
	tasks: func(p wire.Ports, recent *states) map[string]any {
		check := p.HealthCheck()
		check.Recent = nil
		if recent != nil {
			check.Recent = &recent.evidence
		}
		return map[string]any{
			"CalculateWeights": p.CalculateWeights().Handle,
			"UpdateAlias":      p.UpdateAlias().Handle,
			"HealthCheck":      check.Handle,
			"Rollback":         p.Rollback().Handle,
			"Finalize":         p.Finalize().Handle,
		}
	},
	parsed: sync.OnceValues(func() (*asl.Definition, error) { return definition(statemachine.Definition) }),
}

// releaseWorkflow is the workflow of a release.
var releaseWorkflow = workflow{
	name:       "releases",
	definition: statemachine.ReleaseDefinition,
	functions:  statemachine.ReleaseFunctions(),
	cleanup:    "CheckRelease",
	tasks: func(p wire.Ports, _ *states) map[string]any {
		return map[string]any{
			"PlanRelease":   p.PlanRelease().Handle,
			"CheckRelease":  p.CheckRelease().Handle,
			"RevertRelease": p.RevertRelease().Handle,
		}
	},
	parsed: sync.OnceValues(func() (*asl.Definition, error) {
		return definitionOf(statemachine.ReleaseDefinition, statemachine.ReleaseFunctions())
	}),
}

// handlers returns the functions' handlers through ports, by ARN. Without states, each decodes
// all that it is called with.
func (w *workflow) handlers(p wire.Ports, recent *states) map[string]runtime.Handler {
	tasks, handlers := w.tasks(p, recent), map[string]runtime.Handler{}
	for _, f := range w.functions {
		handlers[functionARN(f.Name)] = recent.handlerOf(tasks[f.Name])
	}
	return handlers
}

// substituted returns the definition with the functions' ARNs.
func (w *workflow) substituted() (string, error) { return substituted(w.definition, w.functions) }

// definition parses a workflow of rollouts, after it has substituted the functions' ARNs.
func definition(text string) (*asl.Definition, error) {
	return definitionOf(text, statemachine.Functions())
}

// definitionOf parses a workflow that calls these functions.
func definitionOf(text string, functions []statemachine.Function) (*asl.Definition, error) {
	text, err := substituted(text, functions)
	if err != nil {
		return nil, err
	}
	return asl.Parse([]byte(text))
}

// substituted returns a workflow with the functions' ARNs.
func substituted(text string, functions []statemachine.Function) (string, error) {
	return asl.Substitute(text, statemachine.SubstitutionsOf(functions, "aws", func(f statemachine.Function) string { return functionARN(f.Name) }))
}
