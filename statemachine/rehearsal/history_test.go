package rehearsal

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// TestHistoriesAreBounded lets executions start, grow, end and be redriven in any order.
// What is kept stays within the budget, and what an execution has kept is the end of its
// history without a gap, or all of it while there is room.
func TestHistoriesAreBounded(t *testing.T) {
	const enough = 1 << 20 // bytes, for all that is written here
	rapid.Check(t, func(t *rapid.T) {
		type one struct {
			history
			written  int64
			running  bool
			released bool
		}
		var all []*one
		store := &histories{budget: rapid.SampledFrom([]int{0, 1000, 20_000, enough}).Draw(t, "budget")}
		store.forgetOldest = func() bool {
			for _, e := range all {
				if !e.running && !e.released {
					e.release()
					e.released = true
					return true
				}
			}
			return false
		}
		keep := func(e *one, of asl.EventType) {
			e.written++
			if err := e.keep(asl.Event{ID: e.written, Type: of}); err != nil {
				t.Fatal(err)
			}
		}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			if len(all) == 0 || rapid.Bool().Draw(t, "another") {
				all = append(all, &one{history: history{all: store}, running: true})
			}
			e := rapid.SampledFrom(all).Draw(t, "execution")
			if e.released {
				continue
			}
			e.running = true
			for range rapid.SampledFrom([]int{1, 39, 41, 240, 700}).Draw(t, "events") {
				keep(e, asl.ExecutionStarted)
			}
			if rapid.Bool().Draw(t, "end") {
				e.running = false
				keep(e, asl.ExecutionFailed)
			}

			used := 0
			for i, e := range all {
				for _, chunk := range e.middle {
					used += len(chunk.data)
				}
				events := e.events(0, false, math.MaxInt)
				checkSome(t, &e.history, events)
				if store.budget == enough && len(events) != int(e.written) {
					t.Fatalf("execution %d has %d of %d events, with room for more", i, len(events), e.written)
				}
				for j, event := range events {
					if got, want := event.(asl.Event).ID, e.written-int64(len(events)-j)+1; j >= keptEvents && got != want {
						t.Fatalf("execution %d's event %d is %d instead of %d", i, j, got, want)
					}
				}
			}
			if used != store.used || used > store.budget {
				t.Fatalf("%d bytes are kept, %d counted, and the budget is %d", used, store.used, store.budget)
			}
		}
	})
}

// checkSome reads some of a history that has these events, in both directions.
func checkSome(t *rapid.T, h *history, all []localaws.HistoryEvent) {
	from, most := rapid.Int64Range(0, 800).Draw(t, "from"), rapid.IntRange(1, 300).Draw(t, "most")
	inMemory := localaws.HistoryOf(func() []localaws.HistoryEvent { return all })
	for _, reverse := range []bool{false, true} {
		got, want := h.events(from, reverse, most), inMemory(from, reverse, most)
		if len(got) != len(want) || len(want) > 0 && !reflect.DeepEqual(got, want) {
			t.Fatalf("of %d events, at most %d from %d, in reverse %v, are %d instead of %d", len(all), most, from, reverse, len(got), len(want))
		}
	}
}

// TestARedrivenHistoryKeepsItsOrder has an execution that ended and runs on, until all that
// was compressed is forgotten: what follows comes after the events that are left.
func TestARedrivenHistoryKeepsItsOrder(t *testing.T) {
	h := &history{all: &histories{budget: 300, forgetOldest: func() bool { return false }}}
	for id := int64(1); id <= 2*chunkEvents; id++ {
		of := asl.ExecutionStarted
		if id == 2 {
			of = asl.ExecutionFailed
		}
		if err := h.keep(asl.Event{ID: id, Type: of}); err != nil {
			t.Fatal(err)
		}
		if all := h.events(0, false, math.MaxInt); len(all) > 0 && all[len(all)-1].(asl.Event).ID != id {
			t.Fatalf("event %d is not the last of %d", id, len(all))
		}
	}
}

// TestHistoriesOfPartsAreShortened has a rollout continue in many executions: only the last of those that have
// ended are kept whole.
func TestHistoriesOfPartsAreShortened(t *testing.T) {
	const parts, events = 10, 60
	definition, err := asl.Parse([]byte(`{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}`))
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{arn: machineARN, definition: definition, clock: asl.NewClock(time.Unix(0, 0)), onEvent: func(*execution, asl.Event) {}}
	of, err := m.start("all", []byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	all := make([]*execution, parts)
	for i := range all {
		all[i] = &execution{name: fmt.Sprint(i)}
		for id := range int64(events) {
			if err := all[i].keep(asl.Event{ID: id + 1}); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, e := range all {
		e.parent = of.ARN()
		m.shorten(e)
		m.shorten(e) // it ends again, after a redrive
	}
	for i, e := range all {
		kept := e.events(0, false, math.MaxInt)
		want := 2 * releaseKept
		if i >= parts-wholeParts {
			want = events
		}
		if len(kept) != want || kept[0].Number() != 1 || kept[len(kept)-1].Number() != events {
			t.Errorf("of part %d are kept %d events, from %d to %d, want %d", i, len(kept), kept[0].Number(), kept[len(kept)-1].Number(), want)
		}
	}
	other := &execution{name: "other", parent: machineARN}
	if m.shorten(other); slices.Contains(m.continued, other) {
		t.Error("an execution that no other one started counts as a part")
	}
}
