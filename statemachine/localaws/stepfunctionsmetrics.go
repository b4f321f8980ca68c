package localaws

import (
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// RecordExecution records Step Functions' own metrics of an execution, in the namespace AWS/States with the dimension
// StateMachineArn: ExecutionsStarted at the time started for the status RUNNING; for another one ExecutionsSucceeded,
// ExecutionsFailed, ExecutionsTimedOut or ExecutionsAborted, and ExecutionTime in milliseconds, at the time stopped. Who runs
// executions calls it once when one starts and once when it ends. It returns an error for another status, for what is not
// a state machine's ARN, and if the execution stopped before it started.
func (s *Server) RecordExecution(stateMachineARN, status string, started, stopped time.Time) error {
	if err := checkARN(stateMachineARN, "stateMachine", 7); err != nil {
		return fmt.Errorf("record execution: %s", err.message)
	}
	record := func(name string, unit types.StandardUnit, at time.Time, value float64) {
		store := s.cloudwatch.metrics
		of := store.series("AWS/States", name, []dimension{{"StateMachineArn", stateMachineARN}}, unit)
		store.putAll([]*series{of}, at, at, newSample([]valueCount{{value, 1}}))
	}
	if status == "RUNNING" {
		record("ExecutionsStarted", types.StandardUnitCount, started, 1)
		return nil
	}
	name, ok := map[string]string{
		"SUCCEEDED": "ExecutionsSucceeded", "FAILED": "ExecutionsFailed", "TIMED_OUT": "ExecutionsTimedOut", "ABORTED": "ExecutionsAborted",
	}[status]
	switch {
	case !ok:
		return fmt.Errorf("record execution: unknown status %q", status)
	case stopped.Before(started):
		return fmt.Errorf("record execution: it stopped at %v, before it started at %v", stopped, started)
	}
	record(name, types.StandardUnitCount, stopped, 1)
	record("ExecutionTime", types.StandardUnitMilliseconds, stopped, milliseconds(stopped.Sub(started)))
	return nil
}
