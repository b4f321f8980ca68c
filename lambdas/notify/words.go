package notify

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Limits of the texts, in characters.
const (
	maxSubject = 100  // the limit of SNS
	maxChat    = 2000 // what chats show at once; their own limits are higher
)

// Subject returns one line of at most 100 characters of printable ASCII, as SNS
// requires of an e-mail's subject.
func Subject(n rollout.Notification) string {
	alias, from, to := aliasOf(n), "the baseline version", n.NewVersion
	move := alias + " to " + to
	if n.Baseline != "" {
		from = "version " + n.Baseline
		move = alias + " " + n.Baseline + " -> " + to
	}
	if to == "" {
		move = alias
	}
	var text string
	switch n.Event {
	case rollout.EventStarted:
		text = "Rollout started: " + move
	case rollout.EventShifted:
		text = "Rollout at " + rollout.Weight(n.Weight) + ": " + move
	case rollout.EventApprovalWanted:
		text = "Approval needed for " + rollout.Weight(n.Weight) + ": " + move
	case rollout.EventPaused:
		text = "Rollout paused at " + rollout.Weight(n.Weight) + ": " + move
	case rollout.EventResumed:
		text = "Rollout resumed at " + rollout.Weight(n.Weight) + ": " + move
	case rollout.EventOrderUnknown:
		text = "Unknown order, held at " + rollout.Weight(n.Weight) + ": " + move
	case rollout.EventHeld:
		text = "Rollout held: " + move
	case rollout.EventPromoted:
		text = "Promoted: " + alias + " is on version " + to
		if n.Unverified {
			text = "Promoted, unverified: " + alias + " is on version " + to
			if len(n.UnverifiedGates) > 0 {
				text += "; no reading of " + strings.Join(n.UnverifiedGates, ", ")
			}
		}
	case rollout.EventUnchanged:
		text = "Unchanged: " + alias + " was already on version " + to
	case rollout.EventRolledBack:
		text = "Rolled back: " + alias + " is back on " + from
	case rollout.EventPutBack:
		text = "Alias put back: " + alias + " is back on " + from
	case rollout.EventRefused:
		text = "Rollout refused: " + move
	case rollout.EventNotStarted:
		text = "Rollout not started: " + move
	case rollout.EventAliasChanged:
		text = "Rollout ended, alias changed by another user: " + alias
	case rollout.EventRollbackFailed:
		text = "ROLLBACK FAILED, action needed: " + alias
	case rollout.EventStopped:
		text = "Rollout stopped: " + move
	case rollout.EventTimedOut:
		text = "Rollout timed out: " + move
	default:
		text = "Rollout " + string(n.Event) + ": " + move
	}
	return line(text, maxSubject)
}

// aliasOf returns the alias as people name it: "MyFunction:MyAlias".
func aliasOf(n rollout.Notification) string {
	switch {
	case n.Function != "" && n.Alias != "":
		return n.Function + ":" + n.Alias
	case n.Function != "":
		return n.Function
	}
	return "an unknown function"
}

// Text returns the notification for people, as plain text.
func Text(n rollout.Notification) string {
	return text(Subject(n), n.Reason, nextSteps(n), facts(n))
}

// text returns a notification as plain text.
func text(subject, reason string, steps []nextStep, facts [][2]string) string {
	var text strings.Builder
	text.WriteString(subject + "\n\n")
	if reason != "" {
		text.WriteString(rollout.Plain(reason) + "\n\n")
	}
	for _, step := range steps {
		text.WriteString(step.what + ":\n  " + step.command + "\n\n")
	}
	for _, fact := range facts {
		if value := rollout.OneLine(fact[1]); value != "" {
			fmt.Fprintf(&text, "%-12s %s\n", fact[0], value)
		}
	}
	return text.String()
}

