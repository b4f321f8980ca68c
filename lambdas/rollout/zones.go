package rollout

import (
	_ "embed"
	"strings"
	"sync"
	"time"
)

//go:embed zones.txt
var zoneList string

// zoneNames returns the names of the IANA time zones, sorted.
var zoneNames = sync.OnceValue(func() []string { return strings.Fields(zoneList) })

// Zone has a time zone's offsets from UTC in the time of a plan: the first, and then each
// with the time of its beginning. It makes a plan independent of time zone data.
type Zone []Offset

// Offset is a time zone's offset from UTC from a time on.
type Offset struct {
	// From is zero for a zone's first offset.
	From time.Time `json:"from,omitzero"`
	// Seconds is how much the local time is ahead of UTC.
	Seconds int `json:"seconds"`
}

// zoneMargin is the time before and after a plan's year of which its zones know, for the
// windows that begin before it or end after it.
const zoneMargin = 16 * 24 * time.Hour

// Zones returns the time zones of the request's windows for a rollout that starts at
// start, by name; nil without windows. It reads the time zone data of the system, or of
// package time/tzdata. A zone that is unknown there is left out: Decode refuses it.
func (req Request) Zones(start time.Time) map[string]Zone {
	var zones map[string]Zone
	for _, w := range req.Windows {
		location, err := time.LoadLocation(w.TimeZone)
		if err != nil || zones[w.TimeZone] != nil {
			continue
		}
		if zones == nil {
			zones = map[string]Zone{}
		}
		zones[w.TimeZone] = offsetsOf(location, start.Add(-zoneMargin), start.Add(Year*time.Second+zoneMargin))
	}
	return zones
}

// offsetsOf returns a location's offsets from one time to another.
func offsetsOf(location *time.Location, from, to time.Time) Zone {
	var zone Zone
	for at := from.In(location); ; {
		_, seconds := at.Zone()
		switch {
		case zone == nil:
			zone = Zone{{Seconds: seconds}}
		case zone[len(zone)-1].Seconds != seconds: // a zone may change its name alone
			zone = append(zone, Offset{at.UTC(), seconds})
		}
		_, end := at.ZoneBounds()
		if end.IsZero() || !end.Before(to) {
			return zone
		}
		at = end
	}
}

// segment is a time in which a zone's offset does not change; a zero time is no bound.
type segment struct {
	span
	offset time.Duration
}

// segments returns the zone's segments that end after a time, in order. A zone without
// offsets is UTC.
func (z Zone) segments(after time.Time) []segment {
	if len(z) == 0 {
		z = Zone{{}}
	}
	var all []segment
	for i, o := range z {
		s := segment{span{from: o.From}, time.Duration(o.Seconds) * time.Second}
		if i+1 < len(z) {
			s.to = z[i+1].From
		}
		if s.to.IsZero() || s.to.After(after) {
			all = append(all, s)
		}
	}
	return all
}

// local returns the local date and time at a moment, as a time in UTC that reads the same.
func (z Zone) local(at time.Time) time.Time {
	return at.UTC().Add(z.segments(at)[0].offset)
}
