package rehearsal

import (
	"math"
	"slices"
	"time"

	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// Environments describes how the execution environments of a version are slow at first.
// A version has as many as its mean number of concurrent requests, plus two standard
// deviations, needs; they start as its traffic grows. All get the same share of the
// requests. Those that the baseline needs when the traffic begins have been there long.
// Provisioned concurrency makes no difference.
type Environments struct {
	// ColdStart is how many seconds longer an environment's first invocation takes, in
	// [0, 900]. Lambda's Duration excludes the Init phase, so this is what the
	// invocation itself loads or connects.
	ColdStart float64 `json:"cold-start,omitempty"`
	// Factor is how many times as long invocations take in an environment that has just
	// started, in [1, 100]; 1 if it is left out. It falls steadily to 1 within WarmUp,
	// in seconds, at most a day.
	Factor *float64 `json:"factor,omitempty"`
	WarmUp float64  `json:"warm-up,omitempty"`
	// Idle is how long an environment waits for requests before it ends, in seconds, at
	// most a day; 600 if it is left out. AWS does not document it.
	Idle *float64 `json:"idle,omitempty"`
}

// The defaults and bounds of Environments, in seconds.
const (
	defaultIdle     = 600
	mostEnvironment = 24 * 60 * 60
	mostFactor      = 100
)

// check passes the numbers and their bounds to within.
func (e *Environments) check(path string, within func(path string, value, low, high float64)) {
	if e == nil {
		return
	}
	within(path+".cold-start", e.ColdStart, 0, maxTimeout)
	within(path+".factor", e.factor(), 1, mostFactor)
	within(path+".warm-up", e.WarmUp, 0, mostEnvironment)
	within(path+".idle", e.idle(), 0, mostEnvironment)
}

func (e *Environments) factor() float64 {
	if e.Factor == nil {
		return 1
	}
	return *e.Factor
}

func (e *Environments) idle() float64 {
	if e.Idle == nil {
		return defaultIdle
	}
	return *e.Idle
}

// slowness returns how many times as long invocations take in an environment of that age.
func (e *Environments) slowness(age time.Duration) float64 {
	const steps = 64                                                            // so that there are not too many durations
	if left := math.Round(steps*(1-age.Seconds()/e.WarmUp)) / steps; left > 0 { // not so for NaN
		return 1 + (e.factor()-1)*min(left, 1)
	}
	return 1
}

// environment is a number of environments that started together.
type environment struct {
	started time.Time // zero if it was long ago
	number  int64
}

// mostGroups bounds the groups of environments, so that a record has no more than 150
// durations: 32 for each of them, and 32 for cold starts.
const mostGroups = 3

// environments are those of a version, the oldest first.
type environments struct {
	groups []environment
	used   time.Time // the last request
	// busy is when all were needed last, and most how many have been needed since.
	busy time.Time
	most int64
}

// needed returns how many environments serve requests of that many per second which take
// that many seconds.
func needed(rate, duration float64) int64 {
	concurrent := rate * duration
	return max(1, int64(math.Ceil(concurrent+2*math.Sqrt(concurrent))))
}

// serve has n environments serve a number of requests from a time on, and returns how
// many of them start then.
func (v *environments) serve(e Environments, n, requests int64, from time.Time) (started int64) {
	idle := seconds(e.idle())
	if from.Sub(v.used) > idle {
		v.groups = nil
	}
	v.used, v.most = from, max(v.most, n)
	if from.Sub(v.busy) > idle {
		v.keep(v.most)
		v.busy, v.most = from, 0
	}
	v.age(seconds(e.WarmUp), from)
	more := n - v.number()
	if more >= 0 {
		v.busy, v.most = from, 0
	}
	if started = min(more, requests); started <= 0 {
		return 0
	}
	v.groups = append(v.groups, environment{from, started})
	v.merge()
	return started
}

// number returns how many environments there are.
func (v *environments) number() (n int64) {
	for _, g := range v.groups {
		n += g.number
	}
	return n
}

// keep ends the newest environments beyond a number of them.
func (v *environments) keep(n int64) {
	for i := range v.groups {
		v.groups[i].number = min(v.groups[i].number, n)
		n -= v.groups[i].number
	}
	v.groups = slices.DeleteFunc(v.groups, func(g environment) bool { return g.number == 0 })
}

// age joins the groups that have warmed up.
func (v *environments) age(warmUp time.Duration, now time.Time) {
	for i := range v.groups {
		if g := &v.groups[i]; now.Sub(g.started) >= warmUp {
			g.started = time.Time{}
		}
	}
	for len(v.groups) > 1 && v.groups[1].started.IsZero() {
		v.join(0)
	}
}

// merge joins groups that started closest together until there are few enough.
func (v *environments) merge() {
	for len(v.groups) > mostGroups {
		closest, least := 0, time.Duration(math.MaxInt64)
		for i := range v.groups[1:] {
			if gap := v.groups[i+1].started.Sub(v.groups[i].started); gap < least {
				closest, least = i, gap
			}
		}
		v.join(closest)
	}
}

// join joins a group with the next: they started at the mean of both times.
func (v *environments) join(i int) {
	a, b := v.groups[i], v.groups[i+1]
	if !a.started.Equal(b.started) {
		share := float64(b.number) / float64(a.number+b.number)
		a.started = a.started.Add(time.Duration(share * float64(b.started.Sub(a.started))))
	}
	a.number += b.number
	v.groups = slices.Replace(v.groups, i, i+2, a)
}

// settle has the environments of the version that the alias serves be there, warm, at
// the beginning of the traffic. A version that is Inactive has none.
func (t *traffic) settle(from time.Time) {
	t.environments = map[string]*environments{}
	alias, ok := t.aws.Alias(t.function, t.alias)
	if !ok || t.now.Baseline.Environments == nil || !t.active(alias.Version) {
		return
	}
	n := needed(t.now.rate(from), t.meanDuration(t.now.Baseline, alias.Version))
	t.environments[alias.Version] = &environments{groups: []environment{{number: n}}, used: from, busy: from}
}

// meanDuration returns how long requests of a version take in the mean, in seconds, in
// environments that are warm.
func (t *traffic) meanDuration(b VersionProfile, version string) float64 {
	return min(b.Duration, t.timeoutOf(version).Seconds())
}

// environmentsOf returns the environments that serve a version's invocations from a time
// on, and how many of them start then; nil if its profile has none.
func (t *traffic) environmentsOf(version string, b VersionProfile, invocations int64, share float64, from time.Time) (*environments, int64) {
	switch {
	case invocations == 0:
		return nil, 0
	case b.Environments == nil:
		delete(t.environments, version)
		return nil, 0
	}
	if t.environments[version] == nil {
		t.environments[version] = &environments{}
	}
	v := t.environments[version]
	return v, v.serve(*b.Environments, needed(share*t.now.rate(from), t.meanDuration(b, version)), invocations, from)
}

// draw draws the durations of n invocations around a time, as many of them as cold the
// first ones of their environments. v is nil if the profile has none. The durations are
// valid until the next call.
func (t *traffic) draw(b VersionProfile, v *environments, n, cold int64, at time.Time) localaws.DurationStats {
	table, mean := t.tables.of(b), seconds(b.Duration)
	t.drawn = t.drawn[:0]
	if v == nil || n == 0 {
		t.drawn = table.draw(t.drawn, t.chance.durations, n, mean)
		return localaws.DurationStats{Values: t.drawn}
	}
	add := func(count int64, slower float64, longer time.Duration) {
		if count == 0 {
			return
		}
		before := len(t.drawn)
		t.drawn = table.draw(t.drawn, t.chance.durations, count, time.Duration(slower*float64(mean)))
		for i := range t.drawn[before:] {
			t.drawn[before+i].Duration += longer
		}
	}
	newest := v.groups[len(v.groups)-1]
	add(cold, b.Environments.slowness(at.Sub(newest.started)), seconds(b.Environments.ColdStart))
	rest, among := n-cold, v.number()
	for _, g := range v.groups {
		here := binomial(t.chance.durations, rest, float64(g.number)/float64(among))
		add(here, b.Environments.slowness(at.Sub(g.started)), 0)
		rest, among = rest-here, among-g.number
	}
	return localaws.DurationStats{Values: t.drawn}
}
