package localaws

import (
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// MetricValues are values of one metric, all measured at At. The namespace may be one of AWS's.
type MetricValues struct {
	Namespace, Name string
	Dimensions      map[string]string
	Unit            types.StandardUnit // of all values of a metric
	At              time.Time
	Values          []float64
}

// RecordMetric records values without a call. They show after the delay of [Server.SetMetricDelay], counted from At. It
// returns an error without values, and for names that CloudWatch refuses.
func (s *Server) RecordMetric(m MetricValues) error {
	if len(m.Values) == 0 || !isMetricText(m.Namespace, 255) || !isMetricText(m.Name, 255) {
		return errors.New("record metric: it needs a namespace, a name and values")
	}
	var dimensions []dimension
	for name, value := range m.Dimensions {
		if !isMetricText(name, 255) || !isMetricText(value, 1024) {
			return errors.New("record metric: CloudWatch refuses a dimension " + name)
		}
		dimensions = append(dimensions, dimension{name, value})
	}
	values := make([]valueCount, len(m.Values))
	for i, value := range m.Values {
		values[i] = valueCount{value, 1}
	}
	store := s.cloudwatch.metrics
	store.putAll([]*series{store.series(m.Namespace, m.Name, dimensions, m.Unit)}, m.At, m.At, newSample(values))
	return nil
}
