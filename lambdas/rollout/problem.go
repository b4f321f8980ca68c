package rollout

import (
	"fmt"
	"strings"
)

// Problem is one thing that is wrong with a request.
type Problem struct {
	// Path is the field's name, with an index where one element is meant:
	// "steps", "weights[2]". "$" is the request as a whole.
	Path string
	// Given is the offending value as JSON, shortened; empty if none was given, or it
	// may be secret.
	Given string
	// Want describes valid values. It continues a sentence that begins with Path: "must
	// be a whole number from 1 to 1000".
	Want string
}

// Error returns the problem as one line: "steps must be a whole number from 1 to 1000;
// given: 0".
func (p Problem) Error() string {
	if p.Given == "" {
		return p.Path + " " + p.Want
	}
	return fmt.Sprintf("%s %s; given: %s", p.Path, p.Want, p.Given)
}

// RequestError is returned for a request that can't be carried out. Nothing has been
// changed then.
type RequestError struct {
	Problems []Problem // at least one
}

// ProbesNeedTenant returns the error of a request with probes for a version with tenant
// isolation: each of its invocations must name a tenant, and probes name none.
func ProbesNeedTenant(req Request) *RequestError {
	return &RequestError{Problems: []Problem{{Path: "health.probes", Want: wantNoTenant(req.NewVersion, req.FunctionName)}}}
}

// Error returns the first twenty problems, each on a line that begins with "- ".
func (e *RequestError) Error() string { return refusedRequest(e.Problems) }

// Given returns a value for Problem.Given: at most 80 characters of a value that a user gave, on one line.
func Given(given []byte) string {
	runes := []rune(strings.TrimSpace(OneLine(string(given))))
	if len(runes) > 80 {
		return string(runes[:80]) + "…"
	}
	return string(runes)
}

// nearest returns the known name that was probably meant by given, or "" if none is
// near: the edit distance, ignoring case, "-" and "_", may be a third of the given
// name's length.
func nearest(given string, known []string) string {
	joined := strings.NewReplacer("-", "", "_", "", " ", "")
	plain := func(name string) string { return strings.ToLower(joined.Replace(name)) }
	if len(given) > 80 {
		return ""
	}
	wanted := plain(given)
	best, bestDistance := "", len(wanted)/3+1
	for _, name := range known {
		other := plain(name)
		if max(len(wanted)-len(other), len(other)-len(wanted)) >= bestDistance {
			continue // their distance is at least that
		}
		if d := editDistance(wanted, other); d < bestDistance {
			best, bestDistance = name, d
		}
	}
	return best
}

// DidYouMean returns a hint at the known name that was probably meant by given, such as
// ` (did you mean "interval"?)`; "" if none is near: the edit distance, ignoring case,
// "-" and "_", may be a third of the given name's length.
func DidYouMean(given string, known []string) string {
	if name := nearest(given, known); name != "" {
		return fmt.Sprintf(" (did you mean %q?)", name)
	}
	return ""
}

// editDistance returns the fewest insertions, deletions and replacements of one byte,
// and exchanges of two that are neighbours, that turn a into b (optimal string
// alignment).
func editDistance(a, b string) int {
	before, row := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		next := make([]int, len(b)+1)
		next[0] = i
		for j := 1; j <= len(b); j++ {
			replace := row[j-1]
			if a[i-1] != b[j-1] {
				replace++
			}
			next[j] = min(replace, row[j]+1, next[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}
