package alias

import (
	"context"
	"errors"
	"fmt"
)

// InTransit is the result of Restore for an alias that was promoted and whose
// provisioned concurrency AWS is still allocating.
const InTransit RestoreResult = "in-transit"

// inTransit reports whether the alias is as AWS keeps it after Promote while it
// allocates provisioned concurrency for the new version: it points at the new
// version, and AWS keeps all requests on the baseline by a weight of 1. If the
// allocation fails, it stays like that. (Observed on AWS in
// terraform-provider-aws pull request 48116 and gradientedge/cdk-utils 1110.)
func (t Traffic) inTransit(found Content) bool {
	held := Content{Routing: Routing{Version: t.NewVersion, Weights: map[string]float64{t.Baseline: 1}}, Description: t.Description}
	return t.Provisioned && found.equal(held)
}

// HeldBy returns the version that receives all requests by a weight of 1, as AWS
// sets it while it moves provisioned concurrency; "" if there is none.
func (r Routing) HeldBy() string {
	for version, weight := range r.Weights {
		if weight == 1 {
			return version
		}
	}
	return ""
}

// Transit reads an alias that Promote has pointed at the new version, and reports
// whether AWS still holds its requests on the baseline. The error is a
// *[ConflictError] if the alias is neither held nor promoted.
func (t Traffic) Transit(ctx context.Context) (held bool, revisionID string, err error) {
	found, err := t.Store.Read(ctx, t.Name)
	switch {
	case errors.Is(err, ErrNotFound):
		return false, "", &ConflictError{Name: t.Name, Expected: t.promoted()}
	case err != nil:
		return false, "", err
	case found.equal(t.promoted()):
		return false, found.RevisionID, nil
	case t.inTransit(found.Content):
		return true, found.RevisionID, nil
	}
	return false, "", &ConflictError{Name: t.Name, Found: &found.Content, Expected: t.promoted()}
}

// TakeBack points an alias that Promote has pointed at the new version back at the
// baseline, and clears the weights by which AWS holds its requests: those set for
// the promotion, and those that it may set for the way back. It returns Reverted
// or Untouched. The error is a *[ConflictError] if the alias is neither promoted
// nor in transit; then nothing is written.
func (t Traffic) TakeBack(ctx context.Context) (RestoreResult, error) {
	before := t.before()
	onTheWay := Content{Routing: Routing{Version: t.Baseline, Weights: map[string]float64{t.NewVersion: 1}}, Description: t.Description}
	done := Untouched
	for range restoreTries + 2 { // two writes, if AWS sets weights of its own, and a read after each
		found, err := t.Store.Read(ctx, t.Name)
		switch {
		case errors.Is(err, ErrNotFound):
			return "", &ConflictError{Name: t.Name, Expected: before}
		case err != nil:
			return "", err
		case found.Routing.equal(before.Routing):
			return done, nil
		case !found.equal(t.promoted()) && !t.inTransit(found.Content) && !found.equal(onTheWay):
			return "", &ConflictError{Name: t.Name, Found: &found.Content, Expected: before}
		}
		switch _, err = t.Store.Write(ctx, t.Name, before, found.RevisionID); {
		case err == nil:
			done = Reverted
		case !errors.Is(err, ErrStale):
			return "", err
		}
	}
	return "", fmt.Errorf("%s does not stay on version %s: %w", t.Name, t.Baseline, ErrStale)
}
