package rehearsal

import (
	"errors"
	"math"
	"math/rand/v2"
	"time"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// Tally counts the requests that a version really served, known to the
// metrics or not.
type Tally struct {
	Invocations int64 `json:"invocations"`
	Errors      int64 `json:"errors"`
}

// traffic sends the alias's requests to its versions as time goes by. It is
// brought up to the present before anything looks at it or changes the alias:
// then everything that happened since is drawn at once.
type traffic struct {
	aws             *localaws.Server
	function, alias string
	next            string // the new version
	start           time.Time
	total           time.Duration // of the plan
	random          *rand.Rand
	done            time.Time // how far the traffic has been drawn
	now             Scenario  // as it stands after the changes so far
	changes         []Change  // those to come, in their order
	served          map[string]Tally
}

// grain is the longest time whose requests are drawn at once. It divides a
// minute: a minute's metrics grow while the minute goes on.
const grain = 10 * time.Second

// catchUp draws the traffic up to an instant.
func (t *traffic) catchUp(to time.Time) error {
	for t.done.Before(to) {
		end := t.done.Truncate(grain).Add(grain)
		if end.After(to) {
			end = to
		}
		for len(t.changes) > 0 {
			at := t.start.Add(t.changes[0].at(t.total))
			if at.After(t.done) {
				if at.Before(end) {
					end = at
				}
				break
			}
			t.apply(t.changes[0])
			t.changes = t.changes[1:]
		}
		if err := t.serve(t.done, end); err != nil {
			return err
		}
		t.done = end
	}
	return nil
}

// at is the time of a change since the rollout's start.
func (c Change) at(total time.Duration) time.Duration {
	if c.AfterShare > 0 {
		return time.Duration(c.AfterShare * float64(total))
	}
	return seconds(c.After)
}

func (t *traffic) apply(c Change) {
	if c.RequestsPerSecond != nil {
		t.now.RequestsPerSecond = *c.RequestsPerSecond
	}
	if c.Baseline != nil {
		t.now.Baseline = *c.Baseline
	}
	if c.NewVersion != nil {
		t.now.NewVersion = *c.NewVersion
	}
	if c.MetricDelay != nil {
		t.aws.SetMetricDelay(seconds(*c.MetricDelay))
	}
}

// serve draws the requests of a time in which nothing changes.
func (t *traffic) serve(from, to time.Time) error {
	requests := t.poisson(t.now.RequestsPerSecond * to.Sub(from).Seconds())
	alias, ok := t.aws.Alias(t.function, t.alias)
	if !ok || requests == 0 {
		return nil
	}
	shifted := t.binomial(requests, alias.Weight)
	return errors.Join(
		t.run(alias.Version, requests-shifted, to),
		t.run(alias.Additional, shifted, to))
}

// run lets a version serve requests that end a moment before to.
func (t *traffic) run(version string, requests int64, to time.Time) error {
	if requests == 0 {
		return nil
	}
	behaviour := t.now.Baseline
	if version == t.next {
		behaviour = t.now.NewVersion
	}
	failed := t.binomial(requests, behaviour.ErrorRate)
	tally := t.served[version]
	tally.Invocations += requests
	tally.Errors += failed
	t.served[version] = tally

	mean := seconds(behaviour.Duration)
	return t.aws.Serve(localaws.ServedRequests{
		Function: t.function, Alias: t.alias, Version: version,
		At:          to.Add(-time.Nanosecond),
		Invocations: requests, Errors: failed,
		Duration: localaws.DurationStats{Sum: mean * time.Duration(requests), Minimum: mean / 2, Maximum: mean * 2},
	})
}

func (t *traffic) poisson(mean float64) int64 {
	if mean <= 0 {
		return 0
	}
	return int64(math.Round(distuv.Poisson{Lambda: mean, Src: t.random}.Rand()))
}

func (t *traffic) binomial(n int64, p float64) int64 {
	switch {
	case n == 0 || p <= 0:
		return 0
	case p >= 1:
		return n
	}
	return int64(math.Round(distuv.Binomial{N: float64(n), P: p, Src: t.random}.Rand()))
}
