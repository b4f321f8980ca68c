// Package alias moves the traffic of a weighted Lambda alias between two
// versions, and never over somebody else's change.
//
// Until Promote, the alias keeps pointing at the baseline, and the new version
// has a weight beside it, up to 1. So undoing is one call at every moment:
// clear the weights.
//
// A rollout owns the alias from its first shift on: the write that shifts also
// puts a Marker into the alias's description, and the write that ends the
// rollout takes it off again. Only what carries the owner's marker is undone.
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

// Content is what an alias holds, apart from its revision.
type Content struct {
	Routing
	Description string
}

// equal reports whether an alias that holds c is as wanted.
func (c Content) equal(wanted Content) bool {
	return c.Routing.equal(wanted.Routing) && sameDescription(c.Description, wanted.Description)
}

func (c Content) String() string {
	return fmt.Sprintf("%s, with the description %q", c.Routing, c.Description)
}

// Alias is an alias as a read or a write left it.
type Alias struct {
	Content
	// RevisionID changes with every write, whoever makes it.
	RevisionID string
}

// Store keeps aliases. Its errors are ErrStale, ErrNotFound, or say why the
// store could not be reached.
type Store interface {
	Read(context.Context, Name) (Alias, error)
	// Write replaces what the alias holds, provided that its revision is still
	// the given one.
	Write(ctx context.Context, name Name, to Content, revisionID string) (Alias, error)
}

// What a Store refuses.
var (
	// ErrStale is a write's refusal: the alias has another revision by now.
	ErrStale = errors.New("the alias's revision has changed")
	// ErrNotFound means that there is no such function, alias or version.
	ErrNotFound = errors.New("not found")
	// ErrNoVersion means that the alias is there, but not the version that it is
	// to send traffic to.
	ErrNoVersion = errors.New("that version no longer exists")
)

// ConflictError tells that somebody else has changed the alias. It has been left as
// it was found.
type ConflictError struct {
	Name Name
	// Found is nil if the alias is gone.
	Found *Content
	// Expected is what the rollout left, or wanted to write.
	Expected Content
}

func (e *ConflictError) Error() string {
	if e.Found == nil {
		return fmt.Sprintf("%s was deleted by another user; expected %s", e.Name, e.Expected)
	}
	again := ""
	if e.Found.equal(e.Expected) {
		again = " (written again)"
	}
	return fmt.Sprintf("%s was changed by another user and is left as it is: found %s%s; expected %s", e.Name, e.Found, again, e.Expected)
}

// OwnedError tells that the alias belongs to another rollout. It has been left as
// it was found.
type OwnedError struct {
	Name Name
	By   Marker
}

func (e *OwnedError) Error() string {
	return fmt.Sprintf("%s is in another rollout: execution %s is moving it from version %s to version %s, now at %s",
		e.Name, e.By.Owner, e.By.Baseline, e.By.NewVersion, rollout.Weight(e.By.Weight))
}
