package rehearsal

import (
	"bytes"
	"compress/flate"
	"encoding/gob"
	"slices"

	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// histories keeps the events of many executions in bounded memory. Each history keeps
// its first and its last events. What is between them is compressed, and dropped, the
// oldest first, when all of that together exceeds the budget.
type histories struct {
	budget int // bytes of compressed events
	used   int
	middle []*chunk // of all histories, by age
}

// chunk is a compressed part of a history; without data when it was dropped.
type chunk struct{ data []byte }

// chunkEvents is how many events are compressed together.
const chunkEvents = 200

// history is the history of one execution.
type history struct {
	all           *histories // nil to keep only the first and the last events
	first, recent []asl.Event
	middle        []*chunk
	packed        bool // its first events are in the middle, too
}

// keptEvents limits how many events of a history are kept at each end without a
// store: its beginning has the plan, and its end the current state.
const keptEvents = 40

// keep appends an event.
func (h *history) keep(event asl.Event) error {
	switch {
	case len(h.first) < keptEvents && !h.packed:
		h.first = append(h.first, event)
		return nil
	case h.all == nil && len(h.recent) == keptEvents:
		h.recent = append(h.recent[:0], h.recent[1:]...)
	}
	h.recent = append(h.recent, event)
	if h.all == nil || len(h.recent) < chunkEvents+keptEvents {
		return nil
	}
	old := h.recent[:chunkEvents]
	data, err := compress(old)
	if err != nil {
		return err
	}
	h.recent = slices.Clone(h.recent[chunkEvents:])
	h.middle = append(h.middle, h.all.add(data))
	return nil
}

// pack compresses all events of an execution that has ended, so that they count in the
// budget. It may be redriven, and then continues.
func (h *history) pack() error {
	if h.all == nil {
		return nil
	}
	for _, events := range [][]asl.Event{h.first, h.recent} {
		if len(events) == 0 {
			continue
		}
		data, err := compress(events)
		if err != nil {
			return err
		}
		c := h.all.add(data)
		if h.packed {
			h.middle = append(h.middle, c)
		} else {
			h.middle, h.packed = append([]*chunk{c}, h.middle...), true
		}
	}
	h.first, h.recent = nil, nil
	return nil
}

// add adds a chunk, and drops old ones while there is too much.
func (a *histories) add(data []byte) *chunk {
	c := &chunk{data}
	a.middle = append(a.middle, c)
	for a.used += len(data); a.used > a.budget && len(a.middle) > 0; {
		a.used -= len(a.middle[0].data)
		a.middle[0].data = nil
		a.middle = a.middle[1:]
	}
	return c
}

// events returns the events that are kept, by their ids.
func (h *history) events() []localaws.HistoryEvent {
	var all []localaws.HistoryEvent
	add := func(events []asl.Event) {
		for _, e := range events {
			all = append(all, e)
		}
	}
	add(h.first)
	for _, c := range h.middle {
		if events, err := decompress(c.data); err == nil { // what compress wrote, or nothing
			add(events)
		}
	}
	add(h.recent)
	return all
}

// compress returns events as bytes.
func compress(events []asl.Event) ([]byte, error) {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestSpeed)
	if err != nil {
		return nil, err
	}
	if err := gob.NewEncoder(w).Encode(events); err != nil {
		return nil, err
	}
	err = w.Close()
	return b.Bytes(), err
}

// decompress returns the events of compress; none of no bytes.
func decompress(data []byte) (events []asl.Event, err error) {
	if len(data) == 0 {
		return nil, nil
	}
	err = gob.NewDecoder(flate.NewReader(bytes.NewReader(data))).Decode(&events)
	return events, err
}
