package stack

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
)

// Facts are what AWS holds of a request's alias and executions.
type Facts struct {
	Now   time.Time
	Alias Alias
	// Execution is the request's own.
	Execution Execution
	// Running are the ARNs of other executions that requests for the resource have
	// started, and that are running.
	Running []string
}

// Alias is what Lambda holds of the alias.
type Alias struct {
	// Exists is false if there is no such alias, or no such function.
	Exists  bool
	Version string
	// Whole is whether the version has all traffic, and no rollout owns the alias.
	Whole bool
	// Owner is the name of the execution that owns the alias; "" for none.
	Owner string
}

// Execution is what Step Functions holds of the request's execution.
type Execution struct {
	Status Phase
	// Error and Cause are those of one that failed.
	Error, Cause string
	// Unverified is whether it promoted without having seen enough.
	Unverified bool
	// Ended is when it ended; zero while it runs.
	Ended time.Time
	// Console is the URL of the execution in the console; "" if it is unknown.
	Console string
}

// Phase is how far an execution is.
type Phase string

// The phases of an execution.
const (
	Absent  Phase = "" // Step Functions does not know it
	Running Phase = "running"
	Done    Phase = "succeeded"
	Broken  Phase = "failed" // or stopped, or timed out
)

// Action is what to do next. Exactly one field is set.
type Action struct {
	// Stop are the ARNs of executions to stop.
	Stop []string
	// Make is to make the alias on the record's version.
	Make bool
	// Remove is to delete the alias.
	Remove bool
	// Start is the input of an execution to start.
	Start json.RawMessage
	// Wait is to look again later: Soon, if something is about to change.
	Wait, Soon bool
	// Answer is the answer; the request is then over, unless its execution runs.
	Answer *Answer
}

// When a rollout that a stack waits for is stopped, counted from the request: in the rest
// of CloudFormation's hour, the alias is put back and the request is answered. A request
// that has not started its execution by lost is given up.
const (
	cutAfter    = 55 * time.Minute
	answerAfter = 58 * time.Minute
	lost        = 15 * time.Minute
	// cleanedAfter is how long the cleanup may take to put the alias back: two sweeps come in
	// that time.
	cleanedAfter = 12 * time.Minute
	// cutSignalled is for a wait condition, which waits for 12 hours at most.
	cutSignalled    = 11*time.Hour + 50*time.Minute
	answerSignalled = 11*time.Hour + 57*time.Minute
)

// limits returns when the execution is stopped, and when whatever became of it is the
// answer; both are zero if nobody waits for it.
func (r Record) limits() (cut, answer time.Duration) {
	switch {
	case r.HandleURL != "" && r.Answered():
		return cutSignalled, answerSignalled
	case r.HandleURL != "":
		return cutSignalled, answerAfter
	case r.Wait || r.RollingBack || r.RequestType == Delete:
		return cutAfter, answerAfter
	}
	return 0, 0
}

// Next returns what to do next for a request that is not over. input is the input of its
// execution; nil if it is not at hand, as after the event was handled.
func (r Record) Next(f Facts, input json.RawMessage) Action {
	if len(f.Running) > 0 {
		return Action{Stop: f.Running}
	}
	if r.RequestType == Delete {
		return r.remove(f)
	}
	if f.Execution.Status != Absent {
		return r.follow(f)
	}
	return r.begin(f, input)
}

// remove returns what to do for a Delete, whose executions have ended.
func (r Record) remove(f Facts) Action {
	switch {
	case !r.issued() || !f.Alias.Exists:
		return r.succeed(f, "")
	case r.ours(f.Alias.Owner) && f.Now.Sub(r.Received) < cleanedAfter:
		return Action{Wait: true, Soon: true}
	case r.DeleteAlias && r.PhysicalID != "lambda-rollout:"+arn.Name(r.Function)+":"+r.Alias && f.Alias.Whole:
		return Action{Remove: true}
	}
	return r.succeed(f, "")
}

