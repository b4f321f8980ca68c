package alias_test

import (
	"context"
	"errors"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
)

const marked = "serves everybody [rollout deploy-42 1->2 30%]"

func TestRestore(t *testing.T) {
	ctx := context.Background()
	for _, test := range []struct {
		name        string
		version     string
		weights     map[string]float64
		description string
		promoting   bool
		want        string
		did         alias.RestoreResult // "" if it is a foreign change
		described   string
	}{
		{"untouched", "1", nil, "", false, "version 1", alias.Untouched, "serves everybody"},
		{"ours", "1", map[string]float64{"2": 0.3}, marked, false, "version 1", alias.Reverted, "serves everybody"},
		{"ours, cleared by hand", "1", nil, marked, false, "version 1", alias.Reverted, "serves everybody"},
		{"ours, with another text", "1", map[string]float64{"2": 0.3}, "mine now [rollout deploy-42 1->2 30%]", false, "version 1", alias.Reverted, "mine now"},
		{"ours, the text cut", "1", map[string]float64{"2": 0.3}, "serves...[rollout deploy-42 1->2 30%]", false, "version 1", alias.Reverted, "serves everybody"},
		{"promoted by us", "2", nil, "", true, "version 2", alias.WasPromoted, "serves everybody"},
		{"moved to the new version by hand", "2", nil, "", false, "version 2", "", "serves everybody"},
		{"split by hand", "1", map[string]float64{"2": 0.3}, "", false, "version 1 with 30% on version 2", "", "serves everybody"},
		{"another weight than the marker's", "1", map[string]float64{"2": 0.4}, marked, false, "version 1 with 40% on version 2", "", marked},
		{"another version than the marker's", "3", nil, marked, false, "version 3", "", marked},
		{"another rollout's", "1", map[string]float64{"2": 0.3}, "serves everybody [rollout deploy-43 1->2 30%]", false, "version 1 with 30% on version 2", "", "serves everybody [rollout deploy-43 1->2 30%]"},
		{"on the baseline, described again", "1", nil, "mine now", false, "version 1", alias.Untouched, "mine now"},
	} {
		w := newWorld(t)
		w.write(test.version, test.weights, test.description)
		for try := range 2 {
			did, err := w.traffic.Restore(ctx, alias.Last{RevisionID: "as it started", Unsure: test.promoting})
			want := test.did
			if try == 1 && want == alias.Reverted {
				want = alias.Untouched
			}
			var changed *alias.ConflictError
			if did != want || errors.As(err, &changed) != (want == "") || (err != nil) != (want == "") {
				t.Errorf("%s, try %d: %q, error %v", test.name, try+1, did, err)
			}
			w.want(test.want)
			if w.description() != test.described {
				t.Errorf("%s: described as %q", test.name, w.description())
			}
		}
	}
}

// TestReleaseGoesByTheMarkerAlone, as it has no state of the rollout.
func TestReleaseGoesByTheMarkerAlone(t *testing.T) {
	ctx := context.Background()
	for _, test := range []struct {
		name        string
		version     string
		weights     map[string]float64
		description string
		want        string
		did         alias.RestoreResult
		described   string
	}{
		{"not marked", "1", map[string]float64{"2": 0.3}, "", "version 1 with 30% on version 2", alias.Untouched, "serves everybody"},
		{"ours", "1", map[string]float64{"2": 0.3}, marked, "version 1", alias.Reverted, "serves everybody"},
		{"ours, with another text", "1", map[string]float64{"2": 0.3}, "mine now [rollout deploy-42 1->2 30%]", "version 1", alias.Reverted, "mine now"},
		{"ours, the text cut", "1", map[string]float64{"2": 0.3}, "serves...[rollout deploy-42 1->2 30%]", "version 1", alias.Reverted, "the original"},
		{"ours, changed by hand", "1", map[string]float64{"2": 0.4}, marked, "version 1 with 40% on version 2", "", marked},
		{"another rollout's", "1", map[string]float64{"2": 0.3}, "[rollout deploy-43 1->2 30%]", "version 1 with 30% on version 2", alias.Untouched, "[rollout deploy-43 1->2 30%]"},
	} {
		w := newWorld(t)
		w.write(test.version, test.weights, test.description)
		did, _, err := alias.Release(ctx, w.traffic.Store, live, "deploy-42", func() (string, error) { return "the original", nil })
		var changed *alias.ConflictError
		if did != test.did || errors.As(err, &changed) != (test.did == "") {
			t.Errorf("%s: %q, error %v", test.name, did, err)
		}
		w.want(test.want)
		if w.description() != test.described {
			t.Errorf("%s: described as %q", test.name, w.description())
		}
	}
	w := newWorld(t)
	w.write("1", map[string]float64{"2": 0.3}, "serves...[rollout deploy-42 1->2 30%]")
	failure := errors.New("no history")
	if _, _, err := alias.Release(ctx, w.traffic.Store, live, "deploy-42", func() (string, error) { return "", failure }); !errors.Is(err, failure) {
		t.Errorf("without the original: %v", err)
	}
}

// TestRestoreGivesUpAgainstAConstantWriter shows that a restore whose read is
// out of date by the time of its write reads again, and not for ever.
func TestRestoreGivesUpAgainstAConstantWriter(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	split := func() { w.write("1", map[string]float64{"2": 0.3}, marked) }
	split()
	busy := busyStore{Store: alias.NewLambda(w.client), busy: 2, write: split}
	traffic := w.traffic
	traffic.Store = &busy
	if _, err := traffic.Restore(ctx, alias.Last{}); err != nil {
		t.Errorf("two changes meanwhile: %v", err)
	}
	w.want("version 1")
	split()
	busy.busy = 100
	if _, err := traffic.Restore(ctx, alias.Last{}); !errors.Is(err, alias.ErrStale) {
		t.Errorf("constant changes: %v", err)
	}
}

// busyStore has another user write right after each of its reads.
type busyStore struct {
	alias.Store
	busy  int
	write func()
}

func (s *busyStore) Read(ctx context.Context, name alias.Name) (alias.Alias, error) {
	a, err := s.Store.Read(ctx, name)
	if s.busy > 0 {
		s.busy--
		s.write()
	}
	return a, err
}
