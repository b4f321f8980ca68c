// Package alias moves the traffic of a weighted Lambda alias between two
// versions, and never overwrites another user's change.
//
//   - [Traffic] is the alias in one rollout: [Traffic.Shift], [Traffic.Promote],
//     [Traffic.Restore].
//   - With provisioned concurrency, [Traffic.Claim] marks the alias before the first
//     shift, [Traffic.Transit] reports whether AWS still holds requests on the baseline
//     after the promotion, and [Traffic.TakeBack] undoes the promotion.
//   - [Release] and [Withdraw] put back an alias by its marker alone, when the
//     rollout can't.
//   - [Marker] names the rollout that owns the alias, in the alias's description.
//   - [Store] is where aliases are kept; [Lambda] is the Store of AWS Lambda.
//
// Until Promote, the alias points at the baseline, and the new version has a
// weight beside it, up to 1. A rollback is therefore one call at any time: clear
// the weights.
//
// A rollout owns the alias from its first shift on, or from Claim: that write adds
// the [Marker], and the write that ends the rollout removes it. Only an alias with
// the owner's marker is put back.
//
// Every write carries the alias's revision that the decision was based on
// (compare-and-swap). If the alias has another revision by then, it is read back:
// either the wanted state is already there (an earlier attempt succeeded and its
// response was lost), or another user has changed the alias, which is then left
// as it is.
package alias

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Name identifies an alias.
type Name struct {
	// Function is the function's name, partial ARN or ARN, unqualified.
	Function string
	Alias    string
}

// String returns "alias live of my-function".
func (n Name) String() string {
	return fmt.Sprintf("alias %s of %s", n.Alias, n.Function)
}

// Routing is where an alias sends its requests: to Version, except for the shares
// in Weights.
type Routing struct {
	Version string
	// Weights holds at most one other version, with its share in [0, 1].
	Weights map[string]float64
}

// String returns the routing for people: "version 7 with 30% on version 8".
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

// Content is an alias without its revision.
type Content struct {
	Routing
	Description string
}

// equal reports whether an alias with the content c is as wanted.
func (c Content) equal(wanted Content) bool {
	return c.Routing.equal(wanted.Routing) && sameDescription(c.Description, wanted.Description)
}

// String returns the content for people.
func (c Content) String() string {
	return fmt.Sprintf("%s, with the description %q", c.Routing, c.Description)
}

// Alias is an alias as a read or a write returned it.
type Alias struct {
	Content
	// RevisionID changes with every write, by any user.
	RevisionID string
}

// Store reads and writes aliases. Its errors wrap ErrStale or ErrNotFound; any
// other says why the store could not be reached.
type Store interface {
	Read(context.Context, Name) (Alias, error)
	// Write replaces the alias's content if its revision is still revisionID, and
	// returns the alias with its new revision.
	Write(ctx context.Context, name Name, to Content, revisionID string) (Alias, error)
}

// The errors of a [Store], and of [Traffic].
var (
	// ErrStale means that the alias has another revision than the one that the
	// write was based on, or that a read lags behind the rollout's own writes.
	ErrStale = errors.New("the alias's revision has changed")
	// ErrNotFound means that the function, the alias or the version does not exist.
	ErrNotFound = errors.New("not found")
	// ErrNoVersion means that the alias exists, and the version that is to receive
	// traffic does not.
	ErrNoVersion = errors.New("that version no longer exists")
)

// ConflictError reports that another user has changed the alias, which was left
// as it was found.
type ConflictError struct {
	Name Name
	// Found is nil if the alias was deleted.
	Found *Content
	// Expected is what the rollout's last write left, or what it wanted to write.
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

// OwnedError reports that the alias belongs to another rollout. It was left as it
// was found.
type OwnedError struct {
	Name Name
	By   Marker
}

func (e *OwnedError) Error() string {
	return fmt.Sprintf("%s is in another rollout: execution %s is moving it from version %s to version %s, now at %s",
		e.Name, e.By.Owner, e.By.Baseline, e.By.NewVersion, rollout.Weight(e.By.Weight))
}
