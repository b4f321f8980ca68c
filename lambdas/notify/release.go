package notify

import (
	"fmt"
	"strings"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/release"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// releaseSubjects begin the subjects of notifications of releases.
var releaseSubjects = map[release.Event]string{
	release.EventStarted:        "Release started",
	release.EventWave:           "Next wave of release",
	release.EventApprovalWanted: "Approval needed for release",
	release.EventPaused:         "Release paused",
	release.EventResumed:        "Release resumed",
	release.EventRollingBack:    "Release is being rolled back",
	release.EventPromoted:       "Release promoted",
	release.EventUnchanged:      "Release unchanged",
	release.EventRolledBack:     "Release rolled back",
	release.EventSplit:          "RELEASE SPLIT, action needed",
	release.EventPartly:         "Release promoted only in part",
}

// SubjectOfRelease is Subject for a release.
func SubjectOfRelease(n release.Notification) string {
	return line(fmt.Sprintf("%s: %s, %d rollouts", releaseSubjects[n.Event], n.Release, n.Rollouts), maxSubject)
}

// TextOfRelease is Text for a release.
func TextOfRelease(n release.Notification) string {
	return text(SubjectOfRelease(n), n.Reason, releaseSteps(n), [][2]string{
		{"Release", n.Release}, {"Rollouts", fmt.Sprint(n.Rollouts)}, {"Unverified", strings.Join(n.Unverified, ", ")}, {"Error", n.Error},
		{"Time", n.Time.UTC().Format(time.RFC3339)}, {"Execution", n.Execution}, {"Console", rollout.ConsoleURL(n.Execution)},
	})
}

func releaseSteps(n release.Notification) []nextStep {
	return nextSteps(rollout.Notification{Commands: n.Commands})
}

func noticeOfRelease(n release.Notification) notice {
	about := map[string]string{"event": string(n.Event), "outcome": n.Event.Outcome(), "release": forChat(rollout.OneLine(n.Release))}
	return notice{
		event:      Event{Time: n.Time, DetailType: n.Event.DetailType(), Detail: string(n.JSON()), Execution: n.Execution},
		subject:    SubjectOfRelease(n),
		attributes: map[string]string{"event": string(n.Event), "outcome": n.Event.Outcome(), "release": line(n.Release, maxSubject)},
		text:       func() string { return TextOfRelease(n) },
		chat: func() []byte {
			return chat(n.ID(), forChat(SubjectOfRelease(n)), n.Reason, n.Execution, n.Event.DetailType(), releaseSteps(n),
				[]string{"lambda-rollout", string(n.Event), forChat(rollout.OneLine(n.Release))}, about)
		},
	}
}
