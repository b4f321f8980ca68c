package project

import (
	"regexp"
	"strings"
	"testing"
)

// wrongWords are words that a good technical writer does not use for what is meant here,
// with what is meant.
var wrongWords = map[string]string{
	`told`:                "notified, or said",
	`wholly`:              "completely",
	`mend(s|ed|ing)?`:     "fix",
	`anew|afresh`:         "again",
	`somebody`:            "someone",
	`nobody`:              "no one",
	`till`:                "until",
	`whilst|amidst|midst`: "while, during",
	`[0-9] %`:             "no space before the percent sign",
	`call(s)? of AWS`:     "AWS call",
	`tried again`:         "retried",
}

// foundWords returns the wrong words in a page, outside of its code.
func foundWords(page string) (found []string) {
	text := prose(page)
	for word, instead := range wrongWords {
		expression := `(?i)(?:^|[^A-Za-z])(` + word + `)(?:[^A-Za-z]|$)`
		for _, match := range regexp.MustCompile(expression).FindAllStringSubmatch(text, -1) {
			found = append(found, match[1]+" (instead: "+instead+")")
		}
	}
	return found
}

func TestTheDocumentationIsInPlainEnglish(t *testing.T) {
	for name, page := range markdown(t) {
		if found := foundWords(page); len(found) > 0 {
			t.Errorf("%s has %s", name, strings.Join(found, ", "))
		}
	}
	for _, bad := range []string{"It is Wholly so.", "Nobody is told", "97 % of all", "It mends\nitself.", "a call of AWS"} {
		if len(foundWords(bad)) == 0 {
			t.Errorf("%q passes", bad)
		}
	}
	if found := foundWords("`told` and recommend, untold, tillage"); len(found) > 0 {
		t.Errorf("these are no wrong words: %q", found)
	}
}
