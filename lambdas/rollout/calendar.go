package rollout

import (
	"cmp"
	"slices"
	"time"
)

// calendar says when traffic may be shifted.
type calendar struct {
	windows []openHours // none: at any time
	freezes []span      // by their beginning
	zones   map[string]Zone
}

// calendar returns the request's calendar with the time zones of its windows.
func (req Request) calendar(zones map[string]Zone) calendar {
	c := calendar{zones: zones}
	for _, w := range req.Windows {
		if hours, ok := w.readHours(); ok {
			c.windows = append(c.windows, hours)
		}
	}
	for _, f := range req.Freezes {
		if frozen, ok := f.readSpan(); ok {
			c.freezes = append(c.freezes, frozen)
		}
	}
	slices.SortFunc(c.freezes, func(a, b span) int { return cmp.Or(a.from.Compare(b.from), a.to.Compare(b.to)) })
	return c
}

// frozen returns the end of the freeze that at is in, or that of the last one if several
// overlap; false if it is in none.
func (c calendar) frozen(at time.Time) (until time.Time, is bool) {
	until = at
	for _, f := range c.freezes {
		if !f.from.After(until) && f.to.After(until) {
			until = f.to
		}
	}
	return until, until.After(at)
}

// open reports whether at is within a window, or there is none. It ignores freezes.
func (c calendar) open(at time.Time) bool {
	return len(c.windows) == 0 || slices.ContainsFunc(c.windows, func(w openHours) bool { return w.contains(c.zones[w.zone].local(at)) })
}

// allows reports whether traffic may be shifted at a time.
func (c calendar) allows(at time.Time) bool {
	_, frozen := c.frozen(at)
	return !frozen && c.open(at)
}

// next returns the first time from at on when traffic may be shifted. It returns false if
// there is none before limit.
func (c calendar) next(at, limit time.Time) (time.Time, bool) {
	for at.Before(limit) {
		if until, frozen := c.frozen(at); frozen {
			at = until
			continue
		}
		if c.open(at) {
			return at, true
		}
		at = c.opens(at, limit)
	}
	return time.Time{}, false
}

// opens returns the beginning of the first window that begins after at; limit if none does
// before that.
func (c calendar) opens(at, limit time.Time) time.Time {
	first := limit
	for _, w := range c.windows {
		if begin, ok := w.next(c.zones[w.zone], at, first); ok {
			first = begin
		}
	}
	return first
}

// contains reports whether a local date and time is within the window.
func (w openHours) contains(local time.Time) bool {
	today := local.Truncate(24 * time.Hour)
	for _, day := range []time.Time{today, today.AddDate(0, 0, -1)} {
		if passed := local.Sub(day); w.days[day.Weekday()] && w.from <= passed && passed < w.to {
			return true
		}
	}
	return false
}

// next returns the first time from at on that is within the window; false if there is none
// before limit.
func (w openHours) next(zone Zone, at, limit time.Time) (time.Time, bool) {
	for _, s := range zone.segments(at) {
		from := latest(at, s.from)
		if !from.Before(limit) {
			break
		}
		today := from.Add(s.offset).Truncate(24 * time.Hour)
		for day := today.AddDate(0, 0, -1); !day.After(today.AddDate(0, 0, 7)); day = day.AddDate(0, 0, 1) {
			begin, end := day.Add(w.from-s.offset), day.Add(w.to-s.offset)
			begin = latest(begin, from)
			if w.days[day.Weekday()] && begin.Before(end) && (s.to.IsZero() || begin.Before(s.to)) {
				return begin, begin.Before(limit)
			}
		}
	}
	return time.Time{}, false
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
