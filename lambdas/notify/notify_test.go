package notify_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/lambdas/notify"
	"github.com/lambda-rollout/lambda-rollout/lambdas/notify/channels"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

const execution = "arn:aws:states:eu-central-1:123456789012:execution:rollouts:monday"

var (
	noon   = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	report = rollout.Notification{
		Event: rollout.EventRolledBack, Time: noon, Execution: execution, Function: "f", Alias: "live", NewVersion: "2", Baseline: "1",
		Error: "Unhealthy", Reason: "Rolled back at 10%: <bad>. Alias live of f is back on version 1.",
	}
)

// world is an account with a topic of the stack's and two of users'.
type world struct {
	*localaws.Server
	stack, first, second string
	notifier             notify.Notifier
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{Server: localaws.New(localaws.Options{Now: func() time.Time { return noon.Add(time.Second) }})}
	for name, arn := range map[string]*string{"stack": &w.stack, "first": &w.first, "second": &w.second} {
		var err error
		if *arn, err = w.AddTopic(name); err != nil {
			t.Fatal(err)
		}
	}
	w.notifier = notify.Notifier{
		Topics: channels.NewSNS(sns.NewFromConfig(w.Config())), Topic: w.stack,
		Bus: channels.NewEventBridge(eventbridge.NewFromConfig(w.Config()), ""),
	}
	return w
}

func (w *world) send(to rollout.Notify) (failed []string) {
	for _, f := range w.notifier.Send(context.Background(), report, to) {
		failed = append(failed, f.Target)
	}
	return failed
}

func (w *world) topics() (got []string) {
	for _, p := range w.Published() {
		got = append(got, p.Topic)
	}
	return got
}

func TestEveryTargetIsNotified(t *testing.T) {
	w := newWorld(t)
	if failed := w.send(rollout.Notify{Topics: []string{w.first, w.stack, w.second}}); failed != nil {
		t.Fatalf("not delivered: %v", failed)
	}
	if diff := cmp.Diff([]string{w.stack, w.first, w.second}, w.topics()); diff != "" {
		t.Errorf("topics, each once: %s", diff)
	}
	p := w.Published()[1]
	if p.Subject != notify.Subject(report) || p.For("email") != notify.Text(report) || p.For("sms") != notify.Subject(report) || p.For("sqs") != string(report.JSON()) {
		t.Errorf("%+v", p)
	}
	attributes := map[string]string{"event": "rolled-back", "outcome": "failed", "function": "f"}
	if diff := cmp.Diff(attributes, p.Attributes); diff != "" {
		t.Error(diff)
	}
	want := []localaws.Event{{
		Source: "lambda-rollout", DetailType: "Rollout rolled back", Detail: report.JSON(), Resources: []string{execution}, Time: noon,
	}}
	if diff := cmp.Diff(want, w.Events()); diff != "" {
		t.Error(diff)
	}
}

func TestChatsGetWhatTheyShowAlone(t *testing.T) {
	w := newWorld(t)
	w.send(rollout.Notify{Topics: []string{w.first}, Chat: true})
	w.send(rollout.Notify{Topics: []string{w.second}})
	for i, want := range []bool{false, true, false, false} {
		p := w.Published()[i]
		if chat := p.PerProtocol == nil && p.Message == string(notify.Chat(report)); chat != want {
			t.Errorf("message %d to %s, in the form of chats: %v", i, p.Topic, chat)
		}
	}
}

func TestAStackThatMayReachNoOtherTopic(t *testing.T) {
	w := newWorld(t)
	w.notifier.OwnOnly = true
	if failed := w.send(rollout.Notify{Topics: []string{w.first}}); failed != nil || !slices.Equal(w.topics(), []string{w.stack}) {
		t.Errorf("not delivered: %v; delivered: %v", failed, w.topics())
	}
}

func TestNobodyIsToldIfNobodyIsToBe(t *testing.T) {
	if failed := (notify.Notifier{}).Send(context.Background(), report, rollout.Notify{}); failed != nil {
		t.Error(failed)
	}
}

