package rollout

import (
	"strings"
	"unicode"
)

// Plain is a text in which others may have had a say, without what it could do
// to a reader's eyes: control characters, which steer terminals and begin lines
// that look like someone else's, become spaces, and what turns the direction of
// writing is left out. Line breaks stay in front of "- ", which begins an item
// of a list.
func Plain(text string) string {
	text = strings.ToValidUTF8(text, string(unicode.ReplacementChar))
	var plain strings.Builder
	for i, r := range text {
		switch {
		case r == '\n' && strings.HasPrefix(text[i+1:], "- "):
			plain.WriteRune(r)
		case unicode.IsControl(r), r == '\u2028', r == '\u2029':
			plain.WriteByte(' ')
		case unicode.Is(unicode.Bidi_Control, r):
		default:
			plain.WriteRune(r)
		}
	}
	return plain.String()
}

// oneLine is Plain without any line breaks.
func oneLine(text string) string { return strings.ReplaceAll(Plain(text), "\n", " ") }

// chatMarkup are what Slack and Microsoft Teams make mentions, links, commands
// and formats of, each with what looks like it.
// See docs.slack.dev/messaging/formatting-message-text and
// learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/cards-format.
var chatMarkup = strings.NewReplacer("->", "→", "<", "‹", ">", "›", "&", "＆", "`", "ˋ", "*", "∗", "~", "∼", "@", "＠", "://", ":∕∕", "](", "] (", "\\", "∖", "|", "¦", "#", "＃")

// forChat is Plain, without anything that is mark-up in a chat. An underscore
// within a word is a letter of a name; elsewhere it may slant what follows.
func forChat(text string) string {
	runes := []rune(chatMarkup.Replace(Plain(text)))
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
