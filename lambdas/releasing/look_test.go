package releasing_test

import (
	"context"
	"strings"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/lambdas/release"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
)

// TestAnExecutionOfAnotherUserIsNoMember, whatever its name: how it ended says nothing about the
// member. Its name keeps the member from starting, so that the release is rolled back.
func TestAnExecutionOfAnotherUserIsNoMember(t *testing.T) {
	r, err := release.Decode([]byte(input))
	if err != nil {
		t.Fatal(err)
	}
	m, _ := r.Member("a")
	mine := string(r.Input(m, owner))
	for name, theirs := range map[string]string{
		"another rollout":  `{"function-name": "other", "alias-name": "live", "new-version": "2", "type": "linear", "steps": 2, "interval": 60}`,
		"another function": strings.Replace(mine, `"function-name":"a"`, `"function-name":"b"`, 1),
		"another alias":    strings.Replace(mine, `"live"`, `"dead"`, 1),
		"another version":  strings.Replace(mine, `"new-version":"2"`, `"new-version":"3"`, 1),
		"another release":  strings.ReplaceAll(mine, `releases:one`, `releases:two`),
		"another member":   strings.Replace(mine, `"member":"a"`, `"member":"b"`, 1),
		"no rollout":       `[]`,
		"the member":       mine,
	} {
		for _, status := range []task.Status{task.Running, task.Succeeded} {
			w, s := newWorld(t), begun(t)
			e := w.add(release.MemberARN(machine, "one", "a"), status, theirs)
			if e.last.State = "Promoted"; status == task.Running {
				e.last.State = "Wait"
			}
			after, err := w.check().Handle(context.Background(), call(s))
			if err != nil {
				t.Fatal(err)
			}
			line := after.Members["a"]
			if name == "the member" {
				if line.Standing != release.UnderWay {
					t.Errorf("%s, %s: %+v", name, status, line)
				}
				continue
			}
			if line.Standing != release.Refused || line.Error != "NotInRelease" || !strings.Contains(line.Reason, "was started by another user") {
				t.Errorf("%s, %s: %+v", name, status, line)
			}
			if after, err = w.check().Handle(context.Background(), call(after)); err != nil || w.parameters[release.NamesOf(owner).Decision] == "" || !strings.Contains(after.Health.Reason, "was started by another user") {
				t.Errorf("%s, %s: %+v, %v", name, status, after.Health, err)
			}
			// A release that is decided looks for members of which its state does not know.
			w.decided(rollout.Promote)
			if after, err = w.check().Handle(context.Background(), call(s)); err != nil || after.Members["a"].Standing != release.Waiting {
				t.Errorf("%s, %s, decided: %+v, %v", name, status, after.Members["a"], err)
			}
		}
	}
}
