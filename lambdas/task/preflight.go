package task

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/health"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// found holds what the preflight has read.
type found struct {
	alias.Alias
	next alias.Version // the new version; zero if the alias is already on it
	// redAlarms are the request's alarms that are already in ALARM, and alarms is what
	// is known of all of them.
	redAlarms []string
	alarms    []rollout.SeenAlarm
	// provisioned is nil if no provisioned concurrency is involved.
	provisioned *rollout.Provisioned
}

// preflight reads everything that decides whether the rollout may start, and
// refuses a rollout that may not. It writes nothing.
func (t CalculateWeights) preflight(ctx context.Context, start Start, req rollout.Request) (found, error) {
	name := alias.Name{Function: req.FunctionName, Alias: req.AliasName}
	var f found
	if err := t.allows(req); err != nil {
		return f, err
	}
	var err error
	f.Alias, err = t.Aliases.Read(ctx, name)
	if errors.Is(err, alias.ErrNotFound) {
		return f, t.missing(ctx, name)
	} else if err != nil {
		return f, err
	}
	if err := t.checkTransit(ctx, name, f.Alias); err != nil {
		return f, err
	}
	if err := t.checkAlias(ctx, start, name, f.Alias); err != nil || f.Version == req.NewVersion {
		return f, err
	}
	if f.next, err = t.checkVersions(ctx, req, f.Version); err != nil {
		return f, err
	}
	if f.next.TenantIsolation && len(req.Gates.Probes) > 0 {
		return f, rollout.ProbesNeedTenant(req)
	}
	if f.provisioned, err = t.provisioned(ctx, req, f.Version); err != nil {
		return f, err
	}
	f.redAlarms, f.alarms, err = t.readAlarms(ctx, req)
	return f, err
}

// checkAlias refuses an alias as the function of the same name does, except that an
// alias with the marker of an ended execution is retried a few times: the read may
// lag behind, or the cleanup be about to put the alias back.
func (t CalculateWeights) checkAlias(ctx context.Context, start Start, name alias.Name, found alias.Alias) error {
	err := checkAlias(name, found)
	var taken RolloutUnderWay
	if t.Handovers == nil || start.Retries >= patience || !errors.As(err, &taken) {
		return err
	}
	owner := alias.ParseDescription(found.Description).Marker.Owner
	_, ended := t.Handovers.HandedOver(ctx, rollout.State{Plan: rollout.Plan{Owner: owner}}.OwnerARN(start.Execution))
	if errors.Is(ended, ErrNotRunning) {
		return fmt.Errorf("%s still carries the marker of execution %s, which has ended: %w", name, owner, errLate)
	}
	return err
}

// allows refuses gates and topics that the stack has no permissions for.
func (t CalculateWeights) allows(req rollout.Request) error {
	if denied := without(req.Permissions(), t.Allowed); len(denied) > 0 {
		return GateNotAllowed{refusef("this stack does not allow %s. Deploy it with -c gates=%s, or remove them from the request",
			strings.Join(denied, ", "), strings.Join(slices.Concat(t.Allowed, denied), ","))}
	}
	if foreign := without(req.Notify.Topics, t.Topics); len(foreign) > 0 {
		return GateNotAllowed{refusef("this stack may not publish to %s, which notify.topics names. Deploy it with -c topics=%s, or remove them from the request",
			strings.Join(foreign, ", "), strings.Join(slices.Concat(t.Topics, foreign), ","))}
	}
	return nil
}

// without returns the names that are not among others.
func without(names, others []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(others, name) })
}

// missing returns whether the function or only the alias does not exist.
func (t CalculateWeights) missing(ctx context.Context, name alias.Name) error {
	_, err := t.Aliases.Version(ctx, name.Function, "$LATEST")
	switch {
	case errors.Is(err, alias.ErrNotFound):
		return FunctionNotFound{refusef("there is no function %s in this account and Region", name.Function)}
	case err != nil:
		return err
	}
	return AliasNotFound{refusef("there is no %s. Create it, pointing at the version that serves requests now", name)}
}

