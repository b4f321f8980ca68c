package release_test

import (
	"testing"

	"github.com/lambda-rollout/lambda-rollout/lambdas/release"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// TestAnApprovalThatIsNotWaitedFor says so, and whether one is still to be asked for.
func TestAnApprovalThatIsNotWaitedFor(t *testing.T) {
	const never, early = "ignored: the release does not wait for approval", "ignored: the release does not wait for approval yet. Approve it again when it does"
	for more, want := range map[string]string{
		``: never, `"approval": {"before-promotion": true}, `: early, `"approval": {"before-waves": [2]}, `: early,
	} {
		r := shop(t, more)
		s := release.Begun(r, owner, start)
		found := release.Found{Orders: []rollout.Order{{Command: rollout.Approve, By: "me", Number: 1, At: start}}}
		s, _ = s.Check(start, r, found)
		if o := s.Progress.Orders[0]; o.Effect != want || release.Obeyed(o) {
			t.Errorf("with %s: %+v", more, o)
		}
	}
	r := shop(t, `"approval": {"before-waves": [2]}, `)
	s := release.Begun(r, owner, start)
	s.Progress.Wave = 2
	s, _ = s.Check(start, r, release.Found{Orders: []rollout.Order{{Command: rollout.Approve, By: "me", Number: 1, At: start}}})
	if o := s.Progress.Orders[0]; o.Effect != never {
		t.Errorf("after the wave: %+v", o)
	}
}
