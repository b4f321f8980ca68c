package localaws

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// change is what Lambda does to a function after it has answered.
type change int

const (
	creating change = iota // its State is Pending
	updating               // its LastUpdateStatus is InProgress
)

// stateReason is the reason that Lambda gives for both: also for an update, as recorded on AWS, 25 November 2025.
const stateReason = "The function is being created."

// begin begins what follows a call that created a function or changed its $LATEST. If that takes no time, it is over at
// once. l.mu is held.
func (l *lambdaService) begin(f *function, c change) {
	if l.updating <= 0 {
		return
	}
	f.latest.due, f.latest.next = l.now().Add(l.updating), l.nextRevision()
	f.dueBy(f.latest.due)
	config := &f.latest.config
	switch c {
	case creating:
		config.State, config.StateReason, config.StateReasonCode = types.StatePending, aws.String(stateReason), types.StateReasonCodeCreating
		config.LastUpdateStatus = ""
	case updating:
		config.LastUpdateStatus, config.LastUpdateStatusReason = types.LastUpdateStatusInProgress, aws.String(stateReason)
		config.LastUpdateStatusReasonCode = types.LastUpdateStatusReasonCode(types.StateReasonCodeCreating)
	}
}

// settleState ends a function's creation or update that is due at now. The revision changes with it, as on AWS. l.mu is
// held.
func (l *lambdaService) settleState(f *function, now time.Time) {
	if f.due.IsZero() || now.Before(f.due) {
		return
	}
	f.due = time.Time{}
	l.ready(f, &f.latest, now)
	for number := 1; number <= f.last; number++ {
		if v := f.versions[number]; v != nil {
			l.ready(f, v, now)
		}
	}
}

// dueBy notes that the state of one of the function's versions changes at a time. l.mu is held.
func (f *function) dueBy(at time.Time) {
	if f.due.IsZero() || at.Before(f.due) {
		f.due = at
	}
}

// ready makes a version ready if a change of its state is due at now. l.mu is held.
func (l *lambdaService) ready(f *function, v *version, now time.Time) {
	switch {
	case v.due.IsZero():
		return
	case v.due.After(now):
		f.dueBy(v.due)
		return
	}
	config := &v.config
	if config.State == types.StatePending {
		v.active = v.due
	}
	v.due = time.Time{}
	config.State, config.StateReason, config.StateReasonCode = types.StateActive, nil, ""
	config.LastUpdateStatus, config.LastUpdateStatusReason, config.LastUpdateStatusReasonCode = types.LastUpdateStatusSuccessful, nil, ""
	config.RevisionId = aws.String(v.next)
}

// checkIdle returns an error if a function can't be changed or published because it is being created or updated. l.mu is
// held.
func (l *lambdaService) checkIdle(f *function, ref functionRef) *apiError {
	switch config := f.latest.config; {
	case config.State == types.StatePending:
		return conflict(notNow + "The function is currently in the following state: Pending")
	case config.LastUpdateStatus == types.LastUpdateStatusInProgress:
		return conflict(notNow + "An update is in progress for resource: " + l.arn(functionRef{name: ref.name}))
	}
	return nil
}

// notNow begins the message of a conflict that passes by itself.
const notNow = "The operation cannot be performed at this time. "
