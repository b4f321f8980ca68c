package rollout

import (
	"slices"
	"strings"
	"unicode"
)

// Command names what an operator may order a running rollout to do.
type Command string

// The commands. If the same check finds harm, the rollout is rolled back, whatever
// the command.
const (
	// AdvanceNow ends the current step, even in doubt or without traffic.
	AdvanceNow Command = "advance"
	// PromoteNow ends the whole plan.
	PromoteNow Command = "promote"
	// RollBackNow rolls back.
	RollBackNow Command = "roll-back"
	// Approve and Disapprove answer a requested approval.
	Approve    Command = "approve"
	Disapprove Command = "refuse"
	// PauseNow holds the weight until ResumeNow, or an order that moves the rollout.
	PauseNow  Command = "pause"
	ResumeNow Command = "resume"
)

// Commands returns all commands.
func Commands() []Command {
	return []Command{AdvanceNow, PromoteNow, RollBackNow, Approve, Disapprove, PauseNow, ResumeNow}
}

// synonyms are other words for the commands. What gives the new version more traffic
// has hardly any: a word that may mean something else must not shift traffic.
var synonyms = []struct {
	command Command
	words   []string
}{
	{RollBackNow, []string{"rollback", "abort", "stop", "cancel", "revert", "undo"}},
	{Approve, []string{"approved"}},
	{Disapprove, []string{"refused", "reject", "rejected", "deny", "denied", "disapprove"}},
	{PauseNow, []string{"paused", "hold", "wait", "suspend"}},
	{ResumeNow, []string{"resumed", "continue", "unpause"}},
}

// CommandWords returns all words that ReadCommand knows: the commands, then their
// synonyms.
func CommandWords() []string {
	var all []string
	for _, c := range Commands() {
		all = append(all, string(c))
	}
	for _, s := range synonyms {
		all = append(all, s.words...)
	}
	return all
}

// ReadCommand returns the command that a text means. It ignores case, spaces and quotes
// around the word, characters that are invisible, and whether words are separated by
// spaces, hyphens or underscores. If the text means no command, known is false, and c is
// the text on one line, shortened and without what surrounds it.
func ReadCommand(text string) (c Command, known bool) {
	text = strings.TrimFunc(text, surrounds)
	word := strings.Join(strings.FieldsFunc(strings.ToLower(strings.Map(visible, text)), separates), "-")
	if c = Command(word); slices.Contains(Commands(), c) {
		return c, true
	}
	for _, s := range synonyms {
		if slices.Contains(s.words, word) {
			return s.command, true
		}
	}
	return Command(Shorten(OneLine(text), maxCommand)), false
}

// surrounds reports whether a character may stand around an order: the shells and
// editors that people give orders with leave spaces, line ends and quotes there.
func surrounds(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || visible(r) < 0 || strings.ContainsRune("\"'`´‘’‚‛“”„‟«»‹›", r)
}

// separates reports whether a character separates the words of an order.
func separates(r rune) bool {
	return unicode.IsSpace(r) || r == '_' || r == '−' || unicode.Is(unicode.Pd, r)
}

// visible maps characters without any width, such as a byte order mark, to -1.
func visible(r rune) rune {
	if unicode.Is(unicode.Cf, r) {
		return -1
	}
	return r
}

// WantCommand returns what a text must be that means no command, with the nearest word.
// It continues a sentence: "must be one of advance, … (did you mean "pause"?)".
func WantCommand(given string) string {
	return wantOneOf(commandNames()) + DidYouMean(given, CommandWords())
}

func commandNames() []string {
	names := make([]string, len(Commands()))
	for i, c := range Commands() {
		names[i] = string(c)
	}
	return names
}

// notKnown is the effect of an order that means no command.
func notKnown(c Command) string {
	return "not known, so the weight is held; known are " + strings.Join(commandNames(), ", ") + DidYouMean(string(c), CommandWords())
}

// undoes reports whether the command rolls back.
func (c Command) undoes() bool { return c == RollBackNow || c == Disapprove }

// shifts reports whether the command ends a step, or the plan.
func (c Command) shifts() bool { return c == AdvanceNow || c == PromoteNow || c == Approve }
