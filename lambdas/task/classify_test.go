package task_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/smithy-go"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// TestEveryFaultHasItsName makes each call of each task fail in each way: the
// error that comes out is one that the workflow retries, by its name.
func TestEveryFaultHasItsName(t *testing.T) {
	names := map[localaws.FaultKind]string{
		localaws.Throttled: "Throttled", localaws.ServerError: "ServiceUnavailable", localaws.Unavailable: "ServiceUnavailable",
		localaws.CutBefore: "ServiceUnavailable", localaws.CutAfter: "ServiceUnavailable",
		localaws.ProxyForbidden: "ServiceUnavailable", localaws.ProxyUnavailable: "ServiceUnavailable", localaws.BareThrottle: "Throttled",
	}
	for kind, want := range names {
		for _, operation := range []string{"GetAlias", "GetFunctionConfiguration", "UpdateAlias", "GetMetricData"} {
			w := newWorld(t)
			ready := w.started()
			shifted := w.twice(w.shift.Handle, ready)
			if _, err := w.server.Inject(localaws.Fault{Operation: operation, Kind: kind, Count: 1}); err != nil {
				t.Fatal(err)
			}
			var err error
			switch operation {
			case "GetAlias", "GetFunctionConfiguration":
				w = newWorld(t)
				if _, injectErr := w.server.Inject(localaws.Fault{Operation: operation, Kind: kind, Count: 1}); injectErr != nil {
					t.Fatal(injectErr)
				}
				_, err = w.start(input)
			case "UpdateAlias":
				_, err = w.shift.Handle(context.Background(), newCall(w, shifted))
			case "GetMetricData":
				_, err = w.check.Handle(context.Background(), newCall(w, shifted))
			}
			if name(err) != want {
				t.Errorf("%s of %s: %s: %v", kind, operation, name(err), err)
			}
		}
	}
}

func TestABrokenStateIsUnexpected(t *testing.T) {
	w := newWorld(t)
	s := w.started()
	if _, err := w.check.Handle(context.Background(), newCall(w, s)); name(err) != "Unexpected" {
		t.Errorf("a check before the first shift: %s: %v", name(err), err)
	}
	s.Progress.Step = 2
	if _, err := w.shift.Handle(context.Background(), newCall(w, s)); name(err) != "Unexpected" {
		t.Errorf("a shift after the last step: %s: %v", name(err), err)
	}
	w.want("version 1")
}

// TestLackOfAccessHasItsName answers as IAM does when a role may not do a call.
func TestLackOfAccessHasItsName(t *testing.T) {
	w := newWorld(t)
	store := alias.NewLambda(denied{w.client})
	_, err := task.UpdateAlias{Aliases: store, Log: slog.New(slog.DiscardHandler)}.Handle(context.Background(), newCall(w, w.started()))
	text := fmt.Sprint(err)
	if name(err) != "AccessDenied" || !strings.HasPrefix(text, "AWS denied a call, which changed nothing. Check that the function exists") || !strings.Contains(text, "lambda-rollout=enabled") ||
		!strings.HasSuffix(text, "User is not authorized to perform: lambda:UpdateAlias") {
		t.Errorf("%s: %v", name(err), err)
	}
}

// denied is a client whose role may not update aliases.
type denied struct{ *lambda.Client }

func (denied) UpdateAlias(context.Context, *lambda.UpdateAliasInput, ...func(*lambda.Options)) (*lambda.UpdateAliasOutput, error) {
	return nil, &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "User is not authorized to perform: lambda:UpdateAlias"}
}

func TestNamesOfErrorsInOtherPackages(t *testing.T) {
	if got := name(task.AllocationFailed{}); got != rollout.ErrAllocation {
		t.Errorf("package rollout knows %s as %s", got, rollout.ErrAllocation)
	}
	if refused, names := task.Refusals(), task.ErrorNames(); !slices.Equal(refused, names[:len(refused)]) || !slices.Contains(refused, "AlarmsRed") {
		t.Errorf("the refusals %q of all errors %q", refused, names)
	}
}
