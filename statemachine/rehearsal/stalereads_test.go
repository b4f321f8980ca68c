package rehearsal

import (
	"context"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// lagging has all reads of the alias show what it was that long ago.
func lagging(o *observed, lag time.Duration) func(*observed) {
	type replaced struct {
		at  time.Time
		was alias.Alias
	}
	var past []replaced
	return onStore(func(s store) store {
		s.write = func(ctx context.Context, name alias.Name, to alias.Content, revisionID string) (alias.Alias, error) {
			before, _ := s.Store.Read(ctx, name)
			written, err := s.Store.Write(ctx, name, to, revisionID)
			if after, _ := s.Store.Read(ctx, name); after.RevisionID != before.RevisionID {
				past = append(past, replaced{o.clock.Now(), before})
			}
			return written, err
		}
		s.read = func(ctx context.Context, name alias.Name) (alias.Alias, error) {
			for _, r := range past {
				if o.clock.Now().Sub(r.at) < lag {
					return r.was, nil
				}
			}
			return s.Store.Read(ctx, name)
		}
		return s
	})
}

// TestStaleReads: reads of an alias are eventually consistent. With answers lost
// besides, rollouts end as if nothing had happened.
func TestStaleReads(t *testing.T) {
	t.Parallel()
	cases := 0
	for _, s := range subjects() {
		for _, lag := range []time.Duration{500 * time.Millisecond, 3 * time.Second, 20 * time.Second} {
			for _, delivered := range deliveries {
				for _, lost := range []bool{false, true} {
					tr := trial{subject: s, deliveries: delivered, harmless: true, disturb: func(o *observed) {
						lagging(o, lag)(o)
						for i := 1; lost && i < 8; i += 2 {
							o.inject(localaws.Fault{Operation: "UpdateAlias", Kind: localaws.CutAfter, First: i, Count: 1})
						}
					}}
					cases++
					if _, err := tr.try(); err != nil {
						t.Errorf("%s, reads lag %s, answers lost: %v, delivered %d times: %v", s.name, lag, lost, delivered, err)
					}
				}
			}
		}
	}
	t.Logf("stale reads: %d cases, 0 wrong", cases)
}
