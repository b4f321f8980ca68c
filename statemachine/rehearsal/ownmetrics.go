package rehearsal

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal/strictjson"
)

// Metric is a CloudWatch metric of the user's own. It gets a value at the beginning of
// each minute, from an hour before the rollout on.
//
// If a dimension's value contains ${version}, each version has a series, with values
// only in minutes in which the alias sends it requests. Otherwise there is one series,
// and its mean is that of both versions, by their shares of the traffic.
type Metric struct {
	// Namespace, Metric and Dimensions are as those of a metric gate; the values of
	// dimensions may contain ${version}, ${baseline}, ${alias} and ${function}.
	Namespace  string            `json:"namespace"`
	Metric     string            `json:"metric"`
	Dimensions map[string]string `json:"dimensions,omitempty"`
	// Unit is CloudWatch's name of the unit; None if it is left out.
	Unit types.StandardUnit `json:"unit,omitempty"`
	MetricLevel
}

// MetricLevel describes the values of a metric. In a change it replaces what it has.
type MetricLevel struct {
	// Value is the mean, 0 if it is left out; NewVersion is that of the new version, as
	// Value if it is left out. Both are in [-1e15, 1e15].
	Value      *float64 `json:"value,omitempty"`
	NewVersion *float64 `json:"new-version,omitempty"`
	// Noise is the standard deviation of the values, which are normally distributed, in
	// [0, 1e15]. If the mean is not negative, no value is.
	Noise *float64 `json:"noise,omitempty"`
	// Silent means that no values are recorded.
	Silent *bool `json:"silent,omitempty"`
}

// maxLevel bounds the values of metrics.
const maxLevel = 1e15

// with returns the level with that of a change.
func (l MetricLevel) with(c MetricLevel) MetricLevel {
	return MetricLevel{cmp.Or(c.Value, l.Value), cmp.Or(c.NewVersion, l.NewVersion), cmp.Or(c.Noise, l.Noise), cmp.Or(c.Silent, l.Silent)}
}

// check passes the numbers and their bounds to within, and returns an error for a level
// that has nothing.
func (l MetricLevel) check(path string, within func(path string, value, low, high float64)) error {
	for name, value := range map[string]*float64{"value": l.Value, "new-version": l.NewVersion} {
		if value != nil {
			within(path+"."+name, *value, -maxLevel, maxLevel)
		}
	}
	if l.Noise != nil {
		within(path+".noise", *l.Noise, 0, maxLevel)
	}
	if l == (MetricLevel{}) {
		return problemAt(path, "must have a value, a new-version, a noise or silent", nil)
	}
	return nil
}

// fromTraffic are the metrics that the traffic itself has.
var fromTraffic = []string{"Invocations", "Errors", "Throttles", "Duration"}

// check returns an error that lists what is wrong with a metric beside its numbers,
// which it passes to within.
func (m Metric) check(path string, within func(path string, value, low, high float64)) error {
	problems := []error{m.MetricLevel.check(path, within)}
	refuse := func(field, given, want string) {
		if want != "" {
			problems = append(problems, problemAt(path+field, want, given))
		}
	}
	refuse(".namespace", m.Namespace, rollout.NamespaceProblem(m.Namespace))
	refuse(".metric", m.Metric, rollout.MetricNameProblem(m.Metric))
	if m.Namespace == "AWS/Lambda" && slices.Contains(fromTraffic, m.Metric) {
		refuse(".metric", m.Metric, "must not be one that the scenario's traffic has itself: "+strings.Join(fromTraffic, ", "))
	}
	if m.Unit != "" && !slices.Contains(m.Unit.Values(), m.Unit) {
		refuse(".unit", string(m.Unit), wantOneOf(m.Unit, m.Unit.Values()))
	}
	if len(m.Dimensions) > rollout.MaxDimensions {
		problems = append(problems, problemAt(path+".dimensions", fmt.Sprintf("must have at most %d dimensions", rollout.MaxDimensions), nil))
	}
	for _, name := range slices.Sorted(maps.Keys(m.Dimensions)) {
		at := strictjson.Path(".dimensions", name)
		refuse(at, name, rollout.DimensionNameProblem(name))
		refuse(at, m.Dimensions[name], rollout.DimensionValueProblem(m.Dimensions[name]))
	}
	return errors.Join(problems...)
}

