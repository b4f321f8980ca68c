// Package lazyregexp has regular expressions that are compiled when they are first
// used. A function's process uses few of those that its packages declare, and
// compiling all of them was half of its start.
package lazyregexp

import (
	"regexp"
	"sync"
)

// Regexp is a regular expression of package regexp, whose methods of the same names
// its methods are. Several goroutines may use it.
type Regexp struct {
	pattern  string
	once     sync.Once
	compiled *regexp.Regexp
}

// New returns a Regexp. Its first use panics if the pattern is not valid.
func New(pattern string) *Regexp { return &Regexp{pattern: pattern} }

func (r *Regexp) get() *regexp.Regexp {
	r.once.Do(func() { r.compiled = regexp.MustCompile(r.pattern) })
	return r.compiled
}

// MatchString reports whether the text has a match.
func (r *Regexp) MatchString(text string) bool { return r.get().MatchString(text) }

// FindStringSubmatch returns the first match and its groups, or nil.
func (r *Regexp) FindStringSubmatch(text string) []string { return r.get().FindStringSubmatch(text) }

// FindAllString returns at most n matches, or all if n is negative.
func (r *Regexp) FindAllString(text string, n int) []string { return r.get().FindAllString(text, n) }

// ReplaceAllString returns the text with its matches replaced; $1 is the first group.
func (r *Regexp) ReplaceAllString(text, by string) string {
	return r.get().ReplaceAllString(text, by)
}

// ReplaceAllStringFunc returns the text with each match replaced by what by returns.
func (r *Regexp) ReplaceAllStringFunc(text string, by func(string) string) string {
	return r.get().ReplaceAllStringFunc(text, by)
}
