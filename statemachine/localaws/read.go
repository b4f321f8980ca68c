package localaws

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// readIDs is below the request ids of calls that only read.
const readIDs = 1 << 47

// Reads reports whether a request asks for an operation that only reads, so that
// [Server.ServeRead] can answer it. It is false for a request that is not for one of the server's operations.
func (s *Server) Reads(r *http.Request) bool {
	operation, _, refused := s.serviceFor(r).route(r)
	return refused == nil && isRead(operation)
}

// isRead reports whether an operation only reads, by its name, as AWS names them. TestState runs a state, and GetSecretValue
// notes when it was called on AWS, but not here.
func isRead(operation string) bool {
	for _, verb := range []string{"Get", "List", "Describe", "Filter"} {
		if strings.HasPrefix(operation, verb) {
			return true
		}
	}
	return operation == downloadCode
}

// ServeRead is ServeHTTP for a request that [Server.Reads] is true for, and leaves no trace: it calls neither
// [Options.BeforeCall] nor [Options.OnCall], and all that follows is the same with and without it, down to the ids and the
// last digits of metrics. Only faults count the call.
func (s *Server) ServeRead(w http.ResponseWriter, r *http.Request) { s.serve(w, r, true) }

// Refuse answers a request with an error of status 503, in the protocol of the request's service. Nothing happens besides.
func (s *Server) Refuse(w http.ResponseWriter, r *http.Request, message string) {
	s.serviceFor(r).refusal(&apiError{http.StatusServiceUnavailable, "ServiceUnavailable", message}).write(w)
}

// settled returns a series with what has become visible. While a call that leaves no trace is under way, that is a copy: when
// the values of a datapoint are added decides on the order of the sum, and so on its last digit. m.mu is held.
func (m *metricStore) settled(s *series, now time.Time) *series {
	if m.readers.Load() > 0 && len(s.waiting()) > 0 && s.waiting()[0].visible <= now.UnixNano() {
		s = s.clone()
	}
	s.settle(now)
	return s
}

// clone returns a copy of the series that can be settled and read.
func (s *series) clone() *series {
	copied := &series{unit: s.unit, data: slices.Clone(s.data), settled: s.settled, past: s.past}
	for i := range s.tiers {
		copied.tiers[i] = s.tiers[i].clone()
	}
	if s.fine != nil {
		fine := s.fine.clone()
		copied.fine = &fine
	}
	return copied
}

// clone returns a copy of the tier. Its distributions must be its own where adding to them changes them in place.
func (t tier) clone() tier {
	t.points, t.values = slices.Clone(t.points), maps.Clone(t.values)
	for at, k := range t.values {
		k.own = false
		t.values[at] = k
	}
	return t
}
