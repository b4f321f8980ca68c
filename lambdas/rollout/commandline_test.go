package rollout_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"mvdan.cc/sh/v3/shell"
	"pgregory.net/rapid"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// freeText draws what people write, and what they should not.
func freeText() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.StringN(0, 100, -1),
		rapid.StringOfN(rapid.RuneFrom([]rune("'\"`\\$(){}<>&!%^*?~|;#\n\r\t\x00\x1b\u0085\u2028\u2019é🚀 a/:=-")), 0, 40, -1),
		rapid.SampledFrom([]string{"http://169.254.169.254/", "https://example.com", "file:///etc/passwd", "fileb://secret", "--no-verify-ssl", "-",
			"'; rm -rf /; '", "$(id)", "`id`", "%PATH%", "!!", "\\u0041", `\"`, `\`, "it's", "‘curly’", "{}", "[]", "@file"}),
	)
}

// TestACommandLineSaysWhatIsMeant: a shell takes it apart into the words of one
// command, and the JSON in it has every text as it was.
func TestACommandLineSaysWhatIsMeant(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		meant := map[string]any{"Description": freeText().Draw(t, "a text"), "Tags": map[string]any{freeText().Draw(t, "a name"): freeText().Draw(t, "another")}, "Overwrite": true}
		line := rollout.AWS{Command: "lambda update-alias", Region: "eu-central-1", Input: meant, Rest: "/dev/null"}.String()
		words, err := shell.Fields(line, func(string) string { return "expanded" })
		if err != nil {
			t.Fatal(err)
		}
		want := []string{"aws", "lambda", "update-alias", "--region", "eu-central-1", "--cli-input-json", "", "/dev/null"}
		if len(words) != len(want) {
			t.Fatalf("%q has the words %q", line, words)
		}
		document := words[6]
		if words[6] = ""; !slices.Equal(words, want) {
			t.Fatalf("%q has the words %q", line, words)
		}
		var said map[string]any
		if err := json.Unmarshal([]byte(document), &said); err != nil {
			t.Fatal(err)
		}
		if string(mustJSON(said)) != string(mustJSON(meant)) {
			t.Fatalf("%q says %v", line, said)
		}
		// What any shell, or a chat, would do something about.
		if strings.Count(line, "'") != 2 || strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r > '~' || strings.ContainsRune("`$<>&!%^*|;#~?", r) }) {
			t.Fatalf("%q has more than plain ASCII", line)
		}
	})
}

func mustJSON(value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return text
}
