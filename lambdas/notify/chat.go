package notify

import (
	"strings"
	"unicode"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// chatMarkup replaces what Slack and Microsoft Teams interpret as mentions, links,
// commands and formats with characters that look alike.
// See docs.slack.dev/messaging/formatting-message-text and
// learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/cards-format.
var chatMarkup = strings.NewReplacer("->", "→", "<", "‹", ">", "›", "&", "＆", "`", "ˋ", "*", "∗", "~", "∼", "@", "＠", "://", ":∕∕", "](", "] (", "\\", "∖", "|", "¦", "#", "＃")

// forChat returns a text Plain and without chat mark-up. An underscore within a word
// belongs to a name and stays; elsewhere it could make the following text italic.
func forChat(text string) string {
	runes := []rune(chatMarkup.Replace(rollout.Plain(text)))
	wordAt := func(i int) bool {
		return i >= 0 && i < len(runes) && (unicode.IsLetter(runes[i]) || unicode.IsNumber(runes[i]))
	}
	for i := 0; i < len(runes); i++ {
		from := i
		for i < len(runes) && runes[i] == '_' {
			i++
		}
		if wordAt(from-1) && wordAt(i) {
			continue
		}
		for at := from; at < i; at++ {
			runes[at] = 'ˍ'
		}
	}
	return string(runes)
}
