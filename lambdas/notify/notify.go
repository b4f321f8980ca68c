// Package notify sends what there is to tell of a rollout: to the stack's
// topic, to the topics that the request names, and to an event bus.
//
// Each may get the same notification twice, as Lambda and EventBridge may call
// twice: its id tells that it is the same.
package notify

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Patience is how long one of those to be told is waited for.
const Patience = 3 * time.Second

// Notifier knows how to reach everybody. Its zero value tells nobody.
type Notifier struct {
	Topics Topics // may be nil if Topic is empty and no request names topics
	// Topic is the ARN of the stack's own, or empty.
	Topic string
	// OwnOnly passes over the topics that requests name: the stack may publish to
	// none of them.
	OwnOnly bool
	// Bus is nil if no event bus is told.
	Bus Bus
}

// Topics publish messages.
type Topics interface {
	Publish(context.Context, Message) error
}

// Bus takes events.
type Bus interface {
	Put(context.Context, Event) error
}

// Message is what a topic gets.
type Message struct {
	// Topic is its ARN.
	Topic   string
	Subject string
	// JSON and Text are the same for programs and for people: Text goes to
	// e-mail, and the subject to SMS. Chat, if there is one, is all that is sent.
	JSON, Text, Chat string
	// Attributes are for filter policies.
	Attributes map[string]string
}

// Event is what an event bus gets.
type Event struct {
	Time time.Time
	// DetailType is such as "Rollout promoted".
	DetailType string
	// Detail is a JSON object.
	Detail string
	// Execution is the ARN of the rollout's.
	Execution string
}

// Failure is one that was not told.
type Failure struct {
	Target string // a topic's ARN, or BusName
	Err    error
}

// BusName is how the event bus is named beside topics.
const BusName = "event-bus"

// Send tells everybody, each once and one after the other. One that fails holds
// up no other.
func (t Notifier) Send(ctx context.Context, n rollout.Notification, to rollout.Notify) []Failure {
	var failed []Failure
	for _, target := range t.targets(to) {
		if err := t.send(ctx, n, target); err != nil {
			failed = append(failed, Failure{target.name, err})
		}
	}
	return failed
}

// Retry tells one of them alone. One that is not to be told any more is not.
func (t Notifier) Retry(ctx context.Context, n rollout.Notification, to rollout.Notify, name string) error {
	for _, target := range t.targets(to) {
		if target.name == name {
			return t.send(ctx, n, target)
		}
	}
	return nil
}

type target struct {
	name string
	chat bool
}

// targets are all that are to be told, each once.
func (t Notifier) targets(to rollout.Notify) []target {
	var all []target
	if t.Topic != "" {
		all = append(all, target{name: t.Topic})
	}
	if t.OwnOnly {
		to.Topics = nil
	}
	for _, topic := range to.Topics {
		if !slices.ContainsFunc(all, func(known target) bool { return known.name == topic }) {
			all = append(all, target{topic, to.Chat})
		}
	}
	if t.Bus != nil {
		all = append(all, target{name: BusName})
	}
	return all
}

func (t Notifier) send(ctx context.Context, n rollout.Notification, to target) error {
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	if to.name == BusName {
		return t.Bus.Put(ctx, Event{Time: n.Time, DetailType: n.Event.DetailType(), Detail: string(n.JSON()), Execution: n.Execution})
	}
	message := Message{
		Topic: to.name, Subject: Subject(n), JSON: string(n.JSON()), Text: Text(n),
		// SNS takes no empty attribute.
		Attributes: map[string]string{"event": string(n.Event), "outcome": n.Event.Outcome(), "function": cmp.Or(n.Function, "unknown")},
	}
	if to.chat {
		message.Chat = string(Chat(n))
	}
	return t.Topics.Publish(ctx, message)
}
