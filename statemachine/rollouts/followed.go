package rollouts

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Followed is what can be followed and steered: a *[Rollout] or a *[Release].
type Followed interface {
	// Noun returns "rollout" or "release", and Identity its name and ARN.
	Noun() string
	Identity() (name, execution string)
	// End returns how it ended, Running if it has not, and whether too little was seen to judge
	// what was promoted.
	End() (outcome Outcome, unverified bool)
	// Succeeded reports whether all traffic goes to the new versions, and Judged whether it is
	// known then if too little was seen to judge them.
	Succeeded() bool
	Judged() bool
	// Headline returns the outcome in capitals, with its colour; Line all in one line; Where how
	// far it has come, and Why what the last check found, or why it ended so.
	Headline() (text, colour string)
	Line() string
	Where() string
	Why() string
	// Text returns it on one screen for those who read it at now, and Live the part of that
	// which changes.
	Text(now time.Time) *Page
	Live(now time.Time) *Page
	// Unread returns sentences about what could not be read.
	Unread() []string
	// Taken returns the order with a number as a check recorded it, or with the number 0 if no
	// check has; read is the number of the last order that was read.
	Taken(number int64) (o rollout.Order, read int64)
	// Obeyed reports whether an order that was taken was obeyed, and CarriedOut whether what it
	// asks for has been done since before.
	Obeyed(o rollout.Order) bool
	CarriedOut(before Followed) bool

	inbox() inbox
	refuses(command rollout.Command) error
}

// StartOf returns when it was started.
func StartOf(f Followed) time.Time {
	switch r := f.(type) {
	case *Rollout:
		return r.Started
	case *Release:
		return r.Started
	}
	return time.Time{}
}

// IsRunning reports whether it has not ended.
func IsRunning(f Followed) bool {
	outcome, _ := f.End()
	return outcome == Running
}

// Look reads the rollout or the release with a name or an ARN, without its alias.
func (c *Client) Look(ctx context.Context, name string, now time.Time) (Followed, error) {
	if c.ofReleases {
		r, err := c.ReadRelease(ctx, name, now)
		if err != nil {
			return nil, err
		}
		return r, nil
	}
	r, err := c.read(ctx, name, now, false)
	if err != nil {
		return nil, err
	}
	return r, nil
}

// Noun returns "rollout".
func (r *Rollout) Noun() string { return "rollout" }

// Identity returns the name and the ARN of the rollout's first execution.
func (r *Rollout) Identity() (name, execution string) { return r.Name, r.Execution }

// End returns the outcome.
func (r *Rollout) End() (outcome Outcome, unverified bool) { return r.Outcome, r.Unverified }

// Unread returns what could not be read.
func (r *Rollout) Unread() []string {
	var all []string
	if r.Now != nil && r.Now.Unread != "" {
		all = append(all, r.Now.Unread)
	}
	if r.OrdersUnread != "" {
		all = append(all, r.OrdersUnread)
	}
	return all
}

// Taken implements [Followed].
func (r *Rollout) Taken(number int64) (o rollout.Order, read int64) {
	if r.data != nil {
		read = r.data.Progress.Order
	}
	return orderIn(r.Orders, number), read
}

// orderIn returns the order with a number; the zero value if there is none.
func orderIn(orders []rollout.Order, number int64) rollout.Order {
	if i := slices.IndexFunc(orders, func(o rollout.Order) bool { return o.Number == number }); i >= 0 {
		return orders[i]
	}
	return rollout.Order{}
}

// Obeyed implements [Followed].
func (r *Rollout) Obeyed(o rollout.Order) bool { return o.Obeyed() }

// CarriedOut implements [Followed].
func (r *Rollout) CarriedOut(before Followed) bool {
	was, ok := before.(*Rollout)
	return ok && r.Step > was.Step && r.Decision == rollout.Advance
}

// refuses returns why the rollout takes no such order; nil if it does.
func (r *Rollout) refuses(command rollout.Command) error {
	switch {
	case r.Outcome != Running:
		return &EndedError{r}
	case r.Release != nil:
		return &MemberError{Rollout: r, Command: command}
	case answers(command) && r.Approval == nil && !(command == rollout.Approve && r.Pause != nil && r.Pause.Unknown):
		return &NotWaitingError{r}
	}
	return nil
}

// Membership names the release of which a rollout is a member, by the rollout's data, which the
// workflow has verified.
type Membership struct {
	Release string `json:"release"` // the name of its execution
	Member  string `json:"member"`  // the rollout's name in it
}

// String returns the membership for people, with the command that shows the release.
func (m *Membership) String() string {
	return fmt.Sprintf("%s of the release %s; see lambda-rollout release get %s", m.Member, m.Release, shellWord(m.Release))
}

// MemberError reports that a rollout is steered by its release.
type MemberError struct {
	Rollout *Rollout
	Command rollout.Command // "" to stop it
}

func (e *MemberError) Error() string {
	m := e.Rollout.Release
	word := "stop"
	if e.Command != "" {
		word = CommandWord(e.Command)
	}
	return rollout.OneLine(fmt.Sprintf("the rollout %s is a member of the release %s, which decides on all its rollouts: steer that, with lambda-rollout release %s %s",
		e.Rollout.Name, m.Release, word, shellWord(m.Release)))
}

// The Watcher's view of a rollout.

func (r *Rollout) fetch(ctx context.Context, c *Client, name string, now time.Time, orders bool) (*Rollout, error) {
	if orders {
		return c.Get(ctx, name, now)
	}
	return c.Read(ctx, name, now)
}

func (r *Rollout) workflow() workflow[rollout.State] { return ofRollouts }

func (r *Rollout) known() (newest map[string]int64, last *rollout.State) { return r.newest, r.data }

func (r *Rollout) executions() []string {
	if r.Continued == "" {
		return []string{r.Execution}
	}
	return []string{r.Execution, r.Continued}
}

func (r *Rollout) lasts(now time.Time) { r.Seconds = max(r.Seconds, now.Sub(r.Started).Seconds()) }

// Follow follows a rollout as a Watch does, or a release with the same settings. It returns nil
// if nothing was read.
func Follow(ctx context.Context, w *Watch, releases bool, show func(Followed, []Event)) (Followed, error) {
	if !releases {
		return w.any(ctx, show)
	}
	of := &ReleaseWatch{Connect: w.Connect, Name: w.Name, Interval: w.Interval, Now: w.Now, Wait: w.Wait, Orders: w.Orders, Most: w.Most}
	return of.any(ctx, show)
}

func (w *Watcher[S, R]) any(ctx context.Context, show func(Followed, []Event)) (Followed, error) {
	r, err := w.Run(ctx, func(r R, events []Event) { show(r, events) })
	if !w.begun {
		return nil, err
	}
	return r, err
}
