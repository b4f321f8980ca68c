package rehearsal

import (
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/lambda-rollout/lambda-rollout/statemachine"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

const (
	wantOneTarget   = "must have either an operation, such as UpdateAlias, or a task, such as HealthCheck"
	wantDelay       = "must be above 0 for the kind slow: how long the call takes, in seconds"
	wantNoDelay     = "applies only to the kind slow"
	wantAfterFrom   = "must be more than from"
	wantCallsNumber = "must be a whole number from 0 to 1000000000"
)

// tasks returns the names of the functions of both workflows.
func tasks() (names []string) {
	for _, function := range slices.Concat(statemachine.Functions(), statemachine.ReleaseFunctions()) {
		names = append(names, function.Name)
	}
	return names
}

// check passes a fault's times and their bounds to within, and returns an error that
// joins what else is wrong with it.
func (f Fault) check(at string, within func(path string, value, low, high float64)) error {
	var problems []error
	refuse := func(path, want string, given any) { problems = append(problems, problemAt(path, want, given)) }
	within(at+".from", f.From, 0, MaxSeconds)
	within(at+".until", f.Until, 0, MaxSeconds)
	within(at+".delay", f.Delay, 0, MaxSeconds)
	for name, n := range map[string]int{"first": f.First, "count": f.Count} {
		if n < 0 || n > maxCalls {
			refuse(at+"."+name, wantCallsNumber, n)
		}
	}
	server := localaws.New(localaws.Options{})
	kinds := localaws.FaultKinds()
	if f.Task != "" {
		kinds = slices.Sorted(maps.Keys(taskErrors))
	}
	operations := append([]string{localaws.Every}, server.Operations()...)
	functions := append([]string{localaws.Every}, tasks()...)
	if (f.Operation == "") == (f.Task == "") {
		refuse(at, wantOneTarget, nil)
	}
	if f.Operation != "" && !slices.Contains(operations, f.Operation) {
		refuse(at+".operation", wantOneOf(f.Operation, operations), f.Operation)
	}
	if f.Task != "" && !slices.Contains(functions, f.Task) {
		refuse(at+".task", wantOneOf(f.Task, functions), f.Task)
	}
	if !slices.Contains(kinds, f.Kind) {
		refuse(at+".kind", wantOneOf(f.Kind, kinds), f.Kind)
	}
	switch slow := f.Kind == localaws.Slow && f.Task == ""; {
	case slow && f.Delay == 0:
		refuse(at+".delay", wantDelay, nil)
	case !slow && f.Delay != 0:
		refuse(at+".delay", wantNoDelay, f.Delay)
	}
	if f.Until != 0 && f.Until <= f.From {
		refuse(at+".until", wantAfterFrom, f.Until)
	}
	if problems == nil && f.Task == "" { // what only the server knows, such as times below its resolution
		if _, err := server.Inject(f.local(time.Unix(0, 0))); err != nil && f.Delay >= 0 && f.Until >= 0 && f.From >= 0 {
			refuse(at, "can't be: "+err.Error(), nil)
		}
	}
	return errors.Join(problems...)
}
