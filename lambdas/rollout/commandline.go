package rollout

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf16"
)

// AWS is a command line of the AWS CLI, to be printed: "lambda update-alias" as
// the command, and the operation's input as the API has it.
//
// The input goes into --cli-input-json. As a value of its own, a text that
// begins with http://, file:// or -- would have the CLI fetch a page, send a
// local file, or fail: see
// docs.aws.amazon.com/cli/latest/userguide/cli-usage-parameters-file.html.
// Between its single quotes stands ASCII alone, and of that nothing which
// bash, zsh, fish, PowerShell (from 7.3 on) or a chat's mark-up gives a meaning to.
type AWS struct {
	Command string
	// Region is left out if it is empty.
	Region string
	Input  any
	// Rest follows the options; it is no free text.
	Rest string
}

func (a AWS) String() string {
	line := "aws " + a.Command
	if a.Region != "" {
		line += " --region " + a.Region
	}
	line += " --cli-input-json '" + inert(encode(a.Input)) + "'"
	if a.Rest != "" {
		line += " " + a.Rest
	}
	return line
}

// inert rewrites JSON so that its texts have nothing but letters, digits and
// harmless punctuation, with escapes for all else.
func inert(document []byte) string {
	var text strings.Builder
	escape := func(unit rune) { fmt.Fprintf(&text, `\u%04x`, unit) }
	short := map[rune]rune{'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}
	escaped := false
	for _, r := range string(document) {
		switch {
		case escaped:
			escaped = false
			if r == 'u' {
				text.WriteString(`\u`)
			} else if control, ok := short[r]; ok {
				escape(control)
			} else {
				escape(r)
			}
		case r == '\\':
			escaped = true
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			escape(high)
			escape(low)
		case r > '~' || strings.ContainsRune("'`<>&$!%^*~|;#?", r):
			escape(r)
		default:
			text.WriteRune(r)
		}
	}
	return text.String()
}

// commandForm is what AWS.String prints.
var commandForm = regexp.MustCompile(`^aws [a-z-]+ [a-z-]+( --region [a-z0-9-]+)? --cli-input-json '[^\x00-\x1f\x7f-\x{10ffff}'` + "`" + `<>&]*'[ a-z/]*$`)

// IsCommand reports whether a text is a command line as AWS.String prints them.
// One that an earlier release put into the execution's data is not.
func IsCommand(text string) bool { return commandForm.MatchString(text) }

var regionForm = regexp.MustCompile(`^[a-z0-9-]+$`)

// Region is the one in an ARN; empty if there is none.
func Region(arn string) string {
	if parts := strings.Split(arn, ":"); len(parts) > 3 && regionForm.MatchString(parts[3]) {
		return parts[3]
	}
	return ""
}
