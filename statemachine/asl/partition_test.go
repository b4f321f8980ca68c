package asl

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestAResourceOfAnotherPartition fails the execution in the state that names it,
// whatever its Retry and Catch say, as it does on AWS.
func TestAResourceOfAnotherPartition(t *testing.T) {
	const handled = `"Retry":[{"ErrorEquals":["States.ALL"]}],"Catch":[{"ErrorEquals":["States.ALL"],"Next":"B"}],"End":true},"B":{"Type":"Pass","End":true}`
	const gov = "arn:aws-us-gov:states:us-gov-west-1:123456789012:stateMachine:m"
	nested := func(partition string) string {
		return `"A":{"Type":"Task","Resource":"arn:` + partition + `:states:::states:startExecution.sync:2","Parameters":{"StateMachineArn":"m","Input":{}},` + handled
	}
	function := func(partition string) string {
		return `"A":{"Type":"Task","Resource":"arn:` + partition + `:lambda:us-gov-west-1:123456789012:function:F",` + handled
	}
	for _, c := range []struct {
		name, states, machine string
		fails                 bool
	}{
		{"a nested execution in GovCloud", nested("aws"), gov, true},
		{"a nested execution in China", nested("aws-us-gov"), strings.Replace(gov, "aws-us-gov", "aws-cn", 1), true},
		{"a function in GovCloud", function("aws"), gov, true},
		{"a nested execution of its own partition", nested("aws-us-gov"), gov, false},
		{"a function of its own partition", function("aws-us-gov"), gov, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := &History{}
			clock := NewClock(epoch)
			o := Options{Clock: clock, Invoke: script{"F": {"1"}}.invoker(clock), Input: json.RawMessage("{}"), StateMachineARN: c.machine, OnEvent: h.Record}
			o.StartExecution = func(StartExecution) (*Execution, error) {
				return parse(t, machine(`"X":{"Type":"Succeed"}`)).Start(Options{Clock: clock, Invoke: o.Invoke})
			}
			e, err := parse(t, machine(c.states)).Start(o)
			if err != nil {
				t.Fatal(err)
			}
			if err := clock.Run(); err != nil {
				t.Fatal(err)
			}
			checkHistory(t, e, *h)
			r := e.Result()
			const cause = "An error occurred while executing the state 'A' (entered at the event id #2). The resource belongs to a different partition from the running execution."
			switch {
			case !c.fails && r.Status != Succeeded:
				t.Errorf("%+v", r)
			case c.fails && (r.Status != Failed || r.Error != "States.Runtime" || r.Cause != cause || len(*h) != 3):
				t.Errorf("%d events, %+v", len(*h), r)
			}
		})
	}
}
