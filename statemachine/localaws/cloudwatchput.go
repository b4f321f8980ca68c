package localaws

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/schemas"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"
)

// putMetricDataInput is the SDK's input with a method to read it.
type putMetricDataInput struct{ cloudwatch.PutMetricDataInput }

// Deserialize implements [smithy.Deserializable].
func (in *putMetricDataInput) Deserialize(d smithy.ShapeDeserializer) error {
	return smithy.ReadStruct(d, schemas.PutMetricDataInput, func(member *smithy.Schema) error {
		switch member {
		case schemas.PutMetricDataInput_Namespace:
			in.Namespace = new(string)
			return d.ReadString(member, in.Namespace)
		case schemas.PutMetricDataInput_MetricData:
			return smithy.ReadList(d, member, func() error {
				var datum types.MetricDatum
				err := datum.Deserialize(d)
				in.MetricData = append(in.MetricData, datum)
				return err
			})
		case schemas.PutMetricDataInput_EntityMetricData:
			return smithy.ReadList(d, member, func() error {
				var data types.EntityMetricData
				err := data.Deserialize(d)
				in.EntityMetricData = append(in.EntityMetricData, data)
				return err
			})
		}
		return nil
	})
}

// putMetricData records data. It checks all of it before it records any.
func (c *cloudWatchService) putMetricData(in *putMetricDataInput) (smithy.Serializable, *apiError) {
	namespace := aws.ToString(in.Namespace)
	switch {
	case namespace == "":
		return nil, badRequest("MissingParameter", "The parameter Namespace is required.")
	case strings.HasPrefix(namespace, "AWS/"):
		return nil, badRequest("InvalidParameterValue", "The value AWS/ for parameter Namespace is invalid.")
	case len(in.EntityMetricData) > 0:
		return nil, badRequest("InvalidParameterValue", "EntityMetricData is not supported by the local AWS.")
	case len(in.MetricData) > 1000:
		return nil, badRequest("InvalidParameterValue", "The collection MetricData must not have a size greater than 1000.")
	}
	now := c.metrics.now()
	values := make([]sample, len(in.MetricData))
	var refused *apiError
	for i := range in.MetricData {
		datum := &in.MetricData[i]
		if datum.Timestamp == nil {
			datum.Timestamp = &now
		}
		if datum.Unit == "" {
			datum.Unit = types.StandardUnitNone
		}
		var err *apiError
		if err = checkDatum(i+1, datum, now); err == nil {
			values[i], err = sampleOf(i+1, datum)
		}
		refused = joined(refused, err)
	}
	if refused != nil {
		return nil, refused
	}
	for i, datum := range in.MetricData {
		target := c.metrics.series(namespace, *datum.MetricName, dimensionsOf(datum.Dimensions), datum.Unit)
		if aws.ToInt32(datum.StorageResolution) == 1 {
			c.metrics.refine(target)
		}
		c.metrics.putAll([]*series{target}, *datum.Timestamp, now, values[i])
	}
	return nil, nil
}

// joined returns the first error, with the message of the next one in a line of its own if it has the same code: CloudWatch lists
// what is wrong with all of the data.
func joined(first, next *apiError) *apiError {
	switch {
	case first == nil:
		return next
	case next != nil && next.code == first.code:
		first.message += "\n" + next.message
	}
	return first
}

// checkDatum checks everything but the values of the n-th datum.
func checkDatum(n int, datum *types.MetricDatum, now time.Time) *apiError {
	switch {
	case aws.ToString(datum.MetricName) == "":
		return badRequest("MissingParameter", "The parameter MetricData.member.%d.MetricName is required.", n)
	case !isMetricText(*datum.MetricName, 255):
		return badRequest("InvalidParameterValue", "The value %q for parameter MetricData.member.%d.MetricName is invalid.", *datum.MetricName, n)
	case !slices.Contains(datum.Unit.Values(), datum.Unit):
		return badRequest("InvalidParameterValue", "The parameter MetricData.member.%d.Unit must be a value in the set %s.", n, strings.NewReplacer("[", "[ ", " ", ", ", "]", " ]").Replace(fmt.Sprint(datum.Unit.Values())))
	case datum.StorageResolution != nil && *datum.StorageResolution != 1 && *datum.StorageResolution != 60:
		return badRequest("InvalidParameterValue", "The value %d for parameter MetricData.member.%d.StorageResolution must be 1 or 60.", *datum.StorageResolution, n)
	case datum.Timestamp.Before(now.AddDate(0, 0, -14)):
		return badRequest("InvalidParameterValue", "The parameter MetricData.member.%d.Timestamp must specify a time within the past two weeks.", n)
	case datum.Timestamp.After(now.Add(2 * time.Hour)):
		return badRequest("InvalidParameterValue", "The parameter MetricData.member.%d.Timestamp must specify a time no more than two hours in the future.", n)
	case len(datum.Dimensions) > 30:
		return badRequest("InvalidParameterValue", "The collection MetricData.member.%d.Dimensions must not have a size greater than 30.", n)
	}
	for i, d := range datum.Dimensions {
		for _, part := range []struct{ name, value string }{{"Name", aws.ToString(d.Name)}, {"Value", aws.ToString(d.Value)}} {
			if part.value == "" {
				return badRequest("MissingParameter", "The parameter MetricData.member.%d.Dimensions.member.%d.%s is required.", n, i+1, part.name)
			}
		}
		if !isMetricText(aws.ToString(d.Name), 255) || strings.HasPrefix(*d.Name, ":") || !isMetricText(aws.ToString(d.Value), 1024) {
			return badRequest("InvalidParameterValue", "MetricData.member.%d.Dimensions.member.%d must have a name and a value of printable ASCII characters.", n, i+1)
		}
	}
	return nil
}

