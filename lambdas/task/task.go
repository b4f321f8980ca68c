// Package task implements the workflow's tasks as types with a method Handle, which
// is a Lambda function's handler:
//
//   - [CalculateWeights] checks the request and makes the plan;
//   - [UpdateAlias] shifts traffic, and allocates provisioned concurrency;
//   - [HealthCheck] reads the new version's health and decides how to proceed;
//   - [Finalize] promotes the new version;
//   - [Rollback] puts the alias back on the baseline.
//
// [Cleanup] puts the alias back after executions that ended without Rollback, and
// notifies of every execution's end; [RollbackHandler] is both in one function.
// [Simple] carries out a whole rollout without the workflow.
//
// A task takes the execution's data ([Call]) and returns it, updated. It may run
// twice with the same input, as Step Functions retries a task whose response was
// lost. It therefore takes the time from its input, not from a clock, and does not
// repeat what is already done.
//
// A task returns errors of this package's types only (they are in errors.go): the name of a Go type is
// the error's name in Lambda, which the workflow's Retry and Catch match. [Final]
// lists those that end a state; [Refusals] those that mean that nothing was
// changed.
package task

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/health/gates"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Call is the input of every task except CalculateWeights.
type Call struct {
	// Execution is the execution's ARN.
	Execution string `json:"execution"`
	// Phase says which health check this is, or that UpdateAlias is to allocate
	// (see Allocate). It is empty during a step.
	Phase gates.Phase `json:"phase,omitempty"`
	// Now is when the workflow entered the task's state; a retry has the same time.
	Now time.Time `json:"now"`
	// Retries counts the attempts before this one.
	Retries int `json:"retries"`
	// Redrives counts how often the execution was redriven after it had ended.
	Redrives int           `json:"redrives"`
	Rollout  rollout.State `json:"rollout"`
}

// refuseRedriven returns Redriven if the execution had ended before: its alias has
// been put back by then, or soon will be, and all it may still do is roll back.
func (c Call) refuseRedriven() error {
	if c.Redrives == 0 {
		return nil
	}
	return Redriven{errors.New("this execution was redriven after it had ended. Its rollout does not continue, as its alias is put back. Start a new one")}
}

// Start is the input of CalculateWeights.
type Start struct {
	// Execution is the execution's ARN.
	Execution string `json:"execution"`
	// Now is when the workflow entered the state.
	Now time.Time `json:"now"`
	// Retries counts the attempts before this one.
	Retries int `json:"retries"`
	// Rollout is the execution's input, which is not checked yet.
	Rollout json.RawMessage `json:"rollout"`
}

// maxKnow is the longest text, in bytes, before the command line that restores the
// alias: a cause with both fits into rollout.Brief, whatever descriptions it quotes.
const maxKnow = 800

// withUndo adds to an *alias.ConflictError the text know and the command line that
// puts the alias back. It returns any other error as it is.
func withUndo(err error, s rollout.State, know string) error {
	var changed *alias.ConflictError
	if !errors.As(err, &changed) {
		return err
	}
	if know != "" {
		know = rollout.Shorten(know, maxKnow) + ". "
	}
	if n := s.Provision().Allocate; n > 0 {
		know += fmt.Sprintf("Version %s may still have the provisioned concurrency of %d that the rollout allocated, which is still billed. ", s.NewVersion, n)
	}
	return fmt.Errorf("%w. %s%s%s", err, know, rollout.ToPutBack, s.Plan.Undo)
}

// traffic returns the alias of a rollout, to move its traffic.
func traffic(store alias.Store, s rollout.State) alias.Traffic {
	return alias.Traffic{
		Store:      store,
		Name:       alias.Name{Function: s.FunctionName, Alias: s.AliasName},
		Baseline:   s.Plan.Baseline,
		NewVersion: s.NewVersion,

		Owner:       s.Plan.Owner,
		Description: s.Plan.Description,
		Started:     s.Plan.RevisionID,
		Provisioned: s.Provision().Alias > 0,
		Claimed:     s.Progress.Claimed,
	}
}
