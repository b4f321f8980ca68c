package rollout

import (
	"cmp"
	"strings"
)

// String returns the reading in words: "latency: no slowdown seen". It marks what an
// evidence gate has proven and where it is in doubt: "errors (proven): …".
func (r Reading) String() string { return r.Gate + r.mark() + r.Reason }

// mark returns what stands between the gate and the reason.
func (r Reading) mark() string {
	switch r.Verdict {
	case VerdictProven:
		return " (proven): "
	case VerdictHold:
		return " (in doubt): "
	}
	return ": "
}

// objection returns in words why the reading rolls back. What the errors gate
// reads is a sentence about the versions, and needs no name.
func (r Reading) objection() string {
	switch {
	case r.Gate == ErrorsGateName:
		return r.Reason
	case r.Status == Inconclusive:
		return r.Gate + inconclusiveSays + r.Reason
	}
	return r.Gate + failedSays + r.Reason
}

// What an objection says of a gate, before the reason.
const (
	failedSays       = " failed: "
	inconclusiveSays = " was inconclusive: "
)

func readingsText(readings []Reading) string { return afterwards(readings)[len(separator):] }

// afterwards returns the text of readings as it stands after a reason.
func afterwards(readings []Reading) string {
	if len(readings) == 0 {
		return separator + "no gates were checked"
	}
	length := 0
	for _, r := range readings {
		length += len(separator) + len(r.Gate) + len(r.mark()) + len(r.Reason)
	}
	var text strings.Builder
	text.Grow(length)
	for _, r := range readings {
		for _, part := range [...]string{separator, r.Gate, r.mark(), r.Reason} {
			text.WriteString(part)
		}
	}
	return text.String()
}

func objections(readings []Reading) string { return joined(readings, Reading.objection) }

func joined(readings []Reading, say func(Reading) string) string {
	texts := make([]string, len(readings))
	for i, r := range readings {
		texts[i] = say(r)
	}
	return strings.Join(texts, separator)
}

// separator stands between the readings in a reason, and before them.
const separator = "; "

// earlier returns the reading in the words of histories recorded by earlier releases:
// "latency inconclusive: no slowdown seen".
func (r Reading) earlier() string { return r.Gate + " " + r.word() + ": " + r.Reason }

func (r Reading) word() string { return cmp.Or(string(r.Verdict), string(r.Status)) }

// Lines returns a text of Health or of an Outcome with the readings, each on a
// line of its own.
func Lines(text string, readings []Reading) string {
	for _, r := range readings {
		if !strings.Contains(text, r.Reason) {
			continue // with which all that follows ends
		}
		text = onLine(text, r.String())
		if r.Gate == ErrorsGateName || strings.Contains(text, failedSays) || strings.Contains(text, inconclusiveSays) {
			text = onLine(text, r.objection())
		}
		if strings.Contains(text, r.word()) {
			text = onLine(text, r.earlier())
		}
	}
	return text
}

// onLine returns a text with what is said after a separator on a line of its own.
func onLine(text, said string) string {
	if !strings.Contains(text, said) {
		return text
	}
	return strings.ReplaceAll(text, separator+said, "\n"+said)
}

// WithoutReadings returns a text of Health or of an Outcome without its list of
// readings, and with what stands before and after the list. It returns the text as
// it is if the list is not in it, or was cut short.
func WithoutReadings(text string, readings []Reading) string {
	if len(readings) == 0 {
		return text
	}
	for _, say := range []func(Reading) string{Reading.String, Reading.earlier} {
		before, after, found := strings.Cut(text, separator+joined(readings, say))
		switch {
		case found && after == "":
			return before
		case found:
			return sentence(before) + strings.TrimPrefix(after, ".")
		}
	}
	return text
}
