package rollouts

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/lambda-rollout/lambda-rollout/lambdas/release"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Noun returns "release".
func (r *Release) Noun() string { return "release" }

// Identity returns the name and the ARN of the release's first execution.
func (r *Release) Identity() (name, execution string) { return r.Name, r.Execution }

// End returns the outcome.
func (r *Release) End() (outcome Outcome, unverified bool) { return r.Outcome, r.Unverified }

// Succeeded reports whether all rollouts are promoted, by the execution's status alone.
func (r *Release) Succeeded() bool {
	return types.ExecutionStatus(r.Status) == types.ExecutionStatusSucceeded
}

// Judged reports whether the outcome of a release that succeeded could be read.
func (r *Release) Judged() bool { return r.data != nil && r.data.Outcome != nil }

// Unread returns what could not be read.
func (r *Release) Unread() []string {
	if r.OrdersUnread == "" {
		return nil
	}
	return []string{r.OrdersUnread}
}

// Where returns how far the release has come, such as "at 30%, in wave 1 of 3".
func (r *Release) Where() string {
	if r.Wave == 0 {
		return "before its first wave"
	}
	return fmt.Sprintf("at %s, in wave %d of %d", rollout.Weight(r.Weight), r.Wave, r.Waves)
}

// Why returns why the release ended so, or what the last check found, in one line.
func (r *Release) Why() string { return rollout.OneLine(r.why()) }

// Taken implements [Followed].
func (r *Release) Taken(number int64) (o rollout.Order, read int64) {
	if r.data != nil {
		read = r.data.Progress.Order
	}
	return orderIn(r.Orders, number), read
}

// Obeyed implements [Followed].
func (r *Release) Obeyed(o rollout.Order) bool { return release.Obeyed(o) }

// CarriedOut implements [Followed]: once something is decided, or a wave begins.
func (r *Release) CarriedOut(before Followed) bool {
	was, ok := before.(*Release)
	return ok && (r.Wave > was.Wave || r.Decision != nil && was.Decision == nil || r.Reversal != nil && was.Reversal == nil)
}

// refuses returns why the release takes no such order; nil if it does.
func (r *Release) refuses(command rollout.Command) error {
	switch {
	case r.Outcome != Running:
		return &EndedError{r}
	case answers(command) && r.Approval == nil:
		return &NotWaitingError{r}
	}
	return nil
}

func (r *Release) inbox() inbox {
	in := inbox{
		name: r.Name, parameter: release.ControlParameter(r.Name), since: r.Started,
		found: &r.Pending, unread: &r.OrdersUnread, orders: r.Orders, reasons: &r.OrderReasons, reasonsUnread: &r.ReasonsUnread,
		running: r.Outcome == Running, next: r.NextCheck,
	}
	if r.data != nil {
		in.since, in.taken = r.data.Plan.Started, r.data.Progress.Order
	}
	return in
}

// The Watcher's view of a release.

func (r *Release) fetch(ctx context.Context, c *Client, name string, now time.Time, orders bool) (*Release, error) {
	if orders {
		return c.GetRelease(ctx, name, now)
	}
	return c.ReadRelease(ctx, name, now)
}

func (r *Release) workflow() workflow[release.State] { return ofReleases }

func (r *Release) known() (newest map[string]int64, last *release.State) { return r.newest, r.data }

// executions has the one that ends the release before that in which it continues: the latter may
// be a part of it.
func (r *Release) executions() []string {
	all := []string{r.Execution}
	for _, part := range []string{r.Concluded, r.Continued} {
		if part != "" {
			all = append(all, part)
		}
	}
	return all
}

func (r *Release) lasts(now time.Time) { r.Seconds = max(r.Seconds, now.Sub(r.Started).Seconds()) }

// endEvents returns the event of a release's end; none while it runs.
func (r *Release) endEvents() []Event {
	if r.Outcome == Running {
		return nil
	}
	text, _ := r.Headline()
	return []Event{{r.Ended, "end", rollout.OneLine(text + ": " + r.why())}}
}

// Left reports whether the release's execution has ended without ending the release, and the
// one that does so has not started yet.
func (r *Release) Left() bool { return r.leftAs != "" }
