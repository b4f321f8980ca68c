package release

import (
	"crypto/sha256"
	"fmt"

	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// OrdersPath begins the names of the parameters to which operators write orders to
// releases.
const OrdersPath = "/lambda-rollout/releases/"

// DecisionsPath begins the names of the parameters that only releases write.
const DecisionsPath = "/lambda-rollout-releases/"

// ControlParameter returns the name of the parameter, in the Parameter Store of AWS Systems
// Manager, to which orders to a release are written. owner is the name of its first
// execution.
func ControlParameter(owner string) string { return OrdersPath + rollout.InParameter(owner) }

// Names are the names of the parameters through which a release instructs its members.
type Names struct {
	// Decision is created once, with what is decided of all members; Reversal once, if a
	// promotion is taken back. Relay has operators' orders, and members that are to roll
	// back; it is overwritten.
	Decision, Reversal, Relay string
}

// NamesOf returns the names for the release whose first execution has the ARN owner. They
// have the name of its state machine, as executions of others may have the same names.
func NamesOf(owner string) Names {
	path := DecisionsPath + rollout.InParameter(arn.Name(arn.Machine(owner))) + "/" + rollout.InParameter(arn.Name(owner)) + "/"
	return Names{path + "decision", path + "reversal", path + "orders"}
}

// MemberName returns the name of the execution of a member. It has at most 80 characters,
// as names have, and is different for each release and member.
func MemberName(owner, member string) string {
	id := sha256.Sum256([]byte(owner + "\x00" + member)) // no name has a NUL
	return fmt.Sprintf("%s.%s.%.5x", first(owner, 36), first(member, 30), id[:])
}

// MemberARN returns the ARN of that execution. machine is the ARN of the rollouts' state
// machine.
func MemberARN(machine, owner, member string) string {
	return executionOf(machine, MemberName(owner, member))
}

// executionOf returns the ARN of a state machine's execution.
func executionOf(machine, name string) string {
	a, _ := arn.Parse(machine)
	a.Resource = "execution:" + arn.Name(machine) + ":" + name
	return a.String()
}

// ConclusionName returns the name of the execution that ends a release whose own did not;
// try counts from 1.
func ConclusionName(owner string, try int) string {
	return fmt.Sprintf("conclude-%s-%.5x-%d", first(owner, 50), sha256.Sum256([]byte(owner)), try)
}

// first returns at most the first n characters.
func first(text string, n int) string {
	for i := range text {
		if n--; n < 0 {
			return text[:i]
		}
	}
	return text
}
