package rehearsal

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
)

// AliasChange is a change of the alias by another user. What it leaves out stays
// as it is.
type AliasChange struct {
	// Version is the version that the alias then points at.
	Version string `json:"version,omitempty"`
	// Weight is the new version's share, in [0, 1].
	Weight      *float64 `json:"weight,omitempty"`
	Description *string  `json:"description,omitempty"`
}

// intervenes reports whether a change is an action of a user.
func (c Change) intervenes() bool {
	return c.Stop || c.Redrive || c.Alias != nil || c.Order != "" || c.OrderText != ""
}

// steered is a rollout that users can act on. The signal that ended returns is
// fired as long as the rollout is over.
type steered struct {
	ended   func() *asl.Signal
	stop    func()
	redrive func() error
}

// intervene waits for the time of a change and does what its user does: it stops
// the execution, redrives it, writes the alias, or gives an order. After the end of
// the rollout only a redrive has an effect; redriven says whether the scenario has
// one, so that the other changes must be waited for beyond the end.
func (r *run) intervene(c Change, on steered, redriven bool) {
	at := r.timeline.start.Add(c.at(r.total()))
	if redriven {
		r.clock.Wait(at)
	} else {
		r.clock.Wait(at, on.ended())
	}
	over := on.ended().Fired()
	if over && !c.Redrive {
		return
	}
	r.catchUp()
	if c.Stop && !over {
		r.timeline.add(r.clock.Now(), Entry{State: "by hand", Text: "an operator stops the execution"})
		on.stop()
	}
	if c.Redrive {
		defer r.redrive(on.redrive)
	}
	if text := cmp.Or(string(c.Order), c.OrderText); text != "" {
		r.order(text, cmp.Or(c.By, "operator"))
	}
	if c.Alias != nil {
		r.err = errors.Join(r.err, r.writeAlias(*c.Alias))
	}
}

// writeAlias carries out a user's change of the alias.
func (r *run) writeAlias(c AliasChange) error {
	text, err := r.changeAlias(r.request, c)
	if err == nil {
		r.timeline.add(r.clock.Now(), Entry{State: "by hand", Text: text})
	}
	return err
}

// changeAlias changes the alias of a request as another user, and says how.
func (r *run) changeAlias(request rollout.Request, c AliasChange) (string, error) {
	name := alias.Name{Function: request.FunctionName, Alias: request.AliasName}
	found, err := r.ports.Aliases.Read(context.Background(), name)
	if err != nil {
		return "", fmt.Errorf("the scenario's change of the alias: %w", err)
	}
	content := found.Content
	if c.Version != "" {
		content.Version = c.Version
	}
	if c.Weight != nil {
		content.Weights = map[string]float64{request.NewVersion: *c.Weight}
	}
	if c.Description != nil {
		content.Description = *c.Description
	}
	if _, err := r.ports.Aliases.Write(context.Background(), name, content, found.RevisionID); err != nil {
		return "", fmt.Errorf("the scenario's change of the alias: %w", err)
	}
	return "another user changes the alias: " + content.String(), nil
}

// cleaned adds what a cleanup did to the timeline, and reports whether it put an
// alias back or failed. An alias that it left alone is added once, although each
// sweep finds it again.
func (r *run) cleaned(answer json.RawMessage, err error) (busy bool) {
	now := r.clock.Now()
	if err != nil {
		r.timeline.add(now, Entry{State: "Cleanup", Error: "cleanup failed", Text: err.Error()})
		return true
	}
	var all []task.CleanupResult
	if err := json.Unmarshal(answer, &all); err != nil {
		r.err = errors.Join(r.err, err)
	}
	for _, one := range all {
		line := Entry{State: "Cleanup", Text: "the alias was left as it is: " + one.SkippedBecause}
		if one.Alias == rollout.AliasPutBack {
			busy = true
			line.Text = fmt.Sprintf("alias %s of %s was put back on version %s", r.request.AliasName, r.request.Function(), r.timeline.last.Plan.Baseline)
		}
		if line.Text != r.left {
			r.timeline.add(now, line)
		}
		r.left = line.Text
	}
	return busy
}

// total returns the plan's duration; 0 before it is known.
func (r *run) total() time.Duration {
	if r.traffic == nil {
		return 0
	}
	return r.traffic.total
}
