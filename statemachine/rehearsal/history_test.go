package rehearsal

import (
	"testing"

	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
)

// TestAPackedHistoryIsComplete, in order, also after a redrive, and counts in the budget.
func TestAPackedHistoryIsComplete(t *testing.T) {
	for _, ends := range [][]int64{{5}, {40, 41}, {300}, {300, 310, 900}} {
		all := &histories{budget: 1 << 20}
		h := history{all: all}
		id := int64(0)
		for _, end := range ends {
			for ; id < end; id++ {
				if err := h.keep(asl.Event{ID: id + 1, Type: asl.LambdaFunctionStarted}); err != nil {
					t.Fatal(err)
				}
			}
			if err := h.pack(); err != nil {
				t.Fatal(err)
			}
			events := h.events()
			for i, e := range events {
				if e.Number() != int64(i+1) {
					t.Fatalf("%v: event %d is at place %d", ends, e.Number(), i+1)
				}
			}
			if int64(len(events)) != end || len(h.first)+len(h.recent) != 0 || all.used == 0 {
				t.Errorf("%v: %d events; %d are not packed, and %d bytes are counted", ends, len(events), len(h.first)+len(h.recent), all.used)
			}
		}
	}
}
