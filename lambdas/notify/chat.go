package notify

import (
	"strings"
	"unicode"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// chatMarkup are what Slack and Microsoft Teams make mentions, links, commands
// and formats of, each with what looks like it.
// See docs.slack.dev/messaging/formatting-message-text and
// learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/cards-format.
var chatMarkup = strings.NewReplacer("->", "→", "<", "‹", ">", "›", "&", "＆", "`", "ˋ", "*", "∗", "~", "∼", "@", "＠", "://", ":∕∕", "](", "] (", "\\", "∖", "|", "¦", "#", "＃")

// forChat is Plain, without anything that is mark-up in a chat. An underscore
// within a word is a letter of a name; elsewhere it may slant what follows.
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
