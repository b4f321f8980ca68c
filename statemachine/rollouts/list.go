package rollouts

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// List is what `list -o json` prints.
type List struct {
	Schema   int    `json:"schema"`
	Machine  string `json:"state-machine"`
	Rollouts []Item `json:"rollouts"` // the one that started last is first
	// Releases are those that there are. Of a release that is listed, the rollouts are left out,
	// unless members were asked for. ReleasesUnread says why releases can't be listed.
	Releases       []ReleaseItem `json:"releases"`
	ReleasesUnread string        `json:"releases-unread,omitempty"`
	// More means that there are others, which were left out because of the limit.
	More bool `json:"more"`
}

// Item is a rollout in a list. Its members are those of Rollout.
type Item struct {
	Name       string    `json:"name"`
	Execution  string    `json:"execution"`
	Function   string    `json:"function"`
	Alias      string    `json:"alias"`
	Baseline   string    `json:"baseline,omitempty"`
	NewVersion string    `json:"new-version"`
	Status     string    `json:"status"`
	Outcome    Outcome   `json:"outcome"`
	Unverified bool      `json:"unverified"`
	Step       int       `json:"step"`
	Of         int       `json:"of"`
	Weight     float64   `json:"weight"`
	Started    time.Time `json:"started"`
	Ended      time.Time `json:"ended,omitzero"`
	Seconds    float64   `json:"seconds"`
	// Release is nil unless the rollout is a member of a release.
	Release *Membership `json:"release,omitempty"`
	// Unread says why this rollout could not be read, beyond its name, status and times.
	Unread string `json:"unread,omitempty"`

	waits bool    // for an approval
	age   float64 // seconds since the start
}

// readers is how many rollouts of a list are read at a time: Step Functions allows 20
// GetExecutionHistory a second, and in most Regions ten DescribeExecution, for everyone in the
// account.
const readers = 3

// List returns the rollouts and the releases with a status, or of all if it is empty: of both
// at most limit, those that started last. One whose status changes while the list is read is
// left out if a status was asked for, and listed once otherwise. Executions in which long
// rollouts continue are left out, and, unless members is true, the rollouts of releases that are
// listed. What can't be read is in the list with the reason. A client for releases lists only
// releases.
func (c *Client) List(ctx context.Context, status types.ExecutionStatus, limit int, members bool, now time.Time) (*List, error) {
	list := &List{Schema: Schema, Machine: c.Machine, Rollouts: []Item{}, Releases: []ReleaseItem{}}
	var more bool
	hidden, err := list.addReleases(ctx, c, status, limit, now)
	if err != nil || c.ofReleases {
		return list, err
	}
	if members {
		hidden = nil
	}
	list.Rollouts, more, err = listing[Item]{
		skip: func(name string) bool { return hidden[name] },
		read: func(e types.ExecutionListItem) (Item, string, bool) {
			item, first := c.item(ctx, e, now)
			return item, item.Execution, first && (status == "" || item.Status == string(status))
		},
	}.list(ctx, c, status, limit)
	list.More = list.More || more
	return list, err
}

// listing lists what the executions of a state machine are of.
type listing[I any] struct {
	skip func(name string) bool // leaves executions out unread
	// read returns an execution's item, the ARN of what it is of, and whether to list it.
	read func(types.ExecutionListItem) (item I, of string, list bool)
}

