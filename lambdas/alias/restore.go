package alias

import (
	"context"
	"errors"
	"fmt"
)

// RestoreResult is what a restore found, and what it did about it.
type RestoreResult string

// In the end the alias is wholly on the baseline, or was promoted, or is not
// the rollout's at all.
const (
	// PutBack: it was ours, and its weights and its marker were taken off.
	Reverted RestoreResult = "put-back"
	// Untouched: there was nothing of ours to undo.
	Untouched RestoreResult = "untouched"
	// WasPromoted: Promote had its effect, though its answer was lost.
	WasPromoted RestoreResult = "was-promoted"

	// confirm is Untouched once a write of what was found has succeeded.
	confirm RestoreResult = "confirm"
)

// Last is what a rollout knows of its last write of the alias.
type Last struct {
	// Weight and RevisionID are what that write left; before the first, 0 and the
	// alias's revision when the rollout started.
	Weight     float64
	RevisionID string
	// Unsure means that a later write's answer may have been lost, and Tried that
	// there may have been one at all.
	Unsure, Tried bool
}

// Restore routes all of the alias's traffic to the baseline. It may be
// repeated. If a later write's answer may have been lost, a promoted alias is
// taken for the effect of our own Promote. The error is *Changed if the alias
// sends traffic elsewhere and not as our marker says; then nothing is written.
//
// Reads of an alias are eventually consistent, so a read alone never proves
// that there is nothing to undo: Restore first writes over the revision that it
// knows, and a revision that a write was refused for is not believed. The error
// is ErrStale as long as reads show one.
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
			// The first shift may have been done, and the read be behind it. Writing
			// what is there is refused then; if not, it keeps out a shift that is late.
			return found.Content, confirm, nil
		case found.Routing.equal(t.before().Routing):
			return found.Content, Untouched, nil
		}
		return found.Content, "", &ConflictError{Name: t.Name, Found: &found.Content, Expected: t.before()}
	})
}

// Release puts an alias back that an execution has left behind, going by its
// marker alone: one without the owner's marker is not touched. It may be
// repeated. original returns the alias's description; it is asked only if
// there was no room for it beside the marker. The error is *Changed if the
// marker is the owner's, but the traffic is not as it says; then nothing is
// written. An alias that is gone carries no marker. The routing is the alias's as
// it was found; zero if it is gone.
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

// undo says what the alias is to be without the owner's rollout. It is ours to
// undo if it carries the owner's marker and sends its traffic as the marker
// says or, weights cleared by hand, wholly to the baseline.
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

// restoreTries bounds how often a restore reads again because the alias
// changed between its read and its write.
const restoreTries = 3

// restore reads the alias and writes what judge makes of it, if that is to put
// it back or to confirm it. The results ifGone and gone are those for an alias
// that is not there.
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
	return "", fmt.Errorf("%s changed %d times while it was being restored, or reads of it lag behind: %w", name, restoreTries, ErrStale)
}
