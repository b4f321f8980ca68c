package localaws

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

// TestChangesOfAnAliasLag: reads and requests see the alias as it was, each as long as its lag says, while UpdateAlias
// compares the latest revision.
func TestChangesOfAnAliasLag(t *testing.T) {
	overBothTransports(t, func(t *testing.T, w *world) {
		w.SetAliasLag(AliasLag{Reads: 10 * time.Second, Routing: 30 * time.Second})
		wants := func(when, read, served string) {
			t.Helper()
			got, err := w.lambda.GetAlias(t.Context(), &lambda.GetAliasInput{FunctionName: aws.String("f"), Name: aws.String("live")})
			check(t, err)
			for range 5 {
				if by := *w.invoke(t, "f:live", "").ExecutedVersion; *got.FunctionVersion != read || by != served {
					t.Errorf("%s: GetAlias has version %s, want %s; version %s serves, want %s", when, *got.FunctionVersion, read, by, served)
				}
			}
			if a, ok := w.RoutingAt("f", "live", w.clock.Now()); !ok || a.Version != served {
				t.Errorf("%s: the routing is %+v", when, a)
			}
		}
		wants("before", "1", "1")
		first, err := w.point(t.Context(), "2")
		check(t, err)
		wants("at once", "1", "1")
		w.clock.Sleep(5 * time.Second)
		if next, ok := w.NextRouting("f", "live", w.clock.Now()); !ok || next != noon.Add(30*time.Second) {
			t.Errorf("the routing changes next at %s, %v", next, ok)
		}
		update := lambda.UpdateAliasInput{FunctionName: aws.String("f"), Name: aws.String("live"), FunctionVersion: aws.String("3"), RevisionId: first.RevisionId}
		_, err = w.lambda.UpdateAlias(t.Context(), &update)
		check(t, err)
		if a := w.alias(t); a.Version != "3" {
			t.Errorf("the latest state is %+v", a)
		}
		w.clock.Sleep(5 * time.Second)
		wants("when reads have the first change", "2", "1")
		w.clock.Sleep(5 * time.Second)
		wants("when reads have both", "3", "1")
		w.clock.Sleep(15 * time.Second)
		wants("when requests have the first change", "3", "2")
		w.clock.Sleep(5 * time.Second)
		wants("in the end", "3", "3")
		if next, ok := w.NextRouting("f", "live", w.clock.Now()); ok {
			t.Errorf("the routing changes again at %s", next)
		}
		w.SetAliasLag(AliasLag{})
		_, err = w.point(t.Context(), "1")
		check(t, err)
		wants("without a lag", "1", "1")
		if _, ok := w.RoutingAt("f", "another", w.clock.Now()); ok {
			t.Error("an alias that does not exist is routed")
		}
	})
}

// TestTheEndOfAnAllocationLags, too: Lambda's own change of the alias is one like any other.
func TestTheEndOfAnAllocationLags(t *testing.T) {
	w := newWorld(t, Options{})
	w.SetAllocating(Allocating{Takes: 90 * time.Second})
	w.SetAliasLag(AliasLag{Routing: 20 * time.Second})
	check(t, w.AddProvisioned("f", "live", 5))
	_, err := w.point(t.Context(), "2")
	check(t, err)
	at := noon
	for _, want := range []struct {
		after   int // seconds
		version string
		weight  float64 // of version 1
	}{{20, "2", 1}, {90, "2", 1}, {110, "2", 0}} {
		next, ok := w.NextRouting("f", "live", at)
		w.clock.Sleep(next.Sub(at))
		a, _ := w.RoutingAt("f", "live", next)
		if at = next; !ok || at != noon.Add(time.Duration(want.after)*time.Second) || a.Version != want.version || a.Weight != want.weight {
			t.Errorf("after %s the routing is %+v, want %+v", at.Sub(noon), a, want)
		}
	}
	if next, ok := w.NextRouting("f", "live", at); ok {
		t.Errorf("the routing changes again at %s", next)
	}
}
