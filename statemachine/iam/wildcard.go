package iam

import "strings"

// matchText reports whether a text matches a pattern, in which * matches any number of characters and ? exactly one.
func matchText(pattern, text string) bool {
	for i := 0; i < len(pattern); i++ {
		switch {
		case pattern[i] == '*':
			for at := 0; at <= len(text); at++ {
				if matchText(pattern[i+1:], text[at:]) {
					return true
				}
			}
			return false
		case text == "" || pattern[i] != '?' && pattern[i] != text[0]:
			return false
		}
		text = text[1:]
	}
	return text == ""
}

// matchResource reports whether an ARN matches an entry of a Resource element. According to the User Guide, wildcards
// match characters within a segment, including slashes; a * that is a segment's last character "can expand to match
// beyond the colon boundaries". Where the result depends on whether other wildcards match colons too, [Policies.Evaluate]
// returns an error, because matching less would be unsafe for a Deny.
func matchResource(pattern, arn string) bool {
	for i := 0; i < len(pattern); i++ {
		switch {
		case pattern[i] == '*' && i == len(pattern)-1:
			return true
		case pattern[i] == '*':
			beyond := pattern[i+1] == ':'
			for at := 0; at <= len(arn); at++ {
				if matchResource(pattern[i+1:], arn[at:]) {
					return true
				}
				if at < len(arn) && arn[at] == ':' && !beyond {
					break
				}
			}
			return false
		case arn == "" || pattern[i] != arn[0] && (pattern[i] != '?' || arn[0] == ':'):
			return false
		}
		arn = arn[1:]
	}
	return arn == ""
}

// matchARN reports whether an ARN matches a pattern under ArnEquals and ArnLike, which are the same: each of the six
// parts is compared separately. The last part may contain colons.
func matchARN(pattern, arn string) bool {
	want, have := strings.SplitN(pattern, ":", 6), strings.SplitN(arn, ":", 6)
	if len(have) != 6 {
		return false
	}
	for i := range want {
		if !matchText(want[i], have[i]) {
			return false
		}
	}
	return true
}
