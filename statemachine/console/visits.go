package console

import (
	"strings"
	"time"
)

// visit is one stay of an execution in a state.
type visit struct {
	ID      int64 // of the event of its entry
	State   string
	Entered time.Time
	Exited  time.Time // zero while it lasts, and if the execution ended in it
	Last    int64     // the last event of the visit
	// Attempts are a task's.
	Attempts []attempt
	// Begins is set if the events before the visit are not known.
	Begins bool
}

// attempt is one attempt of a task.
type attempt struct {
	Began, Ended time.Time // Ended is zero while it runs
	Error, Cause string    // empty unless it failed
}

// Errors returns the errors of the attempts that failed.
func (v visit) Errors() []attempt {
	var failed []attempt
	for _, a := range v.Attempts {
		if a.Error != "" {
			failed = append(failed, a)
		}
	}
	return failed
}

// visitsOf returns the visits in the order of their entries, and how many events are
// missing between those that are known.
func visitsOf(events []event) (all []visit, missing int64) {
	in := make(map[int64]int, len(events)) // the visit that an event is of
	gap := len(events) > 0 && events[0].ID > 1
	if gap {
		missing = events[0].ID - 1
	}
	for i, e := range events {
		if i > 0 && e.ID > events[i-1].ID+1 {
			gap = true
			missing += e.ID - events[i-1].ID - 1
		}
		if strings.HasSuffix(e.Type, "StateEntered") {
			all = append(all, visit{ID: e.ID, State: e.State, Entered: e.At, Last: e.ID, Begins: gap})
			in[e.ID], gap = len(all)-1, false
			continue
		}
		of, known := in[e.previous]
		if !known {
			of = len(all) - 1 // what came between is not known
		}
		if of < 0 || gap || strings.HasPrefix(e.Type, "Execution") {
			continue
		}
		in[e.ID] = of
		v := &all[of]
		v.Last = e.ID
		v.add(e)
	}
	return all, missing
}

// add adds an event after the entry.
func (v *visit) add(e event) {
	n := len(v.Attempts)
	switch {
	case strings.HasSuffix(e.Type, "StateExited"):
		v.Exited = e.At
	case strings.HasSuffix(e.Type, "Scheduled"):
		v.Attempts = append(v.Attempts, attempt{Began: e.At})
	case n == 0:
	case strings.HasSuffix(e.Type, "Failed") || strings.HasSuffix(e.Type, "TimedOut"):
		v.Attempts[n-1].Ended, v.Attempts[n-1].Cause = e.At, e.Cause
		if v.Attempts[n-1].Error = e.Error; e.Error == "" {
			v.Attempts[n-1].Error = e.Type
		}
	case strings.HasSuffix(e.Type, "Succeeded"):
		v.Attempts[n-1].Ended = e.At
	}
}

// paths returns the names of the states that were visited: more than one path if
// events are missing in between.
func paths(visits []visit, known map[string]bool) [][]string {
	var all [][]string
	for i, v := range visits {
		if i == 0 || v.Begins || !known[visits[i-1].State] {
			all = append(all, nil)
		}
		if known[v.State] {
			all[len(all)-1] = append(all[len(all)-1], v.State)
		}
	}
	return all
}
