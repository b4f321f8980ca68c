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

// AliasChange is what somebody writes into the alias by hand. What it leaves
// out stays as it is.
type AliasChange struct {
	// Version is the one that the alias is to point at.
	Version string `json:"version,omitempty"`
	// Weight is the new version's share, in [0, 1].
	Weight      *float64 `json:"weight,omitempty"`
	Description *string  `json:"description,omitempty"`
}

// intervenes tells whether a change is a person's deed at a moment.
func (c Change) intervenes() bool {
	return c.Stop || c.Redrive || c.Alias != nil || c.Order != ""
}

// steered is a rollout as people act on it. ended is fired while it is over.
type steered struct {
	ended   func() *asl.Signal
	stop    func()
	redrive func() error
}

// intervene does at its time what a person does: stop the execution, redrive it,
// write the alias, or give an order. Once the rollout is over only a redrive is
// left; whether another comes decides how long the others have to be waited for.
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
		r.timeline.add(r.clock.Now(), Entry{State: "by hand", Text: "somebody stops the rollout"})
		on.stop()
	}
	if c.Redrive {
		defer r.redrive(on.redrive)
	}
	if c.Order != "" {
		r.order(c.Order, cmp.Or(c.By, "somebody"))
	}
	if c.Alias != nil {
		r.err = errors.Join(r.err, r.writeAlias(*c.Alias))
	}
}

func (r *run) writeAlias(c AliasChange) error {
	name := alias.Name{Function: r.request.FunctionName, Alias: r.request.AliasName}
	found, err := r.ports.Aliases.Read(context.Background(), name)
	if err != nil {
		return fmt.Errorf("the scenario's change of the alias: %w", err)
	}
	content := found.Content
	if c.Version != "" {
		content.Version = c.Version
	}
	if c.Weight != nil {
		content.Weights = map[string]float64{r.request.NewVersion: *c.Weight}
	}
	if c.Description != nil {
		content.Description = *c.Description
	}
	if _, err := r.ports.Aliases.Write(context.Background(), name, content, found.RevisionID); err != nil {
		return fmt.Errorf("the scenario's change of the alias: %w", err)
	}
	r.timeline.add(r.clock.Now(), Entry{State: "by hand", Text: "somebody writes the alias: " + content.String()})
	return nil
}

// cleaned is told what a cleanup did, and tells whether that was anything. An
// alias that is left is told of once: each sweep comes to it again.
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
		line := Entry{State: "Cleanup", Text: "the alias is left as it is: " + one.SkippedBecause}
		if one.Alias == rollout.AliasPutBack {
			busy = true
			line.Text = fmt.Sprintf("alias %s of %s was put back: it is wholly on version %s again", r.request.AliasName, r.request.Function(), r.timeline.last.Plan.Baseline)
		}
		if line.Text != r.left {
			r.timeline.add(now, line)
		}
		r.left = line.Text
	}
	return busy
}

// total is the plan's duration.
func (r *run) total() time.Duration {
	if r.traffic == nil {
		return 0
	}
	return r.traffic.total
}
