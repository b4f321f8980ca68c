package asl

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// Whoever is stopped at whatever event of whichever of three executions in each
// other: all end at that instant, the ones above go on as their Catch says.
func TestStopNestedAtEveryEvent(t *testing.T) {
	definitions := map[string]string{"parent": machine(nestedTask),
		"child":      strings.ReplaceAll(machine(nestedTask), machines+"child", machines+"grandchild"),
		"grandchild": machine(`"F":{"Type":"Task","Resource":"fn:F","Next":"W"},"W":{"Type":"Wait","Seconds":5,"Next":"S"},"S":{"Type":"Succeed"}`)}
	names := []string{"top", "top-0", "top-0-0"}
	whole := newNest(t, definitions)
	whole.script = script{"F": {"@5s 1"}}
	if r := whole.run(`{"x":1}`); r.Status != Succeeded || len(whole.order) != 3 {
		t.Fatalf("%q: %+v", whole.order, r)
	}
	cases, stops := 0, 0
	for level, stopped := range names {
		for _, at := range names {
			for id := int64(1); id <= whole.executions[at].Result().Events; id++ {
				for _, leave := range []bool{false, true} {
					cases++
					if stopNested(t, definitions, names, level, at, id, leave, whole.executions[stopped].Result()) {
						stops++
					}
				}
			}
		}
	}
	if t.Logf("%d cases, %d of them stopped something", cases, stops); stops < cases/3 {
		t.Error("too few")
	}
}

// stopNested runs one such case and reports whether the stop came in time.
func stopNested(t *testing.T, definitions map[string]string, names []string, level int, at string, id int64, leave bool, undisturbed Result) bool {
	n := newNest(t, definitions)
	n.script, n.leave = script{"F": {"@5s 1"}}, leave
	var when time.Time
	n.watch = func(name string, event Event) {
		if name == at && event.ID == id && n.executions[names[level]] != nil {
			n.executions[names[level]].Stop("Stopped", "at will")
			when = n.clock.Now()
		}
	}
	n.run(`{"x":1}`)
	what := fmt.Sprintf("%s stopped at event %d of %s, leaving %v", names[level], id, at, leave)
	r := n.executions[names[level]]
	if r == nil || when.IsZero() || r.Result().Events == undisturbed.Events && r.Status() == Succeeded {
		return false // it had not begun, or had ended
	}
	if got := r.Result(); got.Status != Aborted || got.Abandoned || got.Error != "Stopped" || !got.Stop.Equal(when) {
		t.Errorf("%s: %+v", what, got)
	}
	for i, name := range names {
		e := n.executions[name]
		switch {
		case e == nil || i == level:
		case i < level: // its Catch saw it
			h := *n.histories[name]
			if e.Status() != Succeeded || !e.Result().Stop.Equal(when) || i == level-1 && !strings.Contains(h[5].Cause, `"Status":"ABORTED"`) {
				t.Errorf("%s: %s: %+v", what, name, e.Result())
			}
		case leave:
			if e.Status() != Succeeded {
				t.Errorf("%s: %s was not left: %+v", what, name, e.Result())
			}
		case e.Status() != Succeeded && (e.Status() != Aborted || !e.Result().Stop.Equal(when) || !e.Result().Abandoned):
			t.Errorf("%s: %s: %+v", what, name, e.Result())
		}
	}
	return true
}

// The parent is stopped while the start is under way or while the child is
// inside a task: the function goes on, and its answer is ignored.
func TestStopFromAnotherActorNested(t *testing.T) {
	for at := 500 * time.Millisecond; at < 14*time.Second; at += time.Second {
		n := newNest(t, map[string]string{"parent": machine(nestedTask), "child": machine(`"F":{"Type":"Task","Resource":"fn:F","Catch":[{"ErrorEquals":["States.ALL"],"Next":"W"}],"Next":"W"},"W":{"Type":"Wait","Seconds":5,"End":true}`)})
		n.script, n.takes = script{"F": {"@5s 1"}}, 3*time.Second
		n.clock.Go(func() {
			n.clock.Sleep(at)
			n.executions["top"].Stop("", "")
		})
		r := n.run(`{"x":1}`)
		want, child := Aborted, n.executions["top-0"].Result()
		if at > 13*time.Second {
			want = Succeeded
		}
		if r.Status != want || child.Status != want || want == Aborted && (r.Stop.Sub(r.Start) != at || !child.Stop.Equal(epoch.Add(max(at, n.takes))) || child.Cause != abandoned || r.Abandoned || !child.Abandoned) {
			t.Errorf("stopped at %v: %+v\n%+v", at, r, child)
		}
	}
}

// The parent is stopped while it stops a child that took too long: nothing
// follows its end.
func TestStopWhileStopping(t *testing.T) {
	n := newNest(t, map[string]string{"parent": machine(nestedTask), "child": machine(`"W":{"Type":"Wait","Seconds":200,"End":true}`)})
	n.watch = func(name string, event Event) {
		if name == "top-0" && event.Type == ExecutionAborted {
			n.executions["top"].Stop("Stopped", "")
		}
	}
	r := n.run(`{"x":1}`)
	h := *n.histories["top"]
	if r.Status != Aborted || r.Error != "Stopped" || h[len(h)-1].Type != ExecutionAborted || h[len(h)-2].Type != TaskSubmitted {
		t.Errorf("%+v, %v", r, h.Types())
	}
}
