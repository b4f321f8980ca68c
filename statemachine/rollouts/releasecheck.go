package rollouts

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/release"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
)

// CheckedRelease is what a check of a release's input found. Nothing has been changed.
type CheckedRelease struct {
	// Request is set if the input is valid.
	Request release.Request
	// Refusals are all reasons for which the workflow would refuse the input, with paths in
	// it; none if it would start.
	Refusals []task.Refusal
	// Unread says of rollouts what kept them from being checked, such as a permission that is
	// missing; each names the rollout. There may be more refusals.
	Unread []error
	// RedAlarms are the alarms of rollouts that are in ALARM, and Unchecked sentences about what
	// only the stack's own roles can find.
	RedAlarms, Unchecked []string
}

// CheckRelease checks an input as the workflow of releases does before it starts anything, with
// this client's permissions: for the execution of that name, at that time. It checks the
// rollouts one after another, as slowly as the workflow does, and calls checked after each
// with their number so far. A rollout whose calls AWS denies, as those on a function of
// another account, does not keep it from checking the others. At any other error it stops.
// The error says why nothing could be checked.
func (c *Client) CheckRelease(ctx context.Context, name string, input []byte, now time.Time, sleep Sleep, checked func(done, of int)) (CheckedRelease, error) {
	var found CheckedRelease
	execution, err := c.ExecutionARN(name)
	if err != nil {
		return found, err
	}
	request, err := release.Decode(input)
	var invalid *rollout.RequestError
	if errors.As(err, &invalid) {
		for _, p := range invalid.Problems {
			found.Refusals = append(found.Refusals, task.Refusal{Name: "InvalidRequest", Path: rollout.OneLine(p.Path), Text: rollout.OneLine(p.Error())})
		}
		return found, nil
	} else if err != nil {
		return found, err
	}
	for i, m := range request.Members {
		if i > 0 {
			if err := sleep(ctx, release.PlanPause); err != nil {
				return found, err
			}
		}
		member, refusals, err := c.calculateWeights(m.Request).ProblemsOf(ctx, task.Start{Execution: execution, Now: now, Retries: noRetries}, m.Request)
		if ctx.Err() != nil {
			return found, fmt.Errorf("checking %s: %w", m.Name, err)
		}
		for _, r := range refusals {
			r.Path, r.Text = strings.TrimSuffix("rollouts."+m.Name+"."+r.Path, "."), m.Name+": "+r.Text
			found.Refusals = append(found.Refusals, r)
		}
		if denied := found.unread(m.Name, err); !denied {
			if left := len(request.Members) - 1 - i; left > 0 {
				found.Unread = append(found.Unread, fmt.Errorf("so %s not checked", map[bool]string{true: "1 more rollout was", false: plural(left, "more rollout") + " were"}[left == 1]))
			}
			return found, nil
		}
		found.RedAlarms = append(found.RedAlarms, member.RedAlarms...)
		checked(i+1, len(request.Members))
	}
	slices.Sort(found.RedAlarms)
	found.RedAlarms = slices.Compact(found.RedAlarms)
	if len(found.Refusals) == 0 && len(found.Unread) == 0 {
		found.Request, found.Unchecked = request, uncheckedOf(request)
	}
	return found, nil
}

// unread adds the errors that err joins, those of a rollout, in words. It reports whether AWS
// denied each of the calls, so that another rollout's may succeed.
func (f *CheckedRelease) unread(member string, err error) (denied bool) {
	each := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		each = joined.Unwrap()
	}
	denied = true
	for _, err := range each {
		if err != nil {
			denied = denied && TroubleOf(err) == Denied
			f.Unread = append(f.Unread, fmt.Errorf("%s: %w", member, Explain(err)))
		}
	}
	return denied
}

// uncheckedOf says what only the roles of the stack can find.
func uncheckedOf(r release.Request) []string {
	all := []string{"whether the stack's roles may shift these functions, which may have to be opted in by tag"}
	var gates []string
	for _, m := range r.Members {
		gates = append(gates, m.Request.Permissions()...)
	}
	if len(gates) > 0 {
		all = append(all, "whether the stack was deployed with -c gates="+strings.Join(slices.Compact(slices.Sorted(slices.Values(gates))), ",")+", and what its roles may invoke and read")
	}
	if len(r.Notify.Topics) > 0 {
		all = append(all, "whether the stack was deployed with -c topics="+strings.Join(r.Notify.Topics, ","))
	}
	return all
}

// nameable returns r, or - if names should not have it.
func nameable(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_.-", r) {
		return r
	}
	return '-'
}

// NewReleaseName returns the name of an execution for a release with a title that starts at a
// time: at most 80 characters.
func NewReleaseName(title string, at time.Time) string {
	return fmt.Sprintf("%.60s-%s", strings.Map(nameable, title), at.UTC().Format("20060102T150405Z"))
}

// ReleaseTitle returns the title in a release's input, which may not be valid; "" for none.
func ReleaseTitle(input []byte) string {
	r, err := release.Decode(input)
	if err != nil {
		return ""
	}
	return r.Name
}
