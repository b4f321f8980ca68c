package main

import (
	"testing"
)

// scripted answers by the number of the check, from 1, and notes what it saw.
type scripted struct {
	answers map[int]verdict
	checks  int
	weights []float64
	steps   []int // the place of the current step's first minute, at each check
	over    []bool
}

func (*scripted) name() string { return "scripted" }
func (s *scripted) begin(cell) { *s = scripted{answers: s.answers} }
func (s *scripted) check(v view) verdict {
	s.checks++
	s.weights = append(s.weights, v.newest().weight)
	s.steps = append(s.steps, v.since)
	s.over = append(s.over, v.stepOver)
	return s.answers[s.checks]
}

func TestASimulationFollowsTheRule(t *testing.T) {
	steps := schedule{"", []step{{0.1, 2}, {0.5, 1}}}
	for _, test := range []struct {
		name     string
		stress   stress
		answers  map[int]verdict
		rollback bool
		weights  []float64
		steps    []int
		over     []bool
	}{
		{"to the end", calm, nil, false, []float64{0.1, 0.1, 0.5}, []int{0, 0, 2}, []bool{false, true, true}},
		{"a rollback", calm, map[int]verdict{2: rollBack}, true, []float64{0.1, 0.1}, []int{0, 0}, []bool{false, true}},
		{"a rollback in the end", calm, map[int]verdict{3: rollBack}, true, []float64{0.1, 0.1, 0.5}, []int{0, 0, 2}, []bool{false, true, true}},
		{"holds prolong the step", calm, map[int]verdict{2: hold, 3: hold}, false, []float64{0.1, 0.1, 0.1, 0.1, 0.5}, []int{0, 0, 0, 0, 4}, []bool{false, true, true, true, true}},
		{"a hold within a step, too", calm, map[int]verdict{1: hold}, false, []float64{0.1, 0.1, 0.1, 0.5}, []int{0, 0, 0, 3}, []bool{false, false, true, true}},
		{"minutes that show late", lateMinutes, nil, false, []float64{0, 0.1, 0.1}, []int{0, 0, 2}, []bool{false, true, true}},
	} {
		r := &scripted{answers: test.answers}
		c := cell{10, 0.01, same, steps, test.stress}
		s := newSimulation(c, 1)
		e := s.follow(r, 5)
		equal(t, test.name+": weights", r.weights, test.weights)
		equal(t, test.name+": steps", r.steps, test.steps)
		equal(t, test.name+": over", r.over, test.over)
		failures := int64(0)
		for _, m := range s.happened {
			failures += m.newVersion.Errors
		}
		if want := (ending{test.rollback, len(test.weights), failures}); e != want {
			t.Errorf("%s: %+v, want %+v", test.name, e, want)
		}
	}
}

func equal[T comparable](t *testing.T, what string, got, want []T) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %v, want %v", what, got, want)
		return
	}
	for i := range got {
		if got[i] != want[i] {
			t.Errorf("%s: %v, want %v", what, got, want)
			return
		}
	}
}

// TestRulesMeetTheSameRequests: also after others, and after those that held.
func TestRulesMeetTheSameRequests(t *testing.T) {
	c := cell{10, 0.01, same, schedules()[0], bursts}
	s := newSimulation(c, 1)
	want := s.follow(&scripted{}, 3)
	first := append([]minute(nil), s.happened...)
	s.follow(&scripted{answers: map[int]verdict{4: hold}}, 3)
	equal(t, "until it held", s.happened[:4], first[:4])
	if s.happened[4] == first[4] {
		t.Error("a step that was held goes on as if the weight had grown")
	}
	if got := s.follow(&scripted{}, 3); got != want {
		t.Errorf("after another rule: %+v, want %+v", got, want)
	}
	other := newSimulation(c, 1)
	other.follow(&scripted{}, 2)
	if got := other.follow(&scripted{}, 3); got != want {
		t.Errorf("in another simulation, after another run: %+v, want %+v", got, want)
	}
}

// TestTheShortcutChangesNothing: this project's rule decides the same when it
// assesses everything at every check.
func TestTheShortcutChangesNothing(t *testing.T) {
	decided := map[bool]int{}
	for _, strict := range []bool{false, true} {
		quickly, thoroughly := newOurs(strict), newOurs(strict)
		thoroughly.thorough = true
		for _, c := range []cell{
			{1, 0.001, same, schedules()[0], bursts}, {1, 0.01, same, schedules()[0], calm}, {10, 0.001, changes()[2], schedules()[2], calm},
			{1, 0.001, changes()[4], schedules()[1], calm}, {10, 0.01, same, schedules()[0], clusters5}, {1, 0.01, same, schedules()[2], lateSuccesses},
			{10, 0.001, same, schedules()[0], lateMinutes}, {10, 0.001, same, schedules()[0], midMinute},
			{1, 0.01, same, schedules()[0], lognormal}, {10. / 3600, 0.1, change{"", 0, 0.5}, schedule{"", []step{{0.3, 60}, {0.6, 60}}}, calm},
		} {
			s := newSimulation(c, 2)
			for run := range 15 {
				got, want := s.follow(quickly, run), s.follow(thoroughly, run)
				if got != want {
					t.Errorf("%s, strict %v, run %d: %+v, want %+v", c.name(), strict, run, got, want)
				}
				decided[want.rolledBack]++
			}
		}
	}
	if decided[true] < 20 || decided[false] < 20 {
		t.Errorf("rolled back or not: %v: too few of one to tell", decided)
	}
}
