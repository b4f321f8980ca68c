package localaws

import (
	"fmt"
	"iter"
	"slices"
	"time"
)

// RecordPast records requests to one version as [Server.RecordInvocations] does for each, whose function, alias and version are
// ignored. They come in the order in which they become visible; in another, the last digits of sums may differ. A long past
// costs much less: while all of it is visible by now, and there were no metrics before, the sets of dimensions share it. n is
// about how many times there are. The sequence must not use the server. RecordPast returns an error as RecordInvocations does,
// after it has recorded what was before.
func (s *Server) RecordPast(of InvokedVersion, n int, past iter.Seq[Invocations]) error {
	rec, err := s.lambda.recorderOf(Invocations{Function: of.Function, Alias: of.Alias, Version: of.Version})
	if err != nil {
		return fmt.Errorf("record past: %w", err)
	}
	rec.store.mu.Lock()
	defer rec.store.mu.Unlock()
	drafts := drafts{store: rec.store, now: rec.store.now(), n: int64(max(n, 0))}
	defer drafts.close()
	for r := range past {
		if err := r.check(); err != nil {
			return fmt.Errorf("record past: %w", err)
		}
		rec.recordTo(r, drafts.put)
	}
	return nil
}

// drafts are the datapoints of metrics that have none yet. store.mu is held.
type drafts struct {
	store *metricStore
	now   time.Time
	n     int64 // how many datapoints are expected
	all   []*draft
}

// draft is what all of some series have in common.
type draft struct {
	of     []*series
	common series
	closed bool // the series have it, and go on by themselves
}

// put adds the values to each of the series.
func (d *drafts) put(all []*series, at, recorded time.Time, values sample) {
	draft := d.draft(all)
	if draft.closed || recorded.Add(d.store.delay).After(d.now) {
		draft.close()
		d.store.put(all, at, recorded, values)
		return
	}
	draft.common.add(at.Unix(), d.now.Unix(), &values)
}

// draft returns the draft of some series, and begins it if there is none. That of series with data is closed.
func (d *drafts) draft(of []*series) *draft {
	for _, known := range d.all {
		if known.of[0] == of[0] {
			return known
		}
	}
	begun := &draft{of: of, common: *d.store.newSeries(""), closed: slices.ContainsFunc(of, func(s *series) bool { return !s.empty() || s.fine != nil })}
	if !begun.closed {
		for i := range begun.common.tiers {
			t := &begun.common.tiers[i]
			t.points = make([]point, 0, min(d.n*60, t.retained)/t.period+2)
		}
	}
	d.all = append(d.all, begun)
	return begun
}

// close gives the series their data.
func (d *draft) close() {
	if d.closed {
		return
	}
	d.closed = true
	for _, s := range d.of {
		for i := range s.tiers {
			d.common.tiers[i].shareWith(&s.tiers[i])
		}
	}
}

func (d *drafts) close() {
	for _, draft := range d.all {
		draft.close()
	}
}
