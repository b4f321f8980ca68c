package task_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// begun is the state of a rollout with a word for provisioned concurrency, of a
// world in which an allocation takes so long.
func (w *world) begun(word string, takes time.Duration) rollout.State {
	w.t.Helper()
	w.server.SetAllocating(localaws.Allocating{Takes: takes})
	w.begin.Allowed = rollout.GateNames()
	s, err := w.start(with(w.t, "weights", "[1]", "interval", "60", "provisioned-concurrency", `"`+word+`"`))
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// own gives a version provisioned concurrency of its own.
func (w *world) own(version string, executions int32) {
	w.t.Helper()
	if err := w.server.AddProvisioned("f", version, executions); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) do(handle func(context.Context, task.Call) (rollout.State, error), s rollout.State) rollout.State {
	w.t.Helper()
	s, err := handle(context.Background(), newCall(w, s))
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func (w *world) allocate(s rollout.State) (rollout.State, error) {
	call := newCall(w, s)
	call.Phase = task.Allocate
	return w.shift.Handle(context.Background(), call)
}

func (w *world) wantProvisioned(want map[string]int32) {
	w.t.Helper()
	got := w.server.Provisioned("f")
	if len(got) != len(want) {
		w.t.Errorf("provisioned are %v, want %v", got, want)
	}
	for qualifier, executions := range want {
		if got[qualifier] != executions {
			w.t.Errorf("provisioned are %v, want %v", got, want)
		}
	}
}

// TestPreflightAndProvisionedConcurrency: what AWS is about is named as that.
func TestPreflightAndProvisionedConcurrency(t *testing.T) {
	move := func(minutes time.Duration, fails string) func(*world) {
		return func(w *world) {
			w.provision()
			w.server.SetAllocating(localaws.Allocating{Takes: 2 * time.Minute})
			if err := w.server.FailAllocations("f", "3", fails); err != nil {
				w.t.Fatal(err)
			}
			w.write("3", nil)
			w.now = w.now.Add(minutes * time.Minute)
		}
	}
	own := func(version string, executions int32) func(*world) {
		return func(w *world) { w.own(version, executions) }
	}
	for _, test := range []struct {
		word   string
		before func(*world)
		want   string // the error's name
		says   string
	}{
		{"ignore", move(1, ""), "ProvisionedConcurrency", "AWS is moving the provisioned concurrency of alias live of f to version 3, and keeps all requests on version 1"},
		{"ignore", move(3, "FUNCTION_ERROR_INIT_FAILURE"), "ProvisionedConcurrency", "to version 3 (FUNCTION_ERROR_INIT_FAILURE), and keeps all requests on version 1 by weights of its own. " +
			"Point the alias at that version again and clear the weights: aws lambda update-alias --function-name f --name live --function-version 1 --routing-config '{}'"},
		{"ignore", move(3, ""), "", ""},
		{"ignore", func(w *world) { w.write("3", map[string]float64{"1": 1}) }, "AliasSplit", "and not by a rollout"},
		{"ignore", func(w *world) {
			w.server.SetAllocating(localaws.Allocating{Takes: time.Hour})
			w.provision()
		}, "ProvisionedConcurrency", "is being allocated (IN_PROGRESS)"},
		{"move", (*world).provision, "ProvisionedConcurrency", "only AWS can move it, at the promotion"},
		{"move", func(w *world) {
			own("1", 5)(w)
			w.server.SetAllocating(localaws.Allocating{Takes: time.Hour})
			if _, err := w.client.PutProvisionedConcurrencyConfig(context.Background(), &lambda.PutProvisionedConcurrencyConfigInput{
				FunctionName: aws.String("f"), Qualifier: aws.String("2"), ProvisionedConcurrentExecutions: aws.Int32(5)}); err != nil {
				w.t.Fatal(err)
			}
		}, "ProvisionedConcurrency", "version 2 of f has a provisioned concurrency of 5 of its own, whose status is IN_PROGRESS"},
		{"move", own("1", 5), "", ""},
		{"refuse", own("1", 5), "", ""},
		{"move", func(w *world) {
			own("1", 5)(w)
			s := w.begun("move", time.Hour)
			s.Plan.Owner = "another"
			if _, err := w.allocate(s); err != nil {
				w.t.Fatal(err)
			}
		}, "RolloutUnderWay", "execution another is moving it from version 1 to version 2, now at 0%"},
	} {
		w := newWorld(t)
		test.before(w)
		found, _ := w.server.Alias("f", "live")
		w.begin.Allowed = rollout.GateNames()
		_, err := w.start(with(t, "provisioned-concurrency", `"`+test.word+`"`))
		if name(err) != test.want || err != nil && (!strings.Contains(err.Error(), test.says) || !strings.Contains(err.Error(), "nothing was changed")) {
			t.Errorf("%s: got %s: %v", test.says, name(err), err)
		}
		if after, _ := w.server.Alias("f", "live"); after != found {
			t.Errorf("%s: the alias was touched", test.says)
		}
	}
	w := newWorld(t)
	w.own("1", 5)
	if _, err := w.start(with(t, "provisioned-concurrency", `"move"`)); name(err) != "GateNotAllowed" || !strings.Contains(err.Error(), "-c gates=provisioned-concurrency") {
		t.Errorf("where it is not allowed: %v", err)
	}
}

// TestWhatANewVersionHasOfItsOwnStays: it is not the rollout's to take away.
func TestWhatANewVersionHasOfItsOwnStays(t *testing.T) {
	w := newWorld(t)
	w.own("1", 5)
	w.own("2", 3)
	s := w.begun("move", time.Minute)
	if s.Begin != rollout.BeginShift || s.Provision() != (rollout.Provisioned{Release: 5}) {
		t.Fatalf("begins with %s and %+v", s.Begin, s.Provision())
	}
	s = w.do(w.shift.Handle, s)
	w.do(w.back.Handle, s)
	w.wantProvisioned(map[string]int32{"1": 5, "2": 3})
}

// TestAnAmountThatWasChangedStays, as whoever changed it wants it.
func TestAnAmountThatWasChangedStays(t *testing.T) {
	w := newWorld(t)
	w.own("1", 5)
	s := w.begun("move", 0)
	s, err := w.allocate(s)
	if err != nil {
		t.Fatal(err)
	}
	w.own("2", 7)
	w.do(w.back.Handle, s)
	w.want("version 1")
	w.wantProvisioned(map[string]int32{"1": 5, "2": 7})
}

// TestWhatIsAllocatedTooLateIsTakenBack: the execution was stopped, and cleaned
// up after, while UpdateAlias was about to allocate.
func TestWhatIsAllocatedTooLateIsTakenBack(t *testing.T) {
	w := newWorld(t)
	w.own("1", 5)
	s := w.begun("move", time.Minute)
	shift := w.shift.Aliases
	w.shift.Aliases = overtaken{shift, func() {
		stopped := s
		stopped.Progress.Claimed = true
		w.do(w.back.Handle, stopped)
	}}
	if _, err := w.allocate(s); name(err) != "AliasChanged" {
		t.Errorf("allocated after that: %v", err)
	}
	w.wantProvisioned(map[string]int32{"1": 5})
	w.want("version 1")

	s = w.begun("move", time.Minute)
	w.shift.Aliases = lagging{shift, s.Progress.RevisionID}
	if _, err := w.allocate(s); name(err) != "ServiceUnavailable" {
		t.Errorf("read back before the alias was marked: %v", err)
	}
	w.wantProvisioned(map[string]int32{"1": 5, "2": 5})
}

// overtaken are aliases to which something happens right before an allocation.
type overtaken struct {
	task.Aliases
	before func()
}

func (o overtaken) Allocate(ctx context.Context, function, version string, executions int) error {
	o.before()
	return o.Aliases.Allocate(ctx, function, version, executions)
}

// lagging are aliases that are read as they were before they were marked.
type lagging struct {
	task.Aliases
	revisionID string
}

func (l lagging) Read(ctx context.Context, name alias.Name) (alias.Alias, error) {
	a, err := l.Aliases.Read(ctx, name)
	a.RevisionID = l.revisionID
	return a, err
}

// TestAPromotionStandsWithoutTheRelease: what can't be deleted is still billed, and is
// named; what may go well later is tried again.
func TestAPromotionStandsWithoutTheRelease(t *testing.T) {
	w := newWorld(t)
	w.own("1", 5)
	s, err := w.allocate(w.begun("move", 0))
	if err != nil {
		t.Fatal(err)
	}
	if s, err = w.allocate(s); err != nil {
		t.Fatal(err)
	}
	s = w.do(w.shift.Handle, s)
	inject := func(kind localaws.FaultKind) {
		if _, err := w.server.Inject(localaws.Fault{Operation: "DeleteProvisionedConcurrencyConfig", Kind: kind, Count: 1}); err != nil {
			t.Fatal(err)
		}
	}
	inject(localaws.Throttled)
	if _, err := w.promote.Handle(context.Background(), newCall(w, s)); name(err) != "Throttled" {
		t.Errorf("throttled: %v", err)
	}
	lost := s
	lost.Error = &rollout.Caught{Error: "Throttled"}
	inject(localaws.Throttled)
	if after := w.do(w.back.Handle, lost); after.Outcome.Result != rollout.Promoted || !strings.Contains(after.Outcome.Reason, "version 1 keeps its provisioned concurrency") {
		t.Errorf("throttled in the rollback, too: %+v", after.Outcome)
	}
	w.wantProvisioned(map[string]int32{"1": 5, "2": 5})
	denied := w.promote
	denied.Aliases = forbidden{denied.Aliases}
	after, err := denied.Handle(context.Background(), newCall(w, s))
	if err != nil || after.Outcome.Result != rollout.Promoted || !strings.Contains(after.Outcome.Reason, "version 1 keeps its provisioned concurrency, which is still billed") {
		t.Errorf("denied: %+v, %v", after.Outcome, err)
	}
	if lost = w.do(w.back.Handle, lost); lost.Outcome.Result != rollout.Promoted {
		t.Errorf("%+v", lost.Outcome)
	}
	w.wantProvisioned(map[string]int32{"2": 5})
	w.want("version 2")
}

// forbidden are aliases whose versions' provisioned concurrency may not be deleted.
type forbidden struct{ task.Aliases }

func (forbidden) Deallocate(context.Context, string, string) error {
	return errors.New("no permission")
}

// TestTheCleanupReleasesAfterAPromotion that the rollout made, and in no other case.
func TestTheCleanupReleasesAfterAPromotion(t *testing.T) {
	both, released := map[string]int32{"1": 5, "2": 5}, map[string]int32{"2": 5}
	for name, test := range map[string]struct {
		last string
		do   func(*world)
		want map[string]int32
	}{
		"in Finalize":                    {"Finalize", func(*world) {}, released},
		"in Rollback":                    {"Rollback", func(*world) {}, released},
		"before the promotion, by hand":  {"Wait", func(*world) {}, both},
		"another rollout has begun":      {"Finalize", func(w *world) { w.describe("[rollout another 2->1 0%]") }, both},
		"another amount of the new":      {"Finalize", func(w *world) { w.own("2", 4) }, map[string]int32{"1": 5, "2": 4}},
		"another amount of the baseline": {"Finalize", func(w *world) { w.own("1", 4) }, map[string]int32{"1": 4, "2": 5}},
		"traffic is shifted again":       {"Finalize", func(w *world) { w.write("2", map[string]float64{"1": 0.1}) }, both},
	} {
		w := newWorld(t)
		w.own("1", 5)
		s := w.begun("move", 0)
		w.own("2", 5)
		w.write("2", nil)
		test.do(w)
		e := w.execution("ABORTED")
		e.Stopped = w.now
		past(t, &e, s, test.last)
		if _, err := w.cleanup(ran{e}).Handle(context.Background(), json.RawMessage(endedEvent)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		t.Log(name)
		w.wantProvisioned(test.want)
	}
}
