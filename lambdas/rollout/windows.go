package rollout

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/lazyregexp"
)

// ShiftWindow is a time of the week in which traffic may be shifted. The clock on the
// wall decides: a moment is within the window if the local date and time that people
// read at that moment are. So a local time that is skipped in spring does not happen,
// and one that is repeated in autumn counts both times.
type ShiftWindow struct {
	// Days are the days on which the window begins, such as "mon-thu": see parseDays.
	Days string `json:"days"`
	// From and To are local times of day, "00:00" to "23:59", and To also "24:00". To is
	// not part of the window. If To is before From, the window ends on the next day.
	From string `json:"from"`
	To   string `json:"to"`
	// TimeZone is an IANA name, such as "Europe/Berlin".
	TimeZone string `json:"time-zone"`
}

// Freeze is a time in which no traffic is shifted, whatever the windows.
type Freeze struct {
	// From and To are in RFC 3339, with their offset from UTC. To is not part of the
	// freeze.
	From string `json:"from"`
	To   string `json:"to"`
}

// Limits and defaults of windows and freezes.
const (
	MaxWindows = 20
	MaxFreezes = 50
	everyDay   = "daily"
	universal  = "UTC"
)

// openHours is a ShiftWindow that was read.
type openHours struct {
	days     [7]bool // by time.Weekday
	from, to time.Duration
	zone     string
}

// span is the time from from up to, but not including, to.
type span struct{ from, to time.Time }

// timeOfDay matches "09:30" and "24:00".
var timeOfDay = lazyregexp.New(`^(?:([01][0-9]|2[0-3]):([0-5][0-9])|24:00)$`)

// readHours reads a window. It returns false if a part of it has another form.
func (w ShiftWindow) readHours() (openHours, bool) {
	h := openHours{zone: cmp.Or(w.TimeZone, universal)}
	var unknown string
	h.days, unknown = parseDays(cmp.Or(w.Days, everyDay))
	var fromOK, toOK bool
	h.from, fromOK = parseTimeOfDay(w.From)
	h.to, toOK = parseTimeOfDay(w.To)
	if h.to < h.from {
		h.to += 24 * time.Hour
	}
	return h, unknown == "" && fromOK && toOK && h.from < 24*time.Hour && h.from != h.to
}

func parseTimeOfDay(text string) (time.Duration, bool) {
	parts := timeOfDay.FindStringSubmatch(text)
	switch {
	case parts == nil:
		return 0, false
	case parts[1] == "":
		return 24 * time.Hour, true
	}
	hours, _ := strconv.Atoi(parts[1]) // they are digits
	minutes, _ := strconv.Atoi(parts[2])
	return time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute, true
}

// readSpan reads a freeze. It returns false if a part of it has another form.
func (f Freeze) readSpan() (span, bool) {
	from, fromOK := parseMoment(f.From)
	to, toOK := parseMoment(f.To)
	return span{from, to}, fromOK && toOK && from.Before(to)
}

// parseMoment reads a time in strict RFC 3339: time.Parse is more lenient.
func parseMoment(text string) (time.Time, bool) {
	var at time.Time
	err := at.UnmarshalText([]byte(text))
	return at.UTC(), err == nil
}

// dayNames are the names of the days, whose first three letters suffice.
var dayNames = []string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}

// parseDays reads days: "daily", or days and ranges of days, separated by commas, in
// three letters or in full, in any case and with blanks between them, such as "mon-thu",
// "sat, sun" or "Fri-Mon", which passes the end of the week. unknown is the first part
// that is none of these.
func parseDays(text string) (days [7]bool, unknown string) {
	if strings.EqualFold(strings.Trim(text, " "), everyDay) {
		return [7]bool{true, true, true, true, true, true, true}, ""
	}
	for part := range strings.SplitSeq(text, ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		from, to := dayNumber(first), dayNumber(last)
		switch {
		case from < 0:
			return days, cmp.Or(first, part, text, everyDay)
		case to < 0:
			return days, cmp.Or(last, part)
		}
		for day := from; ; day = (day + 1) % 7 {
			days[day] = true
			if day == to {
				break
			}
		}
	}
	return days, ""
}

// dayNumber returns the day's number as a time.Weekday; -1 if the name is unknown.
func dayNumber(name string) int {
	name = strings.ToLower(strings.Trim(name, " "))
	return slices.IndexFunc(dayNames, func(day string) bool { return name == day || name == day[:3] })
}

var (
	windowNames = []string{"days", "from", "to", "time-zone"}
	freezeNames = []string{"from", "to"}
)

// windows reads the request's windows.
func (r *reader) windows(path string) []ShiftWindow {
	var windows []ShiftWindow
	for _, item := range r.elements(path, MaxWindows, "", wantWindow) {
		w := ShiftWindow{Days: item.days("days"), From: item.timeOfDay("from", wantFrom), To: item.timeOfDay("to", wantTo), TimeZone: item.zone("time-zone")}
		switch {
		case w.From == "24:00":
			item.refuse("from", wantFrom)
		case w.From != "" && w.From == w.To:
			item.refuse("to", wantOtherTo)
		}
		item.refuseUnknown(windowNames)
		windows = append(windows, w)
	}
	return windows
}

// freezes reads the request's freezes.
func (r *reader) freezes(path string) []Freeze {
	var freezes []Freeze
	for _, item := range r.elements(path, MaxFreezes, "", wantFreeze) {
		f := Freeze{From: item.moment("from"), To: item.moment("to")}
		from, fromOK := parseMoment(f.From)
		if to, ok := parseMoment(f.To); ok && fromOK && !from.Before(to) {
			item.refuse("to", wantLaterTo)
		}
		item.refuseUnknown(freezeNames)
		freezes = append(freezes, f)
	}
	return freezes
}

// days reads days, and returns them in lower case and without blanks.
func (r *reader) days(path string) string {
	text := r.text(path, wantDays, everyDay)
	if text == "" { // refused already
		return everyDay
	}
	if _, unknown := parseDays(text); unknown != "" {
		r.refuse(path, wantDays+DidYouMean(unknown, append([]string{everyDay}, dayNames...)))
	}
	return strings.ToLower(strings.ReplaceAll(text, " ", ""))
}

func (r *reader) timeOfDay(path, want string) string {
	text, ok := r.required(path, want)
	if _, is := parseTimeOfDay(text); ok && !is {
		r.refuse(path, want)
		return ""
	}
	return text
}

func (r *reader) moment(path string) string {
	text, ok := r.required(path, wantMoment)
	if _, is := parseMoment(text); ok && !is {
		r.refuse(path, wantMoment)
	}
	return text
}

func (r *reader) zone(path string) string {
	name := r.text(path, wantZone, universal)
	switch {
	case name == "": // refused already
	case !slices.Contains(zoneNames(), name):
		r.refuse(path, wantZone+DidYouMean(name, zoneNames()))
	default:
		if _, err := time.LoadLocation(name); err != nil {
			r.refuse(path, noZoneData)
		}
	}
	return name
}
