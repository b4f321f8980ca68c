package notify

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/lambda-rollout/lambda-rollout/lambdas/release"
)

// TestHostileNamesOfReleases: a name or a reason can't forge lines, links or mark-up in a
// notification.
func TestHostileNamesOfReleases(t *testing.T) {
	const hostile = "shop\r\n\r\nForged: yes\x1b[31m\u202e <!channel> <https://evil.example|click> `rm`"
	n := release.Notification{
		Event: release.EventRolledBack, Time: time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC), Rollouts: 3, Release: hostile + strings.Repeat("x", 500),
		Execution: "arn:aws:states:eu-central-1:123456789012:execution:releases:one", Reason: hostile, Error: hostile, Unverified: []string{hostile},
	}
	subject := SubjectOfRelease(n)
	if len(subject) > maxSubject || strings.ContainsFunc(subject, unicode.IsControl) {
		t.Errorf("the subject is %q", subject)
	}
	for line := range strings.Lines(TextOfRelease(n)) {
		if strings.HasPrefix(line, "Forged: yes") && !strings.Contains(TextOfRelease(n), "\n\n"+line) {
			t.Errorf("a forged fact: %q", line)
		}
		if strings.ContainsFunc(strings.TrimRight(line, "\n"), unicode.IsControl) || strings.ContainsRune(line, '\u202e') {
			t.Errorf("control characters in %q", line)
		}
	}
	notice := noticeOfRelease(n)
	for name, value := range notice.attributes {
		if value == "" || strings.ContainsFunc(value, unicode.IsControl) {
			t.Errorf("the attribute %s is %q", name, value)
		}
	}
	if chat := string(notice.chat()); strings.Contains(chat, "<!channel>") || strings.Contains(chat, "<https://evil.example|click>") || !json.Valid([]byte(chat)) {
		t.Errorf("the chat's message is %s", chat)
	}
	var detail map[string]any
	if err := json.Unmarshal([]byte(notice.event.Detail), &detail); err != nil || detail["outcome"] != "failed" || strings.Contains(detail["error"].(string), "\n") {
		t.Errorf("the event is %s: %v", notice.event.Detail, err)
	}
}

// TestEachEventOfAReleaseHasItsSubject.
func TestEachEventOfAReleaseHasItsSubject(t *testing.T) {
	for _, event := range []release.Event{
		release.EventStarted, release.EventWave, release.EventApprovalWanted, release.EventPaused, release.EventResumed,
		release.EventRollingBack, release.EventPromoted, release.EventUnchanged, release.EventRolledBack, release.EventSplit, release.EventPartly,
	} {
		if releaseSubjects[event] == "" || event.Outcome() == "" {
			t.Errorf("%s has no subject", event)
		}
	}
	if releaseSubjects["release-dance"] != "" {
		t.Error("an unknown event has one")
	}
}
