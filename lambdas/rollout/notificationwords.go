package rollout

import (
	"fmt"
	"net/url"
	"strings"
	"time"
)

// Limits of the words, in characters.
const (
	maxSubject = 100  // SNS's
	maxChat    = 2000 // of what chats show at once; theirs are higher
)

// Subject is one line: at most 100 characters, all printable ASCII, as SNS
// wants an e-mail's subject to be.
func (n Notification) Subject() string {
	what, from, to := n.what(), n.Baseline, n.NewVersion
	if from == "" {
		from = "the baseline"
	}
	move := what + " to " + to
	if n.Baseline != "" {
		move = what + " " + from + " -> " + to
	}
	if to == "" {
		move = what
	}
	var text string
	switch n.Event {
	case EventStarted:
		text = "Rollout started: " + move
	case EventShifted:
		text = "Rollout at " + Weight(n.Weight) + ": " + move
	case EventApprovalWanted:
		text = "Approval wanted for " + Weight(n.Weight) + ": " + move
	case EventPromoted:
		text = "Promoted: " + what + " is on " + to
		if n.Unverified {
			text = "Promoted, unverified: " + what + " is on " + to
		}
	case EventUnchanged:
		text = "Unchanged: " + what + " was on " + to + " already"
	case EventRolledBack:
		text = "Rolled back: " + what + " is on " + from + " again"
	case EventPutBack:
		text = "Put back: " + what + " is on " + from + " again"
	case EventRefused:
		text = "Rollout refused: " + move
	case EventNotStarted:
		text = "Rollout not started: " + move
	case EventAliasChanged:
		text = "Rollout ended, alias changed by somebody else: " + what
	case EventRollbackFailed:
		text = "ROLLBACK FAILED, a person is needed: " + what
	case EventStopped:
		text = "Rollout stopped: " + move
	case EventTimedOut:
		text = "Rollout timed out: " + move
	default:
		text = "Rollout " + string(n.Event) + ": " + move
	}
	return line(text, maxSubject)
}

// what is the alias, as people name it.
func (n Notification) what() string {
	switch {
	case n.Function != "" && n.Alias != "":
		return n.Function + ":" + n.Alias
	case n.Function != "":
		return n.Function
	}
	return "an unknown function"
}

// Text is the notification for people, as plain text.
func (n Notification) Text() string {
	var text strings.Builder
	text.WriteString(n.Subject() + "\n\n")
	if n.Reason != "" {
		text.WriteString(Plain(n.Reason) + "\n\n")
	}
	for _, step := range n.nextSteps() {
		text.WriteString(step.what + ":\n  " + step.command + "\n\n")
	}
	for _, fact := range n.facts() {
		fmt.Fprintf(&text, "%-12s %s\n", fact[0], fact[1])
	}
	return text.String()
}

// facts are names with values, none empty.
func (n Notification) facts() [][2]string {
	step := ""
	if n.Step > 0 {
		step = fmt.Sprintf("%d of %d, %s", n.Step, n.Of, Weight(n.Weight))
	}
	all := [][2]string{
		{"Function", n.Function}, {"Alias", n.Alias}, {"From version", n.Baseline}, {"To version", n.NewVersion},
		{"Step", step}, {"Error", n.Error}, {"Time", n.Time.UTC().Format(time.RFC3339)}, {"Execution", n.Execution}, {"Console", n.console()},
	}
	var known [][2]string
	for _, fact := range all {
		if fact[1] = oneLine(fact[1]); fact[1] != "" {
			known = append(known, fact)
		}
	}
	return known
}

// nextStep is what a person may do, and how.
type nextStep struct{ what, command string }

func (n Notification) nextSteps() []nextStep {
	var steps []nextStep
	add := func(what, command string) {
		if isCommand(command) {
			steps = append(steps, nextStep{what, command})
		}
	}
	if n.Commands != nil {
		add("To approve", n.Commands.Approve)
		add("To refuse, and roll back", n.Commands.Refuse)
	}
	switch n.Event {
	case EventPromoted, EventRollbackFailed, EventAliasChanged, EventStopped, EventTimedOut:
		add("To put the alias on version "+oneLine(n.Baseline)+" by hand", n.Undo)
	}
	return steps
}

// console is the execution's address in the console; empty where that is not known.
func (n Notification) console() string {
	parts := strings.Split(n.Execution, ":")
	if len(parts) < 8 {
		return ""
	}
	host, known := map[string]string{
		"aws": "console.aws.amazon.com", "aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com",
	}[parts[1]]
	if !known {
		return ""
	}
	return fmt.Sprintf("https://%s/states/home?region=%s#/v2/executions/details/%s", host, parts[3], strings.ReplaceAll(url.PathEscape(n.Execution), "@", "%40"))
}

// Chat is a custom notification of Amazon Q Developer in chat applications.
// All of a rollout make one thread.
// See docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html.
func (n Notification) Chat() []byte {
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
	var next []string
	for _, step := range n.nextSteps() {
		next = append(next, forChat(step.what)+": `"+step.command+"`")
	}
	description := forChat(cut(n.Reason, maxChat))
	if console := n.console(); console != "" {
		description += "\n" + console
	}
	keywords := []string{"lambda-rollout", string(n.Event)}
	for _, name := range []string{n.Function, n.Alias} {
		if name != "" {
			keywords = append(keywords, forChat(oneLine(name)))
		}
	}
	title := forChat(n.Subject())
	return encode(struct {
		Version  string   `json:"version"`
		Source   string   `json:"source"`
		ID       string   `json:"id"`
		Content  content  `json:"content"`
		Metadata metadata `json:"metadata"`
	}{"1.0", "custom", n.ID(),
		content{title, description, next, keywords},
		metadata{n.Execution, title, n.Event.DetailType(), []string{n.Execution},
			map[string]string{"event": string(n.Event), "outcome": n.Event.Outcome(), "function": forChat(oneLine(n.Function)), "alias": forChat(oneLine(n.Alias)), "newVersion": forChat(oneLine(n.NewVersion))}},
	})
}

// line makes one line of a text: of printable ASCII, at most so many characters.
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

// cut shortens a text to about so many bytes.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}
