package rollout

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// CloudWatch's limits on what identifies a metric, in characters.
const (
	maxMetricName     = 255 // namespaces, metrics and the names of dimensions
	maxDimensionValue = 1024
)

// NamespaceProblem returns why CloudWatch refuses a namespace; "" if it does not. Like
// those of the functions below, its answer continues a sentence that begins with the
// name's path.
func NamespaceProblem(namespace string) string {
	return metricText(namespace, maxMetricName, true, wantNamespace)
}

// MetricNameProblem returns why CloudWatch refuses a metric's name; "" if it does not.
func MetricNameProblem(name string) string {
	return metricText(name, maxMetricName, false, wantMetricName)
}

// DimensionNameProblem returns why CloudWatch refuses the name of a dimension; "" if it
// does not.
func DimensionNameProblem(name string) string {
	return metricText(name, maxMetricName, true, wantDimensionName)
}

// DimensionValueProblem returns why CloudWatch refuses the value of a dimension; "" if it
// does not. It does not look at placeholders.
func DimensionValueProblem(value string) string {
	return metricText(value, maxDimensionValue, false, wantDimensionValue)
}

// metricText returns want, with the reason, for a text that CloudWatch refuses: it takes
// 1 to most printable ASCII characters, of which one is no space.
func metricText(text string, most int, named bool, want string) string {
	odd := strings.IndexFunc(text, func(c rune) bool { return c < ' ' || c > '~' })
	switch {
	case odd >= 0 && text[odd] < 0x80:
		return want + ": it can't have control characters"
	case odd >= 0:
		return fmt.Sprintf("%s: CloudWatch takes ASCII characters only, not %q", want, []rune(text[odd:])[0])
	case strings.Trim(text, " ") == "":
		return want + ": it can't be blank"
	case named && text[0] == ':':
		return want + ": it can't begin with a colon"
	case len(text) > most:
		return fmt.Sprintf("%s: it can have at most %d characters, and has %d", want, most, len(text))
	}
	return ""
}

// checkExpanded adds a problem for each dimension that is too long for CloudWatch once
// its placeholders are filled in. A baseline's version is taken to be as long as the new
// version's.
func (req Request) checkExpanded(r *reader) {
	check := func(path string, m Metric) {
		for _, name := range slices.Sorted(maps.Keys(m.Dimensions)) {
			value := m.Dimensions[name]
			full := Expand(value, req.NewVersion, req.NewVersion, req.AliasName, req.Function())
			if len(value) <= maxDimensionValue && len(full) > maxDimensionValue {
				r.add(Problem{Path: path + ".dimensions." + name, Given: Given([]byte(value)),
					Want: fmt.Sprintf("must have at most %d characters with its placeholders filled in; it has %d", maxDimensionValue, len(full))})
			}
		}
	}
	for i, gate := range req.Gates.Metrics {
		at := fmt.Sprintf("health.metrics[%d]", i)
		check(at, gate.Metric)
		for _, id := range slices.Sorted(maps.Keys(gate.Metrics)) {
			check(at+".metrics."+id, gate.Metrics[id])
		}
	}
}
