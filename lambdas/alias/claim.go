package alias

import (
	"context"
	"errors"
	"strings"
)

// Claim adds the rollout's marker, with the weight 0, before any traffic moves, so
// that what the rollout does before its first shift has an owner that others see.
// It returns the alias's new revision, and may be repeated. The error is a
// *[ConflictError] if the alias does not have the revision revisionID, or an
// *[OwnedError] if it belongs to another rollout.
func (t Traffic) Claim(ctx context.Context, revisionID string) (string, error) {
	unclaimed := t
	t.Claimed, unclaimed.Claimed = true, false
	revisionID, err := unclaimed.swap(ctx, 0, t.split(0), revisionID)
	return revisionID, t.taken(err)
}

// Withdraw routes all of an alias's traffic to the baseline and keeps the owner's
// marker, with the weight 0, for Restore or Release to remove: what the rollout
// allocated under its marker can be removed in between. It returns the marker as
// it was found. It returns nil, and writes nothing, if the alias does not carry
// owner's marker or its traffic is not as the marker says. It may be repeated.
func Withdraw(ctx context.Context, store Store, name Name, owner string) (*Marker, error) {
	for range restoreTries {
		found, err := store.Read(ctx, name)
		if errors.Is(err, ErrNotFound) {
			return nil, nil
		} else if err != nil {
			return nil, err
		}
		m := ParseDescription(found.Description).Marker
		if m == nil || !m.OwnedBy(owner) {
			return nil, nil
		}
		if len(found.Weights) == 0 && found.Version == m.Baseline {
			return m, nil
		}
		if !m.Splits(found.Routing) {
			return nil, nil
		}
		claimed := *m
		claimed.Weight = 0
		text := found.Description[:strings.LastIndex(found.Description, "[")]
		to := Content{Routing: claimed.routing(), Description: text + claimed.String()}
		if _, err = store.Write(ctx, name, to, found.RevisionID); err == nil {
			return m, nil
		} else if !errors.Is(err, ErrStale) {
			return nil, err
		}
	}
	return nil, ErrStale
}
