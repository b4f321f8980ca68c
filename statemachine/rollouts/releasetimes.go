package rollouts

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/lambda-rollout/lambda-rollout/lambdas/release"
)

// MemberTimes are when a release's checks found that a rollout had started, was ready, and
// stood as it does now; zero where they did not, and Ended for a rollout that has not ended.
type MemberTimes struct{ Started, Ready, Ended time.Time }

// ReleaseTimes reads the histories of all executions of a release that ReadRelease returned,
// and returns the times of its rollouts by their names in the release, and the states of its
// first execution in the order in which they were entered. The histories of a large release
// have hundreds of megabytes: they are read page by page, and not kept.
func (c *Client) ReleaseTimes(ctx context.Context, r *Release) (times map[string]MemberTimes, path []string, err error) {
	ends := make(map[string]release.Standing, len(r.Rollouts))
	for _, m := range r.Rollouts {
		ends[m.Name] = m.Standing
	}
	times = map[string]MemberTimes{}
	left := r.executions()
	for read := map[string]bool{}; len(left) > 0; left = left[1:] {
		if read[left[0]] {
			continue
		}
		read[left[0]] = true
		first := len(read) == 1
		parts, err := c.timesIn(ctx, left[0], func(s *release.State, at time.Time) {
			if s.Plan.Owner == r.Execution {
				take(times, ends, s.Members, at)
			}
		}, func(state string) {
			if first {
				path = append(path, state)
			}
		})
		if err != nil {
			return nil, nil, err
		}
		left = append(left, parts...)
	}
	return times, path, nil
}

// take adds what the data of a check at a time says. The histories of a release's executions
// overlap, so that the earliest time counts.
func take(times map[string]MemberTimes, ends map[string]release.Standing, lines map[string]release.Line, at time.Time) {
	earliest := func(known *time.Time) {
		if known.IsZero() || at.Before(*known) {
			*known = at
		}
	}
	for name, line := range lines {
		t := times[name]
		if line.Standing != release.Waiting {
			earliest(&t.Started)
		}
		if line.Standing == release.Ready {
			earliest(&t.Ready)
		}
		if line.Standing == ends[name] && line.Standing.Ended() {
			earliest(&t.Ended)
		}
		times[name] = t
	}
}

// timesIn passes on what each task in an execution's history returned, and when, and the states
// that were entered. It returns the ARNs of the executions in which the release continued.
func (c *Client) timesIn(ctx context.Context, execution string, found func(*release.State, time.Time), entered func(state string)) (parts []string, err error) {
	in := &sfn.GetExecutionHistoryInput{ExecutionArn: &execution, MaxResults: historyPage}
	for {
		out, err := c.States.GetExecutionHistory(ctx, in)
		if err != nil {
			return nil, inWords(err, "states:GetExecutionHistory", "the history of "+c.titled(nameOf(execution)))
		}
		for i := range out.Events {
			e := &out.Events[i]
			if e.Type == types.HistoryEventTypeLambdaFunctionSucceeded {
				if s := ofReleases.stateIn(e); s != nil {
					found(s, aws.ToTime(e.Timestamp))
				}
			}
			if d := e.StateEnteredEventDetails; d != nil {
				entered(aws.ToString(d.Name))
			}
			if part := c.partIn(e); part != "" && !slices.Contains(parts, part) {
				parts = append(parts, part)
			}
		}
		if out.NextToken == nil {
			return parts, nil
		}
		in.NextToken = out.NextToken
	}
}
