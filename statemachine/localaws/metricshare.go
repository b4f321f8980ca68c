package localaws

import (
	"fmt"
	"maps"
	"slices"
)

// InvokedVersion is a version as an alias sends it requests.
type InvokedVersion struct{ Function, Alias, Version string }

// CopyInvocations copies the metrics of all requests that were recorded for a version to another one, for which none were
// recorded: a past that many functions have in common costs little more than that of one. It returns an error if a function,
// alias or version does not exist, or if the other one has a past.
func (s *Server) CopyInvocations(from, to InvokedVersion) error {
	var recorders [2]*recorder
	for i, of := range []InvokedVersion{from, to} {
		var err error
		if recorders[i], err = s.lambda.recorderOf(Invocations{Function: of.Function, Alias: of.Alias, Version: of.Version}); err != nil {
			return fmt.Errorf("copy invocations: %w", err)
		}
	}
	if !s.cloudwatch.metrics.share(recorders[0].all(), recorders[1].all()) {
		return fmt.Errorf("copy invocations: %s already has metrics", to.Function)
	}
	return nil
}

// all returns the series of a recorder, in an order that is the same for all with as many sets of dimensions.
func (rec *recorder) all() []*series {
	return slices.Concat(rec.series[:]...)
}

// share gives each of the series in to, which must be empty, the data of the one in from; false if they are not.
func (m *metricStore) share(from, to []*series) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if slices.ContainsFunc(to, func(s *series) bool { return !s.empty() }) {
		return false
	}
	for i, s := range from {
		now := m.now()
		s.settle(now)
		s.addAll(now.Unix())
		to[i].data = slices.Clone(s.data)
		for j := range s.tiers {
			s.tiers[j].shareWith(&to[i].tiers[j])
		}
	}
	return true
}

// empty reports whether a series has no data.
func (s *series) empty() bool {
	hasPoints := func(t tier) bool { return len(t.before)+len(t.points) > 0 }
	return len(s.data) == 0 && s.past == nil && !slices.ContainsFunc(s.tiers[:], hasPoints)
}

// shareWith gives another tier, which is empty, the points. Both keep the last one for themselves, as its period may not be
// over.
func (t *tier) shareWith(other *tier) {
	if n := len(t.points); n > 1 {
		t.own()
		n = len(t.points)
		t.before, t.points = t.points[:n-1:n-1], t.points[n-1:]
	}
	other.before, other.points = t.before, slices.Clone(t.points)
	other.values = maps.Clone(t.values)
	for _, values := range []map[int64]kept{t.values, other.values} {
		for at, k := range values {
			k.own = false
			values[at] = k
		}
	}
}

// own makes the points that the tier shares with others its own, so that they can be changed.
func (t *tier) own() {
	if len(t.before) > 0 {
		t.before, t.points = nil, slices.Concat(t.before, t.points)
	}
}

// since returns the points that are not before a time, in two parts, one after the other. They must not be changed.
func (t *tier) since(at int64) (shared, own []point) {
	if i := searchPoints(t.before, at); i < len(t.before) {
		return t.before[i:], t.points
	}
	return nil, t.points[t.search(at):]
}

// expire forgets the points before a time.
func (t *tier) expire(before int64) {
	for len(t.before) > 0 && t.before[0].at < before {
		delete(t.values, t.before[0].at)
		t.before = t.before[1:]
	}
	for len(t.points) > 0 && t.points[0].at < before {
		delete(t.values, t.points[0].at)
		t.points = t.points[1:]
	}
}
