package health

import (
	"context"
	"errors"
	"time"
)

// ErrUnavailable means that CloudWatch accepted a query and failed to answer it.
var ErrUnavailable = errors.New("CloudWatch had an internal error")

// Source runs queries of metrics, as CloudWatch's GetMetricData does.
type Source interface {
	// Results runs the queries over the minutes from from to to, in one call or in one
	// a page, and hands each result to take, oldest value first. It returns the first
	// error of take. It must not modify the queries.
	Results(ctx context.Context, from, to time.Time, queries []MetricQuery, take func(MetricResult) error) error
}

// MetricQuery is the query of a metric's statistic, or of an expression.
type MetricQuery struct {
	ID                           string
	Namespace, Metric, Statistic string
	Dimensions                   []Dimension
	// Expression uses the metrics of other queries of the call, by their ids. The
	// query of an expression has no metric.
	Expression string
	Period     int32 // seconds
	// Hidden means that only an expression uses the metric: it has no result.
	Hidden bool
}

// Dimension is a metric's dimension.
type Dimension struct{ Name, Value string }

// MetricResult is one page of a query's result. Values has as many elements as Times.
type MetricResult struct {
	ID     string
	Times  []time.Time // where each period begins
	Values []float64
	Status ResultStatus
	// Messages are CloudWatch's about the result, each with its code.
	Messages []string
}

// ResultStatus is CloudWatch's word for whether a result is complete.
type ResultStatus string

// The statuses of a result that is not complete.
const (
	PartialData   ResultStatus = "PartialData"
	InternalError ResultStatus = "InternalError"
	Forbidden     ResultStatus = "Forbidden"
)
