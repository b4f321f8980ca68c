package rehearsal

import (
	"slices"

	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
)

// forget forgets the executions that are the oldest of those that have ended, beyond a
// number of ended ones.
func (m *machine) forget(most int) {
	if len(m.executions) <= most {
		return
	}
	ended := 0
	for _, e := range m.executions {
		if e.Status() != asl.Running {
			ended++
		}
	}
	for ; ended > most; ended-- {
		m.forgetOldest()
	}
}

// forgetOldest forgets the execution that is the oldest of those that have ended; false if
// none has.
func (m *machine) forgetOldest() bool {
	i := slices.IndexFunc(m.executions, func(e *execution) bool { return e.Status() != asl.Running })
	if i < 0 {
		return false
	}
	e := m.executions[i]
	e.release()
	delete(m.byName, e.name)
	m.executions = slices.Delete(m.executions, i, i+1)
	return true
}

// wholeParts is how many executions in which a rollout continued are kept whole after their end.
// A rollout of a year has hundreds of them. Of the earlier ones, shortEvents are kept at each end.
const wholeParts, shortEvents = 3, 3

// shorten bounds the memory of a long rollout, unless there is a store, after an execution has ended.
func (m *machine) shorten(e *execution) {
	if _, continues := m.find(e.parent); !continues || m.histories != nil || slices.Contains(m.continued, e) {
		return
	}
	m.continued = append(m.continued, e)
	if len(m.continued) > wholeParts {
		m.continued[0].shorten(shortEvents)
		m.continued = slices.Delete(m.continued, 0, 1)
	}
}
