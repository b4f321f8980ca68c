package alias

import (
	"context"
	"errors"
	"fmt"
)

// Restored is what a restore found, and what it did about it.
type Restored string

// In the end the alias is wholly on the baseline, or was promoted, or is not
// the rollout's at all.
const (
	// PutBack: it was ours, and its weights and its marker were taken off.
	PutBack Restored = "put-back"
	// Untouched: there was nothing of ours to undo.
	Untouched Restored = "untouched"
	// WasPromoted: Promote had its effect, though its answer was lost.
	WasPromoted Restored = "was-promoted"
)

// Restore puts the alias wholly back on the baseline. It starts from what it
// reads, not from a revision, because the last write's answer may have been
// lost. With promoting, a promoted alias is taken for the effect of our own
// Promote. It may be repeated. The error is *Changed if the alias sends traffic
// elsewhere and not as our marker says; then nothing is written.
func (t Traffic) Restore(ctx context.Context, promoting bool) (Restored, error) {
	original := func() (string, error) { return t.Description, nil }
	gone := &Changed{Name: t.Name, Expected: t.split(0)}
	return restore(ctx, t.Store, t.Name, "", gone, func(found Content) (Content, Restored, error) {
		switch to, ours, err := undo(found, t.Owner, original); {
		case err != nil, ours:
			return to, PutBack, err
		case promoting && found.equal(t.promoted()):
			return found, WasPromoted, nil
		case found.Routing.equal(t.split(0).Routing):
			return found, Untouched, nil
		}
		return found, "", &Changed{Name: t.Name, Found: &found, Expected: t.split(0)}
	})
}

// Release puts an alias back that an execution has left behind, going by its
// marker alone: one without the owner's marker is not touched. It may be
// repeated. original returns the alias's description; it is asked only if
// there was no room for it beside the marker. The error is *Changed if the
// marker is the owner's, but the traffic is not as it says; then nothing is
// written. An alias that is gone carries no marker.
func Release(ctx context.Context, store Store, name Name, owner string, original func() (string, error)) (Restored, error) {
	return restore(ctx, store, name, Untouched, nil, func(found Content) (Content, Restored, error) {
		to, ours, err := undo(found, owner, original)
		if err != nil || ours {
			return to, PutBack, err
		}
		if m := ReadMarker(found.Description).Marker; m != nil && m.Owner == owner {
			return found, "", &Changed{Name: name, Found: &found, Expected: Content{Routing: m.routing(), Description: found.Description}}
		}
		return found, Untouched, nil
	})
}

// undo says what the alias is to be without the owner's rollout. It is ours to
// undo if it carries the owner's marker and sends its traffic as the marker
// says or, weights cleared by hand, wholly to the baseline.
func undo(found Content, owner string, original func() (string, error)) (to Content, ours bool, err error) {
	marked := ReadMarker(found.Description)
	m := marked.Marker
	if m == nil || m.Owner != owner {
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
// it back. The results ifGone and gone are those for an alias that is not there.
func restore(ctx context.Context, store Store, name Name, ifGone Restored, gone error, judge func(Content) (Content, Restored, error)) (Restored, error) {
	for range restoreTries {
		found, err := store.Read(ctx, name)
		if errors.Is(err, ErrNotFound) {
			return ifGone, gone
		} else if err != nil {
			return "", err
		}
		to, done, err := judge(found.Content)
		if err != nil || done != PutBack {
			return done, err
		}
		_, err = store.Write(ctx, name, to, found.RevisionID)
		if err == nil {
			return PutBack, nil
		}
		if !errors.Is(err, ErrStale) && !errors.Is(err, ErrNotFound) {
			return "", err
		}
	}
	return "", fmt.Errorf("%s changed %d times while it was being restored: %w", name, restoreTries, ErrStale)
}
