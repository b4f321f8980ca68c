package localaws

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/google/go-cmp/cmp"
)

func (w *world) inject(t testing.TB, f Fault) *Injection {
	t.Helper()
	i, err := w.Inject(f)
	check(t, err)
	return i
}

// TestFaults strikes a call of each service with each kind of fault, and checks the caller's error, the effect, and the time.
func TestFaults(t *testing.T) {
	services := []struct {
		operation string
		call      func(*testing.T, *world) error
		done      func(*testing.T, *world) bool
		throttled string
		broken    string
	}{
		{"UpdateAlias", func(t *testing.T, w *world) error {
			_, err := w.shift(t.Context(), "2", 0.5)
			return err
		}, func(t *testing.T, w *world) bool { return w.alias(t).Additional == "2" }, "429 TooManyRequestsException", "500 ServiceException"},
		{"PutMetricData", func(t *testing.T, w *world) error {
			_, err := w.cloudwatch.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: aws.String("Shop"),
				MetricData: []types.MetricDatum{{MetricName: aws.String("Orders"), Value: aws.Float64(1)}}})
			return err
		}, func(t *testing.T, w *world) bool { return len(w.data(t, "Shop", "Orders", "Sum")) == 1 }, "400 Throttling", "500 InternalServiceError"},
		{"ListExecutions", func(t *testing.T, w *world) error {
			_, err := w.sfn.ListExecutions(t.Context(), &sfn.ListExecutionsInput{StateMachineArn: aws.String(machineARN)})
			return err
		}, func(_ *testing.T, w *world) bool { return w.executions.asked > 0 }, "400 ThrottlingException", "500 InternalFailure"},
	}
	throttles := retry.IsErrorThrottles(retry.DefaultThrottles)
	for _, s := range services {
		for _, c := range []struct {
			fault  Fault
			ends   string // as the caller sees it
			effect bool
			takes  time.Duration
		}{
			{Fault{Kind: Throttled}, s.throttled, false, 0},
			{Fault{Kind: ServerError}, s.broken, false, 0},
			{Fault{Kind: Unavailable}, "503", false, 0},
			{Fault{Kind: ProxyForbidden}, "403", false, 0},
			{Fault{Kind: ProxyUnavailable}, "503", false, 0},
			{Fault{Kind: BareThrottle}, "429", false, 0},
			{Fault{Kind: CutBefore}, "cut", false, 0},
			{Fault{Kind: CutAfter}, "cut", true, 0},
			{Fault{Kind: Slow, Before: time.Second, After: 2 * time.Second}, "200 ", true, 3 * time.Second},
		} {
			t.Run(s.operation+" "+string(c.fault.Kind), func(t *testing.T) {
				overBothTransports(t, func(t *testing.T, w *world) {
					c.fault.Operation, c.fault.Count = s.operation, 1
					injection, before := w.inject(t, c.fault), w.clock.Now()
					err := s.call(t, w)
					code, status := outcome(err)
					got := http.StatusText(status)
					if throttled := throttles.IsErrorThrottle(err).Bool(); throttled != (c.fault.Kind == Throttled || c.fault.Kind == BareThrottle) {
						t.Errorf("the SDK takes %v for throttling: %v", err, throttled)
					}
					if got != "" {
						got = strings.TrimSpace(strings.Join([]string{statusOf(status), code}, " "))
					} else if errors.Is(err, io.ErrUnexpectedEOF) {
						got = "cut"
					}
					if !strings.HasPrefix(got+" ", c.ends) {
						t.Errorf("the caller sees %q (%v), want %q", got, err, c.ends)
					}
					if took := w.clock.Now().Sub(before); took != c.takes {
						t.Errorf("it took %v, want %v", took, c.takes)
					}
					if s.done(t, w) != c.effect {
						t.Errorf("effect is %v, want %v", !c.effect, c.effect)
					}
					if injection.Fired() != 1 {
						t.Errorf("fired %d times", injection.Fired())
					}
					check(t, s.call(t, w)) // the second call goes well
					if !s.done(t, w) {
						t.Error("the second call had no effect")
					}
				})
			})
		}
	}
}

func statusOf(status int) string {
	return map[int]string{200: "200", 400: "400", 403: "403", 429: "429", 500: "500", 503: "503"}[status]
}

// TestCutReads cuts a read on a connection that is used again: Go's own transport would retry one of which it saw no byte.
func TestCutReads(t *testing.T) {
	overBothTransports(t, func(t *testing.T, w *world) {
		get := func() error {
			_, err := w.lambda.GetAlias(t.Context(), &lambda.GetAliasInput{FunctionName: aws.String("f"), Name: aws.String("live")})
			return err
		}
		check(t, get())
		injection := w.inject(t, Fault{Operation: "GetAlias", Kind: CutBefore, Count: 1})
		if err := get(); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("got %v", err)
		}
		if injection.Fired() != 1 {
			t.Errorf("fired %d times", injection.Fired())
		}
		check(t, get())
	})
}