// checkAlias refuses an alias that is in another rollout, split, or not published.
func checkAlias(name alias.Name, found alias.Alias) error {
	marker := alias.ParseDescription(found.Description).Marker
	switch {
	case len(found.Weights) > 0 && marker != nil && !marker.Splits(found.Routing):
		return AliasSplit{refusef("%s splits its traffic (%s), and not as execution %s left it: another user has changed it since. Clear the weights first, or find out who set them",
			name, found.Routing, marker.Owner)}
	case marker != nil && (len(found.Weights) > 0 || marker.Weight == 0):
		taken := &alias.OwnedError{Name: name, By: *marker}
		return RolloutUnderWay{refusef("%w. Wait until it ends. If its execution was stopped, the alias is put back within minutes", taken)}
	case len(found.Weights) > 0:
		return AliasSplit{refusef("%s already splits its traffic (%s), and not by a rollout. Clear the weights first, or find out who set them", name, found.Routing)}
	case !rollout.IsPublished(found.Version):
		return AliasNotPublished{refusef("%s points at %s, which can't share traffic. Point it at a numbered version first", name, found.Version)}
	}
	return nil
}

// checkVersions returns the new version. It refuses one that is not ready, or that
// Lambda does not accept behind one alias with the baseline.
func (t CalculateWeights) checkVersions(ctx context.Context, req rollout.Request, baseline string) (alias.Version, error) {
	next, err := t.Aliases.Version(ctx, req.FunctionName, req.NewVersion)
	if errors.Is(err, alias.ErrNotFound) {
		return next, VersionNotFound{refusef("there is no version %s of %s. Publish it first", req.NewVersion, req.FunctionName)}
	} else if err != nil {
		return next, err
	}
	before, err := t.Aliases.Version(ctx, req.FunctionName, baseline)
	if err != nil {
		return next, err
	}
	switch {
	case next.State == "Inactive":
		return next, VersionNotReady{refusef("version %s of %s is Inactive %s. Invoke it once (%s), and start again when it is Active",
			next.Number, req.FunctionName, reasonOf(next), invocation(req.FunctionName, next.Number))}
	case next.State != "" && next.State != "Active":
		return next, VersionNotReady{refusef("version %s of %s is %s %s. Wait until it is Active, or publish the version again", next.Number, req.FunctionName, next.State, reasonOf(next))}
	case next.LastUpdate != "" && next.LastUpdate != "Successful":
		return next, VersionNotReady{refusef("the last update of version %s of %s is %s %s. Wait until it is Successful, or publish the version again", next.Number, req.FunctionName, next.LastUpdate, reasonOf(next))}
	case next.Role != before.Role:
		return next, VersionsDiffer{refusef("versions %s and %s of %s have different execution roles (%s and %s), but Lambda splits traffic only between versions with the same role. Publish the version with the baseline's role, or move the alias by hand",
			before.Number, next.Number, req.FunctionName, before.Role, next.Role)}
	case next.DeadLetter != before.DeadLetter:
		return next, VersionsDiffer{refusef("versions %s and %s of %s have different dead-letter configurations (%s and %s), but Lambda splits traffic only between versions with the same one, or without any. Publish the version with the baseline's configuration",
			before.Number, next.Number, req.FunctionName, cmp.Or(before.DeadLetter, "none"), cmp.Or(next.DeadLetter, "none"))}
	}
	return next, nil
}

// invocation returns the shell command that invokes a version once.
func invocation(function, version string) string {
	return rollout.AWS{Command: "lambda invoke", Input: struct{ FunctionName, Qualifier string }{function, version}, Rest: "/dev/null"}.String()
}

// readAlarms returns the request's alarms that are already in ALARM, and what is
// known of all. It refuses alarms that do not exist, and those in ALARM if the
// request says so.
func (t CalculateWeights) readAlarms(ctx context.Context, req rollout.Request) (red []string, seen []rollout.SeenAlarm, err error) {
	if len(req.Gates.Alarms) == 0 {
		return nil, nil, nil
	}
	statuses, err := t.Alarms.AlarmStates(ctx, req.Gates.Alarms)
	if err != nil {
		return nil, nil, err
	}
	var missing []string
	for _, name := range req.Gates.Alarms {
		switch statuses[name].State {
		case "":
			missing = append(missing, name)
		case health.Alarm:
			red = append(red, name)
		}
	}
	switch {
	case len(missing) > 0:
		return nil, nil, AlarmNotFound{refusef("health.alarms names alarms that do not exist in this account and Region: %s", strings.Join(missing, ", "))}
	case len(red) > 0 && req.RedAlarmsAtStart == rollout.Refuse:
		return nil, nil, AlarmsRed{refusef(`already in ALARM: %s. Fix that first, or set "red-alarms-at-start": "ignore" if this rollout is the fix`, strings.Join(red, ", "))}
	}
	return red, health.SeenAlarms(req.Gates.Alarms, nil, statuses), nil
}
