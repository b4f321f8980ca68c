package rollouts

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
	"github.com/lambda-rollout/lambda-rollout/lambdas/release"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// ofReleases is the workflow of releases.
var ofReleases = workflow[release.State]{
	entered: release.EnteredState, returned: release.ReturnedState, resumed: resumedRelease, changes: releaseChanges,
	continues: func(s *release.State) bool { return s.Continues() },
	owner:     func(s *release.State) string { return s.Plan.Owner }, caught: func(s *release.State) **rollout.Caught { return &s.Error },
}

// resumedRelease returns the owner of the release that an input continues or ends; "" for none.
func resumedRelease(input []byte) string {
	if owner := release.ReadConclusion(input); owner != "" {
		return owner
	}
	s, is, err := release.ReadResume(input)
	if !is || err != nil {
		return ""
	}
	return s.Plan.Owner
}

// ReadRelease returns what is known at now of the release with a name or an ARN; c must be a
// client for releases. Of an execution that continues or ends a release, it returns that
// release. A *Failure says why it could not.
func (c *Client) ReadRelease(ctx context.Context, name string, now time.Time) (*Release, error) {
	f, err := find(ctx, c, ofReleases, name)
	if err != nil {
		return nil, err
	}
	return c.releaseOf(ctx, f, now)
}

// GetRelease is ReadRelease, and reads whether an order was given that no check has read, and
// why orders were given. If that can't be read, the release says why.
func (c *Client) GetRelease(ctx context.Context, name string, now time.Time) (*Release, error) {
	r, err := c.ReadRelease(ctx, name, now)
	if err != nil {
		return nil, err
	}
	in := r.inbox()
	in.read(ctx, c)
	in.readReasons(ctx, c)
	return r, ctx.Err()
}

// releaseOf returns what is known of a release.
func (c *Client) releaseOf(ctx context.Context, f *found[release.State], now time.Time) (*Release, error) {
	out := f.out
	execution := aws.ToString(out.ExecutionArn)
	r := &Release{
		Schema: Schema, Name: aws.ToString(out.Name), Execution: execution, Console: c.ConsoleURL(execution),
		Started: out.StartDate.UTC(), Seconds: f.elapsed(now), StartedBy: startedBy([]byte(aws.ToString(out.Input))), Redrives: aws.ToInt32(out.RedriveCount),
		Continued: f.part, Standings: map[release.Standing]int{}, Rollouts: []ReleaseMember{}, Orders: []rollout.Order{}, newest: f.newest,
	}
	r.end(f)
	if unfinished(r.Outcome) {
		concluding, err := c.conclusion(ctx, execution)
		if err != nil {
			return nil, err
		}
		if concluding != nil {
			r.concluded(f, concluding)
			r.Seconds = now.Sub(r.Started).Seconds()
			if !r.Ended.IsZero() {
				r.Seconds = r.Ended.Sub(r.Started).Seconds()
			}
		}
		if unfinished(r.Outcome) && now.Sub(r.Ended) < concludedWithin {
			r.leftAs, r.Outcome, r.Ended = r.Outcome, Running, time.Time{}
		}
	}
	r.take(f.inner, execution)
	if r.data != nil { // PlanRelease has accepted the input
		if request, err := release.Decode([]byte(aws.ToString(out.Input))); err == nil {
			r.describe(request)
		}
	}
	return r, nil
}

// unfinished reports whether an execution ended without ending its release. Then another one
// does so, which starts within minutes: the outcome is Running until concludedWithin.
func unfinished(o Outcome) bool { return o == Stopped || o == TimedOut || o == Failed }

// concludedWithin is the time in which the execution starts that ends a release.
const concludedWithin = 30 * time.Minute

// end sets how an execution ended, or that it runs.
func (r *Release) end(f *found[release.State]) {
	r.Status, r.State, r.Error, r.Reason = string(f.out.Status), f.first.state, aws.ToString(f.out.Error), aws.ToString(f.out.Cause)
	r.Ended = time.Time{}
	if f.out.StopDate != nil {
		r.Ended = f.out.StopDate.UTC()
	}
	r.Outcome = outcomeOf(f.out.Status, "")
	if ending, ok := releaseEndings[f.first.state]; ok && r.Outcome == Failed {
		r.Outcome = ending
	}
}

// concluded takes from another execution how the release stands that it ends.
func (r *Release) concluded(f, by *found[release.State]) {
	r.end(by)
	r.Concluded = aws.ToString(by.out.ExecutionArn)
	maps.Copy(r.newest, by.newest)
	if by.part != "" {
		r.Continued = by.part
	}
	if by.inner.data != nil && by.inner.data.Plan.Owner == r.Execution {
		f.inner = by.inner
	}
}

