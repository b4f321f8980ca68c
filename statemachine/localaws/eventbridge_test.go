package localaws

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/google/go-cmp/cmp"
)

func entry(change func(*types.PutEventsRequestEntry)) types.PutEventsRequestEntry {
	e := types.PutEventsRequestEntry{Source: aws.String("mine"), DetailType: aws.String("Something"), Detail: aws.String(`{"a": 1}`), Resources: []string{"arn"}}
	if change != nil {
		change(&e)
	}
	return e
}

func TestPutEvents(t *testing.T) {
	w := newWorld(t, Options{})
	for transport, cfg := range configurations(t, w.Server) {
		then, before := noon.Add(-90*time.Second), len(w.Events())
		out, err := eventbridge.NewFromConfig(cfg).PutEvents(t.Context(), &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{
			entry(nil),
			entry(func(e *types.PutEventsRequestEntry) { e.Detail = aws.String("1") }),
			entry(func(e *types.PutEventsRequestEntry) { e.Detail = nil }),
			entry(func(e *types.PutEventsRequestEntry) { e.DetailType = aws.String(strings.Repeat("x", 129)) }),
			entry(func(e *types.PutEventsRequestEntry) { e.Source = aws.String("aws.states") }),
			entry(func(e *types.PutEventsRequestEntry) { e.EventBusName = aws.String("other") }),
			entry(func(e *types.PutEventsRequestEntry) { e.Time, e.EventBusName = &then, aws.String("default") }),
		}})
		check(t, err)
		var codes []string
		ids := map[string]bool{}
		for _, result := range out.Entries {
			codes = append(codes, aws.ToString(result.ErrorCode))
			if result.EventId != nil {
				ids[*result.EventId] = true
			}
		}
		wantCodes := []string{"", "MalformedDetail", "InvalidArgument", "InvalidArgument", "NotAuthorizedForSourceException", "", ""}
		if diff := cmp.Diff(wantCodes, codes); diff != "" || out.FailedEntryCount != 4 || len(ids) != 3 {
			t.Errorf("%s: %d failed, ids %v: %s", transport, out.FailedEntryCount, ids, diff)
		}
		first := Event{Source: "mine", DetailType: "Something", Detail: []byte(`{"a": 1}`), Resources: []string{"arn"}, Time: noon}
		second := first
		second.Time = then
		if diff := cmp.Diff([]Event{first, second}, w.Events()[before:]); diff != "" {
			t.Errorf("%s: %s", transport, diff)
		}
	}
}

func TestPutEventsRefuses(t *testing.T) {
	w := newWorld(t, Options{})
	client := eventbridge.NewFromConfig(w.Config())
	put := func(entries ...types.PutEventsRequestEntry) string {
		_, err := client.PutEvents(t.Context(), &eventbridge.PutEventsInput{Entries: entries})
		code, _ := outcome(err)
		return code
	}
	large := entry(func(e *types.PutEventsRequestEntry) {
		e.Detail = aws.String(`{"a": "` + strings.Repeat("x", 1<<20) + `"}`)
	})
	many := make([]types.PutEventsRequestEntry, 11)
	for i := range many {
		many[i] = entry(nil)
	}
	for name, code := range map[string]string{"none": put([]types.PutEventsRequestEntry{}...), "eleven": put(many...), "a large one": put(large)} {
		if code != "ValidationException" {
			t.Errorf("%s: %q", name, code)
		}
	}
	got := map[FaultKind]string{}
	for _, kind := range []FaultKind{Throttled, ServerError, Unavailable} {
		fault, err := w.Inject(Fault{Operation: "PutEvents", Kind: kind})
		check(t, err)
		got[kind] = put(entry(nil))
		fault.Remove()
	}
	want := map[FaultKind]string{Throttled: "ThrottlingException", ServerError: "InternalException", Unavailable: "ServiceUnavailable"}
	if !maps.Equal(got, want) || len(w.Events()) != 0 {
		t.Errorf("%v, %d events", got, len(w.Events()))
	}
	if code := put(many[:10]...); code != "" || len(w.Events()) != 10 {
		t.Errorf("ten: %q", code)
	}
}

func TestRulesAndBusesAreListed(t *testing.T) {
	s := New(Options{})
	check(t, s.AddRule(Rule{Name: "sweep", Schedule: "rate(15 minutes)", Description: "puts back"}))
	check(t, s.AddRule(Rule{Name: "ends", EventPattern: `{"source": ["aws.states"]}`}))
	for _, r := range []Rule{{Name: "sweep", Schedule: "rate(1 minute)"}, {Name: "a b", Schedule: "rate(1 minute)"}, {Name: "none"}, {Name: "no-json", EventPattern: "{"}} {
		if s.AddRule(r) == nil {
			t.Errorf("%+v is added", r)
		}
	}
	for transport, cfg := range configurations(t, s) {
		client := eventbridge.NewFromConfig(cfg)
		list := func(in *eventbridge.ListRulesInput) (all []string) {
			out, err := client.ListRules(t.Context(), in)
			check(t, err)
			for _, r := range out.Rules {
				all = append(all, strings.Join([]string{*r.Name, *r.Arn, string(r.State), aws.ToString(r.EventPattern), aws.ToString(r.ScheduleExpression), aws.ToString(r.Description)}, " "))
			}
			return all
		}
		ends := `ends arn:aws:events:eu-central-1:123456789012:rule/ends ENABLED {"source": ["aws.states"]}  `
		sweep := "sweep arn:aws:events:eu-central-1:123456789012:rule/sweep ENABLED  rate(15 minutes) puts back"
		if diff := cmp.Diff([]string{ends, sweep}, list(nil)); diff != "" {
			t.Errorf("%s: %s", transport, diff)
		}
		if diff := cmp.Diff([]string{sweep}, list(&eventbridge.ListRulesInput{NamePrefix: aws.String("s"), EventBusName: aws.String("default")})); diff != "" {
			t.Errorf("%s: %s", transport, diff)
		}
		_, err := client.ListRules(t.Context(), &eventbridge.ListRulesInput{EventBusName: aws.String("other")})
		if code, _ := outcome(err); code != "ResourceNotFoundException" {
			t.Errorf("%s: rules of a bus that is not there: %v", transport, err)
		}
		for prefix, want := range map[string]int{"": 1, "def": 1, "other": 0} {
			buses, err := client.ListEventBuses(t.Context(), &eventbridge.ListEventBusesInput{NamePrefix: &prefix})
			check(t, err)
			if len(buses.EventBuses) != want {
				t.Errorf("%s: %d buses with %q", transport, len(buses.EventBuses), prefix)
			}
		}
	}
}