// list returns at most limit items, and whether there are more.
func (l listing[I]) list(ctx context.Context, c *Client, status types.ExecutionStatus, limit int) ([]I, bool, error) {
	all, listed, of := []I{}, map[string]bool{}, map[string]bool{}
	in := &sfn.ListExecutionsInput{StateMachineArn: &c.Machine, StatusFilter: status, MaxResults: int32(min(limit+1, 1000))}
	for {
		out, err := c.States.ListExecutions(ctx, in)
		if err != nil {
			return nil, false, inWords(err, "states:ListExecutions", "the list of the state machine "+c.Machine)
		}
		fresh := slices.DeleteFunc(out.Executions, func(e types.ExecutionListItem) bool {
			execution := aws.ToString(e.ExecutionArn)
			again := listed[execution] // executions that start meanwhile move others to the next page
			listed[execution] = true
			return again || l.skip(aws.ToString(e.Name))
		})
		items, err := l.items(ctx, fresh, of)
		if err != nil {
			return nil, false, err
		}
		all = append(all, items...)
		if len(all) > limit || out.NextToken == nil {
			break
		}
		if len(fresh) < len(out.Executions)/2 {
			in.MaxResults = 1000 // most are left out, and a page costs a call
		}
		in.NextToken = out.NextToken
	}
	return all[:min(len(all), limit)], len(all) > limit, nil
}

// items reads executions, a few at a time, and returns the items to list that are of nothing
// that was seen.
func (l listing[I]) items(ctx context.Context, executions []types.ExecutionListItem, seen map[string]bool) ([]I, error) {
	type result struct {
		item I
		of   string
		list bool
	}
	results := make([]result, len(executions))
	var wait sync.WaitGroup
	for worker := range readers {
		wait.Go(func() {
			for i := worker; i < len(executions) && ctx.Err() == nil; i += readers {
				r := &results[i]
				r.item, r.of, r.list = l.read(executions[i])
			}
		})
	}
	wait.Wait()
	var all []I
	for _, r := range results {
		if r.list && !seen[r.of] {
			seen[r.of] = true
			all = append(all, r.item)
		}
	}
	return all, ctx.Err()
}

// item reads one execution; false if it continues another. The list and the end of the
// history have all that is shown, unless the execution ended before there was a plan, or
// after the list was read.
func (c *Client) item(ctx context.Context, e types.ExecutionListItem, now time.Time) (Item, bool) {
	r, err := c.listed(ctx, e, now)
	if err != nil {
		item := Item{Name: aws.ToString(e.Name), Execution: aws.ToString(e.ExecutionArn), Status: string(e.Status), Outcome: outcomeOf(e.Status, ""),
			Started: aws.ToTime(e.StartDate), Ended: aws.ToTime(e.StopDate), Unread: err.Error(), age: now.Sub(aws.ToTime(e.StartDate)).Seconds()}
		return item, true
	}
	return Item{
		Name: r.Name, Execution: r.Execution, Function: r.Function, Alias: r.Alias, Baseline: r.Baseline, NewVersion: r.NewVersion,
		Status: r.Status, Outcome: r.Outcome, Unverified: r.Unverified, Step: r.Step, Of: r.Of, Weight: r.Weight,
		Started: r.Started, Ended: r.Ended, Seconds: r.Seconds, Release: r.Release, waits: r.Approval != nil, age: now.Sub(r.Started).Seconds(),
	}, r.Execution == aws.ToString(e.ExecutionArn)
}

func (c *Client) listed(ctx context.Context, e types.ExecutionListItem, now time.Time) (*Rollout, error) {
	out := &sfn.DescribeExecutionOutput{ExecutionArn: e.ExecutionArn, Name: e.Name, Status: e.Status, StartDate: e.StartDate, StopDate: e.StopDate}
	if out.StartDate == nil {
		return nil, inWords(errNothing, "", c.titled(aws.ToString(e.Name)))
	}
	t, err := settled(ctx, c, ofRollouts, out)
	if err != nil {
		return nil, err
	}
	endedSince := outcomeOf(e.Status, "") == Running && t.ended()
	if endedSince || t.data == nil || t.data.Plan.Owner != aws.ToString(e.Name) {
		return c.read(ctx, aws.ToString(e.ExecutionArn), now, false)
	}
	f, err := completed(ctx, c, out, t)
	if err != nil {
		return nil, err
	}
	return rolloutOf(f, now), nil
}
