// Package alias moves the traffic of a weighted Lambda alias between two
// versions, and never over somebody else's change.
//
// Until Promote, the alias keeps pointing at the baseline, and the new version
// has a weight beside it, up to 1. So undoing is one call at every moment:
// clear the weights.
//
// Every write carries the revision of the alias that it was decided on
// (compare-and-swap). If the alias has another revision by then, it is read
// back: either the wanted state is there already (an earlier try had its
// effect and its answer was lost), or somebody else has changed the alias, and
// then it is left as it is.
package alias

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Name names an alias.
type Name struct {
	// Function is the function's name, partial ARN or ARN, unqualified.
	Function string
	Alias    string
}

func (n Name) String() string {
	return fmt.Sprintf("alias %s of %s", n.Alias, n.Function)
}

// Routing is where an alias sends its requests: to Version, but for the shares
// in Weights, which go to other versions.
type Routing struct {
	Version string
	// Weights has at most one version, with its share in [0, 1].
	Weights map[string]float64
}

func (r Routing) String() string {
	text := "version " + r.Version
	for _, version := range slices.Sorted(maps.Keys(r.Weights)) {
		text += fmt.Sprintf(" with %s on version %s", rollout.Weight(r.Weights[version]), version)
	}
	return text
}

func (r Routing) equal(other Routing) bool {
	return r.Version == other.Version && maps.Equal(r.Weights, other.Weights)
}

// Alias is an alias as a read or a write left it.
type Alias struct {
	Routing
	Description string
	// RevisionID changes with every write, whoever makes it.
	RevisionID string
}

// Store keeps aliases. Its errors are ErrStale, ErrNotFound, or say why the
// store could not be reached.
type Store interface {
	Read(context.Context, Name) (Alias, error)
	// Write replaces the alias's routing, provided that its revision is still
	// the given one.
	Write(ctx context.Context, name Name, to Routing, revisionID string) (Alias, error)
}

// What a Store refuses.
var (
	// ErrStale is a write's refusal: the alias has another revision by now.
	ErrStale = errors.New("the alias has another revision")
	// ErrNotFound means that there is no such function, alias or version.
	ErrNotFound = errors.New("not found")
)

// Changed tells that somebody else has changed the alias. It has been left as
// it was found.
type Changed struct {
	Name     Name
	Found    Routing
	Expected []Routing
}

func (e *Changed) Error() string {
	expected := make([]string, len(e.Expected))
	for i, routing := range e.Expected {
		expected[i] = routing.String()
		if routing.equal(e.Found) {
			return fmt.Sprintf("%s was changed by somebody else, and was left as it is now: %s as expected, but with another revision (a description or a weight was written)",
				e.Name, e.Found)
		}
	}
	return fmt.Sprintf("%s was changed by somebody else, and was left as it is now: found %s; expected %s",
		e.Name, e.Found, strings.Join(expected, ", or "))
}

// Traffic is an alias's traffic between the two versions of a rollout.
type Traffic struct {
	Store                Store
	Name                 Name
	Baseline, NewVersion string
}

// split is the routing with a share of the traffic on the new version.
func (t Traffic) split(weight float64) Routing {
	if weight == 0 {
		return Routing{Version: t.Baseline}
	}
	return Routing{Version: t.Baseline, Weights: map[string]float64{t.NewVersion: weight}}
}

// Shift moves the new version's share from one weight to another and returns
// the alias's new revision. It may be repeated. The error is *Changed if the
// alias is not as revisionID left it.
func (t Traffic) Shift(ctx context.Context, from, to float64, revisionID string) (string, error) {
	return t.swap(ctx, t.split(from), t.split(to), revisionID)
}

// Promote points the alias at the new version and clears its weights, in one
// write. It may be repeated. Errors are those of Shift.
func (t Traffic) Promote(ctx context.Context, from float64, revisionID string) (string, error) {
	return t.swap(ctx, t.split(from), Routing{Version: t.NewVersion}, revisionID)
}

func (t Traffic) swap(ctx context.Context, from, to Routing, revisionID string) (string, error) {
	written, err := t.Store.Write(ctx, t.Name, to, revisionID)
	if !errors.Is(err, ErrStale) {
		return written.RevisionID, err
	}
	found, err := t.Store.Read(ctx, t.Name)
	if err != nil {
		return "", err
	}
	if !found.equal(to) {
		return "", &Changed{Name: t.Name, Found: found.Routing, Expected: []Routing{from, to}}
	}
	return found.RevisionID, nil
}

// restoreTries bounds how often Restore reads again because the alias changed
// between its read and its write.
const restoreTries = 3

// Restore puts the alias wholly back on the baseline and tells whether that
// took a write. It starts from what it reads, not from a revision, because the
// last write's answer may have been lost. It may be repeated. The error is
// *Changed if the alias is in no state that this rollout can have left it in.
func (t Traffic) Restore(ctx context.Context) (wrote bool, err error) {
	for range restoreTries {
		var found Alias
		if found, err = t.Store.Read(ctx, t.Name); err != nil {
			return false, err
		}
		if found.equal(t.split(0)) {
			return false, nil
		}
		if !t.mine(found.Routing) {
			return false, &Changed{Name: t.Name, Found: found.Routing, Expected: []Routing{
				t.split(0), t.split(found.Weights[t.NewVersion]), {Version: t.NewVersion}}}
		}
		if _, err = t.Store.Write(ctx, t.Name, t.split(0), found.RevisionID); !errors.Is(err, ErrStale) {
			return err == nil, err
		}
	}
	return false, fmt.Errorf("%s changed %d times while it was being restored: %w", t.Name, restoreTries, err)
}

// mine tells whether the rollout can have left the alias like this: split
// between its two versions, or promoted.
func (t Traffic) mine(found Routing) bool {
	weight, split := found.Weights[t.NewVersion]
	return split && found.equal(t.split(weight)) || found.equal(Routing{Version: t.NewVersion})
}
