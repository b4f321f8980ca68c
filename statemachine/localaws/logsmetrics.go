package localaws

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// MetricFilter turns events of a log group into values of a metric without dimensions.
type MetricFilter struct {
	Pattern           string // as in FilterLogEvents
	Namespace, Metric string
	Value             float64 // of each matching event
}

// metricFilter is a filter with its pattern read.
type metricFilter struct {
	MetricFilter
	matches func(message string) bool
}

// AddMetricFilter adds a metric filter to a log group, without a call. It applies to events that [Server.AppendLog] adds from
// then on, with their times. The group need not exist yet. AddMetricFilter returns an error for a pattern that is invalid or not
// supported, and for names that CloudWatch refuses.
func (s *Server) AddMetricFilter(group string, f MetricFilter) error {
	matches, refused := parseLogPattern(f.Pattern)
	switch {
	case refused != nil:
		return fmt.Errorf("add metric filter: %s", refused.message)
	case !logGroupName.MatchString(group) || !isMetricText(f.Namespace, 255) || !isMetricText(f.Metric, 255):
		return fmt.Errorf("add metric filter: log group %q, namespace %q or metric %q is not valid", group, f.Namespace, f.Metric)
	}
	s.logs.mu.Lock()
	defer s.logs.mu.Unlock()
	s.logs.filters[group] = append(s.logs.filters[group], metricFilter{f, matches})
	return nil
}

// measure records the metrics of a log event: those of metric filters, and those that the event has in itself.
func (s *Server) measure(filters []metricFilter, at time.Time, message string) {
	for _, f := range filters {
		if f.matches(message) {
			_ = s.RecordMetric(MetricValues{Namespace: f.Namespace, Name: f.Metric, Unit: types.StandardUnitNone, At: at, Values: []float64{f.Value}}) // its names have been checked
		}
	}
	if strings.Contains(message, `"_aws"`) {
		for _, m := range embeddedMetrics(message) {
			_ = s.RecordMetric(m) // CloudWatch ignores what it would refuse, too
		}
	}
}

// The most that a document in the embedded metric format has.
const (
	mostEmbedded       = 100 // metrics of a directive, and values of a metric
	mostEmbeddedOfAxis = 30  // dimensions of a set
)

// embeddedMetrics returns the metrics of a log event in CloudWatch's embedded metric format, once for each of their sets of
// dimensions; none if the event is not in that format. Metrics and sets of dimensions that the specification rules out are left
// out.
func embeddedMetrics(message string) []MetricValues {
	var root map[string]json.RawMessage
	var about struct {
		Timestamp         *int64 // ms
		CloudWatchMetrics []struct {
			Namespace  string
			Dimensions [][]string
			Metrics    []struct {
				Name string
				Unit types.StandardUnit
			}
		}
	}
	if json.Unmarshal([]byte(message), &root) != nil || json.Unmarshal(root["_aws"], &about) != nil || about.Timestamp == nil {
		return nil
	}
	var all []MetricValues
	for _, directive := range about.CloudWatchMetrics {
		sets := directive.Dimensions
		if len(sets) == 0 {
			sets = [][]string{{}}
		}
		for _, metric := range directive.Metrics[:min(len(directive.Metrics), mostEmbedded)] {
			values, ok := embeddedValues(root[metric.Name])
			if metric.Unit == "" {
				metric.Unit = types.StandardUnitNone
			}
			if !ok || !slices.Contains(metric.Unit.Values(), metric.Unit) {
				continue
			}
			for _, set := range sets {
				if dimensions, ok := embeddedDimensions(root, set); ok {
					all = append(all, MetricValues{Namespace: directive.Namespace, Name: metric.Name, Dimensions: dimensions,
						Unit: metric.Unit, At: time.UnixMilli(*about.Timestamp), Values: values})
				}
			}
		}
	}
	return all
}

// embeddedValues reads the member with a metric's value or values.
func embeddedValues(member json.RawMessage) ([]float64, bool) {
	var one *float64
	if json.Unmarshal(member, &one) == nil && one != nil {
		return []float64{*one}, true
	}
	var several []float64
	if json.Unmarshal(member, &several) != nil || len(several) == 0 || len(several) > mostEmbedded {
		return nil, false
	}
	return several, true
}

// embeddedDimensions reads the members with the values of a set of dimensions, which are texts.
func embeddedDimensions(root map[string]json.RawMessage, names []string) (map[string]string, bool) {
	if len(names) > mostEmbeddedOfAxis {
		return nil, false
	}
	dimensions := map[string]string{}
	for _, name := range names {
		var value *string
		if json.Unmarshal(root[name], &value) != nil || value == nil {
			return nil, false
		}
		dimensions[name] = *value
	}
	return dimensions, true
}
