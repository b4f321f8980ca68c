package release

import (
	"fmt"
	"strings"
)

// What a request's fields must be: see rollout.Problem.Want.
const (
	wantRequest = "must be one JSON object, such as " +
		`{"release": "checkout", "defaults": {"alias-name": "live", "type": "linear", "steps": 10, "interval": 120}, "rollouts": {"cart": {"function-name": "cart", "new-version": "12"}}}`
	wantObject      = "must be an object"
	wantMembers     = "must be an object of 1 to 1000 rollouts by their names"
	wantMemberName  = "must have names of at most 64 letters, digits, - and _"
	wantKnownMember = "must be the name of one of the rollouts"
	wantWaves       = `must be a list of lists of rollouts' names, none of them empty, such as [["a"], ["b", "c"]]`
	wantNotMoved    = "can't be taken back with the rest of a release: leave it out, or set together to false"
	wantApproval    = "must say what is to be approved: before-waves, before-promotion, or both"
)

func wantOfRelease(name string) string {
	if name == "release" || name == startedByField {
		return "is set by the release"
	}
	if name == "approval" {
		return "is the release's: use its own approval, which covers all rollouts"
	}
	return "is the release's: set " + name + " beside rollouts, for all of them"
}

func wantWaveNumbers(waves int) string {
	if waves < 2 {
		return "applies only to a release with several waves"
	}
	return fmt.Sprintf("must be a list of different waves after the first, from 2 to %d", waves)
}

// list returns names for a sentence, at most ten of them.
func list(names []string) string {
	const most = 10
	if len(names) > most {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d others", len(names)-most)
	}
	return strings.Join(names, ", ")
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
