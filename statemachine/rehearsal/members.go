package rehearsal

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/release"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// member is one of a release's rollouts, with the traffic of its alias.
type member struct {
	name     string
	of       release.Member
	request  rollout.Request
	traffic  *traffic
	was      localaws.Alias // before the release
	scenario Scenario
	seed     uint64
	timeline timeline
	left     string // the text of the last cleanup's entry
	// executions are the rollouts of its alias that did not continue another one, in the
	// order of their start.
	executions []*execution
}

// releaseMembers are those of a release. An alias has one of them.
type releaseMembers struct {
	all        []*member // in the order of the waves
	byAlias    map[aliasName]*member
	byFunction map[string][]*member
	byName     map[string]*member
	// of are the members of executions, those that continue others included.
	of map[string]*member // by the execution's ARN
}

// newMembers returns the members of a release, without their traffic.
func newMembers(r release.Request) *releaseMembers {
	ms := &releaseMembers{byAlias: map[aliasName]*member{}, byFunction: map[string][]*member{}, byName: map[string]*member{}, of: map[string]*member{}}
	for _, of := range r.Members {
		m := &member{name: of.Name, of: of, request: of.Request}
		at := aliasName{m.request.Function(), m.request.AliasName}
		ms.all = append(ms.all, m)
		ms.byName[m.name], ms.byAlias[at] = m, m
		ms.byFunction[at.function] = append(ms.byFunction[at.function], m)
	}
	return ms
}

// catchUp draws the traffic of all members up to a time.
func (ms *releaseMembers) catchUp(to time.Time) error {
	var problems []error
	for _, m := range ms.all {
		problems = append(problems, m.traffic.catchUp(to))
	}
	return errors.Join(problems...)
}

// catchUpFunction draws the traffic of the aliases of a function up to a time; with "",
// that of members whose metrics may be of no function.
func (ms *releaseMembers) catchUpFunction(name string, to time.Time) error {
	if ms == nil {
		return nil
	}
	var problems []error
	if name != "" {
		for _, m := range ms.byFunction[name] {
			problems = append(problems, m.traffic.catchUp(to))
		}
		return errors.Join(problems...)
	}
	for _, m := range ms.all {
		if m.traffic.own != nil {
			problems = append(problems, m.traffic.catchUp(to))
		}
	}
	return errors.Join(problems...)
}

// started returns the member of an execution that has just started; nil if it is of none.
// first means that it does not continue another execution.
func (ms *releaseMembers) started(e *execution) (m *member, first bool) {
	if m = ms.of[e.parent]; m == nil {
		first = true
		if request, err := rollout.Decode(e.input); err == nil {
			m = ms.byAlias[aliasName{request.Function(), request.AliasName}]
		}
	}
	if m != nil {
		ms.of[e.ARN()] = m
		if first {
			m.executions = append(m.executions, e)
		}
	}
	return m, first
}

// begin starts the changes of a member's scenario, as its rollout starts now.
func (m *member) begin(now time.Time, s Scenario, seed uint64) error {
	err := m.traffic.catchUp(now)
	m.traffic.start, m.traffic.total = now, plannedTime(m.request, now)
	m.traffic.begin(now, newChance(seed, duringRollout), s.Changes)
	m.timeline.start = now
	return err
}

// letUsersAct starts what users do to a member, for a rollout that starts now.
func (r *releaseRun) letUsersAct(m *member, e *execution) {
	for _, c := range r.options.Scenario.Members[m.name].Changes {
		if !c.Stop && c.Alias == nil {
			continue
		}
		at := r.clock.Now().Add(c.change().at(m.traffic.total))
		r.clock.Go(func() {
			r.clock.Wait(at, e.Ended())
			if e.Status() != asl.Running {
				return
			}
			if c.Stop {
				r.byHand(m, "a user stops the execution")
				e.Stop("", "Stopped by a user")
			}
			if c.Alias != nil {
				text, err := r.changeAlias(m.request, *c.Alias)
				r.err = errors.Join(r.err, err)
				r.byHand(m, text)
			}
		})
	}
}

// buildMembers creates the functions of all members, with their versions and aliases.
func (r *releaseRun) buildMembers() error {
	given := r.options.Scenario.Baseline.Version
	versions, baselines := map[string][]int{}, map[*member]string{}
	for _, m := range r.members.all {
		of, baseline, err := versionsOf(m.request, given, nil)
		if err != nil {
			return fmt.Errorf("the member %s: %w", m.name, err)
		}
		function := m.request.Function()
		versions[function], baselines[m] = append(versions[function], of...), baseline
	}
	for _, m := range r.members.all {
		function := m.request.Function()
		if numbers, ok := versions[function]; ok {
			slices.Sort(numbers)
			if err := r.server.AddFunction(function, slices.Compact(numbers)...); err != nil {
				return err
			}
			delete(versions, function)
		}
		if err := r.server.AddAlias(function, m.request.AliasName, baselines[m], r.description); err != nil {
			return err
		}
		m.was, _ = r.server.Alias(function, m.request.AliasName)
	}
	return nil
}
