package health

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/smithy-go"

	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// GateQueries are the queries of one metric gate.
type GateQueries struct {
	// Queries have ids that are unique among all gates. One of them returns data, or
	// two in a comparison with the baseline.
	Queries []MetricQuery
	// From is where the oldest period that is judged begins. Periods are counted from
	// midnight (UTC).
	From   time.Time
	Period time.Duration
}

// Series is CloudWatch's answer to a query that returns data.
type Series struct {
	// Points are as CloudWatch gave them, each with the beginning of its period.
	Points []Point
	// Problem says why the answer is missing or incomplete; empty if it is complete.
	Problem string
}

// Point is the value of a period that begins at At.
type Point struct {
	At    time.Time
	Value float64
}

// gateID begins the ids of metric gates' queries: a g and the gate's number; with a
// b and the baseline's version, that of the comparison. The metrics of an expression
// have an m or a b, and their own number, after the gate's.
const gateID = "g"

func resultID(gate int) string   { return gateID + strconv.Itoa(gate) }
func baselineID(gate int) string { return resultID(gate) + "b" }
func isGate(id string) bool      { return strings.HasPrefix(id, gateID) }

// MetricQueries returns the queries of metric gates, in their order, at the check
// that the facts are of.
func MetricQueries(gates []rollout.MetricGate, f rollout.Facts) []GateQueries {
	var all []GateQueries
	for i, gate := range gates {
		of := GateQueries{From: spanOf(gate, f).from, Period: seconds(gate.Period)}
		of.Queries = gateQueries(gate, f, f.NewVersion, resultID(i), resultID(i)+"m")
		if gate.RelativeToBaseline {
			of.Queries = append(of.Queries, gateQueries(gate, f, f.Baseline, baselineID(i), baselineID(i))...)
		}
		all = append(all, of)
	}
	return all
}

// gateQueries returns a gate's queries for a version. The one that returns data has
// the id, and the metrics of an expression have ids with the prefix.
func gateQueries(gate rollout.MetricGate, f rollout.Facts, version, id, prefix string) []MetricQuery {
	stat := func(id string, m rollout.Metric) MetricQuery {
		return MetricQuery{
			ID: id, Namespace: m.Namespace, Metric: m.Name, Dimensions: expanded(m.Dimensions, f, version),
			Period: int32(gate.Period), Statistic: m.Statistic,
		}
	}
	if gate.Expression == "" {
		return []MetricQuery{stat(id, gate.Metric)}
	}
	var queries []MetricQuery
	ids := slices.Sorted(maps.Keys(gate.Metrics))
	renamed := func(id string) string { return prefix + strconv.Itoa(slices.Index(ids, id)) }
	for _, metric := range ids {
		query := stat(renamed(metric), gate.Metrics[metric])
		query.Hidden = true
		queries = append(queries, query)
	}
	return append(queries, MetricQuery{ID: id, Expression: rollout.RenameIDs(gate.Expression, renamed), Period: int32(gate.Period)})
}

// expanded returns a metric's dimensions with their placeholders filled in.
func expanded(dimensions map[string]string, f rollout.Facts, version string) []Dimension {
	function := arn.Name(f.Function) // metrics know no ARN
	var all []Dimension
	for _, name := range slices.Sorted(maps.Keys(dimensions)) {
		value := rollout.Expand(dimensions[name], version, f.Baseline, f.Alias, function)
		all = append(all, Dimension{name, value})
	}
	return all
}

// startOf returns the latest time that is not after from, nor after that of any
// gate, and at which a period of each gate begins.
func startOf(gates []GateQueries, from time.Time) time.Time {
	step := time.Minute
	for _, gate := range gates {
		common := gate.Period
		for common%step != 0 {
			common += gate.Period
		}
		step = common
		if gate.From.Before(from) {
			from = gate.From
		}
	}
	return from.Truncate(step)
}

// with returns the series with one more result of its query, from a further page.
func (s Series) with(result MetricResult) Series {
	for i, at := range result.Times {
		s.Points = append(s.Points, Point{at.UTC(), result.Values[i]})
	}
	switch result.Status {
	case PartialData:
		s.Problem = "CloudWatch returned only part of the data"
	case InternalError:
		s.Problem = ErrUnavailable.Error()
	case Forbidden:
		s.Problem = "CloudWatch denied access"
	default:
		s.Problem = ""
		if len(result.Messages) > 0 && len(s.Points) == 0 {
			s.Problem = "CloudWatch has no data"
		}
	}
	if s.Problem != "" {
		for _, message := range result.Messages {
			s.Problem += "; " + short(message)
		}
	}
	return s
}

// short cuts a text of CloudWatch's at 300 characters, for a reason.
func short(text string) string {
	const most = 300
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

// refused returns CloudWatch's text if err means that it rejected a call because of
// a query; empty if err is anything else.
func refused(err error) string {
	if err == nil {
		return ""
	}
	var api smithy.APIError
	if !errors.As(err, &api) {
		return ""
	}
	switch code := strings.TrimSuffix(api.ErrorCode(), "Exception"); code {
	case "ValidationError", "Validation", "InvalidParameterValue", "InvalidParameterCombination", "MissingParameter", "MissingRequiredParameter":
		return api.ErrorCode() + ": " + api.ErrorMessage()
	}
	return ""
}

// readGates runs the queries of each gate in a call of its own. A series that
// CloudWatch rejects has its text as the Problem.
func (r Reader) readGates(ctx context.Context, q Query) (map[string]Series, error) {
	all := map[string]Series{}
	for _, gate := range q.Gates {
		q.Gates = []GateQueries{gate}
		var own answer
		err := r.read(ctx, q, gate.Queries, &own)
		why := refused(err)
		if err != nil && why == "" {
			return nil, err
		}
		maps.Copy(all, own.gates)
		for _, query := range gate.Queries {
			if why != "" {
				all[query.ID] = Series{Problem: fmt.Sprintf("CloudWatch rejected the query: %s", short(why))}
			}
		}
	}
	return all, nil
}
