package alias

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

var ours = Marker{Owner: "deploy-42", Baseline: "7", NewVersion: "8", Weight: 0.3}

func TestMarkers(t *testing.T) {
	for _, test := range []struct {
		description, marked string
	}{
		{"", "[rollout deploy-42 7→8 30%]"},
		{"serves everybody", "serves everybody [rollout deploy-42 7→8 30%]"},
		{" ", "  [rollout deploy-42 7→8 30%]"},
		{"waits…", "waits… [rollout deploy-42 7→8 30%]"},
		{strings.Repeat("x", 228), strings.Repeat("x", 228) + " [rollout deploy-42 7→8 30%]"},
		{strings.Repeat("x", 229), strings.Repeat("x", 228) + "…[rollout deploy-42 7→8 30%]"},
		{strings.Repeat("x", 256), strings.Repeat("x", 228) + "…[rollout deploy-42 7→8 30%]"},
		{strings.Repeat("🚀", 128), strings.Repeat("🚀", 114) + "…[rollout deploy-42 7→8 30%]"},
	} {
		if got := mark(test.description, ours); got != test.marked {
			t.Errorf("%q is marked as %q", test.description, got)
		}
	}
}

func TestWhatIsNoMarker(t *testing.T) {
	for _, description := range []string{
		"", "serves everybody", "[rollout]", "[rollout x 7→8 30%] and more", "serves[rollout x 7→8 30%]",
		"[rollout x 7->8 30%]", "[rollout x 7→8 3.0.%]", " [rollout x 7→8 30%]", "[rollout a b 7→8 30%]",
	} {
		if got := ReadMarker(description); got.Marker != nil || got.Text != description {
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
			Owner:    rapid.StringMatching(`[A-Za-z0-9_-]{1,80}`).Draw(t, "owner"),
			Baseline: rapid.StringMatching(`[1-9][0-9]{0,5}`).Draw(t, "baseline"), NewVersion: rapid.StringMatching(`[1-9][0-9]{0,5}`).Draw(t, "new version"),
			Weight: rollout.Round(rapid.Float64Range(0.0001, 1).Draw(t, "weight")),
		}
		marked := mark(description, m)
		if length(marked) > maxDescription {
			t.Fatalf("%q has %d characters", marked, length(marked))
		}
		got := ReadMarker(marked)
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
