package alias

import (
	"context"
	"errors"
	"fmt"
)

// RestoreResult names what Restore, Release or TakeBack found, and whether it wrote.
type RestoreResult string

// The results.
const (
	// Reverted means that the alias was the rollout's, and that its weights and its
	// marker were removed.
	Reverted RestoreResult = "put-back"
	// Untouched means that there was nothing of the rollout to remove.
	Untouched RestoreResult = "untouched"
	// WasPromoted means that Promote succeeded, though its response was lost.
	WasPromoted RestoreResult = "was-promoted"

	// confirm becomes Untouched when a write of what was found has succeeded.
	confirm RestoreResult = "confirm"
)

// Last records what a rollout knows about its last write of the alias.
type Last struct {
	// Weight, in [0, 1], and RevisionID are what that write left; before the first
	// write, 0 and the alias's revision when the rollout started.
	Weight     float64
	RevisionID string
	// Unsure means that the response to a later write may have been lost, and Tried
	// that there may have been a shift at all.
	Unsure, Tried bool
}

// Restore routes all of the alias's traffic to the baseline and removes the
// marker. If last is Unsure, a promoted alias is taken as the effect of the
// rollout's own Promote: WasPromoted, or InTransit. The error is a *[ConflictError]
// if the alias sends traffic elsewhere and not as the rollout's marker says; then
// nothing is written.
//
// Reads of an alias are eventually consistent, so a read alone never proves that
// there is nothing to restore: Restore first writes over the revision that it
// knows, and does not trust a read of a revision that a write was refused for.
// The error is ErrStale while reads return such a revision.
func (t Traffic) Restore(ctx context.Context, last Last) (RestoreResult, error) {
	superseded := ""
	if last.Weight > 0 {
		switch _, err := t.Store.Write(ctx, t.Name, t.before(), last.RevisionID); {
		case err == nil:
			return Reverted, nil
		case errors.Is(err, ErrStale):
			superseded = last.RevisionID
		case !errors.Is(err, ErrNotFound):
			return "", err
		}
	}
	original := func() (string, error) { return t.Description, nil }
	gone := &ConflictError{Name: t.Name, Expected: t.before()}
	return restore(ctx, t.Store, t.Name, "", gone, func(found Alias) (Content, RestoreResult, error) {
		if found.RevisionID == superseded || (last.Weight > 0 || t.Claimed) && found.RevisionID == t.Started {
			return found.Content, "", t.lagging()
		}
		switch to, ours, err := undo(found.Content, t.Owner, original); {
		case err != nil, ours:
			return to, Reverted, err
		case last.Unsure && found.equal(t.promoted()):
			return found.Content, WasPromoted, nil
		case last.Unsure && t.inTransit(found.Content):
			return found.Content, InTransit, nil
		case found.Routing.equal(t.before().Routing) && last.Unsure && last.Tried && found.RevisionID == last.RevisionID:
			// The first shift may have succeeded, and the read lag behind it: then a
			// write of what was read is refused. If not, it invalidates a shift that
			// arrives late.
			return found.Content, confirm, nil
		case found.Routing.equal(t.before().Routing):
			return found.Content, Untouched, nil
		}
		return found.Content, "", &ConflictError{Name: t.Name, Found: &found.Content, Expected: t.before()}
	})
}

// Release puts back an alias that an execution has left behind, by its marker
// alone: an alias without owner's marker, or one that was deleted, is Untouched.
// It may be repeated. original returns the alias's description; it is called only
// if the description was too long to keep beside the marker. The routing is the
// alias's as it was found; zero if it was deleted. The error is a *[ConflictError]
// if the marker is owner's and the traffic is not as it says; then nothing is
// written.
func Release(ctx context.Context, store Store, name Name, owner string, original func() (string, error)) (RestoreResult, Routing, error) {
	var routing Routing
	restored, err := restore(ctx, store, name, Untouched, nil, func(found Alias) (Content, RestoreResult, error) {
		routing = found.Routing
		to, ours, err := undo(found.Content, owner, original)
		if err != nil || ours {
			return to, Reverted, err
		}
		if m := ParseDescription(found.Description).Marker; m != nil && m.OwnedBy(owner) {
			return found.Content, "", &ConflictError{Name: name, Found: &found.Content, Expected: Content{Routing: m.routing(), Description: found.Description}}
		}
		return found.Content, Untouched, nil
	})
	return restored, routing, err
}

// undo returns the alias without the owner's rollout. It is ours to change if it
// carries the owner's marker, and sends its traffic as the marker says or, with
// its weights cleared by hand, all to the baseline.
func undo(found Content, owner string, original func() (string, error)) (to Content, ours bool, err error) {
	marked := ParseDescription(found.Description)
	m := marked.Marker
	if m == nil || !m.OwnedBy(owner) {
		return found, false, nil
	}
	baseline := Routing{Version: m.Baseline}
	if !m.Splits(found.Routing) && !found.Routing.equal(baseline) {
		return found, false, nil
	}
	if marked.Cut {
		if marked.Text, err = original(); err != nil {
			return found, true, err
		}
	}
	return Content{Routing: baseline, Description: marked.Text}, true, nil
}

// restoreTries limits how often a restore reads the alias, if it changes between the
// read and the write.
const restoreTries = 3

// restore reads the alias, and writes what judge returns if its result is Reverted
// or confirm. It returns ifGone and gone for an alias that does not exist.
func restore(ctx context.Context, store Store, name Name, ifGone RestoreResult, gone error, judge func(Alias) (Content, RestoreResult, error)) (RestoreResult, error) {
	for range restoreTries {
		found, err := store.Read(ctx, name)
		if errors.Is(err, ErrNotFound) {
			return ifGone, gone
		} else if err != nil {
			return "", err
		}
		to, done, err := judge(found)
		if err != nil || done != Reverted && done != confirm {
			return done, err
		}
		_, err = store.Write(ctx, name, to, found.RevisionID)
		switch {
		case err == nil && done == confirm:
			return Untouched, nil
		case err == nil:
			return Reverted, nil
		case !errors.Is(err, ErrStale) && !errors.Is(err, ErrNotFound):
			return "", err
		}
	}
	return "", fmt.Errorf("%s changed %d times while it was being put back, or reads of it lag behind: %w", name, restoreTries, ErrStale)
}
