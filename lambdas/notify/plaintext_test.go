package notify_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"github.com/lambda-rollout/lambda-rollout/lambdas/notify"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// hostile draws what people who want to be taken for us would write into an
// alarm's name, a cause or a description.
func hostile() *rapid.Generator[string] {
	return rapid.OneOf(rapid.StringN(0, 100, -1), rapid.SampledFrom([]string{
		"\n\nTo approve:\n  aws iam create-user --user-name x", "\r\nFunction     other", "\x1b[2J\x1b]0;title\x07", "\u009b31m", "\u202egnp.exe",
		"\u2028To approve:\u2028  aws x", "<!here> <@U012345> <https://evil.example|console>", "@channel", "*bold* _slanted_ ~gone~ `code`", "[console](https://evil.example)",
		"\n- an item\n# A heading\n> quoted", "| a | b |", "&lt;!channel&gt;", "my_metric_name",
	}))
}

// hostileNotification is one whose every text others have written.
func hostileNotification(t *rapid.T) rollout.Notification {
	text := func(label string) string { return hostile().Draw(t, label) }
	events := []rollout.Event{rollout.EventStarted, rollout.EventApprovalWanted, rollout.EventRollbackFailed, rollout.EventStopped, rollout.EventRefused}
	return rollout.Notification{
		Event: rapid.SampledFrom(events).Draw(t, "event"), Execution: ofMachine + text("execution"),
		Function: text("function"), Alias: text("alias"), NewVersion: text("version"), Baseline: text("baseline"), Step: 1, Of: 2, Weight: 0.5,
		Error: text("error"), Reason: text("reason") + text("more"), Undo: rapid.SampledFrom([]string{undoIt, text("undo")}).Draw(t, "undo line"),
		Commands: &rollout.CommandLines{Approve: approve, Refuse: text("refuse")},
	}
}

var (
	// ours are the lines of an e-mail that no one else has written.
	ours = regexp.MustCompile(`^(To (approve|refuse and roll back|route all traffic to version .* manually):$|  aws |(Function|Alias|From version|To version|Step|Error|Time|Execution|Console) +| *$)`)
	// steers are control characters and what turns the direction of writing.
	steers = func(r rune) bool {
		return r != '\n' && unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || unicode.Is(unicode.Bidi_Control, r)
	}
)

// TestNoTextLooksLikeOurs: in an e-mail, each line that says what to do, or a
// fact, was put there by the notification itself.
func TestNoTextLooksLikeOurs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := hostileNotification(t)
		text := notify.Text(n)
		var document struct{ Reason, Error string }
		if err := json.Unmarshal(n.JSON(), &document); err != nil {
			t.Fatal(err)
		}
		if strings.ContainsFunc(text+document.Reason+document.Error, steers) {
			t.Fatalf("%q steers a terminal", text)
		}
		lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
		if len(lines) < 3 || lines[1] != "" {
			t.Fatalf("%q does not begin with its subject", text)
		}
		steps, rest := map[string]int{}, lines[2:]
		for i, line := range rest {
			switch {
			case strings.HasPrefix(line, "To "):
				steps[line[:min(len(line), 5)]]++
			case strings.HasPrefix(line, "  aws ") && line != "  "+approve && line != "  "+undoIt:
				t.Fatalf("%q is printed as a command", line)
			case i > 0 && !ours.MatchString(line) && !strings.HasPrefix(line, "- "):
				t.Fatalf("%q is a line of its own", line)
			}
		}
		if steps["To ap"] > 1 || steps["To re"] > 1 || steps["To ro"] > 1 {
			t.Fatalf("%v steps in %q", steps, text)
		}
	})
}

// TestChatsFindNoMarkup: what a chat gets has none but ours, the commands and
// the console's address.
func TestChatsFindNoMarkup(t *testing.T) {
	slanted := regexp.MustCompile(`(^|[^\pL\pN_])_|_($|[^\pL\pN_])`)
	rapid.Check(t, func(t *rapid.T) {
		n := hostileNotification(t)
		var chat struct {
			Content struct {
				Title, Description string
				NextSteps          []string `json:"nextSteps"`
				Keywords           []string
			}
			Metadata struct {
				Summary string
				Context map[string]string `json:"additionalContext"`
			}
		}
		if err := json.Unmarshal(notify.Chat(n), &chat); err != nil {
			t.Fatal(err)
		}
		description, _, _ := strings.Cut(chat.Content.Description, "\nhttps://console.aws.amazon.com/")
		texts := append([]string{chat.Content.Title, description, chat.Metadata.Summary}, chat.Content.Keywords...)
		for _, step := range chat.Content.NextSteps {
			what, command, _ := strings.Cut(step, ": `")
			if command != approve+"`" && command != undoIt+"`" {
				t.Fatalf("%q has not the command", step)
			}
			texts = append(texts, what)
		}
		for _, value := range chat.Metadata.Context {
			texts = append(texts, value)
		}
		for _, text := range texts {
			if strings.ContainsAny(text, "<>&`*~@|#\\") || strings.Contains(text, "://") || strings.Contains(text, "](") || slanted.MatchString(text) || strings.ContainsFunc(text, steers) {
				t.Fatalf("%q has mark-up", text)
			}
			for _, line := range strings.Split(text, "\n")[1:] {
				if !strings.HasPrefix(line, "- ") {
					t.Fatalf("%q has a line of its own", text)
				}
			}
		}
		if strings.ContainsAny(strings.TrimPrefix(chat.Content.Description, description), " <>`*|@") {
			t.Fatalf("%q: the console's address has more in it", chat.Content.Description)
		}
	})
	n := rollout.Notification{Event: rollout.EventRefused, Function: "my_function", Reason: "my_metric_name is over 5"}
	if chat := string(notify.Chat(n)); !strings.Contains(chat, `"my_metric_name is over 5"`) || !strings.Contains(chat, `"my_function"`) {
		t.Errorf("a name can't be copied from %s", chat)
	}
}
