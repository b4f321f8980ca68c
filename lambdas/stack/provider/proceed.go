package provider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
	"github.com/lambda-rollout/lambda-rollout/lambdas/awserror"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/stack"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
)

// How long a call waits for something that is about to change, and how often it looks.
const (
	patience = 75 * time.Second
	pause    = 3 * time.Second
)

// handleLasts is how long a wait condition may wait, and more.
const handleLasts = 13 * time.Hour

// errNotYet has Lambda call again with a request whose execution could not be started
// yet: only the event has its input.
var errNotYet = errors.New("an earlier rollout of this resource has not been cleaned up yet")

// proceed does what follows for a request, until it waits or is over. input is the input
// of its execution, nil if it is not at hand. If AWS can't be asked for so long that
// CloudFormation is about to give up, the answer says so.
func (p Provider) proceed(ctx context.Context, record stack.Record, input json.RawMessage) error {
	err := p.steps(ctx, record, input)
	if err == nil || errors.Is(err, errNotYet) || record.Answered() && record.HandleURL == "" {
		return err
	}
	denied := awserror.Of(err) == awserror.Denied && record.RequestType != stack.Delete
	if denied || record.GiveUp(p.Now()) {
		return p.end(ctx, record, record.Failed("Not carried out: "+err.Error()), denied)
	}
	return err
}

func (p Provider) steps(ctx context.Context, record stack.Record, input json.RawMessage) error {
	until := p.Now().Add(patience)
	for {
		others, superseded, err := p.others(ctx, record)
		if err != nil {
			return err
		}
		if superseded {
			return p.supersede(ctx, record)
		}
		facts, err := p.facts(ctx, record, others)
		if err != nil {
			return err
		}
		action := record.Next(facts, input)
		switch {
		case action.Answer != nil:
			return p.end(ctx, record, *action.Answer, facts.Execution.Status != stack.Running)
		case action.Wait:
			if !action.Soon || !p.Now().Before(until) {
				if facts.Execution.Status == stack.Absent && input != nil {
					return errNotYet
				}
				return nil
			}
			err = p.Sleep(ctx, pause)
		default:
			record, err = p.act(ctx, record, action)
		}
		if err != nil {
			return err
		}
	}
}

// act does what an action says, other than to wait or to answer.
func (p Provider) act(ctx context.Context, record stack.Record, action stack.Action) (stack.Record, error) {
	name := alias.Name{Function: record.Function, Alias: record.Alias}
	switch {
	case len(action.Stop) > 0:
		for _, execution := range action.Stop {
			p.Log.InfoContext(ctx, "stopping", "execution", execution, "for", record.Execution)
			if err := p.Executions.Stop(ctx, execution, "CloudFormation no longer waits for this rollout"); err != nil {
				return record, err
			}
		}
		return record, p.Sleep(ctx, pause)
	case action.Make:
		record.Making = true
		if err := p.Records.Put(ctx, record); err != nil {
			return record, err
		}
		return record, p.Aliases.Create(ctx, name, record.Version, record.Description())
	case action.Remove:
		return record, p.Aliases.Delete(ctx, name)
	default:
		p.Log.InfoContext(ctx, "starting", "execution", record.Execution)
		return record, p.Executions.Start(ctx, p.Machine, arn.Name(record.Execution), action.Start)
	}
}

// facts gathers what AWS holds for a request.
func (p Provider) facts(ctx context.Context, record stack.Record, others []stack.Record) (stack.Facts, error) {
	f := stack.Facts{Now: p.Now()}
	for _, other := range others {
		running, err := p.running(ctx, other)
		if err != nil {
			return f, err
		}
		if running {
			f.Running = append(f.Running, other.Execution)
		}
	}
	var err error
	if f.Alias, err = p.alias(ctx, record); err != nil {
		return f, err
	}
	if record.RequestType == stack.Delete {
		return f, nil
	}
	execution, err := p.Executions.Describe(ctx, record.Execution)
	if errors.Is(err, task.ErrNoExecution) {
		return f, nil
	} else if err != nil {
		return f, err
	}
	f.Execution = described(execution)
	return f, nil
}

// running reports whether a request's execution is.
func (p Provider) running(ctx context.Context, record stack.Record) (bool, error) {
	execution, err := p.Executions.Describe(ctx, record.Execution)
	if errors.Is(err, task.ErrNoExecution) {
		return false, nil
	}
	return execution.Running, err
}

