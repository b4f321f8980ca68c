package rollouts

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/terminal"
)

// PendingOrder is an order that was given to a rollout and that no health check has read.
type PendingOrder struct {
	Command rollout.Command `json:"command"`
	Unknown bool            `json:"unknown,omitempty"` // the text is no order, and will hold the weight
	At      time.Time       `json:"at"`
	Number  int64           `json:"number"` // see rollout.Order
}

// Get is Read, and reads whether an order was given that no check has read. If that can't be
// read, the rollout has the reason.
func (c *Client) Get(ctx context.Context, name string, now time.Time) (*Rollout, error) {
	r, err := c.Read(ctx, name, now)
	if err != nil {
		return nil, err
	}
	r.Pending, err = c.pending(ctx, r)
	if err != nil {
		r.OrdersUnread = err.Error()
	}
	return r, ctx.Err()
}

// pending returns the last order to a rollout if no check has read it; nil if there is none.
func (c *Client) pending(ctx context.Context, r *Rollout) (*PendingOrder, error) {
	parameter := rollout.ControlParameter(r.Name)
	out, err := c.SSM.GetParameter(ctx, &ssm.GetParameterInput{Name: &parameter})
	var none *types.ParameterNotFound
	switch {
	case errors.As(err, &none):
		return nil, nil
	case err == nil && out.Parameter == nil:
		err = errors.New("the answer has no parameter in it")
	}
	if err != nil {
		return nil, inWords(err, "ssm:GetParameter", "the orders to the rollout "+rollout.OneLine(r.Name))
	}
	since, read := r.Started, int64(0)
	if r.data != nil {
		since, read = r.data.Plan.Started, r.data.Progress.Order
	}
	at := aws.ToTime(out.Parameter.LastModifiedDate).UTC()
	if out.Parameter.Version <= read || at.Before(since) {
		return nil, nil
	}
	command, known := rollout.ReadCommand(aws.ToString(out.Parameter.Value))
	return &PendingOrder{Command: command, Unknown: !known, At: at, Number: out.Parameter.Version}, nil
}

// what names the order: "the order to pause" or `the unknown order "x"`.
func (p *PendingOrder) what() string {
	if p.Unknown {
		return fmt.Sprintf("the unknown order %q", rollout.OneLine(string(p.Command)))
	}
	return "the order to " + rollout.OneLine(string(p.Command))
}

// addPending adds the order that no check has read, or why that is not known.
func (r *Rollout) addPending(p *Page, now time.Time) {
	switch {
	case r.OrdersUnread != "":
		p.Add("new order", "", r.OrdersUnread)
	case r.Pending != nil:
		p.Add("new order", terminal.Doubt, r.pendingText(now))
	}
}

// pendingText says which order no check has read, and when one will.
func (r *Rollout) pendingText(now time.Time) string {
	if r.Outcome != Running {
		return r.Pending.what() + " was given at " + stamp(r.Pending.At) + ", and no check has read it"
	}
	text := fmt.Sprintf("%s, given %s ago, is not read yet", r.Pending.what(), span(max(0, now.Sub(r.Pending.At))))
	if !r.NextCheck.IsZero() {
		text += "; the next check is at " + stamp(r.NextCheck)
	}
	return text
}

// whyPending says which order no check has read, or why that is not known, in sentences.
func (r *Rollout) whyPending() []string {
	switch {
	case r.OrdersUnread != "":
		return []string{"Whether there is an order that no check has read is not known: " + r.OrdersUnread}
	case r.Pending != nil:
		return []string{fmt.Sprintf("At %s, %s was given, and no check has read it.", stamp(r.Pending.At), r.Pending.what())}
	}
	return nil
}

// pendingEvents returns the event of an order that was given since the rollout was before.
func (r *Rollout) pendingEvents(before *Rollout) []Event {
	if r.Pending == nil || before != nil && before.Pending != nil && before.Pending.Number >= r.Pending.Number {
		return nil
	}
	text := r.Pending.what() + " was given; no check has read it"
	if !r.NextCheck.IsZero() {
		text += ", the next one is at " + stamp(r.NextCheck)
	}
	return []Event{{r.Pending.At, "order", rollout.OneLine(text)}}
}
