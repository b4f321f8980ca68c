package localaws

import (
	"encoding/json"
	"io"
	"strings"
	"unicode"
)

// parseLogPattern reads a filter pattern of CloudWatch Logs and returns which messages it matches. Supported are:
//   - terms, which are letters, digits and underscores, and phrases in double quotes: a message has all of them. A term also
//     matches as a part of a longer word, and case matters;
//   - the same with a question mark before each: a message has at least one of them;
//   - the same with a minus sign: a message has none of them. Such terms can be combined with plain ones;
//   - JSON patterns in braces: see logcondition.go.
//
// An empty pattern matches everything. Regular expressions, patterns for fields separated by spaces, and question marks
// beside other terms are refused.
func parseLogPattern(pattern string) (func(message string) bool, *apiError) {
	if len(pattern) > 1024 {
		return nil, logsInvalid("1 validation error detected: Value at 'filterPattern' failed to satisfy constraint: Member must have length less than or equal to 1024")
	}
	trimmed := strings.TrimSpace(pattern)
	switch {
	case strings.HasPrefix(trimmed, "{"):
		condition, err := parseLogCondition(trimmed)
		if err != nil {
			return nil, err
		}
		return func(message string) bool {
			var value any
			decoder := json.NewDecoder(strings.NewReader(message))
			decoder.UseNumber()
			if decoder.Decode(&value) != nil {
				return false
			}
			_, err := decoder.Token()
			return err == io.EOF && condition(value)
		}, nil
	case strings.HasPrefix(trimmed, "["):
		return nil, badPattern(pattern, "the local AWS does not support patterns for fields separated by spaces")
	}
	terms, err := parseLogTerms(pattern, trimmed)
	if err != nil {
		return nil, err
	}
	return terms.match, nil
}

// badPattern returns the error for a filter pattern that is invalid or not supported.
func badPattern(pattern, why string) *apiError {
	return logsInvalid("Invalid filter pattern %q: %s", pattern, why)
}

// logTerms is a pattern of terms and phrases.
type logTerms struct{ all, any, none []string }

func (t logTerms) match(message string) bool {
	for _, term := range t.all {
		if !strings.Contains(message, term) {
			return false
		}
	}
	for _, term := range t.none {
		if strings.Contains(message, term) {
			return false
		}
	}
	for _, term := range t.any {
		if strings.Contains(message, term) {
			return true
		}
	}
	return len(t.any) == 0
}

// parseLogTerms reads a pattern of terms and phrases.
func parseLogTerms(pattern, rest string) (logTerms, *apiError) {
	var t logTerms
	for rest != "" {
		list := &t.all
		switch rest[0] {
		case '?':
			list, rest = &t.any, rest[1:]
		case '-':
			list, rest = &t.none, rest[1:]
		}
		var term string
		if strings.HasPrefix(rest, `"`) {
			var ok bool
			if term, rest, ok = cutQuoted(rest); !ok {
				return t, badPattern(pattern, "a double quote is missing")
			}
			if rest != "" && !unicode.IsSpace(rune(rest[0])) {
				return t, badPattern(pattern, "a space is missing after a phrase")
			}
		} else {
			end := strings.IndexFunc(rest, unicode.IsSpace)
			if end < 0 {
				end = len(rest)
			}
			term, rest = rest[:end], rest[end:]
			switch {
			case strings.HasPrefix(term, "%"):
				return t, badPattern(pattern, "the local AWS does not support regular expressions")
			case term == "" || strings.ContainsFunc(term, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) }):
				return t, badPattern(pattern, "terms with characters other than letters, digits and underscores need double quotes")
			}
		}
		*list = append(*list, term)
		rest = strings.TrimSpace(rest)
	}
	if len(t.any) > 0 && len(t.all)+len(t.none) > 0 {
		return t, badPattern(pattern, "the local AWS does not support terms with a question mark beside others; AWS ignores them")
	}
	return t, nil
}

// cutQuoted cuts a text in double quotes, in which a backslash protects the next character, from the front of s.
func cutQuoted(s string) (text, rest string, ok bool) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return b.String(), s[i+1:], true
		case s[i] == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		default:
			b.WriteByte(s[i])
		}
	}
	return "", "", false
}
