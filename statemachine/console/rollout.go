package console

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// rolloutView says in words how far a rollout is.
type rolloutView struct {
	What     string
	Progress string // "step 2 of 10, 20%"
	Step, Of int
	Weight   float64
	Decision string
	Reason   []string // of the last check, line by line
	Readings []reading
	Counts   []countRow
	Checks   int
	Waits    bool   // for an approval
	Paused   bool   // by an order
	Held     string // until when the next shift is held, and why; "" if it is not
	Outcome  *rollout.Outcome
	Caught   *rollout.Caught
	Orders   []rollout.Order
	Warnings []string
	Undo     string
	Owner    string
	// Release is the name of the release of which the rollout is a member; "" if of none.
	Release string
}

// reading is what one gate found in the last check.
type reading struct{ Gate, Status, Tone, Sign, Reason string }

// countRow has the requests of a version that were counted.
type countRow struct{ Version, Requests, Errors, Rate string }

// readingSigns are signs and tones of a reading's status.
var readingSigns = map[rollout.Status][3]string{
	rollout.Pass: {"good", "✓", "passes"}, rollout.Fail: {"bad", "✕", "fails"}, rollout.Inconclusive: {"", "–", "inconclusive"},
}

func newRolloutView(s rollout.State) *rolloutView {
	v := &rolloutView{
		What: fmt.Sprintf("%s’s alias %s, version %s to version %s", s.Function(), s.AliasName, s.Plan.Baseline, s.NewVersion),
		Step: s.Progress.Step, Of: len(s.Plan.Steps), Weight: s.Progress.Weight, Checks: s.Progress.Checks,
		Progress: fmt.Sprintf("before step 1 of %d", len(s.Plan.Steps)),
		Waits:    !s.Progress.ApprovalRequestedAt.IsZero(), Paused: s.Progress.Pause != nil, Held: s.HeldText(),
		Outcome: s.Outcome, Caught: s.Error, Orders: slices.Clone(s.Progress.Orders), Warnings: s.Plan.Warnings, Undo: s.Plan.Undo, Owner: s.Plan.Owner,
	}
	slices.Reverse(v.Orders)
	if s.Release != nil {
		v.Release = arn.Name(s.Release.Execution)
	}
	if v.Step > 0 {
		v.Progress = fmt.Sprintf("step %d of %d, %s of the traffic on version %s", v.Step, v.Of, rollout.Weight(v.Weight), s.NewVersion)
	}
	h := s.Health
	if h == nil {
		return v
	}
	v.Decision = string(h.Decision)
	v.Reason = strings.Split(rollout.Lines(h.Reason, h.Readings), "\n")
	for _, r := range h.Readings {
		look, ok := readingSigns[r.Status]
		if !ok {
			look = [3]string{"", "?", string(r.Status)}
		}
		status := look[2]
		if r.Verdict == rollout.VerdictProven || r.Verdict == rollout.VerdictHold {
			status = map[rollout.Verdict]string{rollout.VerdictProven: "proven", rollout.VerdictHold: "in doubt"}[r.Verdict]
		}
		v.Readings = append(v.Readings, reading{r.Gate, status, look[0], look[1], r.Reason})
	}
	for _, of := range []struct {
		version string
		counts  rollout.Counts
	}{{"version " + s.NewVersion + ", new", h.NewVersion}, {"version " + s.Plan.Baseline + ", baseline", h.Baseline}} {
		rate := "–"
		if of.counts.Requests > 0 {
			rate = rollout.Percent(float64(of.counts.Errors) / float64(of.counts.Requests))
		}
		v.Counts = append(v.Counts, countRow{of.version, rollout.Thousands(of.counts.Requests), rollout.Thousands(of.counts.Errors), rate})
	}
	return v
}

// aliasView is the alias now, and the versions that it could point to.
type aliasView struct {
	Name, Description string
	Routing           string
	Versions          []versionRow
	More              bool
	Error             string
}

type versionRow struct{ Number, Share, Description string }

// alias returns the alias as it is now.
func (c *console) alias(ctx context.Context, function, name string) aliasView {
	out, err := c.functions.GetAlias(ctx, &lambda.GetAliasInput{FunctionName: &function, Name: &name})
	if err != nil {
		return aliasView{Name: name, Error: words(err)}
	}
	v := aliasView{Name: name, Description: aws.ToString(out.Description)}
	weights, version := map[string]float64{}, aws.ToString(out.FunctionVersion)
	rest := 1.0
	if out.RoutingConfig != nil {
		for other, weight := range out.RoutingConfig.AdditionalVersionWeights {
			weights[other] = weight
			rest -= weight
		}
	}
	v.Routing = alias.Routing{Version: version, Weights: weights}.String()
	versions, err := c.functions.ListVersionsByFunction(ctx, &lambda.ListVersionsByFunctionInput{FunctionName: &function, MaxItems: aws.Int32(50)})
	if err != nil {
		v.Error = words(err)
		return v
	}
	v.More = versions.NextMarker != nil
	for _, f := range versions.Versions {
		number := aws.ToString(f.Version)
		if number == "$LATEST" {
			continue
		}
		share := "–"
		if weight, ok := weights[number]; ok {
			share = rollout.Weight(weight)
		} else if number == version {
			share = rollout.Weight(rest)
		}
		v.Versions = append(v.Versions, versionRow{number, share, aws.ToString(f.Description)})
	}
	return v
}
