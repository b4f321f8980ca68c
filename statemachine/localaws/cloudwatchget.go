package localaws

import (
	"encoding/base64"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/schemas"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"
)

// maxDatapoints is the maximum, and the default, number of datapoints in a page of GetMetricData.
const maxDatapoints = 100_800

// getMetricDataInput is the SDK's input with a method to read it.
type getMetricDataInput struct{ cloudwatch.GetMetricDataInput }

// Deserialize implements [smithy.Deserializable].
func (in *getMetricDataInput) Deserialize(d smithy.ShapeDeserializer) error {
	return smithy.ReadStruct(d, schemas.GetMetricDataInput, func(member *smithy.Schema) error {
		switch member {
		case schemas.GetMetricDataInput_StartTime:
			in.StartTime = new(time.Time)
			return d.ReadTime(member, in.StartTime)
		case schemas.GetMetricDataInput_EndTime:
			in.EndTime = new(time.Time)
			return d.ReadTime(member, in.EndTime)
		case schemas.GetMetricDataInput_MaxDatapoints:
			in.MaxDatapoints = new(int32)
			return d.ReadInt32(member, in.MaxDatapoints)
		case schemas.GetMetricDataInput_NextToken:
			in.NextToken = new(string)
			return d.ReadString(member, in.NextToken)
		case schemas.GetMetricDataInput_ScanBy:
			return d.ReadString(member, (*string)(&in.ScanBy))
		case schemas.GetMetricDataInput_LabelOptions:
			in.LabelOptions = &types.LabelOptions{}
			return in.LabelOptions.Deserialize(d)
		case schemas.GetMetricDataInput_MetricDataQueries:
			return smithy.ReadList(d, member, func() error {
				var query types.MetricDataQuery
				err := query.Deserialize(d)
				in.MetricDataQueries = append(in.MetricDataQueries, query)
				return err
			})
		}
		return nil
	})
}

// getMetricData returns the datapoints of metrics. Its pages go through the queries in order, and through each query's
// datapoints in the requested order. A query that continues on a later page has the status PartialData; one that has not
// begun is omitted.
func (c *cloudWatchService) getMetricData(in *getMetricDataInput) (smithy.Serializable, *apiError) {
	if err := checkGetMetricData(in); err != nil {
		return nil, err
	}
	at, err := parsePosition(in.NextToken, len(in.MetricDataQueries))
	if err != nil {
		return nil, err
	}

	c.beforeQueries(in.MetricDataQueries)
	now := c.metrics.now()
	start, end := startOf(in, now), in.EndTime.Unix()
	if in.EndTime.Nanosecond() > 0 {
		end++ // a datapoint at the whole second below it is before it
	}
	ascending := in.ScanBy == types.ScanByTimestampAscending
	left := maxDatapoints
	if in.MaxDatapoints != nil {
		left = int(*in.MaxDatapoints)
	}
	read := figures.Get().(*[]figure)
	defer figures.Put(read)
	math := c.mathOf(in.MetricDataQueries, start, end, now, read)
	var room resultRoom
	out := cloudwatch.GetMetricDataOutput{MetricDataResults: make([]types.MetricDataResult, 0, len(in.MetricDataQueries)), Messages: []types.MessageData{}}
	for ; at.query < len(in.MetricDataQueries); at = (position{query: at.query + 1}) {
		query := &in.MetricDataQueries[at.query]
		if query.ReturnData != nil && !*query.ReturnData {
			continue
		}
		value, wrong := math.of(query)
		if wrong != nil { // only the range, as the rest has been checked
			return nil, badRequest("ValidationError", "Error in %v", wrong)
		}
		points := value.points
		if !ascending {
			points = slices.Clone(points)
			slices.Reverse(points)
		}
		points = at.rest(points, ascending)
		room.queries = len(in.MetricDataQueries) - at.query
		result := room.resultOf(query, points[:min(left, len(points))])
		left -= len(result.Values)
		if len(result.Values) < len(points) {
			result.StatusCode = types.StatusCodePartialData
			at.begun, at.next = true, points[len(result.Values)].at
			out.NextToken = aws.String(at.token())
			if len(result.Values) > 0 {
				out.MetricDataResults = append(out.MetricDataResults, result)
			}
			break
		}
		out.MetricDataResults = append(out.MetricDataResults, result)
	}
	return &out, nil
}

// figures has memory for the datapoints of a query, until they are in its result.
var figures = sync.Pool{New: func() any { return new([]figure) }}

// mathOf returns the evaluation of checked queries over start ≤ time < end, in seconds. Without expressions, the datapoints of each
// query are read into the same memory, which may move.
func (c *cloudWatchService) mathOf(queries []types.MetricDataQuery, start, end int64, now time.Time, into *[]figure) *metricMath {
	math := &metricMath{queries: queries, start: start, end: end, now: now.Unix(), plain: !hasExpression(queries)}
	math.read = func(of *types.MetricStat) []figure {
		stat, _ := parseStatistic(aws.ToString(of.Stat)) // it has been checked
		from := start
		if *of.Period >= 60 {
			from -= start % 60
		}
		if !math.plain {
			into = new([]figure) // others may still be needed
		}
		var room [8]dimension
		*into = c.metrics.read((*into)[:0], aws.ToString(of.Metric.Namespace), aws.ToString(of.Metric.MetricName),
			appendDimensions(room[:0], of.Metric.Dimensions), of.Unit, stat, int64(*of.Period), from, end)
		return *into
	}
	return math
}

