package releasing

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/release"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
)

// GetExecutionHistory may be called 400 times at once and 20 times a second after that, in
// an account and Region (docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html).
// A check uses a part of that.
const (
	freeLooks = 150
	lookPause = time.Second / 14
	// describePause is the pause where each look may also call DescribeExecution, which may be
	// called 10 times a second in most Regions.
	describePause = time.Second / 9
	// startLimit limits the time in which one call starts members, and looksLimit that in
	// which it looks at them. The workflow allows five minutes.
	startLimit = 40 * time.Second
	looksLimit = 150 * time.Second
)

// look looks at the executions of the members that have not ended. Of members that have not
// been started as far as the state shows, it looks at those that may have been nevertheless.
// That takes a minute for a thousand members: meanwhile it starts those that the check before
// has left over.
func (t CheckRelease) look(ctx context.Context, s release.State, r release.Request, decided bool) (release.State, []release.Seen, error) {
	names := s.ToLookAt(decided)
	var start row
	if !decided {
		start = t.starts(ctx, &s, r, t.leftOver(ctx, s, r))
	}
	var all []release.Seen
	pause := lookPause
	look := func(i int) error {
		execution := release.MemberARN(t.Machine, s.OwnerName(), names[i])
		last, err := t.Executions.Last(ctx, execution)
		if errors.Is(err, task.ErrNoExecution) {
			return nil
		} else if err != nil {
			return err
		}
		if s.Members[names[i]].Standing == release.Waiting { // so as far as the state knows, it was not started
			if started, err := t.isMember(ctx, s, r, names[i]); !started || err != nil {
				return err
			}
		}
		all = append(all, seen(names[i], last))
		return nil
	}
	if slices.ContainsFunc(names, func(name string) bool { return s.Members[name].Standing == release.Waiting }) {
		pause = describePause
	}
	_, err := t.Pace.eachBeside(ctx, row{len(names), freeLooks, pause, look}, start, looksLimit)
	return s, all, err
}

// isMember reports whether the execution with the name of a member's is the one that the
// release starts: by its input, which no one can change. Whoever may start executions can take
// a name before the release does, and how that one ends says nothing about the member.
func (t CheckRelease) isMember(ctx context.Context, s release.State, r release.Request, name string) (bool, error) {
	m, ok := r.Member(name)
	if !ok {
		return false, nil
	}
	e, err := t.Executions.Describe(ctx, release.MemberARN(t.Machine, s.OwnerName(), name))
	return err == nil && r.IsInput(m, s.Plan.Owner, e.Input), err
}

// taken says why a member can't be started whose name another execution has.
func taken(name string) error {
	return fmt.Errorf("an execution %s exists already, and its input is not that of this release's rollout: it was started by another user, and the release does not follow it. "+
		"Start the release again, under another name", name)
}

// seen returns what the end of a member's history says.
func seen(member string, last task.Last) release.Seen {
	one := release.Seen{Member: member, Error: last.Error, Reason: last.Cause}
	var s rollout.State
	if json.Unmarshal(last.Data, &s) != nil || s.Plan.Owner == "" {
		s = rollout.State{} // the input, which anyone can write
	}
	if event, ended := last.End(); ended {
		one.Ended = event
		one.Unverified = last.Status == task.Succeeded && s.Outcome != nil && s.Outcome.Unverified
		return one
	}
	one.Weight, one.Ready = s.Progress.Weight, s.Progress.Ready != nil
	if last.RollbackFails() {
		one.Ready, one.RollbackFails, one.Error, one.Reason = false, true, last.Failed.Error, last.Failed.Message()
	}
	return one
}
