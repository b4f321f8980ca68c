package alias_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// newProvisioned is a world whose alias has provisioned concurrency, and is
// shifted to version 2 by its weight. An allocation takes an hour of real time.
func newProvisioned(t *testing.T) (w world, revisionID string) {
	t.Helper()
	w = newWorld(t)
	w.traffic.Provisioned = true
	if err := w.traffic.Store.(alias.Lambda).Allocate(context.Background(), "f", "live", 5); err != nil {
		t.Fatal(err)
	}
	w.server.SetAllocating(localaws.Allocating{Takes: time.Hour})
	revisionID, err := w.traffic.Shift(context.Background(), 0, 1, w.revision())
	if err != nil {
		t.Fatal(err)
	}
	return w, revisionID
}

// TestAPromotionInTransitIsOurs loses the promotion's answer while AWS holds
// the alias's requests on the baseline: neither the next try nor a restore takes
// AWS's weights for another writer's change.
func TestAPromotionInTransitIsOurs(t *testing.T) {
	ctx := context.Background()
	w, revision := newProvisioned(t)
	w.inject(localaws.Fault{Operation: "UpdateAlias", Kind: localaws.CutAfter, Count: 1})
	if _, err := w.traffic.Promote(ctx, 1, revision); err == nil {
		t.Fatal("the lost answer went unnoticed")
	}
	w.want("version 2 with 100% on version 1")
	held := w.revision()
	if revision, err := w.traffic.Promote(ctx, 1, revision); err != nil || revision != held {
		t.Errorf("promoting again: %q, %v", revision, err)
	}
	if got, err := w.traffic.Restore(ctx, alias.Last{Weight: 1, RevisionID: revision, Unsure: true}); got != alias.InTransit || err != nil {
		t.Errorf("restoring: %q, %v", got, err)
	}
	if held, _, err := w.traffic.Transit(ctx); !held || err != nil {
		t.Errorf("in transit: %v, %v", held, err)
	}
	var changed *alias.ConflictError
	if _, err := w.traffic.Restore(ctx, alias.Last{}); !errors.As(err, &changed) {
		t.Errorf("restoring what was never promoted: %v", err)
	}
	plain := w.traffic
	plain.Provisioned = false
	if _, err := plain.Restore(ctx, alias.Last{Unsure: true}); !errors.As(err, &changed) {
		t.Errorf("the same weights without provisioned concurrency: %v", err)
	}
	if w.revision() != held {
		t.Error("the alias was written")
	}
	w.server.SetAllocating(localaws.Allocating{})
	w.write("1", map[string]float64{"2": 0.5}, "")
	if _, _, err := w.traffic.Transit(ctx); !errors.As(err, &changed) {
		t.Errorf("changed in transit: %v", err)
	}
}

// TestAPromotionIsTakenBack goes back while AWS holds the requests: what AWS
// sets for the way back, which would send all of them to the new version, goes too.
func TestAPromotionIsTakenBack(t *testing.T) {
	ctx := context.Background()
	w, revision := newProvisioned(t)
	if _, err := w.traffic.Promote(ctx, 1, revision); err != nil {
		t.Fatal(err)
	}
	for _, want := range []alias.RestoreResult{alias.Reverted, alias.Untouched} {
		if got, err := w.traffic.TakeBack(ctx); got != want || err != nil {
			t.Errorf("%q, %v, want %q", got, err, want)
		}
		w.want("version 1")
	}
	if w.description() != "serves everybody" {
		t.Errorf("described as %q", w.description())
	}
	w.write("3", nil, "")
	w.write("3", nil, "") // and what AWS has set by it is cleared
	theirs := w.revision()
	var changed *alias.ConflictError
	if _, err := w.traffic.TakeBack(ctx); !errors.As(err, &changed) || w.revision() != theirs {
		t.Errorf("on another version: %v", err)
	}

	w, revision = newProvisioned(t)
	if _, err := w.traffic.Promote(ctx, 1, revision); err != nil {
		t.Fatal(err)
	}
	w.inject(localaws.Fault{Operation: "UpdateAlias", Kind: localaws.CutAfter, Count: 1})
	if _, err := w.traffic.TakeBack(ctx); err == nil {
		t.Fatal("the lost answer went unnoticed")
	}
	w.want("version 1 with 100% on version 2")
	if _, err := w.traffic.TakeBack(ctx); err != nil {
		t.Error(err)
	}
	w.want("version 1")
}

func TestAClaimHasAnOwnerBeforeAnyTraffic(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t)
	before := w.revision()
	w.inject(localaws.Fault{Operation: "UpdateAlias", Kind: localaws.CutAfter, Count: 1})
	if _, err := w.traffic.Claim(ctx, before); err == nil {
		t.Fatal("the lost answer went unnoticed")
	}
	claimed, err := w.traffic.Claim(ctx, before)
	if err != nil || claimed != w.revision() {
		t.Fatalf("claiming again: %q, %v", claimed, err)
	}
	w.want("version 1")
	if m := alias.ParseDescription(w.description()).Marker; m == nil || m.Owner != "deploy-42" || m.Weight != 0 || alias.ParseDescription(w.description()).Text != "serves everybody" {
		t.Errorf("described as %q", w.description())
	}
	other := w.traffic
	other.Owner = "deploy-43"
	var taken *alias.OwnedError
	if _, err := other.Claim(ctx, before); !errors.As(err, &taken) {
		t.Errorf("claimed by another: %v", err)
	}

	w.traffic.Claimed = true
	if _, err := w.traffic.Shift(ctx, 0, 0.3, claimed); err != nil {
		t.Fatal(err)
	}
	w.want("version 1 with 30% on version 2")
	for range 2 {
		m, err := alias.Withdraw(ctx, w.traffic.Store, live, "deploy-42")
		if err != nil || m == nil || m.NewVersion != "2" {
			t.Errorf("withdrawing: %+v, %v", m, err)
		}
		w.want("version 1")
		if alias.ParseDescription(w.description()).Marker == nil {
			t.Errorf("described as %q", w.description())
		}
	}
	if m, err := alias.Withdraw(ctx, w.traffic.Store, live, "deploy-43"); m != nil || err != nil {
		t.Errorf("another's: %+v, %v", m, err)
	}
	did, _, err := alias.Release(ctx, w.traffic.Store, live, "deploy-42", func() (string, error) { return "", nil })
	if did != alias.Reverted || err != nil || w.description() != "serves everybody" {
		t.Errorf("released: %q, %v, described as %q", did, err, w.description())
	}
	if m, err := alias.Withdraw(ctx, w.traffic.Store, live, "deploy-42"); m != nil || err != nil {
		t.Errorf("withdrawn from nothing: %+v, %v", m, err)
	}
}
