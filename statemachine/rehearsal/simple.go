package rehearsal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
)

// simple describes how a rollout by the one-function deployer ended.
type simple struct {
	at     time.Time
	state  rollout.State
	failed error
}

// The deployed function.
const (
	simpleARN     = "arn:aws:lambda:eu-central-1:123456789012:function:lambda-rollout-SimpleDeploy:rehearsal"
	simpleTimeout = 15 * time.Minute
	simpleMemory  = 128 // MB
)

// playSimple rehearses the one-function deployer.
func (r *run) playSimple() {
	ended := r.clock.NewSignal()
	r.letIntervene(steered{
		ended: func() *asl.Signal { return ended },
		stop: func() {
			r.err = errors.Join(r.err, errors.New("the scenario stops the rollout, but a running function can't be stopped: leave that out, or rehearse the workflow"))
		},
		redrive: func() error {
			err := errors.New("the scenario redrives the rollout, but a function can't be redriven: leave that out, or rehearse the workflow")
			r.err = errors.Join(r.err, err)
			return err
		},
	})
	if len(r.machine.faults.list) > 0 {
		r.err = errors.Join(r.err, errors.New("the scenario has faults of the workflow's tasks, but the one-function deployer has none: leave them out, or rehearse the workflow"))
	}
	deadline := r.clock.Now().Add(simpleTimeout)
	deployer := r.deployer(deadline)
	deployer.Done = func(name string, s rollout.State) { r.timeline.task(name, r.clock.Now(), s) }
	r.machine.permits.invoked(simpleDeploy)
	r.simple.state, r.simple.failed = deployer.Handle(context.Background(), simpleARN, r.options.Input)
	if r.simple.at = r.clock.Now(); r.simple.at.After(deadline) {
		r.err = errors.Join(r.err, fmt.Errorf("the function would have been killed at %s, but ran until %s", deadline, r.simple.at))
	}
	if r.simple.failed != nil {
		r.timeline.add(r.simple.at, Entry{State: "SimpleDeploy", Error: errorName(r.simple.failed), Text: r.simple.failed.Error()})
	}
	r.follow(true)
	ended.Fire()
}

// deployer returns the one-function deployer of one invocation, which Lambda ends at a
// deadline in virtual time.
func (r *run) deployer(deadline time.Time) task.Simple {
	deployer := r.simplePorts.SimpleDeploy()
	deployer.Deadline = func(context.Context) time.Time { return deadline }
	deployer.Until = func(ctx context.Context, _ time.Time) (context.Context, context.CancelFunc) {
		return ctx, func() {} // the deadline is in virtual time
	}
	return deployer
}

// errorName returns the name of an error's type, as Lambda reports it.
func errorName(err error) string { return reflect.TypeOf(err).Name() }

// end fills in how the invocation ended.
func (s simple) end(result *Result, start time.Time) {
	result.Seconds = s.at.Sub(start).Seconds()
	if s.failed == nil {
		result.Outcome = Promoted
		if s.state.Begin == rollout.BeginUnchanged {
			result.Outcome = Unchanged
		}
		result.Output, _ = json.Marshal(s.state) // it came out of JSON
		return
	}
	result.Error, result.Reason = errorName(s.failed), s.failed.Error()
	switch s.failed.(type) {
	case task.AccessDenied: // one that comes later ends as a rollback
		result.Outcome = Refused
	case task.RolledBack:
		result.Outcome = RolledBack
		if s.state.Outcome != nil && s.state.Outcome.Error != "" { // there is none of an attempt that was cut off
			result.Error = s.state.Outcome.Error
		}
	case task.AliasChanged:
		result.Outcome = AliasChanged
	case task.RollbackFailed:
		result.Outcome = RollbackFailed
	default:
		switch {
		case task.Refuses(s.failed):
			result.Outcome = Refused
		case s.state.Plan.Baseline == "": // it has not begun
			result.Outcome = NotStarted
		default:
			result.Outcome = Failed
		}
	}
}
