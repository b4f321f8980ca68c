package stack

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
)

// Record is what is kept of a request: until it is answered, and for a while after, so
// that a second delivery changes nothing. It has secrets until it is answered.
type Record struct {
	ID          ID          `json:"id"`
	RequestType RequestType `json:"type"`
	RequestID   string      `json:"request"`
	StackID     string      `json:"stack"`
	LogicalID   string      `json:"logical"`
	PhysicalID  string      `json:"physical,omitempty"`
	// ResponseURL is empty once the request is answered.
	ResponseURL string `json:"url,omitempty"`
	// HandleURL is that of a wait condition's handle; empty if there is none, or once it
	// is signalled.
	HandleURL string    `json:"handle,omitempty"`
	Received  time.Time `json:"received"`
	// Function and Alias are those of the properties, as given; Version is the one that
	// is wanted, and Other that of the old properties, if it is another.
	Function string `json:"function"`
	Alias    string `json:"alias"`
	Version  string `json:"version"`
	Other    string `json:"other,omitempty"`
	AliasARN string `json:"alias-arn"`
	// Was is the version that had all of the alias's traffic when the request came; "" if none
	// had.
	Was string `json:"was,omitempty"`
	// RollingBack is whether the stack was being rolled back when the request came.
	RollingBack bool `json:"rolling-back,omitempty"`
	Wait        bool `json:"wait,omitempty"`
	DeleteAlias bool `json:"delete-alias,omitempty"`
	// Execution is the ARN of the request's execution, if it has one: it is written
	// before the execution is started.
	Execution string `json:"execution,omitempty"`
	// Making is whether the alias is to be made: it is written before it is.
	Making bool `json:"making,omitempty"`
	// Over is whether nothing more is to be done: the request is answered, its wait
	// condition signalled, and its execution has ended.
	Over bool `json:"over,omitempty"`
}

// NewRecord returns the record of a request that came at a time. Its properties are
// those that could be read; problems with them are for the answer.
func NewRecord(e Event, p Properties, received time.Time, rollingBack bool) Record {
	r := Record{
		ID: e.ID(), RequestType: e.RequestType, RequestID: e.RequestID, StackID: e.StackID, LogicalID: e.LogicalResourceID,
		PhysicalID: e.PhysicalResourceID, ResponseURL: e.ResponseURL, Received: received,
		Function: p.Request.FunctionName, Alias: p.Request.AliasName, Version: p.Request.NewVersion,
		RollingBack: rollingBack, Wait: p.Wait, DeleteAlias: p.DeleteAlias,
	}
	if !rollingBack && e.RequestType != Delete { // else the handle is that of an earlier update
		r.HandleURL = p.WaitHandle
	}
	if old, err := ReadProperties(e.OldProperties); err == nil && old.Request.NewVersion != r.Version {
		r.Other = old.Request.NewVersion
	}
	return r
}

// Undoing returns the record of a request that goes back, given the others of the resource:
// it goes back to what the alias was on before the newest of them that went forward, which
// need not be what the template had: a rollout that the stack did not wait for may
// have been rolled back.
func (r Record) Undoing(others []Record) Record {
	forward := slices.DeleteFunc(slices.Clone(others), func(o Record) bool { return o.RollingBack || o.RequestType == Delete || o.ID == r.ID })
	if undone, ok := Latest(forward); ok && r.RollingBack && undone.Was != "" && undone.Alias == r.Alias {
		r.Version = undone.Was
	}
	return r
}

// Answered reports whether CloudFormation has its answer.
func (r Record) Answered() bool { return r.ResponseURL == "" }

// Mark of the physical ID of a resource that has made its alias.
const made = ":made"

// physicalID returns the ID of the resource that answers a request: that which it has, as
// long as it is of the same alias.
func (r Record) physicalID() string {
	id := "lambda-rollout:" + arn.Name(r.Function) + ":" + r.Alias
	switch {
	case r.RequestType == Delete, strings.TrimSuffix(r.PhysicalID, made) == id:
		return r.PhysicalID
	case r.Making:
		return id + made
	case r.Function == "" || r.Alias == "": // an ID must not be empty
		return "lambda-rollout:" + r.LogicalID
	}
	return id
}

// issued reports whether the request's physical ID is one that was given to a resource
// with its properties.
func (r Record) issued() bool {
	return strings.TrimSuffix(r.PhysicalID, made) == "lambda-rollout:"+arn.Name(r.Function)+":"+r.Alias
}

// answer returns an answer to the request.
func (r Record) answer(s Status, reason string, data map[string]string) Answer {
	return Answer{
		Status: s, Reason: reason, PhysicalResourceID: r.physicalID(),
		StackID: r.StackID, RequestID: r.RequestID, LogicalResourceID: r.LogicalID, Data: data,
	}
}

// attributes returns those of a resource whose alias is on a version; nil for a Delete.
func (r Record) attributes(version string) map[string]string {
	if r.RequestType == Delete {
		return nil
	}
	return map[string]string{VersionAttribute: version, UnverifiedAttribute: "false", ExecutionAttribute: "", AliasAttribute: r.AliasARN}
}

// Refused returns the answer to a request that can't be carried out. One that goes back, and
// a Delete, succeed all the same: nothing was changed, and nothing is to be.
func (r Record) Refused(err error) Answer {
	if r.RollingBack || r.RequestType == Delete {
		return r.answer(Success, "Nothing to do: "+err.Error(), r.attributes(r.Version))
	}
	return r.answer(Failed, err.Error(), nil)
}

// Superseded returns the answer to a request after which another one came: nobody waits
// for it any more.
func (r Record) Superseded() Answer {
	return r.answer(Failed, "Another request for this resource came before this one was over; its rollout was stopped.", nil)
}

// Failed returns the answer that the request failed.
func (r Record) Failed(reason string) Answer { return r.answer(Failed, reason, nil) }

// GiveUp reports whether the request must be answered now, whatever is known.
func (r Record) GiveUp(now time.Time) bool {
	_, answer := r.limits()
	return answer > 0 && now.Sub(r.Received) >= answer
}

// returnInput returns the input of the execution that goes straight back to the
// version that is wanted.
func (r Record) returnInput() json.RawMessage {
	input, err := json.Marshal(map[string]any{
		"function-name": r.Function, "alias-name": r.Alias, "new-version": r.Version,
		"type": "all-at-once", "interval": 1, "health-check": false, "provisioned-concurrency": "ignore",
	})
	if err != nil {
		panic(err) // it is made of texts
	}
	return input
}

// Description returns the description of an alias that the resource makes.
func (r Record) Description() string {
	return fmt.Sprintf("Made by %s in the CloudFormation stack %s", r.LogicalID, stackName(r.StackID))
}
