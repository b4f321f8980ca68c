package rollout

import (
	"crypto/sha256"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
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
)

// Commands returns all commands.
func Commands() []Command {
	return []Command{AdvanceNow, PromoteNow, RollBackNow, Approve, Disapprove}
}

// Order is a command that was given to a rollout.
type Order struct {
	Command Command `json:"command"`
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

// plainName matches what Parameter Store accepts in a name.
var plainName = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,80}$`)

// ControlParameter returns the name of the parameter, in the Parameter Store of AWS
// Systems Manager, to which orders to a rollout are written. owner is Plan.Owner.
func ControlParameter(owner string) string {
	if !plainName.MatchString(owner) {
		owner = fmt.Sprintf("%x", sha256.Sum256([]byte(owner)))
	}
	return "/lambda-rollout/" + owner
}

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
// always counts. The obeyed order has no Effect yet.
func (s State) take(orders []Order) (State, int) {
	kept := slices.Clone(s.Progress.Orders) // states share no memory
	obey, first := -1, len(kept)
	for _, o := range orders {
		if o.Number <= s.Progress.Order {
			continue
		}
		s.Progress.Order = o.Number
		o.By = Shorten(OneLine(o.By), maxBy)
		switch o.Command {
		case Approve, Disapprove:
			if s.Progress.ApprovalRequestedAt.IsZero() {
				o.Effect = nothingToSay
			} else if o.Command == Approve {
				s.Progress.Approved = s.Progress.Step + 1
			}
		case AdvanceNow, PromoteNow, RollBackNow:
		default:
			o.Effect = notKnown
			o.Command = Command(Shorten(OneLine(string(o.Command)), maxCommand))
		}
		kept = append(kept, o)
		if o.Effect == "" && (obey < 0 || !kept[obey].Command.undoes()) {
			obey = len(kept) - 1
		}
	}
	for i := first; i < len(kept); i++ {
		switch o := &kept[i]; {
		case o.Effect != "" || i == obey:
		case o.Command == Approve:
			o.Effect = obeyed
		default:
			o.Effect = overtaken
		}
	}
	s.Progress.Orders = kept
	return s, obey
}

// undoes reports whether the command rolls back.
func (c Command) undoes() bool { return c == RollBackNow || c == Disapprove }
