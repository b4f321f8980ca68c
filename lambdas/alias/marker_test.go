package alias

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf16"

	"pgregory.net/rapid"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

var ours = Marker{Owner: "deploy-42", Baseline: "7", NewVersion: "8", Weight: 0.3}

func TestMarkers(t *testing.T) {
	for _, test := range []struct {
		description, marked string
	}{
		{"", "[rollout deploy-42 7->8 30%]"},
		{"serves everybody", "serves everybody [rollout deploy-42 7->8 30%]"},
		{" ", "  [rollout deploy-42 7->8 30%]"},
		{"waits…", "waits… [rollout deploy-42 7->8 30%]"},
		{strings.Repeat("x", 227), strings.Repeat("x", 227) + " [rollout deploy-42 7->8 30%]"},
		{strings.Repeat("x", 228), strings.Repeat("x", 225) + "...[rollout deploy-42 7->8 30%]"},
		{strings.Repeat("x", 256), strings.Repeat("x", 225) + "...[rollout deploy-42 7->8 30%]"},
		{strings.Repeat("🚀", 128), strings.Repeat("🚀", 112) + "...[rollout deploy-42 7->8 30%]"},
	} {
		if got := mark(test.description, ours); got != test.marked {
			t.Errorf("%q is marked as %q", test.description, got)
		}
	}
}

func TestWhatIsNoMarker(t *testing.T) {
	for _, description := range []string{
		"", "serves everybody", "[rollout]", "[rollout x 7->8 30%] and more", "serves[rollout x 7->8 30%]",
		"[rollout x 7=>8 30%]", "[rollout x 7->8 3.0.%]", " [rollout x 7->8 30%]", "[rollout a b 7->8 30%]", "[rollout é 7->8 30%]",
		"serves…[rollout x 7->8 30%]", "serves...[rollout x 7→8 30%]",
	} {
		if got := ParseDescription(description); got.Marker != nil || got.Text != description {
			t.Errorf("%q is read as %+v", description, got)
		}
	}
}

// TestAMarkerComesOffToTheByte draws descriptions and markers.
func TestAMarkerComesOffToTheByte(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		description := rapid.StringOfN(rapid.Rune(), 0, 256, -1).Draw(t, "description")
		if length(description) > maxDescription {
			t.Skip("longer than a description can be")
		}
		m := Marker{
			Owner:    ownerOf(executionNames().Draw(t, "owner")),
			Baseline: rapid.StringMatching(`[1-9][0-9]{0,5}`).Draw(t, "baseline"), NewVersion: rapid.StringMatching(`[1-9][0-9]{0,5}`).Draw(t, "new version"),
			Weight: rollout.Round(rapid.Float64Range(0.0001, 1).Draw(t, "weight")),
		}
		marked := mark(description, m)
		if length(marked) > maxDescription {
			t.Fatalf("%q has %d characters", marked, length(marked))
		}
		if !isASCII(strings.TrimPrefix(marked, commonStart(marked, description))) {
			t.Fatalf("%q: the marker is not ASCII", marked)
		}
		got := ParseDescription(marked)
		if got.Marker == nil || *got.Marker != m {
			t.Fatalf("%q is read as %+v", marked, got.Marker)
		}
		if got.Cut != !strings.HasSuffix(marked, " "+m.String()) && description != "" {
			t.Fatalf("%q: cut %v", marked, got.Cut)
		}
		if !got.Cut && got.Text != description {
			t.Fatalf("%q came back as %q", description, got.Text)
		}
		if got.Cut && !strings.HasPrefix(description, got.Text) {
			t.Fatalf("%q was cut to %q", description, got.Text)
		}
	})
}

// executionNames draws names that Step Functions allows: no white space, none of
// <>{}[]?*"#%\^|~`$&,;:/ and no control characters.
// See docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html.
func executionNames() *rapid.Generator[string] {
	letter := rapid.Rune().Filter(func(r rune) bool {
		return unicode.IsGraphic(r) && !unicode.IsSpace(r) && !strings.ContainsRune("<>{}[]?*\"#%\\^|~`$&,;:/", r)
	})
	return rapid.OneOf(rapid.StringMatching(`[A-Za-z0-9_.-]{1,80}`), rapid.StringOfN(letter, 1, 80, -1))
}

func isASCII(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r > unicode.MaxASCII })
}

func commonStart(a, b string) string {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return a[:n]
}

// TestAnOwnerIsOneExecution: whatever its name is, the marker names it, and no
// other.
func TestAnOwnerIsOneExecution(t *testing.T) {
	names := executionNames()
	rapid.Check(t, func(t *rapid.T) {
		name, other := names.Draw(t, "name"), names.Draw(t, "other")
		m := Marker{Owner: ownerOf(name), Baseline: "7", NewVersion: "8", Weight: 0.3}
		read := ParseDescription(mark("serves everybody", m)).Marker
		if read == nil || !read.OwnedBy(name) {
			t.Fatalf("%q is not the owner by its marker %s", name, m)
		}
		if other != name && read.OwnedBy(other) {
			t.Fatalf("%q is taken for %q by its marker %s", other, name, m)
		}
	})
	if got := ownerOf("déployé-42"); len(got) != 71 || !isASCII(got) {
		t.Errorf("the marker has %q", got)
	}
}

// markBefore is how earlier releases marked.
func markBefore(description string, owner string) string {
	marker := "[rollout " + owner + " 7→8 30%]"
	if description == "" {
		return marker
	}
	if marked := description + " " + marker; length(marked) <= maxDescription {
		return marked
	}
	units := utf16.Encode([]rune(description))[:maxDescription-length("…"+marker)]
	if last := len(units) - 1; utf16.IsSurrogate(rune(units[last])) && units[last] < 0xdc00 {
		units = units[:last]
	}
	return string(utf16.Decode(units)) + "…" + marker
}

// TestWhatEarlierReleasesMarked: a rollout may be under way when its stack is
// deployed. Its marker counts, and nobody's change is seen in its form.
func TestWhatEarlierReleasesMarked(t *testing.T) {
	routing := Routing{Version: "7", Weights: map[string]float64{"8": 0.3}}
	rapid.Check(t, func(t *rapid.T) {
		description := rapid.StringOfN(rapid.Rune(), 0, 256, 256*4).Filter(func(s string) bool {
			return length(s) <= maxDescription && ParseDescription(s).Marker == nil
		}).Draw(t, "description")
		name := executionNames().Draw(t, "owner")
		before := Content{Routing: routing, Description: markBefore(description, name)}
		read := ParseDescription(before.Description)
		if read.Marker == nil || !read.Marker.OwnedBy(name) || !strings.HasPrefix(description, read.Text) || !read.Cut && read.Text != description {
			t.Fatalf("%q is read as %+v", before.Description, read)
		}
		traffic := Traffic{Name: Name{"f", "live"}, Baseline: "7", NewVersion: "8", Owner: name, Description: description}
		if err := traffic.Verify(Alias{Content: before}, 0.3); err != nil {
			t.Fatal(err)
		}
		for what, other := range map[string]string{
			"another owner": strings.Replace(before.Description, "[rollout "+name, "[rollout x"+name, 1),
			"a new text":    "x" + before.Description, "another weight": strings.Replace(before.Description, "30%]", "31%]", 1),
		} {
			if err := traffic.Verify(Alias{Content: Content{Routing: routing, Description: other}}, 0.3); err == nil {
				t.Fatalf("%s is not seen in %q", what, other)
			}
		}
	})
}
