package rollout

import (
	"fmt"
	"strings"
	"unicode/utf16"

	"github.com/lambda-rollout/lambda-rollout/lambdas/lazyregexp"
)

// AWS is a command line of the AWS CLI, for people to copy.
//
// The input is passed in --cli-input-json. As the value of another option, a text
// that begins with http://, file:// or -- would make the CLI fetch a page, send a
// local file, or fail: see
// docs.aws.amazon.com/cli/latest/userguide/cli-usage-parameters-file.html.
// Between its single quotes there is only ASCII, and nothing that has a meaning in
// bash, zsh, fish, PowerShell (7.3 or later) or a chat's mark-up.
type AWS struct {
	// Command is a service and an operation: "lambda update-alias".
	Command string
	// Region is omitted if it is empty.
	Region string
	// Input is the operation's input; its JSON has the API's names.
	Input any
	// Rest follows the options. It is not escaped: it must be no free text.
	Rest string
}

// String returns the command line.
func (a AWS) String() string {
	line := "aws " + a.Command
	if a.Region != "" {
		line += " --region " + a.Region
	}
	line += " --cli-input-json '" + inert(Encode(a.Input)) + "'"
	if a.Rest != "" {
		line += " " + a.Rest
	}
	return line
}

// inert rewrites JSON so that its strings contain only letters, digits and harmless
// punctuation, with escapes for everything else.
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

// commandForm matches what AWS.String returns.
var commandForm = lazyregexp.New(`^aws [a-z-]+ [a-z-]+( --region [a-z0-9-]+)? --cli-input-json '[^\x00-\x1f\x7f-\x{10ffff}'` + "`" + `<>&]*'[ a-z/]*$`)

// IsCommand reports whether a text is a command line in the form that AWS.String
// returns. One that an earlier release put into an execution's data is not.
func IsCommand(text string) bool { return commandForm.MatchString(text) }
