// Package task has the workflow's five tasks as typed functions: each takes
// the execution's data and the time, does its one thing to the alias or looks
// at one source of health, and returns the execution's data as it is then.
//
// A task may run twice with the same input: Step Functions retries it when its
// answer is lost. So it takes the time from its input, not from a clock, and
// does nothing again that is done already.
//
// Errors leave a task as one of the types in this package whose names the
// workflow's Retry and Catch know: a Lambda function's error name is its Go
// type's name.
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

// Call is what the workflow hands to a task, but for CalculateWeights.
type Call struct {
	// Execution is the execution's ARN.
	Execution string `json:"execution"`
	// Phase tells the health checks of a rollout apart, and Allocate from the
	// shifts; empty for those under way.
	Phase gates.Phase `json:"phase,omitempty"`
	// Now is when the task's state was entered; a retry has the same.
	Now time.Time `json:"now"`
	// Retries counts the attempts before this one.
	Retries int `json:"retries"`
	// Redrives counts how often the execution was redriven after it had ended.
	Redrives int           `json:"redrives"`
	Rollout  rollout.State `json:"rollout"`
}

// goesOn returns Redriven if the execution had ended before. Its alias has been
// put back by then, or soon is: what it has left to do is to roll back.
func (c Call) goesOn() error {
	if c.Redrives == 0 {
		return nil
	}
	return Redriven{errors.New("this execution was redriven after it had ended. Its rollout does not continue, as its alias is put back. Start a new one")}
}

// Start is what the workflow hands to CalculateWeights: the execution's input,
// not yet checked.
type Start struct {
	Execution string    `json:"execution"`
	Now       time.Time `json:"now"`
	// Retries counts the attempts before this one.
	Retries int             `json:"retries"`
	Rollout json.RawMessage `json:"rollout"`
}

// maxKnow keeps what stands before the command line from cutting that short: a
// text with both fits into rollout.Brief, whatever descriptions it quotes. In bytes.
const maxKnow = 800

// withUndo adds to the error of an alias that somebody else has changed what a
// person needs to know, and the command line that puts it back.
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
	return fmt.Errorf("%w. %sTo restore the alias as it was before the rollout, run: %s", err, know, s.Plan.Undo)
}

// traffic is the alias's traffic that a rollout moves.
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
