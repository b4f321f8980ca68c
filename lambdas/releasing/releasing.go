// Package releasing implements the tasks of the release workflow as types with a method
// Handle, which is a Lambda function's handler:
//
//   - [PlanRelease] checks the request, and each member as CalculateWeights would;
//   - [CheckRelease] starts members, watches them, and decides how the release continues;
//     it also ends releases whose executions ended without doing so: see [CheckHandler];
//   - [RevertRelease] puts back aliases of members when a release is rolled back.
//
// What they decide is in package release. A task may run twice with the same input, as in
// package task, whose error types they return.
package releasing

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
	"github.com/lambda-rollout/lambda-rollout/lambdas/release"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
)

// Call is the input of every task but PlanRelease in its first state.
type Call struct {
	// Execution is the execution's ARN.
	Execution string `json:"execution"`
	// Now is when the workflow entered the task's state; a retry has the same time.
	Now time.Time `json:"now"`
	// Retries counts the attempts before this one.
	Retries int `json:"retries"`
	// Redrives counts how often the execution was redriven after it had ended.
	Redrives int           `json:"redrives"`
	Release  release.State `json:"release"`
}

// Pace limits how often a task calls AWS. Both fields are required.
type Pace struct {
	Now   func() time.Time
	Sleep func(context.Context, time.Duration) error
}

// each calls do for n items, one after another, with at least pause between the beginnings
// of two calls beyond the first free ones. It stops when limit has passed, and returns how
// many calls it made.
func (p Pace) each(ctx context.Context, n, free int, pause, limit time.Duration, do func(i int) error) (int, error) {
	return p.eachBeside(ctx, row{n: n, free: free, pause: pause, do: do}, row{}, limit)
}

// row is a row of n calls, the first free of which need no pause.
type row struct {
	n, free int
	pause   time.Duration
	do      func(i int) error
}

// eachBeside makes the calls of a row as each does, and those of another one in between,
// as they are due. Those end with the row. It returns how many calls of the row it made.
func (p Pace) eachBeside(ctx context.Context, main, beside row, limit time.Duration) (int, error) {
	start := p.Now()
	for i, j := 0, 0; i < main.n; {
		next, due := &i, start.Add(time.Duration(max(0, i-main.free))*main.pause)
		do := main.do
		if other := start.Add(time.Duration(j+1) * beside.pause); j < beside.n && other.Before(due) {
			next, due, do = &j, other, beside.do
		}
		if wait := due.Sub(p.Now()); wait > 0 {
			if err := p.Sleep(ctx, wait); err != nil {
				return i, err
			}
		}
		if p.Now().Sub(start) > limit {
			return i, nil
		}
		if err := do(*next); err != nil {
			return i, err
		}
		*next++
	}
	return main.n, nil
}

// requestOf reads the request of a release from the input of its first execution, and returns
// both.
func requestOf(ctx context.Context, executions task.Described, owner string) (release.Request, json.RawMessage, error) {
	e, err := executions.Describe(ctx, owner)
	if err != nil {
		return release.Request{}, nil, err
	}
	r, err := release.Decode(e.Input)
	if err != nil {
		return r, nil, fmt.Errorf("the input of %s: %w", arn.Name(owner), err)
	}
	return r, e.Input, nil
}

// The errors of this package alone.
type (
	// MembersRefused means that the preflight of members found problems. Its text lists
	// them, and nothing has been changed.
	MembersRefused struct{ error }
	// NotConcluded means that the input claims to end a release that does not need it.
	NotConcluded struct{ error }
)

// classify converts an error to one of this package's or of package task's types.
func classify(err error) error {
	var members MembersRefused
	var not NotConcluded
	switch {
	case errors.As(err, &members):
		return members
	case errors.As(err, &not):
		return not
	}
	return task.Classify(err)
}

// Refusals returns the names of the errors with which PlanRelease refuses a release.
func Refusals() []string {
	return []string{"InvalidRequest", "MembersRefused", "NotContinued", "NotConcluded", "AccessDenied"}
}

// sameMachine reports whether two executions are of the same state machine.
func sameMachine(a, b string) bool { return arn.Machine(a) != "" && arn.Machine(a) == arn.Machine(b) }
