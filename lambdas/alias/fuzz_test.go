package alias

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// plain reports whether a text is visible ASCII.
func plain(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' })
}

// FuzzMarker: what a description is read as is all of it, and can be written and
// read again; a marker that is put behind any description comes off again.
func FuzzMarker(f *testing.F) {
	for _, description := range []string{
		"", "serves everybody", ours.String(), "serves everybody " + ours.String(), mark(strings.Repeat("x", 256), ours), " " + ours.String(), ours.String() + " " + ours.String(),
		"[rollout x 7→8 30%]", "[rollout x 7→8 999%]", "[rollout x 07→8 0%]", "a [rollout x 7->8 0.01%]", "a…[rollout x 7→8 100%]", "a...[rollout x 7->8 100%]", "[rollout x 7->8 1e1%]", "[rollout x 7->8 999%]",
		"[rollout x 0->00 00%]", "[rollout x 7->8 .5%]", "[rollout x 7->8 30%", "\xff [rollout \xff 7->8 1%]",
	} {
		f.Add(description)
	}
	f.Fuzz(func(t *testing.T, description string) {
		found := ParseDescription(description)
		if found.Marker == nil && found.Text != description {
			t.Fatalf("%q has no marker and is read as %q", description, found.Text)
		}
		if !strings.HasPrefix(description, found.Text) {
			t.Fatalf("%q is read as %q", description, found.Text)
		}
		if m := found.Marker; m != nil && !found.Cut && plain(m.Owner) {
			written := mark(found.Text, *m)
			again := ParseDescription(written)
			if again.Marker == nil || *again.Marker != *m || again.Text != found.Text && !again.Cut {
				t.Errorf("%q is read as %+v %+v, written as %q, and read as %+v %+v", description, found, *m, written, again, again.Marker)
			}
		}
		if !utf8.ValidString(description) || length(description) > maxDescription { // Lambda has no such description
			return
		}
		marked := mark(description, ours)
		switch off := ParseDescription(marked); {
		case length(marked) > maxDescription:
			t.Errorf("%q has %d characters", marked, length(marked))
		case off.Marker == nil || *off.Marker != ours:
			t.Errorf("%q is read as %+v", marked, off.Marker)
		case off.Cut && !strings.HasPrefix(description, off.Text), !off.Cut && off.Text != description:
			t.Errorf("%q is marked as %q and comes back as %q", description, marked, off.Text)
		}
	})
}
