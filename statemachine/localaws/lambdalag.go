package localaws

import "time"

// AliasLag is how long changes of aliases take until they are seen. Lambda is eventually consistent and documents no bound
// for either.
type AliasLag struct {
	// Reads is how long after a change GetAlias answers with the alias as it was before. UpdateAlias compares its RevisionId
	// with the latest state nevertheless.
	Reads time.Duration
	// Routing is how long after a change requests are routed as before it.
	Routing time.Duration
}

// SetAliasLag sets how long changes of aliases take until they are seen. It applies at once, also to changes made since
// SetAliasLag was first called with more than zero.
func (s *Server) SetAliasLag(lag AliasLag) {
	s.lambda.mu.Lock()
	defer s.lambda.mu.Unlock()
	s.lambda.lag = lag
	s.lambda.lagged = s.lambda.lagged || lag != AliasLag{}
}

// RoutingAt returns the alias as requests are routed at an instant: [Server.AliasAt], but behind changes by the lag. The
// instant must not precede the time of any earlier call.
func (s *Server) RoutingAt(functionName, aliasName string, at time.Time) (Alias, bool) {
	s.lambda.mu.Lock()
	defer s.lambda.mu.Unlock()
	f, a, ok := s.lambda.aliasAt(functionName, aliasName, at)
	if !ok {
		return Alias{}, false
	}
	return f.aliasBefore(a, at.Add(-s.lambda.lag.Routing)), true
}

// NextRouting returns the first time after an instant at which the routing of an alias changes without a call: an allocation
// of provisioned concurrency ends, or a change takes effect after the lag; false if there is none.
func (s *Server) NextRouting(functionName, aliasName string, after time.Time) (time.Time, bool) {
	l := s.lambda
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.functions[functionName]
	if f == nil {
		return time.Time{}, false
	}
	next := f.nextAllocation(after)
	for _, r := range f.replaced[aliasName] {
		if at := r.at.Add(l.lag.Routing); at.After(after) && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	return next, !next.IsZero()
}

// replaced is a former state of an alias, and when another one took its place.
type replaced struct {
	was Alias
	at  time.Time
}

// mostReplaced is how many former states of an alias are kept.
const mostReplaced = 100

// setAlias replaces an alias at an instant, and keeps the former state if changes lag. l.mu is held.
func (l *lambdaService) setAlias(f *function, a Alias, at time.Time) {
	if was, ok := f.aliases[a.Name]; ok && l.lagged {
		all := append(f.replaced[a.Name], replaced{was, at})
		f.replaced[a.Name] = all[max(0, len(all)-mostReplaced):]
	}
	f.aliases[a.Name] = a
}

// aliasBefore returns the state of an alias at an instant, given its latest one. l.mu is held.
func (f *function) aliasBefore(a Alias, at time.Time) Alias {
	for _, r := range f.replaced[a.Name] {
		if r.at.After(at) {
			return r.was
		}
	}
	return a
}
