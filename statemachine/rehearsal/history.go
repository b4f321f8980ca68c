package rehearsal

import (
	"bytes"
	"cmp"
	"compress/flate"
	"encoding/gob"
	"slices"

	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// histories keeps the events of many executions in bounded memory. Of a history that is
// under way it keeps the first and the last events as they are, and compresses what is
// between them. When all that is compressed exceeds the budget, the oldest executions that
// have ended are forgotten, and then the oldest compressed events of the history that grows.
type histories struct {
	budget int // bytes of compressed events
	used   int
	// forgetOldest forgets the execution that is the oldest of those that have ended; false
	// if there is none.
	forgetOldest func() bool
}

// chunkEvents is how many events are compressed together.
const chunkEvents = 200

// history is the history of one execution.
type history struct {
	all           *histories // nil to keep only the first and the last events
	kept          int        // how many at each end, without a store; keptEvents if 0
	first, recent []asl.Event
	middle        []packed
}

// packed are events that are compressed: those with ids from the first to the last.
type packed struct {
	first, last int64
	data        []byte
}

// keptEvents limits how many events of a history are kept at each end without a
// store: its beginning has the plan, and its end the current state.
const keptEvents = 40

// keep appends an event. The events of an execution that ends with it are compressed.
func (h *history) keep(event asl.Event) error {
	kept := cmp.Or(h.kept, keptEvents)
	switch {
	case len(h.first) < kept && len(h.middle) == 0 && len(h.recent) == 0:
		h.first = append(h.first, event)
	case h.all == nil && len(h.recent) == 2*kept: // not at each event, as events are large
		h.recent = append(append(h.recent[:0], h.last()[1:]...), event)
	default:
		h.recent = append(h.recent, event)
	}
	switch {
	case h.all == nil:
		return nil
	case ends[event.Type] != "":
		return h.pack()
	case len(h.recent) < chunkEvents+keptEvents:
		return nil
	}
	chunk, err := compress(h.recent[:chunkEvents])
	if err != nil {
		return err
	}
	h.recent = slices.Clone(h.recent[chunkEvents:])
	h.middle = append(h.middle, chunk)
	h.grown(len(chunk.data))
	return nil
}

// pack compresses all events of an execution that has ended.
func (h *history) pack() error {
	var before []packed
	if len(h.first) > 0 {
		chunk, err := compress(h.first)
		if err != nil {
			return err
		}
		before = append(before, chunk)
		h.all.used += len(chunk.data)
	}
	h.middle = append(before, h.middle...)
	grown := 0
	if len(h.recent) > 0 {
		chunk, err := compress(h.recent)
		if err != nil {
			return err
		}
		h.middle = append(h.middle, chunk)
		grown = len(chunk.data)
	}
	h.first, h.recent = nil, nil
	h.grown(grown)
	return nil
}

// grown counts n bytes that were added to the history, and makes room for them.
func (h *history) grown(n int) {
	a := h.all
	for a.used += n; a.used > a.budget; {
		if a.forgetOldest() {
			continue
		}
		if len(h.middle) == 0 {
			return // those that grew before it take it all
		}
		a.used -= len(h.middle[0].data)
		h.middle = h.middle[1:]
	}
}

// shorten keeps n events at each end of a history without a store.
func (h *history) shorten(n int) {
	if all := slices.Concat(h.first, h.last()); len(all) > 2*n {
		h.first, h.recent = slices.Clone(all[:n]), slices.Clone(all[len(all)-n:])
	}
}

// release gives the memory of a history back that is forgotten.
func (h *history) release() {
	for _, chunk := range h.middle {
		h.all.used -= len(chunk.data)
	}
	h.middle = nil
}

// events returns the events that are kept, as [localaws.Execution.History] does. It decompresses no
// others.
func (h *history) events(from int64, reverse bool, most int) (some []localaws.HistoryEvent) {
	beside := func(first, last int64) bool { return !reverse && last < from || reverse && from > 0 && first > from }
	n := len(h.middle) + 2
	for i := range n {
		if reverse {
			i = n - 1 - i
		}
		var events []asl.Event
		switch {
		case i == 0:
			events = h.first
		case i == n-1:
			events = h.last()
		case !beside(h.middle[i-1].first, h.middle[i-1].last):
			events, _ = decompress(h.middle[i-1].data) // compress wrote it
		}
		for j := range events {
			if reverse {
				j = len(events) - 1 - j
			}
			if beside(events[j].ID, events[j].ID) {
				continue
			}
			if some = append(some, events[j]); len(some) == most {
				return some
			}
		}
	}
	return some
}

// last returns the last events that are not compressed: without a store, as many as it keeps at each end.
func (h *history) last() []asl.Event {
	if h.all == nil {
		return h.recent[max(0, len(h.recent)-cmp.Or(h.kept, keptEvents)):]
	}
	return h.recent
}

// compress compresses events, at least one.
func compress(events []asl.Event) (packed, error) {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestSpeed)
	if err != nil {
		return packed{}, err
	}
	if err := gob.NewEncoder(w).Encode(events); err != nil {
		return packed{}, err
	}
	err = w.Close()
	return packed{events[0].ID, events[len(events)-1].ID, b.Bytes()}, err
}

// decompress returns the events whose data compress returned.
func decompress(data []byte) (events []asl.Event, err error) {
	err = gob.NewDecoder(flate.NewReader(bytes.NewReader(data))).Decode(&events)
	return events, err
}
