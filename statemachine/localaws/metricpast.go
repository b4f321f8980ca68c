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
	var samples [invocationMetrics]sample
	for r := range past {
		if err := r.check(); err != nil {
			return fmt.Errorf("record past: %w", err)
		}
		recorded := r.recorded()
		late := recorded.Add(rec.store.delay).After(now)
		r.samples(&samples)
		for metric := range samples {
			if samples[metric].count == 0 {
				continue
			}
			if late {
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
	plain  bool   // see past; then only the minutes are in the tiers
	closed bool   // the series have it, and go on by themselves
}

// begin begins the draft of some series, with about n minutes. That of series with data is closed.
func (d *draft) begin(of []*series, n int64, store *metricStore) {
	d.of, d.tiers, d.plain = of, store.newSeries("").tiers, true
	d.closed = slices.ContainsFunc(of, func(s *series) bool { return !s.empty() || s.fine != nil })
	for i := range d.tiers {
		t := &d.tiers[i]
		d.points[i] = int(min(n*60, t.retained)/t.period + 2)
	}
}

// add adds values that were measured at a time, in seconds.
func (d *draft) add(at int64, values *sample) {
	if d.plain {
		points := d.tiers[0].points
		from := at - at%d.tiers[0].period
		if n := len(points); values.values == nil && !values.whole && (n == 0 || points[n-1].at < from) {
			d.tiers[0].append(from, values, d.points[0])
			return
		}
		d.plain = false
		d.coarsen(points)
	}
	for i := range d.tiers {
		d.tiers[i].addNext(at, values, d.points[i])
	}
}

// coarsen adds the minutes, one by one, to the other tiers.
func (d *draft) coarsen(minutes []point) {
	for i := 1; i < len(d.tiers); i++ {
		for j := range minutes {
			d.tiers[i].addNext(minutes[j].at, &sample{stats: minutes[j].stats}, d.points[i])
		}
	}
}

// close gives the series their data. Now is in seconds.
func (d *draft) close(now int64) {
	if d.closed {
		return
	}
	d.closed = true
	tiers := d.tiers[:]
	if minutes := d.tiers[0].points; d.plain && len(minutes) > 0 {
		of := &past{draft: d, minutes: minutes}
		for _, s := range d.of {
			s.past = of
		}
		tiers = tiers[:1]
	}
	for i := range tiers {
		tiers[i].expire(now - tiers[i].retained)
		for _, s := range d.of {
			tiers[i].shareWith(&s.tiers[i])
		}
	}
}

// past is what series have in common of which only the minutes are in their tiers so far: each minute was recorded once, and
// its statistics are all that is known of it. Most series are only read by the minute.
type past struct {
	draft   *draft
	minutes []point // all, though some may have expired meanwhile
}

// unfold adds the past to the other tiers. They have nothing else before.
func (s *series) unfold() {
	if s.past == nil {
		return
	}
	d := s.past.draft
	if s.past.minutes != nil {
		d.coarsen(s.past.minutes)
		s.past.minutes = nil
	}
	s.past = nil
	for i := 1; i < len(d.tiers); i++ {
		d.tiers[i].shareWith(&s.tiers[i])
	}
}

// addNext adds values that were measured at a time, which is most often after those before. The tier must not
// be shared. So many points are expected.
func (t *tier) addNext(at int64, values *sample, expected int) {
	n := len(t.points)
	if n > 0 && t.points[n-1].at <= at && at < t.points[n-1].at+t.period && t.values == nil && t.points[n-1].determines(values) {
		t.points[n-1].merge(values.stats) // the most frequent case
		return
	}
	from := at - at%t.period
	if values.values != nil || n > 0 && t.points[n-1].at >= from {
		t.addTo(from, []datum{{at: at, values: *values}}, nil)
		return
	}
	t.append(from, values, expected)
}

// append adds a point after all others. So many are expected.
func (t *tier) append(at int64, values *sample, expected int) {
	if len(t.points) == 0 {
		t.points = make([]point, 0, expected)
	}
	t.points = append(roomFor(t.points), point{at, values.stats})
}
