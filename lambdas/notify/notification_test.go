package notify_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/lambda-rollout/lambda-rollout/lambdas/notify"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const (
	ofMachine  = "arn:aws:states:eu-central-1:123456789012:execution:rollouts:"
	undoIt     = `aws lambda update-alias --region eu-central-1 --cli-input-json '{"FunctionName":"MyFunction","Name":"MyAlias","FunctionVersion":"1","RoutingConfig":{"AdditionalVersionWeights":{}},"Description":""}'`
	approve    = `aws ssm put-parameter --region eu-central-1 --cli-input-json '{"Name":"/lambda-rollout/monday","Value":"approve","Type":"String","Overwrite":true}'`
	disapprove = `aws ssm put-parameter --region eu-central-1 --cli-input-json '{"Name":"/lambda-rollout/monday","Value":"refuse","Type":"String","Overwrite":true}'`
	resume     = `aws ssm put-parameter --region eu-central-1 --cli-input-json '{"Name":"/lambda-rollout/monday","Value":"resume","Type":"String","Overwrite":true}'`
	rollBack   = `aws ssm put-parameter --region eu-central-1 --cli-input-json '{"Name":"/lambda-rollout/monday","Value":"roll-back","Type":"String","Overwrite":true}'`
)

// underWay is the blog's rollout, as its owner, at a step.
func underWay(t *testing.T, steps int) rollout.State {
	t.Helper()
	s := begin(t)
	s.Plan.Owner, s.Plan.Undo = "monday", undoIt
	for range steps {
		s = shift(t, s)
		s.Health = &rollout.Health{Reason: "errors: at most 0.1 percentage points worse (95% confidence)"}
	}
	if steps == 1 {
		s.Health = nil
	}
	return s
}

// begin returns the state that CalculateWeights returns of the blog's input.
func begin(t *testing.T) rollout.State {
	t.Helper()
	req, err := rollout.Decode([]byte(`{"function-name": "MyFunction", "alias-name": "MyAlias", "new-version": "2", "steps": 10, "interval": 120, "type": "linear"}`))
	if err != nil {
		t.Fatal(err)
	}
	steps, err := req.Schedule()
	if err != nil {
		t.Fatal(err)
	}
	return rollout.State{Request: req, Plan: rollout.Plan{Baseline: "1", Steps: steps, Gates: req.Gates}}
}

