package localaws

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// supportedMath describes the supported metric math, for errors.
const supportedMath = "+ - * / and parentheses, numbers, ids of the request's queries, FILL(id, number), and AVG, MAX, MIN and SUM of a list [id, id]"

// metricMath evaluates the queries of one request.
type metricMath struct {
	queries []types.MetricDataQuery
	plain   bool // no query is an expression, so that none is read twice
	// read returns the datapoints of a query for a metric, the oldest first; none while a request is only checked. If there are no
	// expressions, they are valid until the next call.
	read func(*types.MetricStat) []figure
	// start ≤ time < end is read, in seconds. FILL adds no datapoints later than now.
	start, end, now int64
	open            []string            // ids of the expressions that are being evaluated, to detect cycles
	known           map[string]quantity // results of queries by id, because others may need them many times
}

// quantity is the value of a part of an expression: a number, or a time series with the period of its metrics.
type quantity struct {
	scalar bool
	number float64
	points []figure // the oldest first
	period int64
}

// checkMath returns an error if one of the request's expressions can't be evaluated. Like CloudWatch, it then refuses the
// whole request.
func checkMath(in *getMetricDataInput) *apiError {
	if !hasExpression(in.MetricDataQueries) {
		return nil
	}
	m := &metricMath{queries: in.MetricDataQueries, read: func(*types.MetricStat) []figure { return nil }}
	for i := range in.MetricDataQueries {
		if _, err := m.of(&in.MetricDataQueries[i]); err != nil {
			return badRequest("ValidationError", "Error in %v", err)
		}
	}
	return nil
}

// of returns a query's datapoints, which must not be modified, as read does. The error names the faulty expression.
func (m *metricMath) of(query *types.MetricDataQuery) (quantity, error) {
	id := aws.ToString(query.Id)
	if m.plain {
		return m.evaluate(query, id)
	}
	result, ok := m.known[id]
	if ok {
		return result, nil
	}
	result, err := m.evaluate(query, id)
	if err == nil {
		if m.known == nil {
			m.known = map[string]quantity{}
		}
		m.known[id] = result
	}
	return result, err
}

// evaluate computes a query that is not known yet.
func (m *metricMath) evaluate(query *types.MetricDataQuery, id string) (quantity, error) {
	if query.Expression == nil {
		return quantity{points: m.read(query.MetricStat), period: int64(aws.ToInt32(query.MetricStat.Period))}, nil
	}
	fail := func(format string, args ...any) (quantity, error) {
		return quantity{}, fmt.Errorf("expression '%s' (%s): %s", id, *query.Expression, fmt.Sprintf(format, args...))
	}
	if slices.Contains(m.open, id) {
		return fail("it refers to itself")
	}
	m.open = append(m.open, id)
	defer func() { m.open = m.open[:len(m.open)-1] }()
	e := expression{math: m, tokens: mathToken.FindAllString(*query.Expression, -1)}
	result, err := e.sum()
	switch {
	case e.inner != nil:
		return quantity{}, e.inner // the error of an expression that this one refers to
	case err != nil:
		return fail("%v", err)
	case len(e.tokens) > 0:
		return fail("unexpected %q; the local AWS has %s", e.tokens[0], supportedMath)
	case result.scalar:
		return fail("it must return a time series, not a number")
	}
	return result, nil
}

// expression is the remaining part of an expression that is being evaluated, by recursive descent.
type expression struct {
	math   *metricMath
	tokens []string
	inner  error
}

var (
	mathToken  = regexp.MustCompile(`[0-9.]+|[A-Za-z_][A-Za-z0-9_]*|[^\s]`)
	mathNumber = regexp.MustCompile(`^[0-9.]+$`)
	mathName   = regexp.MustCompile(`^[A-Za-z_]`)
)

// next returns the next token without consuming it; empty at the end.
func (e *expression) next() string {
	if len(e.tokens) == 0 {
		return ""
	}
	return e.tokens[0]
}

// take consumes the next token if it is the wanted one, and reports whether it was.
func (e *expression) take(wanted string) bool {
	if e.next() != wanted {
		return false
	}
	e.tokens = e.tokens[1:]
	return true
}

// sum evaluates operands joined by + and -.
func (e *expression) sum() (quantity, error) {
	return e.chain([]string{"+", "-"}, e.product)
}

// product evaluates operands joined by * and /.
func (e *expression) product() (quantity, error) {
	return e.chain([]string{"*", "/"}, e.factor)
}

