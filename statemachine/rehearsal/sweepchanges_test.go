package rehearsal

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
	"github.com/lambda-rollout/lambda-rollout/lambdas/wire"
	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
)

// changes are all that became of the alias in a rehearsal, and what was read of
// it by whom. The judge holds each change against what its author had the right to do.
type changes struct {
	all     []change
	pending []change
	// reads are what an execution's CalculateWeights found: by the execution's name.
	reads map[string][]alias.Content
	lag   time.Duration // of what the functions read
}

// change is the alias after a write, or what a write is to make of it.
type change struct {
	at time.Time
	alias.Alias
	gone   bool
	author string // the execution whose task wrote it, or one of those below
	// running means that the rollout under way was running when the cleanup wrote.
	running bool
	// moving means that AWS keeps all requests on the version before until it has
	// allocated provisioned concurrency for this one.
	moving bool
	// ended means that this is what AWS made of an alias that was moving.
	ended bool
}

// Authors that are no executions.
const (
	cleaner = "the cleanup"
	other   = "someone else"
	itself  = "AWS"
)

func (c change) split() bool { return !c.gone && len(c.Weights) > 0 && !c.moving }

// isMoving reports whether an alias is what AWS makes of a write that gives it
// another version, while it has none of that version's provisioned concurrency.
func isMoving(found, written alias.Content) bool {
	for _, weight := range found.Weights {
		found.Weights = nil
		return weight == 1 && same(found, written)
	}
	return false
}

// marker is nil if the alias carries none.
func (c change) marker() *alias.Marker { return alias.ParseDescription(c.Description).Marker }

// owner is the execution that the marker names, or empty.
func (c change) owner() string {
	if m := c.marker(); m != nil && !c.gone {
		return m.Owner
	}
	return ""
}

// author is the key in the context of a function's invocation of who it acts for.
type author struct{}

func by(ctx context.Context, name string) context.Context {
	return context.WithValue(ctx, author{}, name)
}

// callerOf is the name of the execution that a task's input has.
func callerOf(input json.RawMessage) string {
	if rest, first := bytes.CutPrefix(input, []byte(`{"execution":"`)); first { // most inputs are long
		if execution, _, _ := bytes.Cut(rest, []byte(`"`)); !bytes.Contains(execution, []byte(`\\`)) {
			return arn.Name(string(execution))
		}
	}
	var call struct {
		Execution string `json:"execution"`
	}
	_ = json.Unmarshal(input, &call) // the workflow made it
	return arn.Name(call.Execution)
}

// look notes what has changed since the last look. It is called before and after
// each call of AWS, so nothing changes twice between two looks.
func (o *observed) look() {
	o.hear()
	found, ok := o.server.Alias("f", "live")
	now := change{at: o.clock.Now(), gone: !ok, author: itself, Alias: alias.Alias{RevisionID: found.RevisionID,
		Content: alias.Content{Routing: alias.Routing{Version: found.Version, Weights: found.Weights()}, Description: found.Description}}}
	if len(o.changed.all) == 0 {
		if ok {
			o.changed.all = append(o.changed.all, now)
		}
		return
	}
	last := o.changed.all[len(o.changed.all)-1]
	if now.gone == last.gone && now.RevisionID == last.RevisionID {
		return
	}
	switch {
	case now.gone:
		now.author = other
	case last.moving:
		now.author, now.ended = last.author, true
	}
	for _, p := range o.changed.pending {
		if p.RevisionID == last.RevisionID && (same(p.Content, now.Content) || isMoving(now.Content, p.Content)) {
			now.author, now.ended = p.author, false
			now.moving = isMoving(now.Content, p.Content) || last.moving && now.Version == last.Version && maps.Equal(now.Weights, last.Weights)
		}
	}
	if e := o.named(last.owner()); now.author == cleaner && e != nil {
		now.running = e.Status() == asl.Running
	}
	o.changed.all = append(o.changed.all, now)
}

// seam stands between everybody and the alias.
type seam struct {
	wire.Aliases
	o *observed
}

func (s seam) who(ctx context.Context) string {
	if name, ok := ctx.Value(author{}).(string); ok {
		return name
	}
	return first // the one-function deployer
}

func (s seam) Read(ctx context.Context, name alias.Name) (alias.Alias, error) {
	found, err := s.Aliases.Read(ctx, name)
	who := s.who(ctx)
	if err != nil || who == other {
		return found, err
	}
	if s.o.changed.lag > 0 {
		if found, err = s.o.asOf(s.o.clock.Now().Add(-s.o.changed.lag)); err != nil {
			return found, err
		}
	}
	if e := s.o.named(who); e == nil && s.o.options.Simple || e != nil && e.state == "CalculateWeights" {
		if s.o.changed.reads == nil {
			s.o.changed.reads = map[string][]alias.Content{}
		}
		s.o.changed.reads[who] = append(s.o.changed.reads[who], found.Content)
	}
	return found, nil
}

func (s seam) Write(ctx context.Context, name alias.Name, to alias.Content, revisionID string) (alias.Alias, error) {
	p := &s.o.changed.pending
	*p = append(*p, change{Alias: alias.Alias{Content: to, RevisionID: revisionID}, author: s.who(ctx)})
	written, err := s.Aliases.Write(ctx, name, to, revisionID)
	i := slices.IndexFunc(*p, func(c change) bool {
		return c.author == s.who(ctx) && c.RevisionID == revisionID && same(c.Content, to)
	})
	*p = slices.Delete(*p, i, i+1)
	return written, err
}

// asOf is the alias as it was then.
func (o *observed) asOf(then time.Time) (alias.Alias, error) {
	was := o.changed.all[0]
	for _, c := range o.changed.all {
		if c.at.After(then) {
			break
		}
		was = c
	}
	if was.gone {
		return alias.Alias{}, alias.ErrNotFound
	}
	return was.Alias, nil
}

// named is the execution of that name, or nil.
func (o *observed) named(name string) *execution {
	for _, e := range o.machine.executions {
		if e.name == name {
			return e
		}
	}
	return nil
}

// rollsOut is the name of the rollout that an execution belongs to: its own, or that
// of the one that it was started by, and so on.
func (o *observed) rollsOut(name string) string {
	for e := o.named(name); e != nil && e.parent != ""; e = o.named(name) {
		name = arn.Name(e.parent)
	}
	return name
}

// forger is the name of an execution that was handed a continuation which its
// author wrote.
const forger = "forged"

func same(a, b alias.Content) bool {
	return a.Version == b.Version && a.Description == b.Description && maps.Equal(a.Weights, b.Weights)
}