func shift(t *testing.T, s rollout.State) rollout.State {
	t.Helper()
	s, err := s.Shifted("a revision")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// held is the notification of a shift, or of the promotion, that waits for a window.
func held(t *testing.T, step int) rollout.Notification {
	s := underWay(t, step)
	s.Windows = []rollout.ShiftWindow{{Days: "mon-thu", From: "09:00", To: "16:00", TimeZone: "UTC"}}
	if step == 0 {
		s.Health = nil
	}
	s.Progress.Held = &rollout.Held{Since: start, Until: start.Add(21 * time.Hour), Reason: "outside the window mon-thu 09:00-16:00 UTC"}
	return s.Notification(rollout.EventHeld, step, start, ofMachine+"monday", rollout.CommandLines{})
}

// allNotifications has one of each event, and a few more.
func allNotifications(t *testing.T) map[string]rollout.Notification {
	commands := rollout.CommandLines{Approve: approve, Refuse: disapprove, Resume: resume, RollBack: rollBack}
	paused, mistyped := underWay(t, 3), underWay(t, 3)
	paused.Progress.Pause = &rollout.Pause{Since: start, Until: start.Add(24 * time.Hour), By: "arn:aws:iam::123456789012:user/ann", Order: rollout.PauseNow}
	mistyped.Progress.Pause = &rollout.Pause{Since: start, Until: start.Add(24 * time.Hour), By: "arn:aws:iam::123456789012:user/ann", Order: "<@all> aprove", Unknown: true}
	mistyped.Progress.Orders = []rollout.Order{{Command: "<@all> aprove", By: "arn:aws:iam::123456789012:user/ann", Unknown: true}}
	ended := func(event rollout.Event, name, reason string) rollout.Notification {
		return rollout.Notification{
			Event: event, Time: start, Execution: ofMachine + "monday", Function: "MyFunction", Alias: "MyAlias", NewVersion: "2", Baseline: "1", Of: 10,
			Error: name, Reason: reason,
		}
	}
	split := func(event rollout.Event, name, reason string) rollout.Notification {
		n := ended(event, name, reason)
		n.Undo = undoIt
		return n
	}
	untouched := func(event rollout.Event, name, reason string) rollout.Notification {
		n := ended(event, name, reason)
		n.Baseline, n.Of = "", 0
		return n
	}
	promoted := split(rollout.EventPromoted, "", "alias MyAlias of MyFunction now routes all traffic to version 2; 20 checks passed")
	promoted.Step, promoted.Weight = 10, 1
	unverified := promoted
	unverified.Unverified, unverified.UnverifiedGates = true, []string{"metrics.orders", "alarms"}
	unknown := rollout.Notification{Event: rollout.EventRefused, Time: start, Execution: ofMachine + "monday", Error: "InvalidRequest", Reason: "the request has a problem; nothing was changed:\n- $ must be one JSON object"}
	return map[string]rollout.Notification{
		"started":         underWay(t, 1).Notification(rollout.EventStarted, 1, start, ofMachine+"monday", commands),
		"shifted":         underWay(t, 3).Notification(rollout.EventShifted, 3, start, ofMachine+"monday-part-2", commands),
		"approval-wanted": underWay(t, 3).Notification(rollout.EventApprovalWanted, 4, start, ofMachine+"monday", commands),
		"paused":          paused.Notification(rollout.EventPaused, 3, start, ofMachine+"monday", commands),
		"resumed":         underWay(t, 3).Notification(rollout.EventResumed, 3, start, ofMachine+"monday", commands),
		"order-unknown":   mistyped.Notification(rollout.EventOrderUnknown, 3, start, ofMachine+"monday", commands),
		"held":            held(t, 3),
		"held-first":      held(t, 0),
		"held-promotion":  held(t, 10),
		"promoted":        promoted,
		"unverified":      unverified,
		"unchanged":       untouched(rollout.EventUnchanged, "", "alias MyAlias of MyFunction is already on version 2"),
		"rolled-back":     ended(rollout.EventRolledBack, "Unhealthy", "Rolled back at 10%: <bad>. Alias MyAlias of MyFunction is back on version 1."),
		"refused":         untouched(rollout.EventRefused, "VersionNotFound", "nothing was changed: there is no version 2 of MyFunction. Publish it first"),
		"refused-unknown": unknown,
		"not-started":     untouched(rollout.EventNotStarted, "Throttled", "This execution could not start, and nothing was changed. The last error was: Throttled"),
		"alias-changed":   split(rollout.EventAliasChanged, "AliasChanged", "alias MyAlias of MyFunction is on version 3"),
		"rollback-failed": split(rollout.EventRollbackFailed, "RollbackFailed", "Manual action needed: the alias may still send traffic to the new version. Put it back with: "+undoIt+" (The last error was: Throttled)"),
		"stopped":         ended(rollout.EventStopped, "", "the execution was stopped. The cleanup put the alias back: all traffic goes to version 1"),
		"timed-out":       split(rollout.EventTimedOut, "", "the execution timed out. Putting the alias back failed and is retried: AWS said no"),
	}
}

var update = flag.Bool("update", false, "write what is seen into the golden files")

// TestNotifications holds every notification, as people, programs and chats get
// it, to testdata/notifications.txtar.
func TestNotifications(t *testing.T) {
	all := allNotifications(t)
	archive, err := txtar.ParseFile("testdata/notifications.txtar")
	if err != nil {
		t.Fatal(err)
	}
	notified, forms := map[rollout.Event]bool{}, map[string]int{}
	for i, file := range archive.Files {
		name, form, _ := strings.Cut(file.Name, ".")
		n, ok := all[name]
		if !ok {
			t.Errorf("%s: there is no such notification", file.Name)
			continue
		}
		notified[n.Event] = true
		forms[form]++
		got := words(t, n, form)
		if *update {
			archive.Files[i].Data = []byte(got)
		} else if diff := cmp.Diff(string(file.Data), got); diff != "" {
			t.Errorf("%s: %s", file.Name, diff)
		}
	}
	if *update {
		if err := os.WriteFile("testdata/notifications.txtar", txtar.Format(archive), 0o644); err != nil {
			t.Error(err)
		}
	}
	if len(notified) != 16 || forms["txt"] != len(all) || forms["json"] != len(all) || forms["chat"] < 4 {
		t.Errorf("%d events, %v of %d notifications", len(notified), forms, len(all))
	}
}

// words is a notification in one of its forms, as the archive has it.
func words(t *testing.T, n rollout.Notification, form string) string {
	t.Helper()
	switch form {
	case "txt":
		return notify.Text(n)
	case "json":
		return indented(t, n.JSON())
	case "chat":
		return indented(t, notify.Chat(n))
	}
	t.Fatalf("unknown form %q", form)
	return ""
}

func indented(t *testing.T, data []byte) string {
	t.Helper()
	var text bytes.Buffer
	if err := json.Indent(&text, data, "", "  "); err != nil {
		t.Fatal(err)
	}
	return text.String() + "\n"
}

// TestTheSchemaIsStable: every field of the published schema keeps its name
// and its type. A new field belongs into the file too.
func TestTheSchemaIsStable(t *testing.T) {
	published, err := os.ReadFile("testdata/notification-schema-1.json")
	if err != nil {
		t.Fatal(err)
	}
	full := allNotifications(t)["approval-wanted"]
	full.Commands.Resume, full.Commands.RollBack = resume, rollBack
	full.Unverified, full.UnverifiedGates, full.Error = true, []string{"metrics.orders"}, "Unhealthy"
	if got := indented(t, full.JSON()); *update {
		if err := os.WriteFile("testdata/notification-schema-1.json", []byte(got), 0o644); err != nil {
			t.Error(err)
		}
	} else if diff := cmp.Diff(string(published), got); diff != "" {
		t.Error(diff)
	}
	required := []string{"schema", "id", "outcome", "event", "time", "execution", "function", "alias", "new-version", "unverified", "reason"}
	var empty map[string]any
	if err := json.Unmarshal(rollout.Notification{}.JSON(), &empty); err != nil {
		t.Fatal(err)
	}
	for _, name := range required {
		if _, ok := empty[name]; !ok {
			t.Errorf("%s is not always there", name)
		}
	}
	if len(empty) != len(required) {
		t.Errorf("there is more: %v", empty)
	}
}

func TestTheSameThingHasTheSameID(t *testing.T) {
	owner := underWay(t, 3).Notification(rollout.EventShifted, 3, start, ofMachine+"monday", rollout.CommandLines{})
	part := underWay(t, 3).Notification(rollout.EventShifted, 3, start, ofMachine+"monday-part-2", rollout.CommandLines{})
	next := underWay(t, 4).Notification(rollout.EventShifted, 4, start, ofMachine+"monday", rollout.CommandLines{})
	if owner.ID() != part.ID() || owner.ID() == next.ID() {
		t.Errorf("ids %s, %s, %s", owner.ID(), part.ID(), next.ID())
	}
}

// TestSubjectsAreWhatSNSTakes: at most 100 printable ASCII characters, with
// the longest names, in all states.
func TestSubjectsAreWhatSNSTakes(t *testing.T) {
	for name, n := range allNotifications(t) {
		n.Function, n.Alias = strings.Repeat("f", 64), strings.Repeat("ü", 128)
		subject := notify.Subject(n)
		if len(subject) > 100 || subject[0] == ' ' || strings.ContainsFunc(subject, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("%s: %d characters: %q", name, len(subject), subject)
		}
		if n.Event != rollout.EventRefused && !strings.HasSuffix(subject, "...") {
			t.Errorf("%s: nothing says that %q is cut", name, subject)
		}
	}
}

// TestALongReasonIsCut, so that no message comes near a limit of AWS.
func TestALongReasonIsCut(t *testing.T) {
	s := underWay(t, 3)
	s.Health.Reason = strings.Repeat("ü", 100_000)
	n := s.Notification(rollout.EventShifted, 3, start, ofMachine+"monday", rollout.CommandLines{})
	if len(n.JSON()) > 10_000 || len(notify.Text(n)) > 10_000 || len(notify.Chat(n)) > 5_000 {
		t.Errorf("%d, %d and %d bytes", len(n.JSON()), len(notify.Text(n)), len(notify.Chat(n)))
	}
}

func TestAfterAShift(t *testing.T) {
	for _, test := range []struct {
		step  int
		every bool
		want  string
	}{{1, false, "[started]"}, {1, true, "[started]"}, {2, false, "[]"}, {2, true, "[shifted]"}} {
		if got := fmt.Sprint(underWay(t, test.step).AfterShift(test.every)); got != test.want {
			t.Errorf("step %d, every shift: %v: %s", test.step, test.every, got)
		}
	}
}
