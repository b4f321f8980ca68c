package rollouts

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/lambda-rollout/lambda-rollout/lambdas/release"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// ReleaseItem is a release in a list. Its members are those of Release.
type ReleaseItem struct {
	Name       string                   `json:"name"`
	Execution  string                   `json:"execution"`
	Title      string                   `json:"release,omitempty"`
	Status     string                   `json:"status"`
	Outcome    Outcome                  `json:"outcome"`
	Unverified bool                     `json:"unverified"`
	Wave       int                      `json:"wave"`
	Waves      int                      `json:"waves"`
	Weight     float64                  `json:"weight"`
	Standings  map[release.Standing]int `json:"standings"`
	Started    time.Time                `json:"started"`
	Ended      time.Time                `json:"ended,omitzero"`
	Seconds    float64                  `json:"seconds"`
	// Unread says why this release could not be read, beyond its name, status and times.
	Unread string `json:"unread,omitempty"`

	headline, colour string
	members          []string // the names of its rollouts' executions
	age              float64  // seconds since the start
}

// addReleases adds the releases to a list, and returns the names of their rollouts' executions.
// The list of a client for rollouts has the reason if they can't be read; it has no releases if
// the stack has none.
func (l *List) addReleases(ctx context.Context, c *Client, status types.ExecutionStatus, limit int, now time.Time) (members map[string]bool, err error) {
	of := c.Releases()
	l.Releases, l.More, err = listing[ReleaseItem]{
		skip: func(string) bool { return false },
		read: func(e types.ExecutionListItem) (ReleaseItem, string, bool) {
			item, first := of.releaseItem(ctx, e, now)
			return item, item.Execution, first && (status == "" || item.Status == string(status))
		},
	}.list(ctx, of, status, limit)
	if err != nil {
		l.Releases = []ReleaseItem{}
	}
	switch {
	case err != nil && (c.ofReleases || ctx.Err() != nil):
		return nil, err
	case err != nil && TroubleOf(err) != NotFound: // a stack that has no releases yet
		l.ReleasesUnread = err.Error()
	}
	members = map[string]bool{}
	for _, r := range l.Releases {
		for _, name := range r.members {
			members[name] = true
		}
	}
	return members, nil
}

// releaseItem reads one execution; false if it continues another. Of one that ends another
// one's release, it returns that release.
func (c *Client) releaseItem(ctx context.Context, e types.ExecutionListItem, now time.Time) (ReleaseItem, bool) {
	r, listed, err := c.listedRelease(ctx, e, now)
	switch {
	case err != nil:
		return ReleaseItem{
			Name: aws.ToString(e.Name), Execution: aws.ToString(e.ExecutionArn), Status: string(e.Status), Outcome: outcomeOf(e.Status, ""), headline: string(outcomeOf(e.Status, "")),
			Started: aws.ToTime(e.StartDate), Ended: aws.ToTime(e.StopDate), Unread: err.Error(), age: now.Sub(aws.ToTime(e.StartDate)).Seconds(),
		}, true
	case !listed:
		return ReleaseItem{}, false
	}
	item := ReleaseItem{
		Name: r.Name, Execution: r.Execution, Title: r.Title, Status: r.Status, Outcome: r.Outcome, Unverified: r.Unverified, Wave: r.Wave, Waves: r.Waves,
		Weight: r.Weight, Standings: r.Standings, Started: r.Started, Ended: r.Ended, Seconds: r.Seconds, age: now.Sub(r.Started).Seconds(),
	}
	item.headline, item.colour = r.word()
	for _, m := range r.Rollouts {
		item.members = append(item.members, m.Rollout)
	}
	return item, true
}

// listedRelease reads the release of an execution in a list; false if that continues another.
func (c *Client) listedRelease(ctx context.Context, e types.ExecutionListItem, now time.Time) (*Release, bool, error) {
	execution := aws.ToString(e.ExecutionArn)
	out := &sfn.DescribeExecutionOutput{ExecutionArn: e.ExecutionArn, Name: e.Name, Status: e.Status, StartDate: e.StartDate, StopDate: e.StopDate}
	if out.StartDate == nil {
		return nil, false, inWords(errNothing, "", c.titled(aws.ToString(e.Name)))
	}
	t, err := settled(ctx, c, ofReleases, out)
	if err != nil {
		return nil, false, err
	}
	endedSince := outcomeOf(e.Status, "") == Running && t.ended()
	if !endedSince && t.data != nil && t.data.Plan.Owner == execution {
		f, err := completed(ctx, c, out, t)
		if err != nil {
			return nil, false, err
		}
		r, err := c.releaseOf(ctx, f, now)
		return r, true, err
	}
	r, err := c.ReadRelease(ctx, execution, now)
	if err != nil {
		return nil, false, err
	}
	return r, r.Execution == execution || r.Concluded == execution, nil
}

// word returns how the release stands in a word or two, with its colour.
func (r *Release) word() (text, colour string) {
	_, colour = r.Headline()
	switch {
	case r.Outcome == Promoted && r.Unverified:
		return "promoted, unverified", colour
	case r.Outcome != Running:
		return string(r.Outcome), colour
	case r.leftAs != "":
		return string(r.leftAs) + ", rolling back", colour
	case r.Decision != nil && r.Decision.Decision == rollout.RollBack, r.Reversal != nil:
		return "rolling back", colour
	case r.Approval != nil:
		return "waits for approval", colour
	case r.Pause != nil:
		return "paused", colour
	}
	return string(r.Outcome), colour
}

// entry returns the line of a release in a list.
func (i ReleaseItem) entry() entry {
	total := 0
	for _, n := range i.Standings {
		total += n
	}
	e := entry{name: i.Name, of: "release", status: i.headline, colour: i.colour, unread: i.Unread, age: i.age, started: i.Started}
	if total > 0 {
		e.of = "release of " + plural(total, "rollout")
		e.weight, e.step = rollout.Weight(i.Weight), fmt.Sprintf("wave %d/%d", i.Wave, i.Waves)
	}
	return e
}