// conclusion reads the last of the executions that end the release of execution; nil if there
// is none. They are started one after another, as long as one of them fails.
func (c *Client) conclusion(ctx context.Context, execution string) (*found[release.State], error) {
	var last *sfn.DescribeExecutionOutput
	for try := 1; ; try++ {
		name := arn.WithName(execution, release.ConclusionName(arn.Name(execution), try))
		out, err := c.States.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &name})
		var none *types.ExecutionDoesNotExist
		switch {
		case errors.As(err, &none):
			if last == nil {
				return nil, nil
			}
			t, err := settled(ctx, c, ofReleases, last)
			if err != nil {
				return nil, err
			}
			return completed(ctx, c, last, t)
		case err != nil:
			return nil, inWords(err, "states:DescribeExecution", c.titled(arn.Name(name)))
		}
		last = out
	}
}

// take fills in the release's data, as far as there is any.
func (r *Release) take(t *tail[release.State], execution string) {
	s := t.data
	if s == nil || s.Plan.Owner != execution { // of another release: not this one's data
		return
	}
	p := s.Progress
	r.data, r.Title, r.Together, r.Waves = s, s.Release, s.Together, s.Plan.Waves
	r.Wave, r.Checks, r.Decision, r.Reversal = p.Wave, p.Checks, p.Decision, p.Reversal
	if p.Orders != nil {
		r.Orders = p.Orders
	}
	if r.Outcome == Running {
		r.Pause = p.Pause
		if s.Health != nil && r.leftAs == "" {
			r.Reason = s.Health.Reason
		}
		if strings.HasPrefix(t.state, "Wait") {
			r.NextCheck = t.entered.Add(time.Duration(p.Wait) * time.Second).UTC()
		}
		if !p.ApprovalRequestedAt.IsZero() {
			r.Approval = &ReleaseApproval{Since: p.ApprovalRequestedAt}
			if r.data.Members != nil && slices.ContainsFunc(slices.Collect(maps.Values(s.Members)), func(l release.Line) bool { return l.Standing == release.Waiting }) {
				r.Approval.Wave = p.Wave + 1
			}
		}
	}
	if o := s.Outcome; o != nil && (r.Outcome == Promoted || r.Outcome == Unchanged) {
		r.Reason, r.UnverifiedRollouts, r.Unverified = o.Reason, o.Unverified, len(o.Unverified) > 0
	}
	for name, line := range s.Members {
		m := memberOf(name, line, r.Name)
		r.Standings[m.Standing]++
		r.Weight += m.Weight / float64(len(s.Members))
		r.Rollouts = append(r.Rollouts, m)
	}
	r.sort()
}

func memberOf(name string, line release.Line, owner string) ReleaseMember {
	m := ReleaseMember{
		Name: name, Rollout: release.MemberName(owner, name), Standing: line.Standing, Weight: line.Weight, Unverified: line.Unverified,
		Error: line.Error, Reason: line.Reason,
	}
	if line.Standing == release.Promoted || line.Standing == release.Unchanged {
		m.Weight = 1
	}
	m.Red = slices.Index(attention, line.Standing) < slices.Index(attention, release.UnderWay) && line.Error != rollout.ReleaseRolledBack
	if line.RollbackFails {
		m.Red, m.Reason = true, "its rollback fails, and is retried: "+m.Reason
	}
	return m
}

// attention are the standings in the order in which rollouts are listed. Those before
// release.UnderWay are bad.
var attention = []release.Standing{
	release.NotRestored, release.RollbackFailed, release.AliasChanged, release.TimedOut, release.Stopped, release.Refused, release.RolledBack,
	release.UnderWay, release.Ready, release.Waiting, release.TakenBack, release.OnBaseline, release.Promoted, release.Unchanged,
}

// sort puts those first that need attention.
func (r *Release) sort() {
	slices.SortFunc(r.Rollouts, func(a, b ReleaseMember) int {
		red := func(m ReleaseMember) int { return map[bool]int{true: 0, false: 1}[m.Red] }
		return cmp.Or(red(a)-red(b), slices.Index(attention, a.Standing)-slices.Index(attention, b.Standing), a.Wave-b.Wave, cmp.Compare(a.Weight, b.Weight), cmp.Compare(a.Name, b.Name))
	})
}

// describe adds what the request says of the members that the release's data has.
func (r *Release) describe(request release.Request) {
	for i := range r.Rollouts {
		m := &r.Rollouts[i]
		if of, ok := request.Member(m.Name); ok {
			m.Wave, m.Function, m.Alias, m.NewVersion = of.Wave+1, of.Request.Function(), of.Request.AliasName, of.Request.NewVersion
		}
	}
	r.sort()
	if r.Approval != nil {
		r.Approval.Until = r.Approval.Since.Add(time.Duration(request.Approval.Timeout) * time.Second)
	}
}