// begin returns what to do before there is an execution.
func (r Record) begin(f Facts, input json.RawMessage) Action {
	age := f.Now.Sub(r.Received)
	switch a := f.Alias; {
	case r.RollingBack && !a.Exists, a.Whole && a.Version == r.Version:
		return r.succeed(f, "")
	case !a.Exists && r.replaces():
		return Action{Make: true}
	case r.ours(a.Owner) && age < cleanedAfter:
		return Action{Wait: true, Soon: true}
	case r.ours(a.Owner) && r.RollingBack:
		return r.fail("The alias is not as its rollout left it, and stays as it is. Route all of its traffic to version " + r.Version + ", and continue the rollback.")
	case r.RollingBack && a.Whole && a.Version != r.Other:
		return r.succeed(f, fmt.Sprintf("The alias was moved to version %s meanwhile; it stays there.", a.Version))
	case r.RollingBack:
		return Action{Start: r.returnInput()}
	case input != nil:
		return Action{Start: input}
	case age < lost:
		return Action{Wait: true}
	}
	return r.fail("The rollout could not be started in time. Nothing was changed.")
}

// replaces reports whether the request is for an alias that the resource had not before.
func (r Record) replaces() bool { return r.RequestType == Create || !r.issued() }

// follow returns what to do about the request's execution.
func (r Record) follow(f Facts) Action {
	cut, answer := r.limits()
	age := f.Now.Sub(r.Received)
	switch {
	case !r.Answered() && !r.Wait && !r.RollingBack && f.Execution.Status != Broken:
		return r.succeed(f, "") // with or without a handle to signal: the rollout has begun
	case f.Execution.Status == Running && answer > 0 && age >= answer:
		return r.fail("The rollout did not end in time, and could not be stopped. " + checkAlias)
	case f.Execution.Status == Running && cut > 0 && age >= cut:
		return Action{Stop: []string{r.Execution}}
	case f.Execution.Status == Running:
		return Action{Wait: true}
	case f.Execution.Status == Done:
		return r.succeed(f, "")
	case r.ours(f.Alias.Owner) && f.Now.Sub(f.Execution.Ended) < cleanedAfter && (answer == 0 || age < answer):
		return Action{Wait: true, Soon: true} // the cleanup is about to put it back
	case r.ours(f.Alias.Owner):
		return r.fail(outcome(f.Execution) + " " + checkAlias)
	case r.RollingBack && f.Alias.Whole && f.Alias.Version == r.Version:
		return r.succeed(f, "")
	}
	return r.fail(outcome(f.Execution))
}

const checkAlias = "The alias may still be split: check it."

// outcome returns how an execution failed, as people read it.
func outcome(e Execution) string {
	text := e.Cause
	switch {
	case text == "" && e.Error == "":
		text = "The rollout was stopped; the alias is put back."
	case text == "":
		text = e.Error
	}
	if e.Console != "" {
		text += " " + e.Console
	}
	return text
}

// ours reports whether an alias's owner is an execution that a request for the resource
// has started.
func (r Record) ours(owner string) bool {
	id, ok := IDOf(owner)
	return ok && id.Resource == r.ID.Resource
}

func (r Record) succeed(f Facts, reason string) Action {
	data := r.attributes(r.Version)
	switch {
	case data == nil:
	case f.Execution.Status != Absent:
		data[ExecutionAttribute] = r.Execution
		if f.Execution.Unverified {
			data[UnverifiedAttribute] = "true"
		}
	case f.Alias.Exists:
		data[VersionAttribute] = f.Alias.Version
	}
	answer := r.answer(Success, reason, data)
	return Action{Answer: &answer}
}

func (r Record) fail(reason string) Action {
	answer := r.Failed(reason)
	return Action{Answer: &answer}
}

// Latest returns the record of the newest request; false if there is none. Records that came
// at the same time are in the order of their attempts.
func Latest(records []Record) (Record, bool) {
	if len(records) == 0 {
		return Record{}, false
	}
	return slices.MaxFunc(records, func(a, b Record) int {
		if c := a.Received.Compare(b.Received); c != 0 {
			return c
		}
		if a.ID.Attempt < b.ID.Attempt {
			return -1
		}
		return 1
	}), true
}
