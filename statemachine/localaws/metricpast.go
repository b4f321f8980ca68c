package localaws

import (
	"fmt"
	"iter"
	"slices"
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
	now := rec.store.now()
	var drafts [invocationMetrics]draft
	for metric, of := range rec.series {
		drafts[metric].begin(of, int64(max(n, 0)), rec.store)
		defer drafts[metric].close(now.Unix())
	}
	for r := range past {
		if err := r.check(); err != nil {
			return fmt.Errorf("record past: %w", err)
		}
		recorded, samples := r.recorded(), r.samples()
		for metric := range samples {
			if samples[metric].count == 0 {
				continue
			}
			if recorded.Add(rec.store.delay).After(now) {
				drafts[metric].close(now.Unix())
			}
			if drafts[metric].closed {
				rec.store.put(rec.series[metric], r.At, recorded, samples[metric])
			} else {
				drafts[metric].add(r.At.Unix(), &samples[metric])
			}
		}
	}
	return nil
}

// draft is what all of some series, which have no data yet, have in common.
type draft struct {
	of     []*series
	tiers  [3]tier
	points [3]int // how many are expected; their memory is reserved with the first
	closed bool   // the series have it, and go on by themselves
}

// begin begins the draft of some series, with about n minutes. That of series with data is closed.
func (d *draft) begin(of []*series, n int64, store *metricStore) {
	d.of, d.tiers = of, store.newSeries("").tiers
	d.closed = slices.ContainsFunc(of, func(s *series) bool { return !s.empty() || s.fine != nil })
	for i := range d.tiers {
		t := &d.tiers[i]
		d.points[i] = int(min(n*60, t.retained)/t.period + 2)
	}
}

// add adds values that were measured at a time, in seconds.
func (d *draft) add(at int64, values *sample) {
	for i := range d.tiers {
		t := &d.tiers[i]
		if n := len(t.points); n > 0 && t.points[n-1].at <= at && at < t.points[n-1].at+t.period && t.values == nil && t.points[n-1].determines(values) {
			t.points[n-1].merge(values.stats) // the most frequent case
			continue
		}
		from := at - at%t.period
		switch n := len(t.points); {
		case values.values != nil || n > 0 && t.points[n-1].at >= from:
			t.addTo(from, []datum{{at: at, values: *values}}, nil)
		case n == 0:
			t.points = append(make([]point, 0, d.points[i]), point{from, values.stats})
		default:
			t.points = append(roomFor(t.points), point{from, values.stats})
		}
	}
}

// close gives the series their data. Now is in seconds.
func (d *draft) close(now int64) {
	if d.closed {
		return
	}
	d.closed = true
	for i := range d.tiers {
		d.tiers[i].expire(now - d.tiers[i].retained)
		for _, s := range d.of {
			d.tiers[i].shareWith(&s.tiers[i])
		}
	}
}