// TestOneFailureHoldsUpNoOther, in any way, and a failed
// delivery can be retried alone.
func TestOneFailureHoldsUpNoOther(t *testing.T) {
	for _, operation := range []string{"Publish", "PutEvents"} {
		for _, kind := range []localaws.FaultKind{localaws.Throttled, localaws.ServerError, localaws.Unavailable, localaws.CutBefore} {
			t.Run(fmt.Sprint(operation, " ", kind), func(t *testing.T) {
				w := newWorld(t)
				if _, err := w.Inject(localaws.Fault{Operation: operation, Kind: kind, Count: 1}); err != nil {
					t.Fatal(err)
				}
				want, to := w.stack, rollout.Notify{Topics: []string{w.first}}
				if operation == "PutEvents" {
					want = notify.BusName
				}
				if failed := w.send(to); !slices.Equal(failed, []string{want}) {
					t.Fatalf("not delivered: %v, want %s", failed, want)
				}
				if err := w.notifier.Retry(context.Background(), report, to, want); err != nil {
					t.Fatal(err)
				}
				if len(w.Published()) != 2 || len(w.Events()) != 1 {
					t.Errorf("%d messages, %d events", len(w.Published()), len(w.Events()))
				}
			})
		}
	}
}

func TestATopicThatIsGone(t *testing.T) {
	w := newWorld(t)
	gone := strings.Replace(w.first, "first", "gone", 1)
	if failed := w.send(rollout.Notify{Topics: []string{gone}}); !slices.Equal(failed, []string{gone}) {
		t.Errorf("not delivered: %v", failed)
	}
	if err := w.notifier.Retry(context.Background(), report, rollout.Notify{}, gone); err != nil {
		t.Errorf("a target that is none any more: %v", err)
	}
}

// TestAnEventThatIsNotTaken is a failure, though the call succeeds.
func TestAnEventThatIsNotTaken(t *testing.T) {
	w := newWorld(t)
	bus := channels.NewEventBridge(eventbridge.NewFromConfig(w.Config()), "")
	err := bus.Put(context.Background(), notify.Event{DetailType: "Rollout promoted", Detail: "no JSON"})
	if err == nil || !strings.Contains(err.Error(), "MalformedDetail") || len(w.Events()) != 0 {
		t.Errorf("%v, %d events", err, len(w.Events()))
	}
}

// TestABusThatIsNotThere cannot be noticed: AWS accepts the event, and nothing receives it.
func TestABusThatIsNotThere(t *testing.T) {
	w := newWorld(t)
	w.notifier.Bus = channels.NewEventBridge(eventbridge.NewFromConfig(w.Config()), "another")
	if failed := w.notifier.Send(context.Background(), report, rollout.Notify{}); failed != nil || len(w.Events()) != 0 {
		t.Errorf("not delivered: %v; %d events", failed, len(w.Events()))
	}
}

// regions notes in which Region each topic is published to.
type regions map[string]string

func (r regions) Publish(_ context.Context, in *sns.PublishInput, options ...func(*sns.Options)) (*sns.PublishOutput, error) {
	o := sns.Options{Region: "eu-central-1"}
	for _, option := range options {
		option(&o)
	}
	r[aws.ToString(in.TopicArn)] = o.Region
	return &sns.PublishOutput{MessageId: aws.String("1")}, nil
}

func TestATopicOfAnotherRegion(t *testing.T) {
	const topic = "arn:aws:sns:us-east-1:123456789012:rollouts"
	seen := regions{}
	if failed := (notify.Notifier{Topics: channels.NewSNS(seen), Topic: topic}).Send(context.Background(), report, rollout.Notify{}); failed != nil || seen[topic] != "us-east-1" {
		t.Errorf("%v, %v", failed, seen)
	}
}

func TestAnUnknownFunctionHasAttributesToo(t *testing.T) {
	w := newWorld(t)
	unknown := rollout.Notification{Event: rollout.EventRefused, Execution: execution, Reason: "bad"}
	if failed := w.notifier.Send(context.Background(), unknown, rollout.Notify{}); failed != nil {
		t.Fatal(failed)
	}
	if got := w.Published()[0].Attributes["function"]; got != "unknown" {
		t.Errorf("function %q", got)
	}
	var detail map[string]any
	if err := json.Unmarshal(w.Events()[0].Detail, &detail); err != nil || detail["function"] != "" {
		t.Errorf("%v, %v", detail, err)
	}
}
