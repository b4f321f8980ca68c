package iam

import "strings"

// matchText matches a text with a pattern in which * stands for any characters, or none, and ? for one of any kind.
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

// matchResource matches an ARN with what a Resource element has. The User Guide: wildcards stand for characters within
// a segment, slashes among them; a * that is a segment's last character "can expand to match beyond the colon boundaries".
// Where it makes a difference to take all wildcards beyond them, [Policies.Evaluate] fails: of a Deny, to match less
// would be the unsafe side.
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

// matchARN is the operators ArnEquals and ArnLike, which are the same: each of the six parts of an ARN is compared for
// itself. The last one may have colons.
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
