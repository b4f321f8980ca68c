package rollouts

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
)

// found is what the first execution of a rollout or a release, and the one in which it
// continues, say.
type found[S any] struct {
	out *sfn.DescribeExecutionOutput
	// first is of the first execution, and inner of the one that continues it, completed by
	// what the first one knows. They are the same if there is none.
	first, inner *tail[S]
	part         string // the ARN of the execution that continues it; "" for none
	newest       map[string]int64
}

// find reads the execution with a name or an ARN, or the one that it continues.
func find[S any](ctx context.Context, c *Client, of workflow[S], name string) (*found[S], error) {
	var out *sfn.DescribeExecutionOutput
	var t *tail[S]
	var err error
	for range endTries {
		if out, err = c.describe(ctx, name, of.resumed); err != nil {
			return nil, err
		}
		if t, err = settled(ctx, c, of, out); err != nil {
			return nil, err
		}
		if outcomeOf(out.Status, "") != Running || !t.ended() {
			break
		} // it ended in between: then its status says how
	}
	return completed(ctx, c, out, t)
}

// completed returns what an execution says, with the one in which it continues.
func completed[S any](ctx context.Context, c *Client, out *sfn.DescribeExecutionOutput, t *tail[S]) (*found[S], error) {
	f := &found[S]{out: out, first: t, inner: t, newest: map[string]int64{aws.ToString(out.ExecutionArn): t.last.Id}}
	f.part = partOf(c, t)
	if f.part == "" {
		return f, nil
	}
	var err error
	if f.inner, err = tailOf(ctx, c, t.of, f.part); err != nil {
		return nil, err
	}
	f.newest[f.part] = f.inner.last.Id
	f.inner.after(t)
	return f, nil
}

// after completes what is known of the execution that continues another one by what the
// first one knows.
func (t *tail[S]) after(first *tail[S]) {
	if first.state != continueState {
		t.state, t.entered = first.state, first.entered
	}
	if t.data == nil || t.of.owner(t.data) != t.of.owner(first.data) {
		t.data = first.data
	} else if caught := *t.of.caught(first.data); caught != nil {
		*t.of.caught(t.data) = caught
	}
}

// elapsed returns the time from an execution's start to its end, or to now, in seconds.
func (f *found[S]) elapsed(now time.Time) float64 {
	if until := aws.ToTime(f.out.StopDate); !until.IsZero() {
		now = until
	}
	if newest := aws.ToTime(f.first.last.Timestamp); newest.After(now) {
		now = newest // this machine's clock is slow
	}
	return max(0, now.Sub(f.out.StartDate.UTC()).Seconds())
}
