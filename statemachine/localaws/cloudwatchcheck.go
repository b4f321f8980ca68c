package localaws

import (
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// checkGetMetricData returns an error for input that CloudWatch refuses or that the local AWS does not support.
func checkGetMetricData(in *getMetricDataInput) *apiError {
	switch {
	case in.StartTime == nil:
		return badRequest("MissingParameter", "The parameter StartTime is required.")
	case in.EndTime == nil:
		return badRequest("MissingParameter", "The parameter EndTime is required.")
	case len(in.MetricDataQueries) == 0:
		return badRequest("MissingParameter", "The parameter MetricDataQueries is required.")
	case len(in.MetricDataQueries) > 500:
		return badRequest("ValidationError", "The collection MetricDataQueries must not have a size greater than 500.")
	case in.StartTime.Equal(*in.EndTime):
		return badRequest("ValidationError", "The parameter StartTime must not equal parameter EndTime.")
	case in.StartTime.After(*in.EndTime):
		return badRequest("ValidationError", "The parameter StartTime must be less than the parameter EndTime.")
	case in.MaxDatapoints != nil && (*in.MaxDatapoints < 1 || *in.MaxDatapoints > maxDatapoints):
		return badRequest("ValidationError", "The value %d for parameter MaxDatapoints must be between 1 and %d.", *in.MaxDatapoints, maxDatapoints)
	case in.ScanBy != "" && !slices.Contains(in.ScanBy.Values(), in.ScanBy):
		return badRequest("ValidationError", "The value %s for parameter ScanBy is not supported.", in.ScanBy)
	}
	for i := range in.MetricDataQueries {
		if err := checkQuery(place(i+1), &in.MetricDataQueries[i]); err != nil {
			return err
		}
	}
	if err := checkIDs(in.MetricDataQueries); err != nil {
		return err
	}
	return checkMath(in)
}

// checkIDs returns an error if two queries have the same id.
func checkIDs(queries []types.MetricDataQuery) *apiError {
	for i := range queries {
		for j := range i {
			if id := *queries[i].Id; id == *queries[j].Id {
				return badRequest("ValidationError", "The values for parameter id in MetricDataQueries are not unique: %s occurs more than once.", id)
			}
		}
	}
	return nil
}

// place is a query's number in its request, from 1. It is formatted only for errors.
type place int

// String returns the place as CloudWatch's errors write it.
func (p place) String() string { return fmt.Sprintf("MetricDataQueries.member.%d", int(p)) }

// checkQuery checks one query, at the given place of the request.
func checkQuery(at place, query *types.MetricDataQuery) *apiError {
	stat := query.MetricStat
	switch {
	case !isQueryID(aws.ToString(query.Id)):
		return badRequest("ValidationError", "The value %s for parameter %s.Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$.", aws.ToString(query.Id), at)
	case (stat == nil) == (query.Expression == nil):
		return badRequest("ValidationError", "Exactly one of the parameters %s.MetricStat and %s.Expression must be given.", at, at)
	case len(aws.ToString(query.Expression)) > 2048:
		return badRequest("ValidationError", "The parameter %s.Expression must not be longer than 2048.", at)
	case query.AccountId != nil:
		return badRequest("ValidationError", "The parameter %s.AccountId is not supported by the local AWS, which has one account.", at)
	case query.Expression != nil:
		return nil // see checkMath
	case stat.Metric == nil || aws.ToString(stat.Metric.Namespace) == "" || aws.ToString(stat.Metric.MetricName) == "":
		return badRequest("ValidationError", "The parameter %s.MetricStat.Metric must have a Namespace and a MetricName.", at)
	case len(stat.Metric.Dimensions) > 30:
		return badRequest("ValidationError", "The collection %s.MetricStat.Metric.Dimensions must not have a size greater than 30.", at)
	}
	if err := checkDimensions(at, stat.Metric.Dimensions); err != nil {
		return err
	}
	switch period := aws.ToInt32(stat.Period); {
	case isFine(period):
	case period < 60 || period%60 != 0:
		return badRequest("ValidationError", "The value %d for parameter %s.MetricStat.Period must be 1, 5, 10, 20, 30 or a multiple of 60.", period, at)
	}
	name := aws.ToString(stat.Stat)
	if name == "" {
		return badRequest("ValidationError", "The parameter %s.MetricStat.Stat is required.", at)
	}
	if _, ok := parseStatistic(name); !ok {
		return badRequest("ValidationError", "The value %s for parameter %s.MetricStat.Stat is not supported by the local AWS, which has %s.", name, at, supportedStatistics)
	}
	return nil
}

// isFine reports whether a period, in seconds, is one of those below a minute, for high-resolution metrics.
func isFine(period int32) bool { return slices.Contains([]int32{1, 5, 10, 20, 30}, period) }

// checkDimensions refuses dimensions that CloudWatch's guide rules out: names and values have printable ASCII characters, one
// of them no space; names begin with no colon. The wording is the local AWS's.
func checkDimensions(at place, dimensions []types.Dimension) *apiError {
	for i, d := range dimensions {
		name, value := aws.ToString(d.Name), aws.ToString(d.Value)
		switch {
		case !isMetricText(name, 255) || name[0] == ':':
			return badRequest("ValidationError", "The value %q for parameter %s.MetricStat.Metric.Dimensions.member.%d.Name is invalid.", name, at, i+1)
		case !isMetricText(value, 1024):
			return badRequest("ValidationError", "The value %q for parameter %s.MetricStat.Metric.Dimensions.member.%d.Value is invalid.", value, at, i+1)
		}
	}
	return nil
}

// isMetricText reports whether s has 1 to most printable ASCII characters, one of them no space.
func isMetricText(s string, most int) bool {
	blank := true
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
		blank = blank && s[i] == ' '
	}
	return !blank && len(s) <= most
}

// isQueryID reports whether s is a lower-case letter followed by letters, digits and underscores, of at most 255 bytes.
func isQueryID(s string) bool {
	for i := range len(s) {
		c := s[i]
		lower, other := 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_'
		if !lower && (!other || i == 0) {
			return false
		}
	}
	return s != "" && len(s) <= 255
}