// facts returns the names and values of what may be known.
func facts(n rollout.Notification) [][2]string {
	step := ""
	if n.Step > 0 {
		step = fmt.Sprintf("%d of %d, %s", n.Step, n.Of, rollout.Weight(n.Weight))
	}
	return [][2]string{
		{"Function", n.Function}, {"Alias", n.Alias}, {"From version", n.Baseline}, {"To version", n.NewVersion},
		{"Step", step}, {"Error", n.Error}, {"Time", n.Time.UTC().Format(time.RFC3339)}, {"Execution", n.Execution}, {"Console", rollout.ConsoleURL(n.Execution)},
	}
}

// nextStep describes what an operator may do, and has the command line for it.
type nextStep struct{ what, command string }

func nextSteps(n rollout.Notification) []nextStep {
	var steps []nextStep
	add := func(what, command string) {
		if rollout.IsCommand(command) {
			steps = append(steps, nextStep{what, command})
		}
	}
	if n.Commands != nil {
		add("To approve", n.Commands.Approve)
		add("To refuse and roll back", n.Commands.Refuse)
		add("To resume", n.Commands.Resume)
		add("To roll back", n.Commands.RollBack)
	}
	switch n.Event {
	case rollout.EventPromoted, rollout.EventRollbackFailed, rollout.EventAliasChanged, rollout.EventStopped, rollout.EventTimedOut:
		add("To route all traffic to version "+rollout.OneLine(n.Baseline)+" manually", n.Undo)
	}
	return steps
}

// Chat returns a custom notification for Amazon Q Developer in chat applications, as
// JSON. All notifications of a rollout form one thread.
// See docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html.
func Chat(n rollout.Notification) []byte {
	keywords := []string{"lambda-rollout", string(n.Event)}
	for _, name := range []string{n.Function, n.Alias} {
		if name != "" {
			keywords = append(keywords, forChat(rollout.OneLine(name)))
		}
	}
	return chat(n.ID(), forChat(Subject(n)), n.Reason, n.Execution, n.Event.DetailType(), nextSteps(n), keywords,
		map[string]string{"event": string(n.Event), "outcome": n.Event.Outcome(), "function": forChat(rollout.OneLine(n.Function)), "alias": forChat(rollout.OneLine(n.Alias)), "newVersion": forChat(rollout.OneLine(n.NewVersion))})
}

// chat returns a custom notification. Its texts, except the reason, have no chat mark-up.
func chat(id, title, reason, execution, event string, steps []nextStep, keywords []string, about map[string]string) []byte {
	type content struct {
		Title       string   `json:"title"`
		Description string   `json:"description"`
		NextSteps   []string `json:"nextSteps,omitempty"`
		Keywords    []string `json:"keywords"`
	}
	type metadata struct {
		Thread    string            `json:"threadId"`
		Summary   string            `json:"summary"`
		Event     string            `json:"eventType"`
		Resources []string          `json:"relatedResources"`
		Context   map[string]string `json:"additionalContext"`
	}
	description := forChat(cut(reason, maxChat))
	if console := rollout.ConsoleURL(execution); console != "" {
		description += "\n" + console
	}
	var next []string
	for _, step := range steps {
		next = append(next, forChat(step.what)+": `"+step.command+"`")
	}
	text, err := json.Marshal(struct {
		Version  string   `json:"version"`
		Source   string   `json:"source"`
		ID       string   `json:"id"`
		Content  content  `json:"content"`
		Metadata metadata `json:"metadata"`
	}{"1.0", "custom", id,
		content{title, description, next, keywords},
		metadata{execution, title, event, []string{execution}, about},
	})
	if err != nil {
		panic(err) // it is made of texts
	}
	return text
}

// line returns a text as one line of printable ASCII, of at most most characters.
func line(text string, most int) string {
	ascii := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return ' '
		}
		return r
	}, text)
	if len(ascii) > most {
		return ascii[:most-3] + "..."
	}
	return ascii
}

// cut shortens a text to about most bytes.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}