// ownMetrics records the metrics of a scenario. Nil records nothing.
type ownMetrics struct {
	by     map[string]*ownMetric
	names  []string // sorted
	expand func(value, version string) string
}

// ownMetric is a metric with its random stream, which no other draws depend on.
type ownMetric struct {
	Metric
	random *rand.Rand
}

// newOwnMetrics returns the recorder of a scenario's metrics; nil if it has none.
func newOwnMetrics(s Scenario, req rollout.Request, baseline string, seed uint64) *ownMetrics {
	if len(s.Metrics) == 0 {
		return nil
	}
	o := &ownMetrics{by: map[string]*ownMetric{}, names: slices.Sorted(maps.Keys(s.Metrics))}
	o.expand = func(value, version string) string {
		return rollout.Expand(value, version, baseline, req.AliasName, req.Function())
	}
	const streams = 1000 // those before are the traffic's
	for i, name := range o.names {
		o.by[name] = &ownMetric{s.Metrics[name], rand.New(rand.NewPCG(seed, streams+uint64(i)))}
	}
	return o
}

// apply makes the changes of metrics.
func (o *ownMetrics) apply(changes map[string]MetricLevel) {
	for name, change := range changes {
		o.by[name].MetricLevel = o.by[name].MetricLevel.with(change)
	}
}

// record records the values of the minutes that begin in [from, to), in which the alias
// does not change.
func (o *ownMetrics) record(t *traffic, from, to time.Time) error {
	if o == nil {
		return nil
	}
	at := from.Truncate(time.Minute)
	if at.Before(from) {
		at = at.Add(time.Minute)
	}
	for ; at.Before(to); at = at.Add(time.Minute) {
		alias, ok := t.aws.RoutingAt(t.function, t.alias, from)
		if !ok {
			return nil
		}
		for _, name := range o.names {
			if err := o.by[name].record(o, t, alias, at); err != nil {
				return fmt.Errorf("the metric %s: %w", name, err)
			}
		}
	}
	return nil
}

// record records the metric's values at one time.
func (m *ownMetric) record(o *ownMetrics, t *traffic, alias localaws.Alias, at time.Time) error {
	if m.Silent != nil && *m.Silent {
		return nil
	}
	old := of(m.Value)
	fresh := of(cmp.Or(m.NewVersion, m.Value))
	put := func(version string, mean float64) error {
		value := mean + of(m.Noise)*m.random.NormFloat64()
		if mean >= 0 {
			value = max(value, 0)
		}
		dimensions := map[string]string{}
		for name, text := range m.Dimensions {
			dimensions[name] = o.expand(text, version)
		}
		return t.aws.RecordMetric(localaws.MetricValues{Namespace: m.Namespace, Name: m.Metric.Metric, Dimensions: dimensions,
			Unit: cmp.Or(m.Unit, types.StandardUnitNone), At: at, Values: []float64{value}})
	}
	if !m.ofVersion() {
		share := t.share(alias)
		return put("", old+(fresh-old)*share)
	}
	for _, served := range []struct {
		version string
		weight  float64
	}{{alias.Version, 1 - alias.Weight}, {alias.Additional, alias.Weight}} {
		mean := old
		if served.version == t.next {
			mean = fresh
		}
		if served.weight <= 0 || t.now.RequestsPerSecond == 0 {
			continue
		}
		if err := put(served.version, mean); err != nil {
			return err
		}
	}
	return nil
}

// ofVersion reports whether each version has a series of its own.
func (m Metric) ofVersion() bool {
	for _, value := range m.Dimensions {
		if strings.Contains(value, "${version}") {
			return true
		}
	}
	return false
}

// of returns what is pointed at; 0 for nil.
func of(value *float64) float64 {
	if value == nil {
		return 0
	}
	return *value
}
