package rehearsal

import (
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
)

// judge holds the end against the invariants.
func (t trial) judge(o *observed, result Result) error {
	var wrong []error
	claim := func(ok bool, format string, args ...any) {
		if !ok {
			wrong = append(wrong, fmt.Errorf(format, args...))
		}
	}
	claim(len(result.Denied) == 0, "a permission is missing: %q", result.Denied)
	end, ok := o.standing()
	switch {
	case o.gone:
		claim(!ok, "somebody deleted the alias, and it is back: %s", end)
	case o.foreign != nil && o.kept:
		claim(same(end, *o.foreign) || t.settled(end, *o.foreign), "somebody's change was overwritten: they wrote %s, it is %s", *o.foreign, end)
	case o.foreign != nil: // they changed the text, and left our marker and our split
		claim(len(end.Weights) == 0 || result.Outcome == Promoted || t.ofAlias().Fails != "" && end.HeldBy() == "7", "the alias is split: %s", end)
		claim(end.Description == alias.ReadMarker(o.foreign.Description).Text, "somebody's description was overwritten: they wrote %q, it is %q", o.foreign.Description, end.Description)
	case o.second > 0:
		claim(len(end.Weights) == 0, "the alias is split: %s", end)
		claim(end.Description == longDescription, "the description has become %q", end.Description)
		had, err := o.oneAfterTheOther()
		claim(err == nil, "%v", err)
		claim(!had[first] || had[second] || result.Outcome == t.subject.outcome, "%s, though the other rollout never had the alias: %s", result.Outcome, result.Reason)
	default:
		claim(len(end.Weights) == 0 || t.stuck(end, result), "the alias is split: %s", end)
		claim(end.Description == longDescription, "the description has become %q", end.Description)
		want := "7"
		if result.Outcome == Promoted {
			want = "8"
		}
		claim(end.Version == want || (result.Outcome == Stopped || t.leftToAWS(result)) && end.Version == "8", "%s, and the alias is on version %s", result.Outcome, end.Version)
	}
	if o.foreign == nil && !o.gone {
		err := t.provisionedRightly(end, result)
		claim(err == nil, "%v", err)
	}
	if t.harmless {
		claim(result.Outcome == t.subject.outcome, "%s instead of %s: %s", result.Outcome, t.subject.outcome, result.Reason)
	}
	if o.foreign == nil && o.second == 0 {
		err := o.grewByThePlan()
		claim(err == nil, "%v", err)
	}
	return errors.Join(wrong...)
}

// grewByThePlan checks that the new version's share went up by the plan's
// weights, one after the other, and otherwise only down to nothing.
func (o *observed) grewByThePlan() error {
	steps, err := o.request.Schedule()
	if err != nil {
		return err
	}
	next := 0
	for _, content := range o.history {
		weight, split := content.Weights["8"]
		switch {
		case o.options.Scenario.Provisioned != nil && split && weight == 1 && alias.ReadMarker(content.Description).Marker == nil: // AWS's own
		case split && next < len(steps) && weight == steps[next].Weight:
			next++
		case !split && next > 0:
			next = len(steps) // nothing may come after the end
		case !split: // not begun
		default:
			return fmt.Errorf("after %d steps the alias got %s", next, content)
		}
	}
	return nil
}

// oneAfterTheOther checks that of two rollouts only one had the alias at a
// time, and that one that was refused never had it. It returns which of them had it.
func (o *observed) oneAfterTheOther() (had map[string]bool, err error) {
	owner := ""
	had = map[string]bool{}
	for _, content := range o.history {
		marker := alias.ReadMarker(content.Description).Marker
		switch {
		case marker == nil:
			owner = ""
		case owner != "" && marker.Owner != owner:
			return had, fmt.Errorf("%s wrote the alias while %s had it", marker.Owner, owner)
		default:
			owner = marker.Owner
			had[owner] = true
		}
	}
	for _, e := range o.machine.executions {
		if e.state == "Refused" && had[e.name] {
			return had, fmt.Errorf("%s was refused, and had the alias", e.name)
		}
	}
	if len(had) == 0 {
		return had, errors.New("none of the two proceeded")
	}
	return had, nil
}

// ofAlias is the scenario's provisioned concurrency of the alias; zero without.
func (t trial) ofAlias() Provisioned {
	if p := t.subject.scenario.Provisioned; p != nil && p.Alias > 0 {
		return *p
	}
	return Provisioned{}
}

// leftToAWS reports whether the alias may have been left in transit: then AWS
// goes on with it.
func (t trial) leftToAWS(result Result) bool {
	return t.ofAlias().Alias > 0 && (result.Outcome == Stopped || result.Outcome == RollbackFailed)
}

// stuck reports whether AWS holds all requests on the baseline by weights of its
// own, as it does when an alias was left to it that it could not allocate for.
func (t trial) stuck(end alias.Content, result Result) bool {
	return t.ofAlias().Fails != "" && t.leftToAWS(result) && end.Version == "8" && len(end.Weights) == 1 && end.Weights["7"] == 1
}

// settled reports whether the alias is as another writer left it, but for
// weights of AWS's own, which it sets and takes off by itself.
func (t trial) settled(end, written alias.Content) bool {
	if t.ofAlias().Alias == 0 {
		return false
	}
	for _, content := range []*alias.Content{&end, &written} {
		if content.HeldBy() != "" {
			content.Weights = nil
		}
	}
	return same(end, written)
}

// provisionedRightly checks that a version has the provisioned concurrency that
// moves if, and only if, the alias is on it.
func (t trial) provisionedRightly(end alias.Content, result Result) error {
	p := t.subject.scenario.Provisioned
	if p == nil || p.Baseline == 0 {
		return nil
	}
	want := map[string]int32{end.Version: p.Baseline}
	if maps.Equal(result.Provisioned, want) || strings.Contains(result.Reason, "version 7 keeps its provisioned concurrency, which costs on") {
		return nil
	}
	return fmt.Errorf("%s, the alias is on version %s, and there is the provisioned concurrency %v", result.Outcome, end.Version, result.Provisioned)
}
