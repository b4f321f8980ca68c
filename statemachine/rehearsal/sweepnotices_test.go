package rehearsal

import (
	"context"
	"encoding/json"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
)

// notices are all that anybody was notified of in a rehearsal.
type notices struct {
	all []notice
	// events and published are how many the local AWS has of each so far.
	events, published int
	// lost are the numbers of the changes before each that could not be delivered.
	lost []int
	// answered are the rollouts whose end the cleanup has taken in.
	answered map[string]bool
}

// notice is one notification, as a program reads it.
type notice struct {
	channel string
	after   int // how many changes of the alias came before it
	at      time.Time
	body    struct {
		ID        string            `json:"id"`
		Event     rollout.Event     `json:"event"`
		Time      time.Time         `json:"time"`
		Execution string            `json:"execution"`
		Left      rollout.AliasLeft `json:"alias-left"`
	}
}

// rollout is the name of the execution that the notice is about.
func (n notice) rollout() string {
	return arn.Name(n.body.Execution)
}

// ends reports whether the notice is of an end.
func (n notice) ends() bool { return n.body.Event.Outcome() != "under-way" }

// hear notes what was put on the bus and published since the last time.
func (o *observed) hear() {
	if !o.spoken {
		return
	}
	o.spoken = false
	for _, event := range o.server.Events()[o.heard.events:] {
		o.heard.events++
		o.note("event bus", event.Detail)
	}
	for _, message := range o.server.Published()[o.heard.published:] {
		o.heard.published++
		o.note("topic", []byte(message.For("lambda")))
	}
}

func (o *observed) note(channel string, text []byte) {
	n := notice{channel: channel, after: len(o.changed.all), at: o.clock.Now()}
	if err := json.Unmarshal(text, &n.body); err != nil {
		panic(err) // it is the product's own
	}
	o.heard.all = append(o.heard.all, n)
}

// notifies reports whether an operation of AWS is one that notifies.
func notifies(operation string) bool { return operation == "Publish" || operation == "PutEvents" }

// cleanUp calls the cleanup, and notes whose end it has taken in.
func (o *observed) cleanUp(ctx context.Context, input json.RawMessage, call func(context.Context) (json.RawMessage, error)) (json.RawMessage, error) {
	var event struct {
		Detail struct {
			Name string `json:"name"`
		} `json:"detail"`
	}
	if err := json.Unmarshal(input, &event); err != nil {
		return nil, err
	}
	e := o.named(event.Detail.Name)
	ended := e != nil && e.Status() != asl.Running
	answer, err := call(by(ctx, cleaner))
	if err == nil && ended {
		if o.heard.answered == nil {
			o.heard.answered = map[string]bool{}
		}
		o.heard.answered[e.name] = true
	}
	return answer, err
}
