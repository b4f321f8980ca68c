package rollout

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
)

// Order is a command that was given to a rollout.
type Order struct {
	// Command is the text as it was written until a check takes the order.
	Command Command `json:"command"`
	// Unknown means that the text is no command: such an order holds the weight.
	Unknown bool `json:"unknown,omitempty"`
	// By is the ARN of who gave it, and At the time.
	By string    `json:"by"`
	At time.Time `json:"at"`
	// Number increases with every order to a rollout.
	Number int64 `json:"number"`
	// Effect says what the order led to, for a person to read.
	Effect string `json:"effect,omitempty"`
}

// keptOrders limits how many of the last orders the state keeps.
const keptOrders = 10

// InParameter returns an execution's name as it is in the names of parameters: its hash, if
// Parameter Store does not accept it.
func InParameter(name string) string {
	if 1 <= len(name) && len(name) <= 80 && strings.IndexFunc(name, notInParameter) < 0 {
		return name
	}
	return fmt.Sprintf("%x", sha256.Sum256([]byte(name)))
}

// notInParameter reports whether Parameter Store does not accept a character in a name.
func notInParameter(r rune) bool {
	letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
	return !letter && (r < '0' || r > '9') && r != '_' && r != '.' && r != '-'
}

// ControlParameter returns the name of the parameter, in the Parameter Store of AWS
// Systems Manager, to which orders to a rollout are written. owner is Plan.Owner.
func ControlParameter(owner string) string { return "/lambda-rollout/" + InParameter(owner) }

// CommandLine returns the shell command with which an operator gives the command.
// execution is the ARN of any of the rollout's executions, and has the Region.
func (s State) CommandLine(c Command, execution string) string {
	return AWS{Command: "ssm put-parameter", Region: arn.Region(execution), Input: struct {
		Name, Value, Type string
		Overwrite         bool
	}{ControlParameter(s.Plan.Owner), string(c), "String", true}}.String()
}

// take returns the state with the new orders recorded, and the index in
// Progress.Orders of the one that the check obeys: roll-back and refuse take
// precedence, else the last one counts. It is -1 if there is none. An approval
// always counts, and neither it nor an unknown order supersedes a pause. The obeyed
// order has no Effect yet.
func (s State) take(orders []Order) (State, int) {
	kept := slices.Clone(s.Progress.Orders) // states share no memory
	obey, first, held := -1, len(kept), heldBy(s.Progress.Pause)
	for _, o := range orders {
		if o.Number <= s.Progress.Order {
			continue
		}
		s.Progress.Order = o.Number
		o.By = Shorten(OneLine(o.By), maxBy)
		command, known := ReadCommand(string(o.Command))
		o.Command, o.Unknown = command, !known
		beside := held == byPause && obey >= 0 && (o.Unknown || o.Command == Approve)
		o.Effect, held = s.useless(o, held), held.after(o)
		if o.Effect == "" && o.Command == Approve && !s.Progress.ApprovalRequestedAt.IsZero() {
			s.Progress.Approved = s.Progress.Step + 1
		}
		kept = append(kept, o)
		if o.Effect == "" && !beside && (obey < 0 || !kept[obey].Command.undoes()) {
			obey = len(kept) - 1
		}
	}
	for i := first; i < len(kept); i++ {
		switch o := &kept[i]; {
		case o.Effect != "" || i == obey:
		case o.Unknown && held == byNone:
			o.Effect = unknownOvertaken
		case o.Unknown:
			o.Effect = notKnown(o.Command)
		case o.Command == Approve && s.Progress.Approved > s.Progress.Step:
			o.Effect = obeyed
		default:
			o.Effect = overtaken
		}
	}
	s.Progress.Orders = kept
	return s, obey
}

// useless returns why an order can have no effect; "" if it can have one.
func (s State) useless(o Order, held holder) string {
	waits := !s.Progress.ApprovalRequestedAt.IsZero()
	switch {
	case o.Unknown:
	case o.Command == Approve && !waits && held != byUnknown, o.Command == Disapprove && !waits:
		return nothingToSay
	case o.Command == ResumeNow && held == byNone:
		return notPaused
	}
	return ""
}
