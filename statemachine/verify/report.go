package verify

import (
	"fmt"
	"regexp"
	"strings"
)

// Report lists where AWS and the interpreter differ.
type Report struct {
	Cases, Agree int
	Differences  []Difference // in the order of the cases; a case may have several
}

// Difference is a field of an answer in which AWS and the interpreter differ.
type Difference struct {
	Case      Case
	Field     string // status, next state, output, error, cause or refusal
	AWS, Ours string
}

// String returns the report as a text that can be sent as an issue. It contains no
// account id, no ARN and no request id but those of the cases themselves.
func (r Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d of %d cases agree.\n", r.Agree, r.Cases)
	if len(r.Differences) == 0 {
		return b.String()
	}
	fmt.Fprintf(&b, "\nThe interpreter differs from AWS Step Functions (TestState) in %d case(s):\n", r.Cases-r.Agree)
	for i, d := range r.Differences {
		if i == 0 || d.Case.State != r.Differences[i-1].Case.State || d.Case.What != r.Differences[i-1].Case.What {
			fmt.Fprintf(&b, "\nState %q, %s\n  input: %s\n", d.Case.State, d.Case.What, private(d.Case.Input))
		}
		fmt.Fprintf(&b, "  %s on AWS: %s\n  %s here:   %s\n", d.Field, private(d.AWS), d.Field, private(d.Ours))
	}
	return b.String()
}

var (
	arn       = regexp.MustCompile(`arn:[a-z-]+:[^\s"'\\]+`)
	accountID = regexp.MustCompile(`\b[0-9]{12}\b`)
	requestID = regexp.MustCompile(`\b[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b`)
)

// private masks what may identify an account: ARNs, account ids and request ids that
// are not the cases' own. It cuts long texts.
func private(text string) string {
	text = arn.ReplaceAllStringFunc(text, func(found string) string {
		if strings.Contains(found, ":"+account+":") || strings.Contains(found, ":states:::") {
			return found
		}
		return "<arn>"
	})
	text = accountID.ReplaceAllStringFunc(text, func(found string) string {
		if found == account {
			return found
		}
		return "<account>"
	})
	text = requestID.ReplaceAllString(text, "<id>")
	const most = 2000
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}
