// Package provider carries out the requests that CloudFormation makes to the custom
// resource Custom::LambdaRollout: [Provider] is the function StackRollout.
//
// It is called with requests, with the ends of executions, by a schedule, and with
// requests that Lambda gave up. Each time it looks at what AWS holds and does what
// follows, see [stack.Record.Next]; so a call that was lost, came twice or broke off in
// its middle is made up for by any later one.
package provider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
	"github.com/lambda-rollout/lambda-rollout/lambdas/awserror"
	"github.com/lambda-rollout/lambda-rollout/lambdas/stack"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
)

// Records keeps the records of requests.
type Records interface {
	// Add keeps a new record. It returns the record that is already there, if there is
	// one with its ID, and false.
	Add(context.Context, stack.Record) (stack.Record, bool, error)
	// Put replaces a record.
	Put(context.Context, stack.Record) error
	// Remove forgets a record; it is no error if there is none.
	Remove(context.Context, stack.ID) error
	// All returns all records of a resource; of all resources if it is "". If some can't be
	// read, it returns the others and an error that wraps ErrUnreadable.
	All(ctx context.Context, resource string) ([]stack.Record, error)
}

// ErrUnreadable means that there is something else where records are kept.
var ErrUnreadable = errors.New("no record of a request")

// Executions starts, stops and describes the state machine's executions.
type Executions interface {
	// Describe returns task.ErrNoExecution if there is no execution with the ARN.
	Describe(ctx context.Context, arn string) (task.Execution, error)
	// Start starts an execution. It is no error if there is one of that name.
	Start(ctx context.Context, machine, name string, input json.RawMessage) error
	// Stop stops an execution. It is no error if it has ended.
	Stop(ctx context.Context, arn, cause string) error
}

// Aliases reads, makes and deletes aliases. A function or an alias that does not exist
// is alias.ErrNotFound.
type Aliases interface {
	Read(context.Context, alias.Name) (alias.Alias, error)
	// Create is no error if there is an alias of that name.
	Create(ctx context.Context, name alias.Name, version, description string) error
	Delete(context.Context, alias.Name) error
}

// Answers sends documents to pre-signed URLs.
type Answers interface {
	// Check returns an error for a URL that is none of CloudFormation's. It does not
	// contain the URL.
	Check(url string) error
	// Send puts a document. Its error does not contain the URL.
	Send(ctx context.Context, url string, document []byte) error
}

// Stacks reads CloudFormation's stacks.
type Stacks interface {
	// RollingBack reports whether the stack is being rolled back.
	RollingBack(ctx context.Context, stackID string) (bool, error)
}

// Provider is the function StackRollout.
type Provider struct {
	// Machine is the state machine's ARN.
	Machine    string
	Records    Records
	Executions Executions
	Aliases    Aliases
	Answers    Answers
	Stacks     Stacks
	Now        func() time.Time
	Sleep      func(context.Context, time.Duration) error
	Log        *slog.Logger
}

// keptFor is how long a record is kept after its request is over: Lambda delivers an event
// for six hours at most.
const keptFor = 24 * time.Hour

// Input is the input of the function: one of its fields is set, or those of
// a [stack.Event].
type Input struct {
	// Ended is the detail of EventBridge's event of an execution's end.
	Ended *struct {
		Execution string `json:"executionArn"`
	} `json:"detail"`
	// Sweep is the ARN of the state machine.
	Sweep string `json:"sweep"`
	// GivenUp are messages of the queue with requests that Lambda gave up.
	GivenUp []struct {
		Body string `json:"body"`
	} `json:"Records"`
}

// Handle carries out requests as far as possible. An error means that it is to be called
// again.
func (p Provider) Handle(ctx context.Context, input json.RawMessage) error {
	var in Input
	if err := json.Unmarshal(input, &in); err != nil {
		return fmt.Errorf("the event is not JSON: %w", err)
	}
	switch {
	case in.Ended != nil:
		id, ok := stack.IDOf(arn.Name(in.Ended.Execution))
		if !ok {
			return nil // not one that a stack started
		}
		return p.resume(ctx, id.Resource)
	case in.Sweep != "":
		return p.resume(ctx, "")
	case in.GivenUp != nil:
		var failed []error
		for _, message := range in.GivenUp {
			failed = append(failed, p.givenUp(ctx, message.Body))
		}
		return errors.Join(failed...)
	}
	return p.request(ctx, input, time.Time{})
}

// givenUp carries out a request that Lambda gave up. Other calls that it gave up, by rules,
// are made up for by the next sweep.
func (p Provider) givenUp(ctx context.Context, message string) error {
	var given struct {
		At      time.Time       `json:"timestamp"`
		Request json.RawMessage `json:"requestPayload"`
	}
	var request stack.Event
	if err := json.Unmarshal([]byte(message), &given); err != nil || json.Unmarshal(given.Request, &request) != nil || request.RequestType == "" {
		p.Log.WarnContext(ctx, "a call that was given up is no request of CloudFormation")
		return nil
	}
	return p.request(ctx, given.Request, given.At)
}

