package rollout

import (
	"crypto/sha256"
	"fmt"
	"regexp"
	"slices"
	"time"
)

// Command is what a person may tell a rollout under way.
type Command string

// The commands. One that comes with harm in the same check comes too late: the
// rollout is rolled back.
const (
	// AdvanceNow ends the current step, in doubt and without traffic too.
	AdvanceNow Command = "advance"
	// PromoteNow ends the whole plan.
	PromoteNow Command = "promote"
	// RollBackNow rolls back.
	RollBackNow Command = "roll-back"
	// Approve and Disapprove answer an approval that is waited for.
	Approve    Command = "approve"
	Disapprove Command = "refuse"
)

// Order is a command as somebody gave it.
type Order struct {
	Command Command `json:"command"`
	// By is who gave it, as AWS names them, and At when.
	By string    `json:"by"`
	At time.Time `json:"at"`
	// Number grows with every order of a rollout.
	Number int64 `json:"number"`
	// Effect says what came of it.
	Effect string `json:"effect,omitempty"`
}

// keptOrders is how many of the last orders the state keeps.
const keptOrders = 10

// plainName is what Parameter Store takes in a name.
var plainName = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,80}$`)

// ControlParameter is the name of the parameter in the Parameter Store of AWS
// Systems Manager that orders to a rollout are written to, by its owner's name.
func ControlParameter(owner string) string {
	if !plainName.MatchString(owner) {
		owner = fmt.Sprintf("%x", sha256.Sum256([]byte(owner)))
	}
	return "/lambda-rollout/" + owner
}

// CommandLine is how a person gives a command to the rollout, in a shell.
// execution is the ARN of one of its executions, which has the Region.
func (s State) CommandLine(c Command, execution string) string {
	return AWS{Command: "ssm put-parameter", Region: Region(execution), Input: struct {
		Name, Value, Type string
		Overwrite         bool
	}{ControlParameter(s.Plan.Owner), string(c), "String", true}}.String()
}

// take returns the state with the new orders noted, in their order, and the index
// in Progress.Orders of the one that the check obeys: roll-back and refuse before
// all others, else the last. It is -1 if there is none. An approval counts
// whichever that is. The order that is obeyed has no effect yet.
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

// undoes tells whether the command ends the rollout by undoing it.
func (c Command) undoes() bool { return c == RollBackNow || c == Disapprove }
