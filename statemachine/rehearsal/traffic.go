package rehearsal

import (
	"errors"
	"time"

	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// Tally counts the requests that a version really got, whether the metrics have them
// or not: those that it served, how many of these failed, and those that were
// throttled.
type Tally struct {
	Invocations int64 `json:"invocations"`
	Errors      int64 `json:"errors"`
	Throttles   int64 `json:"throttles,omitempty"`
}

// traffic sends the alias's requests to its versions as virtual time passes. It is
// brought up to date before each AWS call, which may read the metrics or change the
// alias: then all requests since the last time are drawn.
type traffic struct {
	aws             *localaws.Server
	function, alias string
	next            string // the new version
	start           time.Time
	total           time.Duration // of the plan
	chance          chance
	tables          tables
	drawn           []localaws.DurationCount // see draw
	done            time.Time                // how far the traffic has been drawn
	now             Scenario                 // as it stands after the changes so far
	changes         []Change                 // those to come, by time
	clusters        map[string]*clusters
	environments    map[string]*environments
	served          map[string]Tally
	firstBad        time.Time // when the new version first failed a request; zero for never
	series          *series
	over            bool        // the rollout is
	counted         *trafficSum // of the rollout; nil until it is over and the traffic on one version
	own             *ownMetrics
	timeout         time.Duration // of the function
	asks            bool          // whether versions may be Inactive, or have timeouts of their own
	// onAccount is called before a change of the whole account, with its time; may be nil.
	onAccount func(at time.Time)
}

// grain is the longest time whose requests are drawn at once. It divides a minute,
// as a minute's metrics grow during the minute. A minute that is over and complete
// in the metrics before they are read is drawn at once.
const grain = 10 * time.Second

// catchUp draws the traffic up to an instant.
func (t *traffic) catchUp(to time.Time) error {
	lateness := time.Duration(-1) // unknown
	for t.done.Before(to) {
		t.conclude()
		for len(t.changes) > 0 && !t.nextChange().After(t.done) {
			t.apply(t.changes[0], t.nextChange())
			t.changes, lateness = t.changes[1:], -1
		}
		if lateness < 0 {
			lateness = t.lateness()
		}
		end := t.done.Truncate(time.Minute).Add(time.Minute)
		if end.Add(lateness).After(to) {
			end = t.done.Truncate(grain).Add(grain)
		}
		if end.After(to) {
			end = to
		}
		if len(t.changes) > 0 && t.nextChange().Before(end) {
			end = t.nextChange()
		}
		if at, ok := t.aws.NextRouting(t.function, t.alias, t.done); ok && at.Before(end) {
			end = at
		}
		if err := errors.Join(t.own.record(t, t.done, end), t.serve(t.done, end)); err != nil {
			return err
		}
		t.done = end
	}
	return nil
}

// serveDaysBefore draws the minutes from one time to another, long before the
// rollout: each as a whole, and all requests take as long as they do in the mean.
func (t *traffic) serveDaysBefore(from, to time.Time, chance chance) error {
	alias, ok := t.aws.Alias(t.function, t.alias)
	if !ok {
		return nil
	}
	of := localaws.InvokedVersion{Function: t.function, Alias: t.alias, Version: alias.Version}
	return t.aws.RecordPast(of, int(to.Sub(from)/time.Minute)+1, func(yield func(localaws.Invocations) bool) { t.drawDaysBefore(from, to, chance, yield) })
}

// drawDaysBefore yields the minutes of serveDaysBefore.
func (t *traffic) drawDaysBefore(from, to time.Time, chance chance, yield func(localaws.Invocations) bool) {
	b := t.now.Baseline
	var failing clusters
	over := t.tables.of(b).shareOver(t.timeout, b.Duration)
	for at := from.Truncate(time.Minute); at.Before(to); at = at.Add(time.Minute) {
		requests := poisson(chance.counts, 60*t.now.rate(at))
		if requests == 0 {
			continue
		}
		throttled := binomial(chance.counts, requests, b.Throttled)
		invoked := requests - throttled
		failed := failing.failures(chance.counts, b, invoked, at)
		failed += binomial(chance.counts, invoked-failed, over)
		took := time.Duration(min(invoked, 1)) * min(seconds(b.Duration), t.timeout)
		if !yield(localaws.Invocations{
			At: at, Invocations: invoked, Errors: failed, Throttles: throttled,
			Duration: localaws.DurationStats{Sum: time.Duration(invoked) * took, Minimum: took, Maximum: took},
		}) {
			return
		}
	}
}

// nextChange returns the time of the next change; there must be one.
func (t *traffic) nextChange() time.Time {
	return t.start.Add(t.changes[0].at(t.total))
}

// lateness returns the longest time from a request until the metrics have it.
func (t *traffic) lateness() time.Duration {
	most := time.Duration(0)
	for _, b := range []VersionProfile{t.now.Baseline, t.now.NewVersion} {
		most = max(most, t.tables.longest(b)+seconds(b.LateSuccesses))
	}
	if !t.asks {
		most = min(most, t.timeout+mostLate(t.now))
	}
	return most + seconds(t.now.MetricDelay)
}

// mostLate returns how late successes are at most.
func mostLate(s Scenario) time.Duration {
	return seconds(max(s.Baseline.LateSuccesses, s.NewVersion.LateSuccesses))
}

// at returns the time of a change since the start of a rollout whose plan takes
// total.
func (c Change) at(total time.Duration) time.Duration {
	if c.AfterShare > 0 {
		return time.Duration(c.AfterShare * float64(total))
	}
	return seconds(c.After)
}

// apply makes a change to the current scenario, at the time of the change.
func (t *traffic) apply(c Change, at time.Time) {
	if t.onAccount != nil {
		t.onAccount(at)
	}
	if c.RequestsPerSecond != nil {
		t.now.RequestsPerSecond = *c.RequestsPerSecond
	}
	if c.Baseline != nil {
		t.now.Baseline = *c.Baseline
	}
	if c.NewVersion != nil {
		t.now.NewVersion = *c.NewVersion
	}
	t.now.Dependencies = t.now.with(c.Dependencies)
	t.own.apply(c.Metrics)
	for name, state := range c.Alarms {
		if err := t.aws.SetAlarmStateAt(at, name, state, "as the scenario has it"); err != nil {
			panic(err) // there is such an alarm and such a state: both have been checked
		}
	}
	if c.AliasReadLag != nil || c.AliasRoutingLag != nil {
		t.now.AliasLag = t.now.AliasLag.changed(c.AliasLag)
		t.aws.SetAliasLag(t.now.AliasLag.local())
	}
	if c.MetricDelay != nil {
		t.now.MetricDelay = *c.MetricDelay
		t.aws.SetMetricDelay(seconds(*c.MetricDelay))
	}
}

// serve draws the requests of a time in which nothing changes.
func (t *traffic) serve(from, to time.Time) error {
	if t.series != nil {
		if alias, ok := t.aws.AliasAt(t.function, t.alias, from); ok {
			t.series.weigh(from, t.share(alias))
		}
	}
	requests := poisson(t.chance.counts, t.now.rate(from.Add(to.Sub(from)/2))*to.Sub(from).Seconds())
	if requests == 0 {
		return nil
	}
	alias, ok := t.aws.RoutingAt(t.function, t.alias, from)
	if !ok {
		return nil
	}
	shifted := binomial(t.chance.counts, requests, alias.Weight)
	return errors.Join(
		t.run(alias.Version, requests-shifted, 1-alias.Weight, from, to),
		t.run(alias.Additional, shifted, alias.Weight, from, to))
}

// run draws how a version serves requests between two times, a share of all in the mean.
// All of them arrive a nanosecond before to.
func (t *traffic) run(version string, requests int64, share float64, from, to time.Time) error {
	if requests == 0 || t.asks && !t.aws.Invokable(t.function, version, from) {
		return nil
	}
	profile := t.now.Baseline
	if version == t.next {
		profile = t.now.NewVersion
	}
	at := to.Add(-time.Nanosecond)
	throttled := binomial(t.chance.counts, requests, profile.Throttled)
	invoked := requests - throttled
	failed := t.clustersOf(version).failures(t.chance.counts, profile, invoked, at)
	now, late := invoked, int64(0)
	if profile.LateSuccesses > 0 {
		now, late = failed, invoked-failed
	}
	middle := from.Add(to.Sub(from) / 2)
	environments, cold := t.environmentsOf(version, profile, invoked, share, from)
	serve := func(r localaws.Invocations) error {
		r.Function, r.Alias, r.Version, r.At = t.function, t.alias, version, at
		first := min(cold, r.Invocations)
		cold -= first
		r.Duration = t.draw(profile, environments, r.Invocations, first, middle)
		r.Errors += t.cutOff(t.chance.durations, &r)
		tally := t.served[version]
		tally.Invocations += r.Invocations
		tally.Errors += r.Errors
		tally.Throttles += r.Throttles
		t.served[version] = tally
		if version == t.next && r.Errors > 0 && t.firstBad.IsZero() {
			t.firstBad = from
		}
		t.series.add(version == t.next, r)
		return t.aws.RecordInvocations(r)
	}
	err := serve(localaws.Invocations{Invocations: now, Errors: failed, Throttles: throttled})
	if late > 0 && err == nil {
		err = serve(localaws.Invocations{Invocations: late, Late: seconds(profile.LateSuccesses)})
	}
	return err
}

// share returns the new version's weight in an alias.
func (t *traffic) share(a localaws.Alias) float64 {
	switch t.next {
	case a.Version:
		return 1 - a.Weight
	case a.Additional:
		return a.Weight
	}
	return 0
}

// clustersOf returns the state of a version's clusters.
func (t *traffic) clustersOf(version string) *clusters {
	if t.clusters[version] == nil {
		t.clusters[version] = &clusters{}
	}
	return t.clusters[version]
}