// request carries out a request of CloudFormation, as far as possible now. givenUp is when
// Lambda gave it up; zero if it did not.
func (p Provider) request(ctx context.Context, input json.RawMessage, givenUp time.Time) error {
	var e stack.Event
	err := json.Unmarshal(input, &e)
	if err == nil {
		err = e.Check()
	}
	if err == nil {
		err = p.Answers.Check(e.ResponseURL)
	}
	if err != nil { // there is no one to answer
		p.Log.ErrorContext(ctx, "not a request of CloudFormation", "error", err)
		return nil
	}
	properties, unreadable := stack.ReadProperties(e.Properties)
	if unreadable == nil && properties.WaitHandle != "" {
		unreadable = p.Answers.Check(properties.WaitHandle)
	}
	record, err := p.record(ctx, e, properties)
	switch {
	case err != nil && (awserror.Of(err) == awserror.Denied || !givenUp.IsZero() && p.Now().Sub(givenUp) > lastResort):
		return p.Answers.Send(ctx, e.ResponseURL, record.Failed("Not carried out: "+err.Error()).Document())
	case err != nil:
		return err
	case record.Over:
		return nil
	}
	if unreadable == nil {
		unreadable = properties.WaitsTooLong(record.Received)
	}
	if unreadable != nil {
		return p.end(ctx, record, record.Refused(unreadable), true)
	}
	return p.proceed(ctx, record, properties.Input)
}

// lastResort is how long after Lambda gave up a request, which it does within minutes, it is
// answered without a record, as none can be kept.
const lastResort = 45 * time.Minute

// record keeps the record of a request, and returns it or the one that is there already. With
// an error it returns one that is not kept.
func (p Provider) record(ctx context.Context, e stack.Event, properties stack.Properties) (stack.Record, error) {
	back, err := p.Stacks.RollingBack(ctx, e.StackID)
	record := stack.NewRecord(e, properties, p.Now(), back)
	record.Execution = p.executionARN(e.ExecutionName())
	record.AliasARN = p.aliasARN(record.Function, record.Alias)
	if err != nil {
		return record, err
	}
	now, err := p.alias(ctx, record)
	if err != nil {
		return record, err
	}
	if now.Whole {
		record.Was = now.Version
	}
	if back {
		others, err := p.all(ctx, record.ID.Resource)
		if err != nil {
			return record, err
		}
		record = record.Undoing(others)
	}
	kept, added, err := p.Records.Add(ctx, record)
	if err != nil {
		return record, err
	}
	p.Log.InfoContext(ctx, "request", "type", e.RequestType, "stack", e.StackName(), "resource", e.LogicalResourceID, "again", !added, "rolling-back", back)
	return kept, nil
}

// executionARN returns the ARN of the machine's execution of that name.
func (p Provider) executionARN(name string) string {
	id, _ := arn.Parse(p.Machine)
	id.Resource = "execution:" + arn.Name(p.Machine) + ":" + name
	return id.String()
}

// resume continues the requests for a resource that are not over, or those for all
// resources, and forgets old records.
func (p Provider) resume(ctx context.Context, resource string) error {
	records, err := p.all(ctx, resource)
	if err != nil {
		return err
	}
	var failed []error
	for _, record := range records {
		switch {
		case !record.Over:
			failed = append(failed, p.proceed(ctx, record, nil))
		case p.Now().Sub(record.Received) > keptFor:
			failed = append(failed, p.Records.Remove(ctx, record.ID))
		}
	}
	return errors.Join(failed...)
}

// all returns the records of a resource that can be read: what else is among them
// must not hold up the others.
func (p Provider) all(ctx context.Context, resource string) ([]stack.Record, error) {
	records, err := p.Records.All(ctx, resource)
	if errors.Is(err, ErrUnreadable) {
		p.Log.ErrorContext(ctx, "delete what is no record of a request", "error", err)
		return records, nil
	}
	return records, err
}

// others returns the records of the other requests for the resource that are not over, and
// reports whether one of them is newer than the record.
func (p Provider) others(ctx context.Context, record stack.Record) (others []stack.Record, superseded bool, err error) {
	all, err := p.all(ctx, record.ID.Resource)
	if err != nil {
		return nil, false, err
	}
	latest, _ := stack.Latest(append(slices.Clone(all), record))
	for _, other := range all {
		if other.ID != record.ID && !other.Over {
			others = append(others, other)
		}
	}
	return others, latest.ID != record.ID, nil
}
