package health

import (
	"slices"
	"sync"
)

// recentQueries remembers the queries of the last check, without those of metric gates: they
// are mostly those of the next one. Nil remembers nothing. It is safe for concurrent use.
type recentQueries struct {
	mu      sync.Mutex
	of      Query // only what the queries depend on
	queries []MetricQuery
}

// queriesOf returns the queries of a check, which must not be modified.
func (r *recentQueries) queriesOf(q *Query) []MetricQuery {
	if r == nil {
		return q.queries()
	}
	own := r.ownOf(q)
	if len(q.Gates) == 0 {
		return own
	}
	return q.withGates(slices.Clone(own))
}

func (r *recentQueries) ownOf(q *Query) []MetricQuery {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.queries == nil || !r.of.sameQueries(q) {
		r.of, r.queries = *q, q.ownQueries()
		r.of.Gates, r.of.Bounds = nil, slices.Clone(q.Bounds)
	}
	return r.queries
}

// sameQueries reports whether another check has the same queries, but for metric gates.
func (q *Query) sameQueries(other *Query) bool {
	return q.Function == other.Function && q.Alias == other.Alias && q.Baseline == other.Baseline && q.NewVersion == other.NewVersion &&
		q.Record == other.Record && q.Throttles == other.Throttles && q.Over == other.Over && slices.Equal(q.Bounds, other.Bounds)
}
