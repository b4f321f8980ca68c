package rollout_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// TestOrdersAsPeopleWriteThem reads what shells, editors and people make of the commands.
func TestOrdersAsPeopleWriteThem(t *testing.T) {
	for _, test := range []struct {
		want  rollout.Command
		words string
	}{
		{rollout.RollBackNow, "roll-back|rollback|ROLL-BACK|Roll back|roll_back|roll  back|RollBack|abort|stop|cancel|revert|undo|STOP\r\n|\ufeffroll-back|roll–back|roll−back|roll\u200b-back"},
		{rollout.PromoteNow, "promote|Promote|\"promote\"|'promote'|“promote”|`promote`|\u3000promote\u00a0| 'PROMOTE'\x00"},
		{rollout.AdvanceNow, "advance|ADVANCE \t"},
		{rollout.Approve, "approve|approved|Approved\n"},
		{rollout.Disapprove, "refuse|refused|reject|rejected|deny|denied|disapprove"},
		{rollout.PauseNow, "pause|paused|hold|wait|suspend|«Pause»"},
		{rollout.ResumeNow, "resume|resumed|continue|unpause"},
	} {
		for word := range strings.SplitSeq(test.words, "|") {
			if got, known := rollout.ReadCommand(word); got != test.want || !known {
				t.Errorf("%q is read as %q, %v; want %q", word, got, known, test.want)
			}
		}
	}
	for _, word := range strings.Split("| |\n|\ufeff|\"\"|yes|ok|y|go|next|skip|ship it|full|done|promoted|advanced|don't promote|not approved|no approval|approve?|promote 50%|pro-mote|ap prove|a-p-p-r-o-v-e|аpprove|ｐromote|{\"order\": \"promote\"}|-promote-then|promote; roll-back", "|") {
		if got, known := rollout.ReadCommand(word); known {
			t.Errorf("%q is read as %q", word, got)
		}
	}
}

// TestUnknownOrdersAreCut draws texts that are no command.
func TestUnknownOrdersAreCut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringN(0, 200, 8000).Draw(t, "order") + rapid.SampledFrom([]string{"", "\x1b[2J", "\u202e", "<b>", strings.Repeat("é", 5000), "\xff"}).Draw(t, "end")
		c, known := rollout.ReadCommand(text)
		if known {
			return
		}
		if len(c) > 80 || !utf8.ValidString(string(c)) || strings.ContainsFunc(string(c), func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }) {
			t.Fatalf("%q is kept as %q", text, c)
		}
		if again, known := rollout.ReadCommand(string(c)); known && len(text) < 50 {
			t.Fatalf("%q is unknown, and %q is %q", text, c, again)
		}
	})
}

// TestTheNearestWord is what an unknown order is answered with.
func TestTheNearestWord(t *testing.T) {
	for given, want := range map[string]string{
		"puase": "pause", "aprove": "approve", "roll-bakc": "roll-back", "roll back now": "roll-back", "promte": "promote", "abrot": "abort",
		"": "", "dance": "", "yes": "", strings.Repeat("promote", 20): "",
	} {
		said := rollout.WantCommand(given)
		if !strings.HasPrefix(said, "must be one of advance, promote, roll-back, approve, refuse, pause, resume") {
			t.Error(said)
		}
		if _, got, _ := strings.Cut(said, " (did you mean "); want != "" && got != `"`+want+`"?)` || want == "" && got != "" {
			t.Errorf("%q: %s", given, said)
		}
	}
}
