package rollout

import (
	"fmt"
	"strings"
	"time"
)

// What the fields of windows and freezes must be: see wants.go.
const (
	wantWindow  = `an object such as {"days": "mon-thu", "from": "09:00", "to": "16:00", "time-zone": "Europe/Berlin"}`
	wantFreeze  = `an object such as {"from": "2026-12-18T18:00:00+01:00", "to": "2027-01-04T06:00:00+01:00"}`
	wantDays    = `must be "daily", or days and ranges of days, separated by commas, such as "mon-thu", "sat,sun" or "fri-mon"`
	wantFrom    = `must be a local time from "00:00" to "23:59", with two digits for the hour, such as "09:00"`
	wantTo      = `must be a local time from "00:00" to "24:00", with two digits for the hour, such as "16:00"`
	wantOtherTo = `must not be equal to from: a window of the whole day is from "00:00" to "24:00"`
	wantZone    = `must be the name of an IANA time zone, such as "Europe/Berlin"`
	noZoneData  = "is a time zone whose data are missing on this machine: install its time zone data"
	wantMoment  = `must be a time in RFC 3339 with its offset from UTC, such as "2026-12-18T18:00:00+01:00" or "2026-12-18T17:00:00Z"`
	wantLaterTo = "must be later than from"
)

// wantTimeToEnd is for windows and freezes with which only done of the steps end in time.
func wantTimeToEnd(steps []Step, done int, start, limit time.Time) string {
	what := fmt.Sprintf("only %d of %s end by then", done, plural(int64(len(steps)), "step"))
	switch {
	case done == len(steps):
		what = "all steps end by then, but the promotion after them would not be allowed any more"
	case done == 0:
		what = "not even the first step ends by then"
	}
	return fmt.Sprintf("must leave the plan the time to end within a year: if it starts at %s, it must end by %s, and %s. Widen or omit windows, shorten freezes, or choose a shorter plan",
		start.UTC().Format(time.RFC3339), limit.UTC().Format(time.RFC3339), what)
}

// windowOpened is the reason why a rollout begins that has waited.
const windowOpened = "the first shift is allowed now"

// waitsForCheck is the effect of an order that came before the first shift.
const waitsForCheck = "waits for the first check"

// waitsForWindow is the effect of an order that can't be carried out yet.
func waitsForWindow(held string) string { return "waits, as the rollout is " + held }

// String returns the window in words: "mon-thu 09:00-16:00 Europe/Berlin".
func (w ShiftWindow) String() string {
	return fmt.Sprintf("%s %s-%s %s", w.Days, w.From, w.To, w.TimeZone)
}

// heldText says until when a shift is held, and why: "held until Mon 2026-11-30 09:00
// Europe/Berlin (outside the window mon-thu 09:00-16:00 Europe/Berlin)".
func (s State) heldText(h Held) string {
	if h.Until.IsZero() {
		return "held (" + h.Reason + "), for the rest of the rollout's year"
	}
	return fmt.Sprintf("held until %s (%s)", s.localTime(h.Until), h.Reason)
}

// HeldText returns until when the next shift is held, and why; "" if it is not.
func (s State) HeldText() string {
	if s.Progress.Held == nil {
		return ""
	}
	return s.heldText(*s.Progress.Held)
}

// heldWhy says what forbids a shift at now.
func (s State) heldWhy(c calendar, now time.Time) string {
	if until, frozen := c.frozen(now); frozen {
		return "freeze until " + s.localTime(until)
	}
	const most = 3
	var texts []string
	for i, w := range s.Windows {
		if i == most {
			texts = append(texts, fmt.Sprintf("and %d more", len(s.Windows)-most))
			break
		}
		texts = append(texts, w.String())
	}
	if len(texts) == 1 {
		return "outside the window " + texts[0]
	}
	return "outside the windows " + strings.Join(texts, ", ")
}

// localTime returns a time as a clock in the first window's time zone shows it, or in UTC
// without windows.
func (s State) localTime(at time.Time) string {
	name, zone := universal, Zone(nil)
	if len(s.Windows) > 0 {
		name, zone = s.Windows[0].TimeZone, s.Plan.Zones[s.Windows[0].TimeZone]
	}
	return zone.local(at).Format("Mon 2006-01-02 15:04 ") + name
}

// waits says how long the plan's longest hold is, and at which weight; "" if there is none.
func (s State) waits() string {
	if !s.restrictsShifts() {
		return ""
	}
	timing, err := s.timing(s.Plan.Steps, s.Plan.Started, s.Plan.Zones)
	if err != nil {
		return ""
	}
	longest, step := timing.longestHold(s.Plan.Steps, s.Plan.Started)
	weight := 0.0
	switch {
	case longest == 0:
		return ""
	case step >= 0:
		weight = s.Plan.Steps[step].Weight
	}
	return fmt.Sprintf("Windows and freezes hold shifts: the longest hold is %s, at %s on version %s, and the plan ends on %s.",
		duration(longest.Round(time.Second)), Weight(weight), s.NewVersion, s.localTime(timing.Ends))
}

// heldReason says which shift waits, until when and why; step is the one that it ends.
func heldReason(s State, step int) string {
	if s.Progress.Held == nil {
		return ""
	}
	what := "The promotion"
	if step >= 0 && step < len(s.Plan.Steps) {
		what = fmt.Sprintf("The shift to step %d of %d (%s)", step+1, len(s.Plan.Steps), Weight(s.Plan.Steps[step].Weight))
	}
	meanwhile := fmt.Sprintf("Version %s stays at %s", s.NewVersion, Weight(s.Progress.Weight))
	switch {
	case step == 0:
		meanwhile = "No traffic has been shifted yet."
	case s.HealthCheck:
		meanwhile += "; health checks continue, and harm rolls back."
	default:
		meanwhile += "."
	}
	return fmt.Sprintf("%s is %s. %s", what, s.heldText(*s.Progress.Held), meanwhile)
}
