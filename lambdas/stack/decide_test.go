package stack_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/stack"
)

const (
	stackID = "arn:aws:cloudformation:eu-central-1:123456789012:stack/shop/5f3c1a90"
	input   = `{"the": "input"}`
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// event returns a request of one kind for version 2, which was 1 before.
func event(kind stack.RequestType) stack.Event {
	e := stack.Event{
		RequestType: kind, RequestID: "r1", ResponseURL: "https://example.com/?Signature=1", StackID: stackID, LogicalResourceID: "Rollout",
		PhysicalResourceID: "lambda-rollout:orders:live", Properties: properties("2"), OldProperties: properties("1"),
	}
	if kind == stack.Create {
		e.PhysicalResourceID, e.OldProperties = "", nil
	}
	return e
}

func properties(version string, more ...string) json.RawMessage {
	return json.RawMessage(`{"FunctionName": "orders", "AliasName": "live", "NewVersion": "` + version + `", "Type": "AllAtOnce"` + strings.Join(more, "") + `}`)
}

func record(t *testing.T, e stack.Event, back bool) stack.Record {
	t.Helper()
	p, err := stack.ReadProperties(e.Properties)
	if err != nil {
		t.Fatal(err)
	}
	r := stack.NewRecord(e, p, noon, back)
	r.Execution = "arn:aws:states:eu-central-1:123456789012:execution:lambda-rollout:" + e.ExecutionName()
	return r
}

// on returns an alias that is whole on a version.
func on(version string) stack.Alias {
	return stack.Alias{Exists: true, Version: version, Whole: true}
}

func TestNext(t *testing.T) {
	const minute = time.Minute
	ours := event(stack.Update).ExecutionName()
	split := stack.Alias{Exists: true, Version: "1", Owner: ours}
	foreign := stack.Alias{Exists: true, Version: "1", Owner: "another"}
	handle := func(e stack.Event) stack.Event {
		e.Properties = properties("2", `, "WaitHandle": "https://example.com/?handle"`)
		return e
	}
	with := func(e stack.Event, more string) stack.Event { e.Properties = properties("2", more); return e }
	id := func(e stack.Event, id string) stack.Event { e.PhysicalResourceID = id; return e }
	answered := func(r *stack.Record) { r.ResponseURL = "" }
	for _, test := range []struct {
		name   string
		event  stack.Event
		back   bool
		change func(*stack.Record)
		age    time.Duration
		alias  stack.Alias
		run    stack.Execution
		others []string
		input  string
		want   string
	}{
		{"a first create makes the alias", event(stack.Create), false, nil, 0, stack.Alias{}, stack.Execution{}, nil, input, "make"},
		{"a create adopts an alias", event(stack.Create), false, nil, 0, on("2"), stack.Execution{}, nil, input, "SUCCESS 2 lambda-rollout:orders:live"},
		{"it says that it made one", event(stack.Create), false, func(r *stack.Record) { r.Making = true }, 0, on("2"), stack.Execution{}, nil, input, "SUCCESS 2 lambda-rollout:orders:live:made"},
		{"a create rolls out where there is another version", event(stack.Create), false, nil, 0, on("1"), stack.Execution{}, nil, input, "start " + input},
		{"an update starts", event(stack.Update), false, nil, 0, on("1"), stack.Execution{}, nil, input, "start " + input},
		{"an update of a foreign rollout's alias is for the workflow to refuse", event(stack.Update), false, nil, 0, foreign, stack.Execution{}, nil, input, "start " + input},
		{"an update without an alias, too", event(stack.Update), false, nil, 0, stack.Alias{}, stack.Execution{}, nil, input, "start " + input},
		{"an update to another alias makes that", id(event(stack.Update), "lambda-rollout:orders:old"), false, nil, 0, stack.Alias{}, stack.Execution{}, nil, input, "make"},
		{"an update that needs nothing", event(stack.Update), false, nil, 0, on("2"), stack.Execution{}, nil, input, "SUCCESS 2 lambda-rollout:orders:live"},
		{"its own earlier rollout is cleaned up first", event(stack.Update), false, nil, 0, split, stack.Execution{}, nil, input, "soon"},
		{"another rollout of the resource is stopped first", event(stack.Update), false, nil, 0, split, stack.Execution{}, []string{"e1"}, input, "stop e1"},
		{"it runs", event(stack.Update), false, nil, minute, split, stack.Execution{Status: stack.Running}, nil, "", "wait"},
		{"it was promoted", event(stack.Update), false, nil, minute, on("2"), stack.Execution{Status: stack.Done}, nil, "", "SUCCESS 2 lambda-rollout:orders:live"},
		{"unverified", event(stack.Update), false, nil, minute, on("2"), stack.Execution{Status: stack.Done, Unverified: true}, nil, "", "SUCCESS 2 unverified"},
		{"it was rolled back", event(stack.Update), false, nil, minute, on("1"), stack.Execution{Status: stack.Broken, Cause: "Rolled back at 10%.", Console: "https://console"}, nil, "", "FAILED Rolled back at 10%. https://console"},
		{"it is being cleaned up", event(stack.Update), false, nil, minute, split, stack.Execution{Status: stack.Broken, Cause: "c", Ended: noon}, nil, "", "soon"},
		{"it can't be cleaned up", event(stack.Update), false, nil, 12 * minute, split, stack.Execution{Status: stack.Broken, Cause: "c", Ended: noon}, nil, "", "FAILED c The alias may still be split"},
		{"it was stopped", event(stack.Update), false, nil, minute, on("1"), stack.Execution{Status: stack.Broken}, nil, "", "FAILED The rollout was stopped"},
		{"it takes too long", event(stack.Update), false, nil, 55 * minute, split, stack.Execution{Status: stack.Running}, nil, "", "stop own"},
		{"it can't be stopped", event(stack.Update), false, nil, 58 * minute, split, stack.Execution{Status: stack.Running}, nil, "", "FAILED The rollout did not end in time"},
		{"it was never started", event(stack.Update), false, nil, 14 * minute, on("1"), stack.Execution{}, nil, "", "wait"},
		{"and is given up", event(stack.Update), false, nil, 15 * minute, on("1"), stack.Execution{}, nil, "", "FAILED The rollout could not be started in time"},
		{"without waiting", with(event(stack.Update), `, "Wait": "false"`), false, nil, 0, split, stack.Execution{Status: stack.Running}, nil, "", "SUCCESS 2"},
		{"without waiting, hours later", with(event(stack.Update), `, "Wait": "false"`), false, answered, 5 * time.Hour, split, stack.Execution{Status: stack.Running}, nil, "", "wait"},
		{"with a handle, the resource does not wait", handle(event(stack.Update)), false, nil, 0, split, stack.Execution{Status: stack.Running}, nil, "", "SUCCESS 2"},
		{"the handle does", handle(event(stack.Update)), false, answered, 2 * time.Hour, split, stack.Execution{Status: stack.Running}, nil, "", "wait"},
		{"it is signalled", handle(event(stack.Update)), false, answered, 2 * time.Hour, on("1"), stack.Execution{Status: stack.Broken, Cause: "c"}, nil, "", "FAILED c"},
		{"or the rollout cut", handle(event(stack.Update)), false, answered, 12 * time.Hour, split, stack.Execution{Status: stack.Running}, nil, "", "FAILED The rollout did not end in time"},

		{"going back where the rollout has", event(stack.Update), true, nil, 0, on("2"), stack.Execution{}, nil, input, "SUCCESS 2"},
		{"going back after a promotion", event(stack.Update), true, nil, 0, on("1"), stack.Execution{}, nil, input, `start {"alias-name":"live","function-name":"orders","health-check":false,"interval":1,"new-version":"2","provisioned-concurrency":"ignore","type":"all-at-once"}`},
		{"going back waits for the cleanup", event(stack.Update), true, nil, 0, split, stack.Execution{}, nil, input, "soon"},
		{"going back where the cleanup leaves the alias", event(stack.Update), true, nil, 12 * minute, split, stack.Execution{}, nil, input, "FAILED The alias is not as its rollout left it"},
		{"going back leaves what was moved by hand", event(stack.Update), true, nil, 0, on("7"), stack.Execution{}, nil, input, "SUCCESS 7"},
		{"going back without an alias", event(stack.Update), true, nil, 0, stack.Alias{}, stack.Execution{}, nil, input, "SUCCESS 2"},
		{"gone back", event(stack.Update), true, nil, minute, on("2"), stack.Execution{Status: stack.Done}, nil, "", "SUCCESS 2"},
		{"gone back by another way", event(stack.Update), true, nil, minute, on("2"), stack.Execution{Status: stack.Broken}, nil, "", "SUCCESS 2"},

		{"a delete leaves the alias", event(stack.Delete), false, nil, 0, on("2"), stack.Execution{}, nil, "", "SUCCESS  lambda-rollout:orders:live"},
		{"a delete waits for the cleanup", event(stack.Delete), false, nil, 0, split, stack.Execution{}, nil, "", "soon"},
		{"a delete stops a rollout", event(stack.Delete), false, nil, 0, split, stack.Execution{}, []string{"e1"}, "", "stop e1"},
		{"a delete of an ID that was never issued", id(event(stack.Delete), "shop-Rollout-1ABC"), false, nil, 0, split, stack.Execution{}, nil, "", "SUCCESS  shop-Rollout-1ABC"},
		{"a delete is asked to delete the alias that was adopted", with(event(stack.Delete), `, "DeleteAlias": "true"`), false, nil, 0, on("2"), stack.Execution{}, nil, "", "SUCCESS"},
		{"that was made", id(with(event(stack.Delete), `, "DeleteAlias": "true"`), "lambda-rollout:orders:live:made"), false, nil, 0, on("2"), stack.Execution{}, nil, "", "remove"},
		{"and is gone", id(with(event(stack.Delete), `, "DeleteAlias": "true"`), "lambda-rollout:orders:live:made"), false, nil, 0, stack.Alias{}, stack.Execution{}, nil, "", "SUCCESS"},
	} {
		r := record(t, test.event, test.back)
		if test.change != nil {
			test.change(&r)
		}
		var given json.RawMessage
		if test.input != "" {
			given = json.RawMessage(test.input)
		}
		got := r.Next(stack.Facts{Now: noon.Add(test.age), Alias: test.alias, Execution: test.run, Running: test.others}, given)
		if text := said(r, got); !strings.HasPrefix(text, test.want) {
			t.Errorf("%s: %q, want %q", test.name, text, test.want)
		}
	}
}

// said returns an action as the table has it.
func said(r stack.Record, a stack.Action) string {
	switch {
	case a.Answer != nil && a.Answer.Status == stack.Failed:
		return "FAILED " + a.Answer.Reason
	case a.Answer != nil:
		text := "SUCCESS " + a.Answer.Data[stack.VersionAttribute]
		if a.Answer.Data[stack.UnverifiedAttribute] == "true" {
			return text + " unverified"
		}
		return text + " " + a.Answer.PhysicalResourceID
	case len(a.Stop) == 1 && a.Stop[0] == r.Execution:
		return "stop own"
	case len(a.Stop) > 0:
		return "stop " + strings.Join(a.Stop, " ")
	case a.Make:
		return "make"
	case a.Remove:
		return "remove"
	case a.Start != nil:
		return "start " + string(a.Start)
	case a.Soon:
		return "soon"
	}
	return "wait"
}

// TestIdentity is what tells requests apart.
func TestIdentity(t *testing.T) {
	first := event(stack.Update)
	again, repeated, other := first, first, first
	repeated.ResponseURL += "2" // CloudFormation repeats a request by its ID, with another URL
	other.LogicalResourceID = "Other"
	if first.ID() != again.ID() || first.ID() == repeated.ID() || first.ID().Resource != repeated.ID().Resource || first.ID().Resource == other.ID().Resource {
		t.Errorf("%v, repeated %v, other %v", first.ID(), repeated.ID(), other.ID())
	}
	first.LogicalResourceID = strings.Repeat("VeryLong", 30)
	name := first.ExecutionName()
	id, ok := stack.IDOf(name)
	if len(name) > 80 || !ok || id != first.ID() || !strings.HasPrefix(name, "stack-shop-VeryLong") {
		t.Errorf("%s: %v", name, id)
	}
	for _, name := range []string{"", "shop", "stack-shop", "my-rollout-0123456789abcdef-0123456789abcdef"} {
		if id, ok := stack.IDOf(name); ok {
			t.Errorf("%s has the ID %v", name, id)
		}
	}
}

func TestEventsAreChecked(t *testing.T) {
	if err := event(stack.Create).Check(); err != nil {
		t.Error(err)
	}
	bad := stack.Event{RequestType: "Read", StackID: "shop"}
	err := bad.Check()
	for _, want := range []string{"RequestType", "StackId", "RequestId is missing", "LogicalResourceId is missing", "ResponseURL is missing"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// TestAnswersFit CloudFormation's 4,096 bytes, whatever the reason is.
func TestAnswersFit(t *testing.T) {
	r := record(t, event(stack.Update), false)
	for _, reason := range []string{strings.Repeat("a", 9000), strings.Repeat("\x01", 9000), strings.Repeat("\"<&", 3000), strings.Repeat("ä", 4000)} {
		document := r.Failed(reason).Document()
		var read stack.Answer
		if err := json.Unmarshal(document, &read); err != nil || len(document) > 4096 || read.Status != stack.Failed || read.Reason == "" || read.PhysicalResourceID == "" {
			t.Errorf("%d bytes, %v: %.100s", len(document), err, document)
		}
	}
}
