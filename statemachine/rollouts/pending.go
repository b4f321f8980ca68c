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
	Reason  string          `json:"reason,omitempty"`
}

// Get is Read, and reads whether an order was given that no check has read, and why orders were
// given. If that can't be read, the rollout says why.
func (c *Client) Get(ctx context.Context, name string, now time.Time) (*Rollout, error) {
	r, err := c.Read(ctx, name, now)
	if err != nil {
		return nil, err
	}
	in := r.inbox()
	in.read(ctx, c)
	in.readReasons(ctx, c)
	return r, ctx.Err()
}

// inbox is where orders to a rollout or a release arrive.
type inbox struct {
	name, parameter string
	since           time.Time // orders before it are to an earlier execution of that name
	taken           int64     // the number of the last order that a check has read
	// found is the last order, if no check has read it, and unread why that is not known.
	found  **PendingOrder
	unread *string
	// orders are those that checks have read, reasons why they were given, by their numbers, and
	// reasonsUnread why that is not known.
	orders        []rollout.Order
	reasons       *map[int64]string
	reasonsUnread *string
	// running is whether it is running, and next when its next check is; zero if not known.
	running bool
	next    time.Time
}

func (r *Rollout) inbox() inbox {
	in := inbox{
		name: r.Name, parameter: rollout.ControlParameter(r.Name), since: r.Started,
		found: &r.Pending, unread: &r.OrdersUnread, orders: r.Orders, reasons: &r.OrderReasons, reasonsUnread: &r.ReasonsUnread,
		running: r.Outcome == Running, next: r.NextCheck,
	}
	if r.data != nil {
		in.since, in.taken = r.data.Plan.Started, r.data.Progress.Order
	}
	return in
}

// order returns the order that no check has read, as it was read last.
func (in inbox) order() *PendingOrder { return *in.found }

// read reads the order that no check has read, or sets why that is not known.
func (in inbox) read(ctx context.Context, c *Client) {
	*in.unread = ""
	found, err := in.last(ctx, c)
	if err != nil {
		*in.unread = err.Error()
		return
	}
	found.recall(*in.found)
	*in.found = found
}

// recall gives the order the reason that is known of it, if it was read before.
func (p *PendingOrder) recall(before *PendingOrder) {
	if p != nil && before != nil && p.Number == before.Number {
		p.Reason = before.Reason
	}
}

// last returns the last order if no check has read it; nil if there is none.
func (in inbox) last(ctx context.Context, c *Client) (*PendingOrder, error) {
	out, err := c.SSM.GetParameter(ctx, &ssm.GetParameterInput{Name: &in.parameter})
	var none *types.ParameterNotFound
	switch {
	case errors.As(err, &none):
		return nil, nil
	case err == nil && out.Parameter == nil:
		err = errors.New("the answer has no parameter in it")
	}
	if err != nil {
		return nil, inWords(err, "ssm:GetParameter", "the orders to "+c.titled(in.name))
	}
	at := aws.ToTime(out.Parameter.LastModifiedDate).UTC()
	if out.Parameter.Version <= in.taken || at.Before(in.since) {
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

// add adds the order that no check has read, or why that is not known.
func (in inbox) add(p *Page, now time.Time) {
	switch {
	case *in.unread != "":
		p.Add("new order", "", *in.unread)
	case in.order() != nil:
		p.Add("new order", terminal.Doubt, in.text(now))
	}
}

// text says which order no check has read, and when one will.
func (in inbox) text(now time.Time) string {
	o := in.order()
	if !in.running {
		return o.what() + " was given at " + stamp(o.At) + ", and no check has read it" + in.why()
	}
	text := fmt.Sprintf("%s, given %s ago, is not read yet", o.what(), span(max(0, now.Sub(o.At))))
	if !in.next.IsZero() {
		text += "; the next check is at " + stamp(in.next)
	}
	return text + in.why()
}

// keep keeps what was known before of what can't be read now.
func (in inbox) keep(before inbox) {
	o := before.order()
	if *in.unread != "" && o != nil && o.Number > in.taken {
		kept := *o
		*in.found = &kept
	}
	if *in.reasonsUnread == "" {
		return
	}
	*in.reasons = *before.reasons
	in.order().recall(o)
}

// why says why the order that no check has read was given, if a reason was, or why that is not
// known.
func (in inbox) why() string {
	why := reasonGiven(in.order().Reason)
	if why == "" && *in.reasonsUnread != "" {
		return "; why it was given is not known: " + *in.reasonsUnread
	}
	return why
}

// sentences say which order no check has read, or why that is not known.
func (in inbox) sentences() []string {
	switch o := in.order(); {
	case *in.unread != "":
		return []string{"Whether there is an order that no check has read is not known: " + *in.unread}
	case o != nil:
		return []string{fmt.Sprintf("At %s, %s was given, and no check has read it%s.", stamp(o.At), o.what(), in.why())}
	}
	return nil
}

// events returns the event of an order that was given after another one.
func (in inbox) events(before *PendingOrder) []Event {
	o := in.order()
	if o == nil || before != nil && before.Number >= o.Number {
		return nil
	}
	text := o.what() + " was given; no check has read it"
	if !in.next.IsZero() {
		text += ", the next one is at " + stamp(in.next)
	}
	text += in.why()
	return []Event{{o.At, "order", rollout.OneLine(text)}}
}