// chain evaluates operands joined by operators of one precedence, from left to right.
func (e *expression) chain(operators []string, operand func() (quantity, error)) (quantity, error) {
	left, err := operand()
	for err == nil && slices.Contains(operators, e.next()) {
		operator := e.next()
		e.tokens = e.tokens[1:]
		var right quantity
		if right, err = operand(); err == nil {
			left = combine(operator, left, right)
		}
	}
	return left, err
}

// factor evaluates one operand: a number, a query, FILL, or an expression in parentheses, each with or without a minus.
func (e *expression) factor() (quantity, error) {
	switch token := e.next(); {
	case e.take("-"):
		of, err := e.factor()
		return combine("*", quantity{scalar: true, number: -1}, of), err
	case e.take("("):
		inside, err := e.sum()
		if err == nil && !e.take(")") {
			err = fmt.Errorf("a parenthesis is not closed")
		}
		return inside, err
	case mathNumber.MatchString(token):
		number, err := strconv.ParseFloat(token, 64)
		e.take(token)
		return quantity{scalar: true, number: number}, err
	case token == "FILL":
		return e.fill()
	case slices.Contains([]string{"AVG", "MAX", "MIN", "SUM"}, token):
		return e.overList()
	case mathName.MatchString(token):
		return e.query()
	case token == "":
		return quantity{}, fmt.Errorf("it ends where a value is expected")
	default:
		return quantity{}, fmt.Errorf("unexpected %q; the local AWS has %s", token, supportedMath)
	}
}

// query evaluates another query of the request, by its id.
func (e *expression) query() (quantity, error) {
	id := e.next()
	i := slices.IndexFunc(e.math.queries, func(q types.MetricDataQuery) bool { return aws.ToString(q.Id) == id })
	if i < 0 {
		return quantity{}, fmt.Errorf("%q is not a query of the request; the local AWS has %s", id, supportedMath)
	}
	e.take(id)
	result, err := e.math.of(&e.math.queries[i])
	e.inner = err
	return result, err
}

// fill evaluates FILL(id, number), which gives each period without a datapoint the number.
func (e *expression) fill() (quantity, error) {
	e.take("FILL")
	if !e.take("(") || !mathName.MatchString(e.next()) {
		return quantity{}, fmt.Errorf("FILL takes an id and a number")
	}
	of, err := e.query()
	if err != nil {
		return of, err
	}
	if !e.take(",") {
		return of, fmt.Errorf("FILL takes an id and a number")
	}
	with, err := e.factor()
	if err != nil || !with.scalar || !e.take(")") {
		return of, fmt.Errorf("FILL takes an id and a number in the local AWS")
	}
	known := of.points
	of.points = nil
	from, to := e.math.start-e.math.start%min(60, max(of.period, 1)), min(e.math.end, e.math.now)
	if from < to && uint64(to-from)/uint64(max(of.period, 1)) > maxDatapoints { // unsigned: two extreme times can be far apart
		return of, fmt.Errorf("FILL fills at most %d periods in the local AWS", maxDatapoints)
	}
	for at := from; at < to; at += of.period {
		if len(known) > 0 && known[0].at == at {
			of.points, known = append(of.points, known[0]), known[1:]
		} else {
			of.points = append(of.points, figure{at, with.number})
		}
	}
	return of, nil
}

// combine returns the result of an operation on two quantities. For two time series, it has the times that both have. It
// omits datapoints whose result is not a finite number, such as a division by zero.
func combine(operator string, a, b quantity) quantity {
	if a.scalar && b.scalar {
		return quantity{scalar: true, number: apply(operator, a.number, b.number)}
	}
	out := quantity{period: max(a.period, b.period)}
	add := func(at int64, x, y float64) {
		if value := apply(operator, x, y); !math.IsNaN(value) && !math.IsInf(value, 0) {
			out.points = append(out.points, figure{at, value})
		}
	}
	switch {
	case a.scalar:
		for _, p := range b.points {
			add(p.at, a.number, p.value)
		}
	case b.scalar:
		for _, p := range a.points {
			add(p.at, p.value, b.number)
		}
	default:
		for x, y := a.points, b.points; len(x) > 0 && len(y) > 0; {
			switch {
			case x[0].at < y[0].at:
				x = x[1:]
			case y[0].at < x[0].at:
				y = y[1:]
			default:
				add(x[0].at, x[0].value, y[0].value)
				x, y = x[1:], y[1:]
			}
		}
	}
	return out
}

// apply returns the result of an operation on two numbers; NaN for a division by zero.
func apply(operator string, a, b float64) float64 {
	switch operator {
	case "+":
		return a + b
	case "-":
		return a - b
	case "*":
		return a * b
	}
	if b == 0 {
		return math.NaN()
	}
	return a / b
}
