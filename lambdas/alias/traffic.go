package alias

import (
	"context"
	"errors"
	"fmt"
)

// Traffic is an alias's traffic between the two versions of a rollout.
type Traffic struct {
	Store                Store
	Name                 Name
	Baseline, NewVersion string
	// Owner is the name of the rollout's execution.
	Owner string
	// Description is the alias's own, without any marker.
	Description string
	// Started is the alias's revision before the rollout's first write.
	Started string
	// Provisioned says that the alias has provisioned concurrency of its own:
	// AWS moves it after Promote, with weights of its own: see inTransit.
	Provisioned bool
	// Claimed says that the alias has the marker already at weight 0: see Claim.
	Claimed bool
}

// split is the alias with a share of the traffic on the new version: ours if
// there is one, or if it is claimed, and as it was before if not.
func (t Traffic) split(weight float64) Content {
	if weight == 0 && !t.Claimed {
		return t.before()
	}
	m := Marker{Owner: ownerOf(t.Owner), Baseline: t.Baseline, NewVersion: t.NewVersion, Weight: weight}
	return Content{Routing: m.routing(), Description: mark(t.Description, m)}
}

// before is the alias as it was before the rollout.
func (t Traffic) before() Content {
	return Content{Routing: Routing{Version: t.Baseline}, Description: t.Description}
}

// promoted is the alias wholly on the new version.
func (t Traffic) promoted() Content {
	return Content{Routing: Routing{Version: t.NewVersion}, Description: t.Description}
}

// Verify returns a *Changed error unless the alias, as it was found, is what
// the shift to that weight left: with the marker, and the split that it says.
// It returns ErrStale if the read was behind the rollout's own writes.
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
// that weight, which is known to have been done: reads of an alias are
// eventually consistent.
func (t Traffic) behind(found Alias, weight float64) bool {
	if (weight > 0 || t.Claimed) && found.RevisionID == t.Started {
		return true
	}
	m := ParseDescription(found.Description).Marker
	return m != nil && m.OwnedBy(t.Owner) && m.Weight < weight && found.equal(t.split(m.Weight))
}

// Shift moves the new version's share from one weight to another and returns
// the alias's new revision. It may be repeated. The error is *Changed if the
// alias is not as the last shift left it (from weight 0: not of revisionID any
// more) or, from weight 0, *Taken if it belongs to another rollout, or
// ErrNoVersion if the new version has been deleted. It is ErrStale as long as
// reads are behind the rollout's own writes.
func (t Traffic) Shift(ctx context.Context, from, to float64, revisionID string) (string, error) {
	revisionID, err := t.swap(ctx, from, t.split(to), revisionID)
	if from == 0 && !t.Claimed { // an alias that was claimed has been changed
		err = t.taken(err)
	}
	return revisionID, err
}

// taken returns *Taken instead of a *Changed that found another rollout's marker.
func (t Traffic) taken(err error) error {
	var changed *ConflictError
	if errors.As(err, &changed) && changed.Found != nil {
		if m := ParseDescription(changed.Found.Description).Marker; m != nil && !m.OwnedBy(t.Owner) {
			return &OwnedError{Name: t.Name, By: *m}
		}
	}
	return err
}

// Promote points the alias at the new version, clears its weights and takes
// the marker off, in one write. It may be repeated. The error is *Changed if
// the alias is not as revisionID left it, and ErrStale as with Shift.
func (t Traffic) Promote(ctx context.Context, from float64, revisionID string) (string, error) {
	return t.swap(ctx, from, t.promoted(), revisionID)
}

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
		// Someone wrote it as it was. It bears our marker, so it is ours still. Without
		// one, that may be a rollback's way to keep out this very write, if it is late.
		return t.swap(ctx, weight, to, found.RevisionID)
	}
	return "", &ConflictError{Name: t.Name, Found: &found.Content, Expected: from}
}
