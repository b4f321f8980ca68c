package localaws

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// point points the alias at a version, without any weights.
func (w *world) point(ctx context.Context, version string) (*lambda.UpdateAliasOutput, error) {
	return w.lambda.UpdateAlias(ctx, &lambda.UpdateAliasInput{FunctionName: aws.String("f"), Name: aws.String("live"), FunctionVersion: &version,
		RoutingConfig: &types.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{}}})
}

// stands is the alias with its allocation: "2 {1: 1} IN_PROGRESS".
func (w *world) stands(t testing.TB) string {
	t.Helper()
	a := w.alias(t)
	text := a.Version
	if a.Additional != "" {
		text += fmt.Sprintf(" {%s: %v}", a.Additional, a.Weight)
	}
	if p, err := w.provisionedOf(t, "f", "live"); err == nil {
		text += " " + string(p.Status)
		if p.StatusReason != nil {
			text += ": " + *p.StatusReason
		}
	}
	return text
}

// TestAnAliasWithProvisionedConcurrencyMoves follows one to another version: as AWS allocates for it, as that fails, and
// as it is pointed back.
func TestAnAliasWithProvisionedConcurrencyMoves(t *testing.T) {
	overBothTransports(t, func(t *testing.T, w *world) {
		wants := func(when, want string) {
			t.Helper()
			if got := w.stands(t); got != want {
				t.Errorf("%s: %s, want %s", when, got, want)
			}
		}
		w.SetAllocating(Allocating{Takes: 90 * time.Second})
		_, err := w.provision(t, "live", 5)
		check(t, err)
		wants("just provisioned", "1 IN_PROGRESS")
		w.clock.Sleep(90 * time.Second)
		wants("after its time", "1 READY")

		revisions := map[string]bool{}
		out, err := w.point(t.Context(), "2")
		check(t, err)
		if out.RoutingConfig != nil {
			t.Errorf("answered the weights %v", out.RoutingConfig.AdditionalVersionWeights)
		}
		revisions[*out.RevisionId], revisions[w.alias(t).RevisionID] = true, true
		wants("just moved", "2 {1: 1} IN_PROGRESS")
		if next, ok := w.NextRouting("f", "live", w.clock.Now()); !ok || !next.Equal(w.clock.Now().Add(90*time.Second)) {
			t.Errorf("the next allocation ends at %s, %v", next, ok)
		}
		if code, _ := outcome(second(w.provision(t, "live", 6))); code != "InvalidParameterValueException" {
			t.Errorf("changed in transit: %s", code)
		}
		for range 10 { // all requests are the old version's
			invoked, err := w.lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("f"), Qualifier: aws.String("live")})
			check(t, err)
			if *invoked.ExecutedVersion != "1" {
				t.Errorf("version %s served in transit", *invoked.ExecutedVersion)
			}
		}
		w.clock.Sleep(90 * time.Second)
		if a, _ := w.AliasAt("f", "live", w.clock.Now().Add(-time.Second)); a.Additional != "1" {
			t.Errorf("a second before, it is %+v", a)
		}
		wants("in the end", "2 READY")
		revisions[w.alias(t).RevisionID] = true
		if _, ok := w.NextRouting("f", "live", w.clock.Now()); ok || len(revisions) != 3 {
			t.Errorf("%d revisions, or an allocation is under way still", len(revisions))
		}

		check(t, w.FailAllocations("f", "3", "FUNCTION_ERROR_INIT_FAILURE"))
		_, err = w.point(t.Context(), "3")
		check(t, err)
		w.clock.Sleep(time.Hour)
		wants("of a version that can't be initialized", "3 {2: 1} FAILED: FUNCTION_ERROR_INIT_FAILURE")
		_, err = w.point(t.Context(), "2")
		check(t, err)
		wants("pointed back", "2 {3: 1} IN_PROGRESS")
		_, err = w.point(t.Context(), "2")
		check(t, err)
		wants("its weights cleared", "2 IN_PROGRESS")
		w.clock.Sleep(90 * time.Second)
		wants("and allocated", "2 READY")

		_, err = w.provision(t, "1", 1)
		check(t, err)
		if code, status := outcome(second(w.point(t.Context(), "1"))); code != "ResourceConflictException" || status != 409 {
			t.Errorf("pointed at a version with its own: %d %s", status, code)
		}
		w.SetAllocating(Allocating{Takes: 90 * time.Second, Locks: true})
		_, err = w.point(t.Context(), "3")
		check(t, err)
		if code, status := outcome(second(w.point(t.Context(), "2"))); code != "ResourceConflictException" || status != 409 {
			t.Errorf("locked: %d %s", status, code)
		}
		check(t, w.FailAllocations("f", "3", ""))
		w.clock.Sleep(90 * time.Second)
		wants("locked until allocated", "3 READY")
	})
}

func second[T any](_ T, err error) error { return err }
