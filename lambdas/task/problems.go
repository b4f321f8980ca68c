package task

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/aws/smithy-go"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/awserror"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Refusal describes why CalculateWeights would refuse a rollout.
type Refusal struct {
	// Name is that of the error with which the execution would end: see Refusals.
	Name string
	// Path is the field of the input that is wrong, as in rollout.Problem; empty if the
	// input is right, and AWS as it is does not allow it.
	Path string
	// Text says what is wrong, and what to do. It is Plain.
	Text string
}

// Problems returns the state that Handle returns; else all refusals at once, where Handle
// stops at the first. An error says what kept it from checking, such as a permission that
// is missing; refusals that were found until then are returned as well.
func (t CalculateWeights) Problems(ctx context.Context, start Start) (rollout.State, []Refusal, error) {
	state, err := t.begin(ctx, start)
	if err == nil {
		return state, nil, nil
	}
	var all findings
	all.add(err)
	if req, err := rollout.Decode(start.Rollout); err == nil {
		t.findRest(ctx, start, req, &all)
	}
	return rollout.State{}, all.refusals, errors.Join(all.failed...)
}

// findRest adds what the task finds beside the problem that all has, which stopped it.
func (t CalculateWeights) findRest(ctx context.Context, start Start, req rollout.Request, all *findings) {
	if all.stopped {
		return
	}
	all.add(t.allows(req))
	t.findAll(ctx, start, req, all)
	_, _, err := t.readAlarms(ctx, req)
	all.add(err)
}

// findAll adds what preflight finds of the alias and the versions, without stopping at the
// first problem.
func (t CalculateWeights) findAll(ctx context.Context, start Start, req rollout.Request, all *findings) {
	name := alias.Name{Function: req.FunctionName, Alias: req.AliasName}
	found, err := t.Aliases.Read(ctx, name)
	baseline := found.Version
	switch {
	case awserror.Of(err) == awserror.Denied:
		all.add(err)
		baseline = req.NewVersion
	case errors.Is(err, alias.ErrNotFound):
		err = t.missing(ctx, name)
		all.add(err)
		if errors.As(err, &FunctionNotFound{}) {
			return
		}
		baseline = req.NewVersion // there is no other to compare with
	case err != nil:
		all.add(err)
		return
	default:
		all.add(t.checkTransit(ctx, name, found))
		all.add(t.checkAlias(ctx, start, name, found))
		if !rollout.IsPublished(baseline) {
			baseline = req.NewVersion
		}
		_, err = t.provisioned(ctx, req, baseline)
		all.add(err)
	}
	next, err := t.checkVersions(ctx, req, baseline)
	if all.add(err); err == nil && next.TenantIsolation && len(req.Gates.Probes) > 0 {
		all.add(rollout.ProbesNeedTenant(req))
	}
}

// findings collects refusals, and what kept from looking for them, each once.
type findings struct {
	refusals []Refusal
	failed   []error
	// stopped means that an error was not AWS's denial of a call: others of its kind will follow.
	stopped bool
}

func (f *findings) add(err error) {
	var invalid *rollout.RequestError
	switch {
	case err == nil:
		return
	case errors.As(err, &invalid):
		for _, p := range invalid.Problems {
			f.once(Refusal{Name: NameOf(InvalidRequest{}), Path: rollout.OneLine(p.Path), Text: rollout.OneLine(p.Error())})
		}
		return
	}
	named := Classify(err)
	if !Refuses(named) {
		f.stopped = f.stopped || awserror.Of(err) != awserror.Denied
		if !slices.ContainsFunc(f.failed, func(known error) bool { return callOf(known) == callOf(err) }) {
			f.failed = append(f.failed, err)
		}
		return
	}
	f.once(Refusal{Name: NameOf(named), Text: strings.TrimPrefix(rollout.OneLine(named.Error()), nothingChanged)})
}

// callOf returns the operation of AWS that failed; "" for another error.
func callOf(err error) string {
	if call, ok := errors.AsType[*smithy.OperationError](err); ok {
		return call.Service() + ":" + call.Operation()
	}
	return ""
}

func (f *findings) once(r Refusal) {
	for _, known := range f.refusals {
		if known == r {
			return
		}
	}
	f.refusals = append(f.refusals, r)
}

// ProblemsOf returns what Check returns for a request that a release starts; else all
// refusals at once, where Check stops at the first. An error says what kept it from checking,
// as that of Problems.
func (t CalculateWeights) ProblemsOf(ctx context.Context, start Start, req rollout.Request) (Preflight, []Refusal, error) {
	found, err := t.check(ctx, start, req)
	if err == nil {
		return found, nil, nil
	}
	var all findings
	all.add(err)
	t.findRest(ctx, start, req, &all)
	return Preflight{}, all.refusals, errors.Join(all.failed...)
}
