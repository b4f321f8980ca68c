package alias

import (
	"context"
	"errors"
	"fmt"
)

// Traffic moves an alias's traffic between the two versions of one rollout. All of
// its methods may be repeated with the same arguments: a repeated call finds that
// the first one succeeded.
type Traffic struct {
	Store                Store
	Name                 Name
	Baseline, NewVersion string
	// Owner is the name of the rollout's execution, which the marker contains.
	Owner string
	// Description is the alias's own description, without a marker.
	Description string
	// Started is the alias's revision before the rollout's first write.
	Started string
	// Provisioned means that the alias has provisioned concurrency of its own. AWS
	// moves it after Promote, and sets weights meanwhile: see [Traffic.Transit].
	Provisioned bool
	// Claimed means that the alias already has the marker at weight 0: see [Traffic.Claim].
	Claimed bool
}

// split returns the alias with the given weight on the new version: with the
// marker, except at weight 0 before Claim, which is the alias as it was.
func (t Traffic) split(weight float64) Content {
	if weight == 0 && !t.Claimed {
		return t.before()
	}
	m := Marker{Owner: ownerOf(t.Owner), Baseline: t.Baseline, NewVersion: t.NewVersion, Weight: weight}
	return Content{Routing: m.routing(), Description: mark(t.Description, m)}
}

// before returns the alias as it was before the rollout.
func (t Traffic) before() Content {
	return Content{Routing: Routing{Version: t.Baseline}, Description: t.Description}
}

// promoted returns the alias with all traffic on the new version.
func (t Traffic) promoted() Content {
	return Content{Routing: Routing{Version: t.NewVersion}, Description: t.Description}
}

// Verify returns nil if found is what the shift to weight left: the split, and the
// marker that says so. It returns ErrStale if the read lags behind the rollout's
// own writes, and a *[ConflictError] otherwise.
func (t Traffic) Verify(found Alias, weight float64) error {
	want := t.split(weight)
	switch {
	case found.equal(want):
		return nil
	case t.behind(found, weight):
		return t.lagging()
	}
	return &ConflictError{Name: t.Name, Found: &found.Content, Expected: want}
}

// lagging returns the error of a read that is behind the rollout's own writes.
func (t Traffic) lagging() error {
	return fmt.Errorf("the read of %s lags behind the rollout's own writes: %w", t.Name, ErrStale)
}

// behind reports whether a read shows the alias as it was before the shift to
// weight, which is known to have succeeded: reads of an alias are eventually
// consistent.
func (t Traffic) behind(found Alias, weight float64) bool {
	if (weight > 0 || t.Claimed) && found.RevisionID == t.Started {
		return true
	}
	m := ParseDescription(found.Description).Marker
	return m != nil && m.OwnedBy(t.Owner) && m.Weight < weight && found.equal(t.split(m.Weight))
}

// Shift changes the new version's weight from one value to another, both in
// [0, 1], and returns the alias's new revision. revisionID is the one that the
// last shift returned; before the first shift, the one that was read. The error is
//
//   - a *[ConflictError] if the alias is not as the last shift left it, or, from
//     weight 0, no longer has the revision revisionID;
//   - an *[OwnedError] if, from weight 0, it belongs to another rollout;
//   - ErrNoVersion if the new version was deleted;
//   - ErrStale while reads lag behind the rollout's own writes.
func (t Traffic) Shift(ctx context.Context, from, to float64, revisionID string) (string, error) {
	revisionID, err := t.swap(ctx, from, t.split(to), revisionID)
	if from == 0 && !t.Claimed { // a claimed alias was changed, not owned
		err = t.taken(err)
	}
	return revisionID, err
}

// taken converts a *ConflictError that found another rollout's marker to an
// *OwnedError.
func (t Traffic) taken(err error) error {
	var changed *ConflictError
	if errors.As(err, &changed) && changed.Found != nil {
		if m := ParseDescription(changed.Found.Description).Marker; m != nil && !m.OwnedBy(t.Owner) {
			return &OwnedError{Name: t.Name, By: *m}
		}
	}
	return err
}

// Promote points the alias at the new version, clears its weights and removes the
// marker, in one write, and returns the alias's new revision. from is the weight
// of the last shift. The error is a *[ConflictError] if the alias is not as that
// shift left it, and ErrStale as in [Traffic.Shift].
func (t Traffic) Promote(ctx context.Context, from float64, revisionID string) (string, error) {
	return t.swap(ctx, from, t.promoted(), revisionID)
}

// swap writes the content to over the revision revisionID, which the shift to
// weight left. If the write is refused, it reads the alias and decides what that
// means.
func (t Traffic) swap(ctx context.Context, weight float64, to Content, revisionID string) (string, error) {
	written, err := t.Store.Write(ctx, t.Name, to, revisionID)
	if err == nil {
		return written.RevisionID, nil
	}
	missing := errors.Is(err, ErrNotFound)
	if !errors.Is(err, ErrStale) && !missing {
		return "", err
	}
	from := t.split(weight)
	found, err := t.Store.Read(ctx, t.Name)
	switch {
	case errors.Is(err, ErrNotFound):
		return "", &ConflictError{Name: t.Name, Expected: from}
	case err != nil:
		return "", err
	case found.equal(to), to.equal(t.promoted()) && t.inTransit(found.Content):
		return found.RevisionID, nil
	case missing && (found.equal(from) || found.equal(t.before())):
		return "", fmt.Errorf("moving %s to %s: %w", t.Name, to.Routing, ErrNoVersion)
	case found.RevisionID == revisionID, t.behind(found, weight):
		return "", t.lagging()
	case found.equal(from) && ParseDescription(from.Description).Marker != nil:
		// Another user wrote it as it was. With our marker it is still ours. Without a
		// marker, it may be a rollback's: that was written to invalidate this write if
		// it arrives late.
		return t.swap(ctx, weight, to, found.RevisionID)
	}
	return "", &ConflictError{Name: t.Name, Found: &found.Content, Expected: from}
}