func TestFaultsStrikeByNumberAndTime(t *testing.T) {
	w := newWorld(t, Options{})
	calls := func(n int) string {
		struck := ""
		for range n {
			_, err := w.lambda.GetAlias(t.Context(), &lambda.GetAliasInput{FunctionName: aws.String("f"), Name: aws.String("live")})
			struck += map[bool]string{true: "x", false: "."}[err != nil]
			w.clock.Sleep(time.Second)
		}
		return struck
	}
	cases := []struct {
		fault Fault
		want  string
	}{
		{Fault{}, "xxxxxx"},
		{Fault{Operation: Every}, "xxxxxx"},
		{Fault{Operation: "UpdateAlias"}, "......"},
		{Fault{First: 3}, "..xxxx"},
		{Fault{Count: 2}, "xx...."},
		{Fault{First: 2, Count: 3}, ".xxx.."},
		{Fault{From: noon.Add(2 * time.Second), Until: noon.Add(4 * time.Second)}, "..xx.."},
		{Fault{First: 2, Until: noon.Add(4 * time.Second)}, ".xxx.."},
	}
	for _, c := range cases {
		w.clock.now = noon
		if c.fault.Operation == "" {
			c.fault.Operation = "GetAlias"
		}
		c.fault.Kind = Throttled
		injection := w.inject(t, c.fault)
		if got := calls(6); got != c.want || injection.Fired() != strings.Count(c.want, "x") {
			t.Errorf("%+v: calls went %s, fired %d, want %s", c.fault, got, injection.Fired(), c.want)
		}
		injection.Remove()
		if got := calls(1); got != "." {
			t.Errorf("%+v still strikes after its removal", c.fault)
		}
	}
	for name, bad := range map[string]Fault{
		"unknown operation":    {Operation: "Updatealias", Kind: Throttled},
		"unknown kind":         {Operation: Every, Kind: "tired"},
		"no kind":              {Operation: Every},
		"negative":             {Operation: Every, Kind: Throttled, First: -1},
		"slow without a delay": {Operation: Every, Kind: Slow},
		"a delay without slow": {Operation: Every, Kind: CutAfter, After: time.Second},
		"until before from":    {Operation: Every, Kind: Throttled, From: noon, Until: noon},
	} {
		if _, err := w.Inject(bad); err == nil {
			t.Errorf("%s was injected", name)
		}
	}
}

// TestHooks checks the order of the calls, and the time at which each has its effect.
func TestHooks(t *testing.T) {
	var log []string
	var weight float64
	w := newWorld(t, Options{Latency: 10 * time.Millisecond})
	w.options.BeforeCall = func(operation string) {
		log = append(log, "before "+operation)
	}
	w.options.OnCall = func(c Call) {
		weight = w.alias(t).Weight // hooks may use the server
		log = append(log, strings.Join([]string{c.Operation, c.Target, statusOf(c.Status), c.Code}, " "))
	}
	w.inject(t, Fault{Operation: "UpdateAlias", Kind: CutAfter, First: 2})
	before := w.clock.Now()
	_, err := w.shift(t.Context(), "2", 0.5)
	check(t, err)
	_, err = w.shift(t.Context(), "2", 2)
	if err == nil {
		t.Error("a cut call succeeded")
	}
	w.data(t, "N", "M", "Sum")
	want := []string{
		"before UpdateAlias", "UpdateAlias f:live 200 ",
		"before UpdateAlias", "UpdateAlias f:live  ",
		"before GetMetricData", "GetMetricData  200 ",
	}
	if diff := cmp.Diff(want, log); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if weight != 0.5 {
		t.Errorf("the hook saw the weight %v", weight)
	}
	if took := w.clock.Now().Sub(before); took != 30*time.Millisecond {
		t.Errorf("three calls took %v", took)
	}
}

// TestHooksInterleave has a hook let time pass and another user change the alias, once before and once after a call's effect.
func TestHooksInterleave(t *testing.T) {
	for side, want := range map[string]struct {
		code        string // how the call ends
		weight      float64
		description string
	}{
		"before": {"PreconditionFailedException", 0, "theirs"}, // the revision is stale by then
		"after":  {"", 0.5, "theirs"},                          // and the caller does not know
	} {
		t.Run(side, func(t *testing.T) {
			overBothTransports(t, func(t *testing.T, w *world) {
				came := false
				foreign := func(on string) {
					if on != side || came {
						return
					}
					came = true // what the hook calls, it is called for again
					w.options.Sleep(time.Minute)
					_, err := w.lambda.UpdateAlias(t.Context(), &lambda.UpdateAliasInput{
						FunctionName: aws.String("f"), Name: aws.String("live"), Description: aws.String("theirs")})
					check(t, err)
				}
				w.options.BeforeCall = func(string) { foreign("before") }
				w.options.OnCall = func(Call) { foreign("after") }

				seen := w.alias(t)
				out, err := w.lambda.UpdateAlias(t.Context(), &lambda.UpdateAliasInput{
					FunctionName: aws.String("f"), Name: aws.String("live"), RevisionId: &seen.RevisionID, RoutingConfig: weights("2", 0.5)})
				if code, _ := outcome(err); code != want.code {
					t.Errorf("the call ended with %v, want %q", err, want.code)
				}
				if err == nil && *out.Description != "customers" {
					t.Errorf("the answer has the description %q, which came after the effect", *out.Description)
				}
				if got := w.alias(t); got.Weight != want.weight || got.Description != want.description {
					t.Errorf("in the end the alias is %+v, want %+v", got, want)
				}
				if took := w.clock.Now().Sub(noon); took != time.Minute {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}

// TestSlowAnswerPastDeadline lets the caller's context end while the answer is under way: the effect stays.
func TestSlowAnswerPastDeadline(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	w := newWorld(t, Options{})
	w.options.Sleep = func(d time.Duration) {
		w.clock.Sleep(d)
		cancel()
	}
	w.inject(t, Fault{Operation: "UpdateAlias", Kind: Slow, After: time.Hour})
	if _, err := w.shift(ctx, "2", 0.5); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if w.alias(t).Additional != "2" {
		t.Error("the effect is gone")
	}
}
