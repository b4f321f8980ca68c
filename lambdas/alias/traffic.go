package alias

import (
	"context"
	"errors"
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
}

// split is the alias with a share of the traffic on the new version: ours if
// there is one, and as it was before if there is none.
func (t Traffic) split(weight float64) Content {
	if weight == 0 {
		return Content{Routing: Routing{Version: t.Baseline}, Description: t.Description}
	}
	m := Marker{Owner: t.Owner, Baseline: t.Baseline, NewVersion: t.NewVersion, Weight: weight}
	return Content{Routing: m.routing(), Description: mark(t.Description, m)}
}

// promoted is the alias wholly on the new version.
func (t Traffic) promoted() Content {
	return Content{Routing: Routing{Version: t.NewVersion}, Description: t.Description}
}

// Holds returns a *Changed error unless the alias, as it was found, is what
// the shift to that weight left: with the marker, and the split that it says.
func (t Traffic) Holds(found Alias, weight float64) error {
	if want := t.split(weight); !found.equal(want) {
		return &Changed{Name: t.Name, Found: &found.Content, Expected: want}
	}
	return nil
}

// Shift moves the new version's share from one weight to another and returns
// the alias's new revision. It may be repeated. The error is *Changed if the
// alias is not as the last shift left it (from weight 0: not of revisionID any
// more) or, from weight 0, *Taken if it belongs to another rollout.
func (t Traffic) Shift(ctx context.Context, from, to float64, revisionID string) (string, error) {
	revisionID, err := t.swap(ctx, t.split(from), t.split(to), revisionID)
	var changed *Changed
	if from == 0 && errors.As(err, &changed) && changed.Found != nil {
		if m := ReadMarker(changed.Found.Description).Marker; m != nil && m.Owner != t.Owner {
			return "", &Taken{Name: t.Name, By: *m}
		}
	}
	return revisionID, err
}

// Promote points the alias at the new version, clears its weights and takes
// the marker off, in one write. It may be repeated. The error is *Changed if
// the alias is not as revisionID left it.
func (t Traffic) Promote(ctx context.Context, from float64, revisionID string) (string, error) {
	return t.swap(ctx, t.split(from), t.promoted(), revisionID)
}

func (t Traffic) swap(ctx context.Context, from, to Content, revisionID string) (string, error) {
	written, err := t.Store.Write(ctx, t.Name, to, revisionID)
	if err == nil {
		return written.RevisionID, nil
	}
	if !errors.Is(err, ErrStale) && !errors.Is(err, ErrNotFound) {
		return "", err
	}
	found, err := t.Store.Read(ctx, t.Name)
	switch {
	case errors.Is(err, ErrNotFound):
		return "", &Changed{Name: t.Name, Expected: from}
	case err != nil:
		return "", err
	case found.equal(to):
		return found.RevisionID, nil
	case found.equal(from) && ReadMarker(from.Description).Marker != nil && found.RevisionID != revisionID:
		// Somebody wrote it as it was. It bears our marker, so it is ours still.
		return t.swap(ctx, from, to, found.RevisionID)
	}
	return "", &Changed{Name: t.Name, Found: &found.Content, Expected: from}
}
