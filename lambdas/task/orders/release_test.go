package orders_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/lambdas/release"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task/orders"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

const owner = "arn:aws:states:eu-central-1:123456789012:execution:releases:one"

var (
	ctx     = context.Background()
	noon    = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	back    = release.Decision{Decision: rollout.RollBack, Reason: "a failed", Error: "Unhealthy", At: noon}
	promote = release.Decision{Decision: rollout.Promote, Reason: "all are ready", At: noon}
)

// server returns a local AWS, a client of its Parameter Store, and the decisions in it.
func server() (*localaws.Server, *ssm.Client, orders.Decisions) {
	s := localaws.New(localaws.Options{Now: func() time.Time { return noon }})
	client := ssm.NewFromConfig(s.Config())
	return s, client, orders.NewDecisions(client)
}

// TestTheFirstDecisionCounts, and what was decided is read as it was written until the
// release forgets it.
func TestTheFirstDecisionCounts(t *testing.T) {
	_, _, d := server()
	names := release.NamesOf(owner)
	relay := release.Relay{Orders: []rollout.Order{{Command: rollout.PauseNow, By: "me", At: noon, Number: 3}}, RollBack: map[string]string{"a": "an alarm"}}
	for _, err := range []error{
		d.Decide(ctx, names.Decision, promote), d.Decide(ctx, names.Decision, back), d.Decide(ctx, names.Reversal, back),
		d.Relay(ctx, names.Relay, release.Relay{}), d.Relay(ctx, names.Relay, relay),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	decision, reversal, relayed, err := d.Read(ctx, owner)
	if diff := cmp.Diff([]any{&promote, &back, relay, nil}, []any{decision, reversal, relayed, err}); diff != "" {
		t.Errorf("what is read (-want +got): %s", diff)
	}
	others := []string{strings.Replace(owner, ":releases:", ":other:", 1), owner + "-2"}
	for _, other := range others {
		if decision, reversal, relayed, err := d.Read(ctx, other); decision != nil || reversal != nil || len(relayed.Orders) > 0 || err != nil {
			t.Errorf("%s: %v, %v, %v, %v", other, decision, reversal, relayed, err)
		}
	}
	for range 2 { // it may be repeated
		if err := d.Forget(ctx, owner); err != nil {
			t.Error(err)
		}
	}
	if decision, reversal, relayed, err := d.Read(ctx, owner); decision != nil || reversal != nil || len(relayed.Orders) > 0 || err != nil {
		t.Errorf("after it was forgotten: %v, %v, %v, %v", decision, reversal, relayed, err)
	}
}

// TestInstructions: a reversal comes before the decision, and both before what was relayed.
func TestInstructions(t *testing.T) {
	_, _, d := server()
	names, member := release.NamesOf(owner), rollout.Membership{Execution: owner, Member: "a"}
	expect := func(want rollout.Instructions) {
		t.Helper()
		got, err := d.Instructions(ctx, member, noon)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("(-want +got): %s %v", diff, err)
		}
	}
	write := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	expect(rollout.Instructions{})
	order := rollout.Order{Command: rollout.PauseNow, By: "me", At: noon, Number: 3}
	before := rollout.Order{Command: rollout.AdvanceNow, By: "me", At: noon.Add(-time.Second), Number: 2}
	write(d.Relay(ctx, names.Relay, release.Relay{Orders: []rollout.Order{before, order}, RollBack: map[string]string{"a": "an alarm", "b": "another"}}))
	orders := []rollout.Order{order}
	expect(rollout.Instructions{Orders: orders, Decision: rollout.RollBack, Reason: "an alarm"})
	write(d.Decide(ctx, names.Decision, promote))
	expect(rollout.Instructions{Orders: orders, Decision: rollout.Promote, Reason: "all are ready"})
	write(d.Decide(ctx, names.Reversal, back))
	expect(rollout.Instructions{Orders: orders, Decision: rollout.RollBack, Reason: "a failed"})
}

// TestAnAnswerThatIsNoDecision is an error, and not that nothing was decided.
func TestAnAnswerThatIsNoDecision(t *testing.T) {
	for _, value := range []string{"promote", `{"decision": 7}`, `[]`, `{"decision": "promote"`} {
		_, client, d := server()
		if _, err := client.PutParameter(ctx, &ssm.PutParameterInput{Name: aws.String(release.NamesOf(owner).Decision), Value: &value, Type: types.ParameterTypeString}); err != nil {
			t.Fatal(err)
		}
		if decision, _, _, err := d.Read(ctx, owner); err == nil || !strings.Contains(err.Error(), "reading /lambda-rollout-releases/") {
			t.Errorf("%s is read as %v, %v", value, decision, err)
		}
		if given, err := d.Instructions(ctx, rollout.Membership{Execution: owner, Member: "a"}, noon); err == nil || given.Decision != "" {
			t.Errorf("%s instructs: %+v, %v", value, given, err)
		}
	}
}

// hollow answers everything with an empty object, as a proxy may.
type hollow struct{}

func (hollow) Do(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Status: "OK", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

// TestCallsThatFail: what is refused, cut off or not answered by AWS is an error of every
// method. A write whose answer was lost has decided.
func TestCallsThatFail(t *testing.T) {
	names := release.NamesOf(owner)
	all := map[string]func(orders.Decisions) error{
		"GetParameters":    func(d orders.Decisions) error { _, _, _, err := d.Read(ctx, owner); return err },
		"PutParameter":     func(d orders.Decisions) error { return d.Decide(ctx, names.Decision, back) },
		"DeleteParameters": func(d orders.Decisions) error { return d.Forget(ctx, owner) },
	}
	for operation, call := range all {
		for _, kind := range []localaws.FaultKind{localaws.Throttled, localaws.CutBefore, localaws.CutAfter, localaws.ProxyForbidden, localaws.BareThrottle} {
			s, _, d := server()
			if _, err := s.Inject(localaws.Fault{Operation: operation, Kind: kind, Count: 1}); err != nil {
				t.Fatal(err)
			}
			if err := call(d); err == nil || !strings.Contains(err.Error(), "one") {
				t.Errorf("%s, %s: %v", operation, kind, err)
			}
			decision, _, _, err := d.Read(ctx, owner)
			if wrote := operation == "PutParameter" && kind == localaws.CutAfter; err != nil || (decision != nil) != wrote {
				t.Errorf("after %s, %s: %v, %v", operation, kind, decision, err)
			}
		}
	}
	s, _, _ := server()
	cfg := s.Config()
	cfg.HTTPClient = hollow{}
	d := orders.NewDecisions(ssm.NewFromConfig(cfg))
	for _, operation := range []string{"GetParameters", "PutParameter"} {
		if err := all[operation](d); err == nil || !strings.Contains(err.Error(), "not from AWS") {
			t.Errorf("%s of an empty answer: %v", operation, err)
		}
	}
}
