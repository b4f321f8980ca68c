package gates_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health/gates"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// TestAFunctionIsCalledOnce although the client would try again: what a hook does should not be done twice.
func TestAFunctionIsCalledOnce(t *testing.T) {
	for _, kind := range []localaws.FaultKind{localaws.Throttled, localaws.ServerError, localaws.Unavailable, localaws.CutBefore, localaws.CutAfter} {
		inTime(t, string(kind), func(t *testing.T, f functions) {
			client := lambda.NewFromConfig(f.Config(), func(o *lambda.Options) { o.Retryer = retry.NewStandard() })
			broken, err := f.Inject(localaws.Fault{Operation: "Invoke", Kind: kind, Count: 1})
			if err != nil {
				t.Fatal(err)
			}
			// The twin: without the adapter the client does try again, and gets through.
			if _, err := client.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &known.Function}); err != nil {
				t.Fatalf("the client does not try again: %v", err)
			}
			broken.Remove()
			again, err := f.Inject(localaws.Fault{Operation: "Invoke", Kind: kind})
			if err != nil {
				t.Fatal(err)
			}
			_, err = gates.NewLambda(client).Invoke(t.Context(), gates.Invocation{Function: "f"})
			var none *gates.InvokeError
			if !errors.As(err, &none) || again.Fired() != 1 {
				t.Errorf("%d calls, error %v", again.Fired(), err)
			}
		})
	}
}

// patient is an Invoker whose calls end when they are given up.
type patient struct{}

func (patient) Invoke(ctx context.Context, _ gates.Invocation) (gates.Invoked, error) {
	<-ctx.Done()
	return gates.Invoked{}, ctx.Err()
}

// TestACallThatIsGivenUpIsLate: it is not told as if AWS could not be reached.
func TestACallThatIsGivenUpIsLate(t *testing.T) {
	// It returns when all have returned, even if that is after the limit.
	thorough := func(ctx context.Context, limit time.Duration, each []func(context.Context)) {
		ctx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		var all sync.WaitGroup
		for _, f := range each {
			all.Go(func() { f(ctx) })
		}
		all.Wait()
	}
	req := request(t, `"health": {"probes": [{"name": "p", "timeout": 7}, {"name": "q", "timeout": 7, "count": 20, "concurrency": 5}], "checks": [{"function": "ask", "timeout": 8}]}, "hooks": {"pre-traffic": [{"function": "ask", "timeout": 9}]}`)
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct {
			gate gates.Gate
			want string
		}{
			{gates.NewProbe(req.Gates.Probes[0], known, patient{}, thorough), "inconclusive no answer within 7 s"},
			{gates.NewProbe(req.Gates.Probes[1], known, patient{}, thorough), "inconclusive 0 of 20 answered within 7 s"},
			{gates.NewCheck(req.Gates.Checks[0], known, patient{}, thorough), "inconclusive no answer within 8 s"},
			{gates.NewHook(req.Hooks.PreTraffic[0], gates.PreTraffic, known, patient{}, thorough), "fail no answer within 9 s"},
		} {
			if got := reading(t, c.gate); got != c.want {
				t.Errorf("%s: %s, want %s", c.gate.Name(), got, c.want)
			}
		}
	})
}
