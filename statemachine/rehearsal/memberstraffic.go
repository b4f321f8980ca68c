package rehearsal

import (
	"encoding/json"
	"time"

	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// pasts are the days before a release, as they are drawn for the first members with a
// profile. The others have the same days: a thousand functions would take gigabytes and
// minutes otherwise.
type pasts map[string][]localaws.InvokedVersion

// differentPasts is how many members with the same profile have different days.
const differentPasts = 8

// prepareTraffic starts the traffic of all members before the release.
func (r *releaseRun) prepareTraffic(start time.Time) error {
	scenario := r.options.Scenario
	scenario.setDelays(r.server)
	drawn, all := pasts{}, newTables(scenario)
	for i, m := range r.members.all {
		of := scenario.member(m.name)
		seed := r.memberSeed(i)
		t := trafficOf(r.server, of, m.request, start, seed, all)
		t.configureTimeout(m.was.Version, m.request.NewVersion)
		m.traffic, m.scenario, m.seed = &t, of, seed
		exact := start.Add(-min(exactHistory, of.history()))
		if err := drawn.give(m, len(r.members.byFunction[m.request.Function()]) > 1, start.Add(-of.history()), exact.Truncate(time.Minute), seed); err != nil {
			return err
		}
		t.begin(exact, newChance(seed, beforeRollout), nil)
	}
	return nil
}

// memberSeed returns the seed of the traffic of the member with that index. Different
// seeds of the release have different ones.
func (r *releaseRun) memberSeed(i int) uint64 { return r.options.Seed*1_000_003 + uint64(i) }

// give draws the minutes of a member from one time to another, or copies them from
// another member. A member that shares its function with others has days of its own.
func (p pasts) give(m *member, shares bool, from, to time.Time, seed uint64) error {
	now := m.traffic.now
	profile, err := json.Marshal([]any{now.RequestsPerSecond, now.Day, now.Baseline, m.traffic.timeout})
	if err != nil {
		return err
	}
	if shares {
		return m.traffic.serveDaysBefore(from, to, newChance(seed, longBefore))
	}
	key, own := string(profile), localaws.InvokedVersion{Function: m.request.Function(), Alias: m.request.AliasName, Version: m.was.Version}
	if known := p[key]; len(known) >= differentPasts {
		return m.traffic.aws.CopyInvocations(known[seed%differentPasts], own)
	}
	p[key] = append(p[key], own)
	return m.traffic.serveDaysBefore(from, to, newChance(seed, longBefore))
}
