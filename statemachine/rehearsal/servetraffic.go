package rehearsal

import (
	"cmp"
	"maps"
	"slices"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// serveAliases brings the traffic of all aliases up to date. An alias that is new gets
// the scenario's traffic from now on.
func (s *ServedAWS) serveAliases() {
	for _, alias := range s.server.Aliases() {
		at := aliasName{alias.Function, alias.Name}
		t, ok := s.traffics[at]
		if !ok {
			t = s.newTraffic(rollout.Request{FunctionName: at.function, AliasName: at.alias})
			s.traffics[at] = t
		}
		if alias.Additional != "" && len(t.changes) == 0 {
			t.next = alias.Additional // shifted by hand, or by the rollout under way
		}
	}
	s.catchUpAll()
}

// newTraffic returns the traffic of an alias from now on.
func (s *ServedAWS) newTraffic(request rollout.Request) *traffic {
	s.begun++
	now, seed := s.clock.Now(), s.options.Seed+s.begun
	t := trafficOf(s.server, s.options.Scenario, request, now, seed, s.traffic.tables)
	t.asks = true // clients configure functions
	t.begin(now, newChance(seed, duringRollout), nil)
	return &t
}

// beginRollout starts the scenario from its beginning for the alias of a rollout.
func (s *ServedAWS) beginRollout(request rollout.Request) {
	at := aliasName{request.Function(), request.AliasName}
	if _, ok := s.server.Alias(at.function, at.alias); !ok {
		return
	}
	s.catchUpAll()
	s.restart()
	t := s.newTraffic(request)
	t.total = plannedTime(request, t.start)
	t.begin(t.start, t.chance, s.options.Scenario.Changes)
	s.traffic, s.traffics[at] = t, t
}

// restart takes back what the scenario's changes have changed for the whole account.
func (s *ServedAWS) restart() {
	scenario := s.options.Scenario
	scenario.setDelays(s.server)
	for _, change := range scenario.Changes {
		for name := range change.Alarms {
			if err := s.server.SetAlarmState(name, scenario.alarm(name), "as the scenario has it"); err != nil {
				panic(err) // there is such an alarm and such a state: both have been checked
			}
		}
	}
}

// catchUpAll draws the traffic of all aliases up to now.
func (s *ServedAWS) catchUpAll() {
	for _, at := range slices.SortedFunc(maps.Keys(s.traffics), aliasName.compare) { // metrics are sums, whose last digits depend on it
		t := s.traffics[at]
		if _, ok := s.server.Alias(at.function, at.alias); !ok && t != s.traffic {
			delete(s.traffics, at)
			continue
		}
		if err := t.catchUp(s.clock.Now()); err != nil {
			panic(err) // the scenario has been checked
		}
	}
}

// beforeChange brings the traffic up to date before an AWS call that may change where
// it goes.
func (s *ServedAWS) beforeChange(operation string) {
	if slices.Contains([]string{"UpdateAlias", "DeleteAlias", "DeleteFunction"}, operation) {
		s.catchUpAll()
	}
}

// compare orders aliases by function and name.
func (a aliasName) compare(b aliasName) int {
	return cmp.Or(cmp.Compare(a.function, b.function), cmp.Compare(a.alias, b.alias))
}