// hasExpression reports whether one of the queries is an expression.
func hasExpression(queries []types.MetricDataQuery) bool {
	return slices.ContainsFunc(queries, func(q types.MetricDataQuery) bool { return q.Expression != nil })
}

// startOf returns the request's start in seconds, rounded as roundStart does, or to the shortest period below a minute.
func startOf(in *getMetricDataInput, now time.Time) int64 {
	finest := int32(60)
	for i := range in.MetricDataQueries {
		if stat := in.MetricDataQueries[i].MetricStat; stat != nil {
			finest = min(finest, *stat.Period)
		}
	}
	if finest < 60 && now.Sub(*in.StartTime) <= 3*time.Hour {
		return in.StartTime.Unix() - in.StartTime.Unix()%int64(finest)
	}
	return roundStart(*in.StartTime, now)
}

// resultRoom has memory for the results of a request.
type resultRoom struct {
	queries int // how many are left, with the next one
	times   []time.Time
	values  []float64
}

// next returns the times and values of the next result, to be filled. Queries of a request often have as many datapoints each.
func (r *resultRoom) next(n int) ([]time.Time, []float64) {
	const most = 4096
	if n > len(r.times) {
		all := max(n, min(n*r.queries, most))
		r.times, r.values = make([]time.Time, all), make([]float64, all)
	}
	times, values := r.times[:n:n], r.values[:n:n]
	r.times, r.values = r.times[n:], r.values[n:]
	return times, values
}

// resultOf returns a query's datapoints in the answer's shape.
func (r *resultRoom) resultOf(query *types.MetricDataQuery, points []figure) types.MetricDataResult {
	times, values := r.next(len(points))
	result := types.MetricDataResult{Id: query.Id, Label: query.Label, StatusCode: types.StatusCodeComplete, Timestamps: times, Values: values}
	switch {
	case result.Label != nil:
	case query.MetricStat != nil:
		result.Label = query.MetricStat.Metric.MetricName
	default:
		result.Label = query.Id
	}
	for i, p := range points {
		times[i] = time.Unix(p.at, 0)
		values[i] = p.value
	}
	return result
}

// roundStart returns start in seconds, rounded down as CloudWatch does: depending on its age, to a minute (less than 15
// days), to five minutes (up to 63 days) or to an hour.
func roundStart(start, now time.Time) int64 {
	const day = 24 * time.Hour
	seconds := start.Unix()
	switch age := now.Sub(start); {
	case age < 15*day:
		return seconds - seconds%60
	case age <= 63*day:
		return seconds - seconds%300
	}
	return seconds - seconds%3600
}

// position is where a page begins: a query, and in it the first datapoint that has not been returned yet.
type position struct {
	query int
	begun bool
	next  int64 // the datapoint's time, if begun
}

// token returns the position as an opaque NextToken.
func (p position) token() string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d@%d", p.query, p.next))
}

// parsePosition reads a NextToken for a request of so many queries; without a token, it returns the beginning.
func parsePosition(token *string, queries int) (position, *apiError) {
	if token == nil {
		return position{}, nil
	}
	p := position{begun: true}
	text, err := base64.RawURLEncoding.DecodeString(*token)
	if err == nil {
		_, err = fmt.Sscanf(string(text), "%d@%d", &p.query, &p.next)
	}
	if err != nil || p.query < 0 || p.query >= queries || p.token() != *token {
		return position{}, badRequest("InvalidNextToken", "The next token %q is not one that this request was given.", *token)
	}
	return p, nil
}

// rest returns the points that earlier pages have not returned. It compares times, because new datapoints may have
// arrived in between.
func (p position) rest(points []figure, ascending bool) []figure {
	if !p.begun {
		return points
	}
	i := slices.IndexFunc(points, func(q figure) bool { return q.at == p.next || (q.at > p.next) == ascending })
	if i < 0 {
		return nil
	}
	return points[i:]
}

// beforeQueries calls the option BeforeFunction for each function that the queries are about, once.
func (c *cloudWatchService) beforeQueries(queries []types.MetricDataQuery) {
	if c.beforeFunction == nil {
		return
	}
	var sets [][]types.Dimension
	for i := range queries {
		if stat := queries[i].MetricStat; stat != nil && stat.Metric != nil {
			sets = append(sets, stat.Metric.Dimensions)
		}
	}
	c.beforeMetrics(sets...)
}

// beforeMetrics is beforeQueries for metrics with these dimensions.
func (c *cloudWatchService) beforeMetrics(sets ...[]types.Dimension) {
	if c.beforeFunction == nil || c.metrics.readers.Load() > 0 {
		return
	}
	var known []string
	for _, dimensions := range sets {
		name := ""
		for _, d := range dimensions {
			if aws.ToString(d.Name) == "FunctionName" {
				name = aws.ToString(d.Value)
			}
		}
		if !slices.Contains(known, name) {
			known = append(known, name)
			c.beforeFunction(name)
		}
	}
}
