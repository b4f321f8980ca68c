package rehearsal

import (
	"time"

	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// The kinds of fault of the workflow's own functions.
const (
	// inactive: Lambda refuses the invocation, as for a function that was not invoked
	// for weeks.
	inactive localaws.FaultKind = "inactive"
	// outOfMemory: the sandbox is killed after the function has done its work, and
	// its answer is lost.
	outOfMemory localaws.FaultKind = "out-of-memory"
)

// taskErrors are the errors that Step Functions receives for the faults.
var taskErrors = map[localaws.FaultKind]asl.TaskError{
	inactive: {Name: "Lambda.ResourceNotReadyException",
		Cause: "The function is inactive and its VPC connection is no longer available. Wait for the VPC connection to reestablish and try again. (Service: Lambda, Status Code: 502)"},
	outOfMemory: {Name: "Runtime.OutOfMemory",
		Cause: `{"errorType":"Runtime.OutOfMemory","errorMessage":"RequestId: 00000000-0000-4000-8000-000000000001 Error: Runtime exited with error: signal: killed"}`},
}

// taskFaults are a scenario's faults of tasks; nil if there are none.
type taskFaults struct {
	start time.Time
	list  []Fault
	calls map[string]int // by task
}

// newTaskFaults returns the faults of tasks in a rollout that starts at start.
func newTaskFaults(all []Fault, start time.Time) *taskFaults {
	f := &taskFaults{start: start, calls: map[string]int{}}
	for _, fault := range all {
		if fault.Task != "" {
			f.list = append(f.list, fault)
		}
	}
	return f
}

// strike counts an invocation that begins now, and returns its fault; "" if it has
// none.
func (f *taskFaults) strike(task string, now time.Time) localaws.FaultKind {
	if f == nil || len(f.list) == 0 {
		return ""
	}
	f.calls[task]++
	n, since := f.calls[task], now.Sub(f.start).Seconds()
	for _, fault := range f.list {
		first := max(fault.First, 1)
		if (fault.Task == task || fault.Task == localaws.Every) && n >= first && (fault.Count == 0 || n < first+fault.Count) &&
			since >= fault.From && (fault.Until == 0 || since < fault.Until) {
			return fault.Kind
		}
	}
	return ""
}
