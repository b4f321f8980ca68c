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

// wholeParts is how many of a machine's continuations are kept as they are after they have
// ended: those that ended last. A rollout of a year has hundreds. Of the earlier ones,
// releaseKept events are kept at each end.
const wholeParts = 3

// shorten is called when an execution has ended. Without a store, it bounds the memory of a
// long rollout.
func (m *machine) shorten(e *execution) {
	if _, continues := m.find(e.parent); !continues || m.histories != nil || slices.Contains(m.continued, e) {
		return
	}
	m.continued = append(m.continued, e)
	if len(m.continued) > wholeParts {
		m.continued[0].shorten(releaseKept)
		m.continued = slices.Delete(m.continued, 0, 1)
	}
}
