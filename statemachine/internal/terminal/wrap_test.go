package terminal

import (
	"slices"
	"strings"
	"testing"
)

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		text  string
		width int
		want  []string
	}{
		{"as wide as it is", 16, []string{"as wide as it is"}},
		{"as wide as it is", 15, []string{"as wide as it", "is"}},
		{"one\ntwo three", 5, []string{"one", "two", "three"}},
		{"not wrapped at all\nbut in lines", 0, []string{"not wrapped at all", "but in lines"}},
		{"a arn:aws:states:eu-central-1", 10, []string{"a", "arn:aws:st", "ates:eu-ce", "ntral-1"}},
		{"日本語 日本語", 7, []string{"日本語", "日本語"}},
		{"日本", 1, []string{"日本"}},
		{"", 10, []string{""}},
	} {
		got := Wrap(c.text, c.width)
		if !slices.Equal(got, c.want) {
			t.Errorf("%q at %d is %q, want %q", c.text, c.width, got, c.want)
		}
	}
}

func TestWrapKeepsEveryWord(t *testing.T) {
	text := "Rolled back at 60%: version 2 failed 27 of 2,222 requests (1.2%), version 1 none of 4,424."
	for width := 1; width < 100; width++ {
		lines := Wrap(text, width)
		if got := strings.Join(lines, ""); strings.ReplaceAll(got, " ", "") != strings.ReplaceAll(text, " ", "") {
			t.Errorf("at %d: %q", width, lines)
		}
		for _, line := range lines {
			if Cells(line) > width {
				t.Errorf("at %d: the line %q", width, line)
			}
		}
	}
}

func TestCut(t *testing.T) {
	for _, c := range []struct {
		text  string
		width int
		want  string
	}{{"fits", 4, "fits"}, {"does not fit", 8, "does no…"}, {"日本語", 4, "日…"}, {"whatever", 0, "whatever"}} {
		if got := Cut(c.text, c.width); got != c.want {
			t.Errorf("%q at %d is %q, want %q", c.text, c.width, got, c.want)
		}
	}
}
