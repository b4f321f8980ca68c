package notify

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/release"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Patience limits the time that the delivery to one target may take.
const Patience = 3 * time.Second

// Notifier delivers notifications to all targets. Its zero value has none.
type Notifier struct {
	Topics Topics // may be nil if Topic is empty and no request names topics
	// Topic is the ARN of the stack's own topic, or empty.
	Topic string
	// OwnOnly skips the topics that requests name: the stack has no permission to
	// publish to them.
	OwnOnly bool
	// Bus is nil if no event bus is notified.
	Bus Bus
}

// Topics publish messages. Publish returns an error if it can't be known that the
// message was accepted.
type Topics interface {
	Publish(context.Context, Message) error
}

// Bus accepts events. Put returns an error if it can't be known that the event was
// accepted.
type Bus interface {
	Put(context.Context, Event) error
}

// Message holds what a topic receives.
type Message struct {
	// Topic is the topic's ARN.
	Topic string
	// Subject is one line, for e-mail and SMS.
	Subject string
	// JSON is for programs, Text for people, by e-mail. Chat, if it is not empty, is
	// sent instead of all others.
	JSON, Text, Chat string
	// Attributes are for subscriptions' filter policies.
	Attributes map[string]string
}

// Event holds what an event bus receives.
type Event struct {
	Time time.Time
	// DetailType is "Rollout promoted", for example.
	DetailType string
	// Detail is a JSON object.
	Detail string
	// Execution is the ARN of the rollout's execution.
	Execution string
}

// Failure is a delivery that failed.
type Failure struct {
	Target string // a topic's ARN, or BusName
	Err    error
}

// BusName is the Failure.Target of the event bus.
const BusName = "event-bus"

// Send delivers n to every target once, one after another, and returns the deliveries
// that failed. to names targets beside the Notifier's own. A failure does not keep n
// from the other targets.
func (t Notifier) Send(ctx context.Context, n rollout.Notification, to rollout.Notify) []Failure {
	return t.sendAll(ctx, noticeOf(n), to)
}

// SendRelease is Send for a notification of a release.
func (t Notifier) SendRelease(ctx context.Context, n release.Notification, to rollout.Notify) []Failure {
	return t.sendAll(ctx, noticeOfRelease(n), to)
}

func (t Notifier) sendAll(ctx context.Context, n notice, to rollout.Notify) []Failure {
	var failed []Failure
	for _, target := range t.targets(n, to) {
		if err := t.send(ctx, n, target); err != nil {
			failed = append(failed, Failure{target.name, err})
		}
	}
	return failed
}

// Retry delivers n to the one target with that name, a Failure.Target. It does nothing
// if that is no target any more.
func (t Notifier) Retry(ctx context.Context, n rollout.Notification, to rollout.Notify, name string) error {
	return t.retry(ctx, noticeOf(n), to, name)
}

// RetryRelease is Retry for a notification of a release.
func (t Notifier) RetryRelease(ctx context.Context, n release.Notification, to rollout.Notify, name string) error {
	return t.retry(ctx, noticeOfRelease(n), to, name)
}

func (t Notifier) retry(ctx context.Context, n notice, to rollout.Notify, name string) error {
	for _, target := range t.targets(n, to) {
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

// targets returns all targets of a notification, each once.
func (t Notifier) targets(n notice, to rollout.Notify) []target {
	var all []target
	if n.onlyBus {
		t.Topic, to.Topics = "", nil
	}
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

func (t Notifier) send(ctx context.Context, n notice, to target) error {
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	if to.name == BusName {
		return t.Bus.Put(ctx, n.event)
	}
	message := Message{Topic: to.name, Subject: n.subject, JSON: n.event.Detail, Text: n.text(), Attributes: n.attributes}
	if to.chat {
		message.Chat = string(n.chat())
	}
	return t.Topics.Publish(ctx, message)
}

// notice is a notification in all its forms.
type notice struct {
	event      Event
	subject    string
	attributes map[string]string // SNS accepts no empty one
	text       func() string
	chat       func() []byte
	// onlyBus is for a rollout whose release notifies people, once for all of its rollouts.
	onlyBus bool
}

func noticeOf(n rollout.Notification) notice {
	return notice{
		event:      Event{Time: n.Time, DetailType: n.Event.DetailType(), Detail: string(n.JSON()), Execution: n.Execution},
		subject:    Subject(n),
		attributes: map[string]string{"event": string(n.Event), "outcome": n.Event.Outcome(), "function": cmp.Or(n.Function, "unknown")},
		text:       func() string { return Text(n) },
		chat:       func() []byte { return Chat(n) },
		onlyBus:    n.Release != "",
	}
}
