package asl

import (
	"strings"
	"testing"
	"time"
)

// TestARedrivenTaskStartsItsNestedExecutionAgain checks a fixed name, which is
// taken, and a name that includes the number of redrives, which is free.
func TestARedrivenTaskStartsItsNestedExecutionAgain(t *testing.T) {
	for name, want := range map[string]string{
		`"fixed"`: "StepFunctions.ExecutionAlreadyExistsException",
		`"States.Format('{}-{}', $$.Execution.Name, $$.Execution.RedriveCount)"`: "States.TaskFailed",
	} {
		key := "Name.$"
		if name == `"fixed"` {
			key = "Name"
		}
		n := newNest(t, map[string]string{
			"parent": machine(`"A":{"Type":"Task","Resource":"nested","Parameters":{"StateMachineArn":"` + machines + `child","` + key + `":` + name + `},"OutputPath":"$.RedriveCount","End":true}`),
			"child":  machine(`"F":{"Type":"Task","Resource":"fn:F","End":true}`),
		})
		n.script = script{"F": {"!X"}}
		n.clock.Go(func() {
			n.clock.Sleep(time.Second)
			if err := n.executions["top"].Redrive(); err != nil {
				t.Error(err)
			}
		})
		if r := n.run("{}"); r.Error != want || r.Redrives != 1 {
			t.Errorf("%s: %s %s %s", name, r.Status, r.Error, r.Cause)
		}
		if len(n.order) != map[bool]int{true: 3, false: 2}[key == "Name.$"] {
			t.Errorf("%s: the executions are %q", name, n.order)
		}
	}
}

// TestAChildRedrivenAtItsEnd checks that the waiting parent follows a child that is
// redriven at the instant of its end to its next end.
func TestAChildRedrivenAtItsEnd(t *testing.T) {
	n := newNest(t, map[string]string{
		"parent": machine(`"A":{"Type":"Task","Resource":"nested","Parameters":{"StateMachineArn":"` + machines + `child","Name":"c"},"End":true}`),
		"child":  machine(`"F":{"Type":"Task","Resource":"fn:F","End":true}`),
	})
	n.script = script{"F": {"@5s !X", "@5s 1"}}
	n.clock.Go(func() {
		n.clock.Sleep(2 * time.Second)
		child := n.executions["c"]
		child.Stop("", "")
		if err := child.Redrive(); err != nil {
			t.Error(err)
		}
	})
	r := n.run("{}")
	if r.Status != Succeeded || !strings.Contains(string(r.Output), `"RedriveCount":1,"RedriveDate":1896091202000,"RedriveStatus":"NOT_REDRIVABLE"`) || r.Stop.Sub(r.Start) != 7*time.Second {
		t.Errorf("%s after %v: %s %s", r.Status, r.Stop.Sub(r.Start), r.Output, r.Cause)
	}
}
