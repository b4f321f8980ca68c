package rollout

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"
	_ "time/tzdata"

	"pgregory.net/rapid"
)

// zonesWithChanges change their clocks on other days, at other times and by other
// amounts than each other; the last ones never do.
var zonesWithChanges = []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Africa/Casablanca", "Asia/Beirut",
	"Pacific/Chatham", "Europe/Dublin", "America/Scoresbysund", "Antarctica/Troll", "UTC", "Asia/Kathmandu", "Pacific/Kiritimati"}

// drawWindows draws windows, without the help of the code that reads them.
func drawWindows(t *rapid.T, zones []string) []ShiftWindow {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) ShiftWindow {
		w := ShiftWindow{
			Days:     rapid.SampledFrom([]string{"daily", "mon-thu", "sun", "sat,sun", "fri-mon", "wed"}).Draw(t, "days"),
			TimeZone: rapid.SampledFrom(zones).Draw(t, "zone"),
		}
		from := rapid.IntRange(0, 24*60-1).Draw(t, "from")
		to := rapid.IntRange(0, 24*60).Filter(func(to int) bool { return to != from }).Draw(t, "to")
		if rapid.Bool().Draw(t, "at night") { // when clocks change
			from = rapid.IntRange(0, 4*60).Draw(t, "from at night")
			to = from + rapid.IntRange(1, 90).Draw(t, "for")
		}
		w.From, w.To = fmt.Sprintf("%02d:%02d", from/60, from%60), fmt.Sprintf("%02d:%02d", to/60, to%60)
		return w
	}), 0, 3).Draw(t, "windows")
}

// located loads a location, and keeps it.
func located(name string) *time.Location {
	if kept, ok := locations.Load(name); ok {
		return kept.(*time.Location)
	}
	location, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	locations.Store(name, location)
	return location
}

var locations sync.Map

// onTheWall reports whether at is within a window, by what a clock on the wall shows: the
// oracle. It uses Go's own time zones and no arithmetic with offsets.
func onTheWall(w ShiftWindow, at time.Time) bool {
	local := at.In(located(w.TimeZone))
	clock := local.Format("15:04")
	within := map[string][]time.Weekday{"daily": {0, 1, 2, 3, 4, 5, 6}, "mon-thu": {1, 2, 3, 4}, "sun": {0}, "sat,sun": {6, 0}, "fri-mon": {5, 6, 0, 1}, "wed": {3}}[w.Days]
	begins := func(day time.Weekday) bool { return slices.Contains(within, day) }
	if w.From < w.To {
		return begins(local.Weekday()) && w.From <= clock && clock < w.To
	}
	return begins(local.Weekday()) && w.From <= clock || begins((local.Weekday()+6)%7) && clock < w.To
}

func allowedOnTheWall(req Request, at time.Time) bool {
	for _, f := range req.Freezes {
		from, _ := time.Parse(time.RFC3339, f.From)
		to, _ := time.Parse(time.RFC3339, f.To)
		if !at.Before(from) && at.Before(to) {
			return false
		}
	}
	for _, w := range req.Windows {
		if onTheWall(w, at) {
			return true
		}
	}
	return len(req.Windows) == 0
}

// aTime draws a moment, three times of four within two days of a change of some clock.
func aTime(t *rapid.T, zone string) time.Time {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.Int64Range(0, 700*24*60).Draw(t, "minute")) * time.Minute)
	location := located(zone)
	if _, change := at.In(location).ZoneBounds(); !change.IsZero() && rapid.IntRange(0, 3).Draw(t, "near a change") > 0 {
		at = change.UTC().Truncate(time.Minute).Add(time.Duration(rapid.Int64Range(-2*24*60, 2*24*60).Draw(t, "minutes from it")) * time.Minute)
	}
	return at
}

