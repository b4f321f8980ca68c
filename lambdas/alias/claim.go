package alias

import (
	"context"
	"errors"
	"strings"
)

// Claim makes the alias the rollout's before any traffic moves: the marker is
// put there with the weight 0, so that whatever the rollout does before its
// first shift has an owner that others see. It returns the alias's revision. It
// may be repeated. The error is *Changed if the alias has another revision than
// the given one, or *Taken if it belongs to another rollout.
func (t Traffic) Claim(ctx context.Context, revisionID string) (string, error) {
	unclaimed := t
	t.Claimed, unclaimed.Claimed = true, false
	revisionID, err := unclaimed.swap(ctx, 0, t.split(0), revisionID)
	return revisionID, t.taken(err)
}

// Withdraw sends all of an alias's traffic to the baseline and keeps the
// owner's marker, with the weight 0, for Restore or Release to take off: what
// stands under the marker can be put in order in between. It returns the marker
// as it was found, nil if the alias does not carry the owner's or sends its
// traffic otherwise than that says; then nothing is written. It may be repeated.
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