// sampleOf returns the values of the n-th datum, which has exactly one of Value, Values and StatisticValues. A set of
// statistics has a distribution only if it stands for one value, once or several times.
func sampleOf(n int, datum *types.MetricDatum) (sample, *apiError) {
	var given []string
	for _, way := range []struct {
		name string
		has  bool
	}{{"Value", datum.Value != nil}, {"Values", len(datum.Values) > 0}, {"StatisticValues", datum.StatisticValues != nil}} {
		if way.has {
			given = append(given, way.name)
		}
	}
	switch {
	case len(given) > 1:
		return sample{}, badRequest("InvalidParameterCombination",
			"The parameters MetricData.member.%d.%s and MetricData.member.%d.%s are mutually exclusive and you have specified both.", n, given[0], n, given[1])
	case len(given) == 0:
		return sample{}, badRequest("InvalidParameterCombination",
			"MetricData.member.%d must have exactly one of the parameters Value, Values and StatisticValues.", n)
	case len(datum.Values) > maxValues:
		return sample{}, badRequest("InvalidParameterValue", "The collection MetricData.member.%d.Values must not have a size greater than %d.", n, maxValues)
	case len(datum.Counts) > 0 && len(datum.Counts) != len(datum.Values):
		return sample{}, badRequest("InvalidParameterValue", "MetricData.member.%d must have as many Counts as Values, if any.", n)
	}

	var all sample
	switch set := datum.StatisticValues; {
	case set != nil:
		all.stats = stats{aws.ToFloat64(set.SampleCount), aws.ToFloat64(set.Sum), aws.ToFloat64(set.Minimum), aws.ToFloat64(set.Maximum)}
		if all.count == 1 && all.min != all.max && min(all.min, all.sum) >= 0 {
			all.values = distribution{{all.sum, 1}} // contradictory, but AWS returns percentiles for any set of one
		}
	case datum.Value != nil:
		all.stats = stats{1, *datum.Value, *datum.Value, *datum.Value}
	default:
		values := make([]valueCount, 0, len(datum.Values))
		for i, value := range datum.Values {
			count := 1.0
			if len(datum.Counts) > 0 {
				count = datum.Counts[i]
			}
			if count < 0 {
				return sample{}, badRequest("InvalidParameterValue", "The counts of MetricData.member.%d must be positive.", n)
			}
			if count != 0 {
				values = append(values, valueCount{value, count})
			}
		}
		all = newSample(values)
	}
	for _, value := range []float64{all.count, all.sum, all.min, all.max} {
		if math.IsNaN(value) || math.Abs(value) > math.Ldexp(1, 360) {
			return sample{}, badRequest("InvalidParameterValue", "The values of MetricData.member.%d must lie between -2^360 and 2^360.", n)
		}
	}
	if all.count <= 0 {
		return sample{}, badRequest("InvalidParameterValue", "The counts of MetricData.member.%d must be positive.", n)
	}
	return all, nil
}

// dimensionsOf converts the SDK's dimensions.
func dimensionsOf(dimensions []types.Dimension) []dimension {
	return appendDimensions(make([]dimension, 0, len(dimensions)), dimensions)
}

// appendDimensions appends the SDK's dimensions.
func appendDimensions(to []dimension, dimensions []types.Dimension) []dimension {
	for _, d := range dimensions {
		to = append(to, dimension{aws.ToString(d.Name), aws.ToString(d.Value)})
	}
	return to
}
