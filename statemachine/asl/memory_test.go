package asl

import (
	"context"
	"encoding/json"
	"runtime"
	"testing"
)

// A rollout that goes on in one nested execution after the other, 200,000
// events in all, holds no more memory near its end than near its beginning.
func TestMemoryStaysFlat(t *testing.T) {
	const children, rounds = 9, 2500
	parent := parse(t, machine(`"Go on":{"Type":"Task","Resource":"nested","Parameters":{"StateMachineArn":"child","Input.$":"$"},"OutputPath":"$.Output","Next":"More"},
		"More":{"Type":"Choice","Choices":[{"Variable":"$.health.decision","StringEquals":"done","Next":"Go on"}],"Default":"Done"},"Done":{"Type":"Succeed"}`))
	child := watching(t)
	clock := NewClock(epoch)
	var heap []uint64
	checks, events := 0, 0
	invoke := func(context.Context, string, json.RawMessage) (json.RawMessage, error) {
		checks++
		switch {
		case checks == children*rounds:
			return watchState(40, "end"), nil
		case checks%rounds == 0:
			return watchState(40, "done"), nil
		}
		return watchState(40, "watch"), nil
	}
	options := Options{Clock: clock, Invoke: invoke, Input: watchState(40, "watch"), OnEvent: func(Event) { events++ }}
	options.StartExecution = func(s StartExecution) (*Execution, error) {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		heap = append(heap, m.HeapAlloc)
		o := options
		o.Input = s.Input
		return child.Start(o)
	}
	e, err := parent.Start(options)
	if err != nil {
		t.Fatal(err)
	}
	if err := clock.Run(); err != nil || e.Status() != Succeeded || len(heap) != children {
		t.Fatalf("%v, %d children, %+v", err, len(heap), e.Result())
	}
	if t.Logf("%d events, %d KB, then %d KB", events, heap[2]>>10, heap[children-1]>>10); events < 200_000 || heap[children-1] > heap[2]+256<<10 {
		t.Errorf("memory grows: %d", heap)
	}
}
