package main

import "github.com/lambda-rollout/lambda-rollout/lambdas/sequential"

// verdict is a rule's decision at a check.
type verdict int

const (
	goOn     verdict = iota // the schedule goes on in its time
	hold                    // this minute does not count towards the step's time
	rollBack                // the new version loses its traffic at once
)

// view holds what a rule can see at a check. There is one check at the end of each
// minute since the first shift.
type view struct {
	// past are the alias's minutes of the 72 hours before the first shift, oldest
	// first. Runs with the same past have the same slice. The rule must not change it.
	past []sequential.Count
	// minutes are those that the metrics show, whole, oldest first, from that
	// of the first shift on, each as the metrics show it now. The rule must not
	// keep or change them.
	minutes []minute
	// since is the place of the current step's first minute: len(minutes), if
	// none of the step shows yet.
	since int
	// passed is how many minutes have passed, shown or not.
	passed int
	// stepOver reports whether the step's time is over with this minute, so that
	// the schedule goes on unless the rule holds it.
	stepOver bool
}

// newest returns the newest minute that the metrics show; zero if there is none.
func (v view) newest() minute {
	if len(v.minutes) == 0 {
		return minute{}
	}
	return v.minutes[len(v.minutes)-1]
}

// rule judges one rollout after the other.
type rule interface {
	// name is for the tables.
	name() string
	// begin resets the rule, and starts a rollout of the cell.
	begin(cell)
	// check is called at each minute's end until it says rollBack, or the
	// schedule is over.
	check(view) verdict
}

// rules returns those that are compared, each ready for one rollout at a time.
func rules() []rule {
	return []rule{
		lastMinute{},
		&errorAlarm{},
		&rateAlarm{},
		&failedChecks{},
		&mannWhitney{},
		&fisher{},
		newPrevious(),
		newOurs(false),
		newOurs(true),
		&oracle{},
	}
}

// show returns what the metrics show of the minutes that happened so far, the newest
// last, under a stress. It may write into the buffer, which it returns for
// reuse.
func show(s stress, happened, buffer []minute) (shown, reuse []minute) {
	switch s {
	case lateSuccesses:
		buffer = append(buffer[:0], happened...)
		for i := max(0, len(buffer)-2); i < len(buffer); i++ {
			buffer[i].newVersion.Requests = buffer[i].newVersion.Errors
		}
		return buffer, buffer
	case lateMinutes:
		return happened[:len(happened)-1], buffer
	case hanging:
		buffer = append(buffer[:0], happened...)
		for i := max(0, len(buffer)-hangs); i < len(buffer); i++ {
			for _, served := range []*sequential.Count{&buffer[i].baseline, &buffer[i].newVersion} {
				*served = sequential.Count{Requests: served.Requests - served.Errors}
			}
		}
		return buffer, buffer
	}
	return happened, buffer
}