// supersede ends a request after which another one came: its execution is stopped and, once
// it has ended, the request is answered.
func (p Provider) supersede(ctx context.Context, record stack.Record) error {
	running, err := p.running(ctx, record)
	switch {
	case err != nil:
		return err
	case running:
		_, err = p.act(ctx, record, stack.Action{Stop: []string{record.Execution}})
		return err
	}
	return p.end(ctx, record, record.Superseded(), true)
}

// alias returns what Lambda holds of the alias. For a Delete, a function that may not be
// read is one that does not exist: where functions opt in by a tag, IAM says the same of both.
func (p Provider) alias(ctx context.Context, record stack.Record) (stack.Alias, error) {
	if record.Function == "" || record.Alias == "" { // the properties could not be read
		return stack.Alias{}, nil
	}
	found, err := p.Aliases.Read(ctx, alias.Name{Function: record.Function, Alias: record.Alias})
	switch {
	case errors.Is(err, alias.ErrNotFound),
		record.RequestType == stack.Delete && awserror.Of(err) == awserror.Denied:
		return stack.Alias{}, nil
	case err != nil:
		return stack.Alias{}, err
	}
	marker := alias.ParseDescription(found.Description).Marker
	a := stack.Alias{Exists: true, Version: found.Version, Whole: len(found.Weights) == 0 && marker == nil}
	if marker != nil {
		a.Owner = marker.Owner
	}
	return a, nil
}

// aliasARN returns the ARN of an alias of a function that is given by its name or ARN.
func (p Provider) aliasARN(function, name string) string {
	id, _ := arn.Parse(p.Machine)
	if given, ok := arn.Parse(function); ok {
		id = given
	}
	id.Service, id.Resource = "lambda", "function:"+arn.Name(function)+":"+name
	return id.String()
}

// described returns what is to be known of an execution. Its output and its cause are the
// workflow's, or of whoever stopped it: they are for people, and decide nothing.
func described(e task.Execution) stack.Execution {
	d := stack.Execution{Status: stack.Broken, Error: e.Error, Cause: e.Cause, Ended: e.Ended, Console: rollout.ConsoleURL(e.ARN)}
	switch {
	case e.Running:
		d.Status = stack.Running
	case e.Status == task.Succeeded:
		d.Status = stack.Done
	}
	var output struct {
		Outcome struct {
			Unverified bool `json:"unverified"`
		} `json:"outcome"`
	}
	if json.Unmarshal(e.Output, &output) == nil {
		d.Unverified = output.Outcome.Unverified
	}
	return d
}

// end sends the answer, or the signal if the answer was sent before, and records that. The
// request is over if its execution is. What another call of the function has sent meanwhile
// is not sent again.
func (p Provider) end(ctx context.Context, record stack.Record, answer stack.Answer, ended bool) error {
	all, err := p.all(ctx, record.ID.Resource)
	if err != nil {
		return err
	}
	for _, now := range all {
		if now.ID == record.ID && (now.ResponseURL != record.ResponseURL || now.HandleURL != record.HandleURL) {
			return nil
		}
	}
	switch {
	case !record.Answered():
		if err := p.Answers.Send(ctx, record.ResponseURL, answer.Document()); err != nil {
			return fmt.Errorf("answering %s: %w", record.RequestID, err)
		}
		p.Log.InfoContext(ctx, "answered", "request", record.RequestID, "status", answer.Status, "reason", answer.Reason)
		record.ResponseURL = ""
		if answer.Status == stack.Failed {
			record.HandleURL = "" // the stack fails without the wait condition
		}
	case record.HandleURL != "":
		signal, err := json.Marshal(answer.Signal())
		if err != nil {
			return err
		}
		if err := p.Answers.Send(ctx, record.HandleURL, signal); err != nil && p.Now().Sub(record.Received) < handleLasts {
			return fmt.Errorf("signalling for %s: %w", record.RequestID, err)
		}
		p.Log.InfoContext(ctx, "signalled", "request", record.RequestID, "status", answer.Status, "reason", answer.Reason)
		record.HandleURL = ""
	}
	record.Over = ended && record.HandleURL == ""
	return p.Records.Put(ctx, record)
}