// TestTheClockOnTheWallDecides compares the calendar with Go's own local times, near
// changes of the clocks in both directions, and what comes next with a walk back, minute by
// minute.
func TestTheClockOnTheWallDecides(t *testing.T) {
	skipped, repeated, nexts := 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		req := Request{Windows: drawWindows(t, zonesWithChanges)}
		zone := universal
		if len(req.Windows) > 0 {
			zone = req.Windows[0].TimeZone
		}
		start := aTime(t, zone)
		for range rapid.IntRange(0, 2).Draw(t, "freezes") {
			from := start.Add(time.Duration(rapid.IntRange(-100, 4000).Draw(t, "freezes after")) * time.Minute)
			req.Freezes = append(req.Freezes, Freeze{from.Format(time.RFC3339), from.Add(time.Duration(rapid.IntRange(1, 3000).Draw(t, "for")) * time.Minute).Format(time.RFC3339)})
		}
		c := req.calendar(req.Zones(start))
		location := located(zone)
		_, before := start.In(location).Zone()
		const minutes = 5 * 24 * 60
		following := time.Time{} // the next time that is allowed, from behind
		nextAt := make([]time.Time, minutes)
		for minute := minutes - 1; minute >= 0; minute-- {
			at := start.Add(time.Duration(minute) * time.Minute)
			if allowedOnTheWall(req, at) {
				following = at
			}
			nextAt[minute] = following
		}
		for minute, want := range nextAt {
			at := start.Add(time.Duration(minute) * time.Minute)
			if got := c.allows(at); got != want.Equal(at) {
				t.Fatalf("at %s: allowed: %v, want %v", at.In(location), got, want.Equal(at))
			}
			if _, offset := at.In(location).Zone(); offset > before {
				skipped, before = skipped+1, offset
			} else if offset < before {
				repeated, before = repeated+1, offset
			}
			if minute%17 != 0 {
				continue
			}
			next, ok := c.next(at, start.Add(minutes*time.Minute))
			if ok == want.IsZero() || !next.Equal(want) {
				t.Fatalf("from %s on, the next is %s (%v), want %s", at, next, ok, want)
			}
			if ok {
				nexts++
			}
		}
	})
	t.Logf("%d clocks skipped and %d repeated an hour; %d times there was a next", skipped, repeated, nexts)
	if skipped < 1 || repeated < 1 || nexts < 1000 {
		t.Error("the property is hardly tested")
	}
}

// TestBothChangesOfTheClock has the cases that docs/windows.md describes.
func TestBothChangesOfTheClock(t *testing.T) {
	at := func(text string) time.Time {
		moment, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return moment
	}
	for _, test := range []struct{ name, from, to, after, want string }{
		{"the same local time in winter", "09:00", "16:00", "2026-03-27T17:00:00+01:00", "2026-03-28T09:00:00+01:00"},
		{"and in summer", "09:00", "16:00", "2026-03-28T17:00:00+01:00", "2026-03-29T09:00:00+02:00"},
		{"and in winter again", "09:00", "16:00", "2026-10-24T17:00:00+02:00", "2026-10-25T09:00:00+01:00"},
		{"all of it is skipped: the next day's", "02:00", "03:00", "2026-03-28T03:00:00+01:00", "2026-03-30T02:00:00+02:00"},
		{"the beginning is skipped", "02:30", "04:00", "2026-03-28T05:00:00+01:00", "2026-03-29T03:00:00+02:00"},
		{"over midnight into the skipped hour", "23:00", "02:30", "2026-03-29T01:59:59+01:00", "2026-03-29T01:59:59+01:00"},
		{"the skipped hour ends it", "23:00", "02:30", "2026-03-29T03:00:00+02:00", "2026-03-29T23:00:00+02:00"},
		{"repeated: the first time", "02:00", "03:00", "2026-10-25T00:00:00+02:00", "2026-10-25T02:00:00+02:00"},
		{"repeated: until the second ends", "02:00", "03:00", "2026-10-25T02:59:59+01:00", "2026-10-25T02:59:59+01:00"},
		{"repeated: over then", "02:00", "03:00", "2026-10-25T03:00:00+01:00", "2026-10-26T02:00:00+01:00"},
		{"the second half hour, twice", "02:30", "03:30", "2026-10-25T02:59:00+02:00", "2026-10-25T02:59:00+02:00"},
		{"over midnight, open again in the repeated hour", "23:00", "02:30", "2026-10-25T02:45:00+02:00", "2026-10-25T02:00:00+01:00"},
		{"with the first half hour between them", "02:30", "03:30", "2026-10-25T02:00:00+01:00", "2026-10-25T02:30:00+01:00"},
	} {
		req := Request{Windows: []ShiftWindow{{"daily", test.from, test.to, "Europe/Berlin"}}}
		after := at(test.after)
		got, ok := req.calendar(req.Zones(after)).next(after, after.AddDate(0, 0, 9))
		if !ok || !got.Equal(at(test.want)) {
			t.Errorf("%s: %s-%s after %s: %s, want %s", test.name, test.from, test.to, test.after, got, test.want)
		}
	}
}

// TestZonesKnowTheYear: the offsets of a plan are Go's, from before its start until after
// its year.
func TestZonesKnowTheYear(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(append([]string{"Europe/Berlin"}, zoneNames()...)).Draw(t, "zone")
		start := aTime(t, name)
		zone := Request{Windows: []ShiftWindow{{"daily", "00:00", "24:00", name}}}.Zones(start)[name]
		location := located(name)
		for day := -10; day < 365+10; day++ {
			at := start.AddDate(0, 0, day)
			if want, got := at.In(location).Format(time.DateTime), zone.local(at).Format(time.DateTime); got != want {
				t.Fatalf("%s in %s is %s, want %s", at, name, got, want)
			}
		}
		if size := len(Encode(zone)); size > maxZone {
			t.Fatalf("the offsets of %s take %d bytes", name, size)
		}
	})
}
