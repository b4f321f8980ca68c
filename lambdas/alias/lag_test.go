package alias_test

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"pgregory.net/rapid"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// laggingStore answers reads with what the alias was a few writes ago, as many
// times as behind says; then reads have caught up.
type laggingStore struct {
	alias.Store
	past   []alias.Alias
	writes int // how many writes reads are behind
	reads  int // how many more reads are
}

func (s *laggingStore) Read(ctx context.Context, name alias.Name) (alias.Alias, error) {
	now, err := s.Store.Read(ctx, name)
	if err != nil || s.reads == 0 {
		return now, err
	}
	s.reads--
	return s.past[max(0, len(s.past)-s.writes)], nil
}

// Write notes what the alias was before, whether or not the answer is lost.
func (s *laggingStore) Write(ctx context.Context, name alias.Name, to alias.Content, revisionID string) (alias.Alias, error) {
	before, err := s.Store.Read(ctx, name)
	if err != nil {
		return before, err
	}
	written, err := s.Store.Write(ctx, name, to, revisionID)
	if after, readErr := s.Store.Read(ctx, name); readErr == nil && after.RevisionID != before.RevisionID {
		s.past = append(s.past, before)
	}
	return written, err
}

// TestLagIsNoChange loses answers and lets reads lag behind, in any order, over
// whole rollouts that end by a promotion or a restore: nothing of that is taken
// for someone's change, and what a restore says holds.
func TestLagIsNoChange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ctx := context.Background()
		w := newWorld(t)
		s := &laggingStore{Store: w.traffic.Store}
		w.traffic.Store, w.traffic.Started = s, w.revision()
		// disturbed tries a write until reads have caught up.
		disturbed := func(what string, write func() error) error {
			if rapid.Bool().Draw(t, what+": answer lost") {
				w.inject(localaws.Fault{Operation: "UpdateAlias", Kind: localaws.CutAfter, Count: 1})
			}
			var err error
			for range 9 {
				if s.reads == 0 && len(s.past) > 0 {
					s.reads, s.writes = rapid.IntRange(0, 3).Draw(t, what+": reads behind"), rapid.IntRange(1, 3).Draw(t, what+": by writes")
				}
				err = write()
				var changed *alias.ConflictError
				if errors.As(err, &changed) {
					t.Fatalf("%s: lag was taken for a change: %v", what, err)
				}
				if err == nil {
					return nil
				}
			}
			return err
		}
		weights := []float64{0, 0.1, 0.5, 1}
		last := alias.Last{RevisionID: w.revision(), Tried: true}
		for step := 1; step <= rapid.IntRange(0, 3).Draw(t, "steps"); step++ {
			err := disturbed("shift", func() error {
				revision, err := w.traffic.Shift(ctx, weights[step-1], weights[step], last.RevisionID)
				if err == nil {
					last.Weight, last.RevisionID = weights[step], revision
				}
				return err
			})
			if err != nil {
				last.Unsure = true
				break
			}
		}
		if last.Weight == 1 && !last.Unsure && rapid.Bool().Draw(t, "promote") {
			err := disturbed("promote", func() error {
				_, err := w.traffic.Promote(ctx, last.Weight, last.RevisionID)
				return err
			})
			if err == nil {
				if w.stands() != "version 2" {
					t.Fatalf("promoted, and on %s", w.stands())
				}
				return
			}
			last.Unsure = true
		}
		var did alias.RestoreResult
		for try := 0; ; try++ {
			err := disturbed("restore", func() (err error) {
				did, err = w.traffic.Restore(ctx, last)
				return err
			})
			if err == nil {
				break
			}
			if try == 20 {
				t.Fatalf("not restored: %v", err)
			}
		}
		if want := map[bool]string{true: "version 2", false: "version 1"}[did == alias.WasPromoted]; w.stands() != want {
			t.Fatalf("restore says %q, and the alias is on %s", did, w.stands())
		}
	})
}

// TestARestoreKeepsOutAShiftThatIsLate: the first shift's request is still on
// its way when a rollback finds nothing to undo. It is refused when it arrives.
func TestARestoreKeepsOutAShiftThatIsLate(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	before := w.revision()
	if did, err := w.traffic.Restore(ctx, alias.Last{RevisionID: before, Unsure: true, Tried: true}); did != alias.Untouched || err != nil {
		t.Fatalf("restore: %q, %v", did, err)
	}
	if _, err := w.traffic.Shift(ctx, 0, 0.1, before); err == nil {
		t.Error("the late shift was done")
	}
	w.want("version 1")
}

// TestAVersionThatIsGone is named as that, and not as a change of the alias.
func TestAVersionThatIsGone(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	if _, err := w.client.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: aws.String("f"), Qualifier: aws.String("2")}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.traffic.Shift(ctx, 0, 0.1, w.revision()); !errors.Is(err, alias.ErrNoVersion) {
		t.Errorf("got %v", err)
	}
}
