package rollout_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

func TestBadWindowsAreRefused(t *testing.T) {
	const (
		days = `must be "daily", or days and ranges of days, separated by commas, such as "mon-thu", "sat,sun" or "fri-mon"`
		from = `must be a local time from "00:00" to "23:59", with two digits for the hour, such as "09:00"`
		to   = `must be a local time from "00:00" to "24:00", with two digits for the hour, such as "16:00"`
		zone = `must be the name of an IANA time zone, such as "Europe/Berlin"`
		when = `must be a time in RFC 3339 with its offset from UTC, such as "2026-12-18T18:00:00+01:00" or "2026-12-18T17:00:00Z"`
	)
	for _, test := range []struct{ given, want string }{
		{`"windows": {"from": "09:00", "to": "16:00"}`, `windows must be a list of 1 to 20, each an object such as {"days": "mon-thu", "from": "09:00", "to": "16:00", "time-zone": "Europe/Berlin"}` + "\n"},
		{`"windows": []`, `windows must be a list of 1 to 20, each an object such as {"days": "mon-thu", "from": "09:00", "to": "16:00", "time-zone": "Europe/Berlin"}` + "\n"},
		{`"windows": ["mon-thu 09:00-16:00"]`, `windows[0] must be an object such as {"days": "mon-thu", "from": "09:00", "to": "16:00", "time-zone": "Europe/Berlin"}` + "\n"},
		{`"windows": [{"days": "mon-thrusday", "from": "9:00", "to": "24:01", "time-zone": "Europe/Belrin", "zone": "UTC"}, {}]`,
			`windows[0].days ` + days + ` (did you mean "thursday"?); given: "mon-thrusday"` + "\n" +
				`windows[0].from ` + from + `; given: "9:00"` + "\n" +
				`windows[0].to ` + to + `; given: "24:01"` + "\n" +
				`windows[0].time-zone ` + zone + ` (did you mean "Europe/Berlin"?); given: "Europe/Belrin"` + "\n" +
				`windows[0].zone is not a known field; given: "UTC"` + "\n" +
				"windows[1].from is missing\nwindows[1].to is missing\n"},
		{`"windows": [{"from": "24:00", "to": "09:00"}]`, `windows[0].from ` + from + `; given: "24:00"` + "\n"},
		{`"windows": [{"from": "09:00", "to": "09:00"}]`, `windows[0].to must not be equal to from: a window of the whole day is from "00:00" to "24:00"; given: "09:00"` + "\n"},
		{`"windows": [{"days": ["mon"], "from": 9, "to": null, "time-zone": 1}]`,
			`windows[0].days ` + days + `; given: ["mon"]` + "\n" + `windows[0].from ` + from + "; given: 9\n" + `windows[0].to ` + to + "; given: null\n" + `windows[0].time-zone ` + zone + "; given: 1\n"},
		{`"windows": [{"days": "mon-", "from": "09:00", "to": "16:00", "time-zone": "europe/berlin"}]`, `windows[0].days ` + days + `; given: "mon-"` + "\n" +
			`windows[0].time-zone ` + zone + ` (did you mean "Europe/Berlin"?); given: "europe/berlin"` + "\n"},
		{`"windows": [{"days": "mon,,tue", "from": "09:00", "to": "16:00", "time-zone": "Local"}]`, `windows[0].days ` + days + `; given: "mon,,tue"` + "\n" + `windows[0].time-zone ` + zone + `; given: "Local"` + "\n"},
		{`"windows": [{"days": "weekdays", "from": "09:00", "to": "16:00", "time-zone": "../etc/passwd"}]`, `windows[0].days ` + days + `; given: "weekdays"` + "\n" + `windows[0].time-zone ` + zone + `; given: "../etc/passwd"` + "\n"},
		{`"freeze": {"from": "2026-12-18", "to": "2027-01-04"}`, `freeze must be a list of 1 to 50, each an object such as {"from": "2026-12-18T18:00:00+01:00", "to": "2027-01-04T06:00:00+01:00"}` + "\n"},
		{`"freeze": [{"from": "2026-12-18", "to": "2026-12-18T18:00:00"}, {"from": "2026-12-18T18:00:00z", "until": "2027-01-04T06:00:00Z"}]`,
			`freeze[0].from ` + when + `; given: "2026-12-18"` + "\n" + `freeze[0].to ` + when + `; given: "2026-12-18T18:00:00"` + "\n" +
				`freeze[1].from ` + when + `; given: "2026-12-18T18:00:00z"` + "\n" + "freeze[1].to is missing\n" + `freeze[1].until is not a known field; given: "2027-01-04T06:00:00Z"` + "\n"},
		{`"freeze": [{"from": "2026-12-18T18:00:00+01:00", "to": "2026-12-18T17:00:00Z"}]`, `freeze[0].to must be later than from; given: "2026-12-18T17:00:00Z"` + "\n"},
		{`"freeze": [{"from": "2026-12-18T25:00:00+01:00", "to": "2026-12-19T17:00:00+25:00"}]`, `freeze[0].from ` + when + `; given: "2026-12-18T25:00:00+01:00"` + "\n" + `freeze[0].to ` + when + `; given: "2026-12-19T17:00:00+25:00"` + "\n"},
	} {
		if diff := cmp.Diff(test.want, refusal(t, called(test.given))); diff != "" {
			t.Errorf("%.200s\n%s", test.given, diff)
		}
	}
}

func TestTheNumberOfWindowsAndFreezesIsBounded(t *testing.T) {
	many := func(n int, of string) string { return "[" + strings.TrimSuffix(strings.Repeat(of+",", n), ",") + "]" }
	const window, freeze = `{"from": "09:00", "to": "16:00"}`, `{"from": "2026-12-18T18:00:00Z", "to": "2026-12-19T18:00:00Z"}`
	decode(t, called(`"windows": `+many(rollout.MaxWindows, window)+`, "freeze": `+many(rollout.MaxFreezes, freeze)))
	for _, more := range []string{`"windows": ` + many(rollout.MaxWindows+1, window), `"freeze": ` + many(rollout.MaxFreezes+1, freeze)} {
		if !strings.Contains(refusal(t, called(more)), "must be a list of 1 to") {
			t.Errorf("%.80s is taken", more)
		}
	}
}

// timed lays out a plan of two steps of an hour.
func timed(t *testing.T, fields, from string) (rollout.Timing, error) {
	t.Helper()
	req := decode(t, `{"function-name": "f", "alias-name": "live", "new-version": "2", "type": "canary", "interval": 3600, `+fields+`}`)
	steps, err := req.Schedule()
	if err != nil {
		t.Fatal(err)
	}
	at, err := time.Parse(time.RFC3339, from)
	if err != nil {
		t.Fatal(err)
	}
	return req.Timing(steps, at)
}

func TestWhenAPlanShifts(t *testing.T) {
	const office = `"windows": [{"days": "mon-thu", "from": "09:00", "to": "16:00", "time-zone": "Europe/Berlin"}]`
	for _, test := range []struct{ name, fields, start, want string }{
		{"within the window", office, "2026-03-25T10:00:00+01:00", "2026-03-25T09:00 2026-03-25T10:00 2026-03-25T11:00"},
		{"a step ends outside", office, "2026-03-25T14:30:00+01:00", "2026-03-25T13:30 2026-03-25T14:30 2026-03-26T08:00"},
		{"its end is not part of it", office, "2026-03-25T14:00:00+01:00", "2026-03-25T13:00 2026-03-25T14:00 2026-03-26T08:00"},
		{"it waits to begin, over the change of the clock", office, "2026-03-27T10:00:00+01:00", "2026-03-30T07:00 2026-03-30T08:00 2026-03-30T09:00"},
		{"a freeze as well", office + `, "freeze": [{"from": "2026-03-25T10:30:00+01:00", "to": "2026-03-26T12:00:00+01:00"}]`, "2026-03-25T10:00:00+01:00", "2026-03-25T09:00 2026-03-26T11:00 2026-03-26T12:00"},
		{"a freeze alone", `"freeze": [{"from": "2026-03-25T09:00:00Z", "to": "2026-03-26T09:00:00Z"}, {"from": "2026-03-26T08:00:00Z", "to": "2026-03-27T00:00:00Z"}]`, "2026-03-25T09:30:00Z", "2026-03-27T00:00 2026-03-27T01:00 2026-03-27T02:00"},
		{"windows that overlap, in two zones", `"windows": [{"days": "wed", "from": "09:00", "to": "10:00", "time-zone": "Europe/Berlin"}, {"days": "WED", "from": "05:00", "to": "06:00", "time-zone": "America/New_York"}]`,
			"2026-03-25T00:00:00Z", "2026-03-25T08:00 2026-03-25T09:00 2026-04-01T07:00"},
		{"over midnight, of the day on which it begins", `"windows": [{"days": "fri", "from": "23:00", "to": "01:30"}]`, "2026-03-25T00:00:00Z", "2026-03-27T23:00 2026-03-28T00:00 2026-03-28T01:00"},
	} {
		timing, err := timed(t, test.fields, test.start)
		got := fmt.Sprint(err)
		if err == nil {
			got = strings.TrimSpace(strings.Join([]string{timing.Shifts[0].UTC().Format("2006-01-02T15:04"), timing.Shifts[1].UTC().Format("2006-01-02T15:04"), timing.Ends.UTC().Format("2006-01-02T15:04")}, " "))
		}
		if got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

func TestAPlanThatCannotEndWithinAYearIsRefused(t *testing.T) {
	for _, test := range []struct{ name, fields, start, want string }{
		{"frozen for a year", `"freeze": [{"from": "2026-01-01T00:00:00Z", "to": "2030-01-01T00:00:00Z"}]`, "2026-03-25T00:00:00Z",
			"freeze must leave the plan the time to end within a year: if it starts at 2026-03-25T00:00:00Z, it must end by 2027-03-25T00:00:00Z, and not even the first step ends by then"},
		{"the freeze covers the windows", `"windows": [{"days": "mon", "from": "09:00", "to": "10:00"}], "freeze": [{"from": "2026-03-25T00:00:00Z", "to": "2027-03-23T00:00:00Z"}]`, "2026-03-25T00:00:00Z",
			"windows must leave the plan the time to end within a year: if it starts at 2026-03-25T00:00:00Z, it must end by 2027-03-25T00:00:00Z, and not even the first step ends by then"},
		{"only one step ends", `"windows": [{"days": "mon", "from": "09:00", "to": "09:30"}], "freeze": [{"from": "2026-03-31T00:00:00Z", "to": "2027-03-23T00:00:00Z"}]`, "2026-03-25T00:00:00Z",
			"and only 1 of 2 steps end by then"},
		{"all steps, and not the promotion", `"freeze": [{"from": "2026-03-25T01:30:00Z", "to": "2028-03-20T00:00:00Z"}]`, "2026-03-25T00:00:00Z",
			"and all steps end by then, but the promotion after them would not be allowed any more"},
		{"a window that never is", `"windows": [{"days": "sun", "from": "02:00", "to": "03:00", "time-zone": "Europe/Berlin"}], "freeze": [{"from": "2026-03-25T00:00:00Z", "to": "2026-03-29T00:00:00Z"}, {"from": "2026-03-29T23:00:00Z", "to": "2027-03-28T00:00:00Z"}]`, "2026-03-25T00:00:00Z",
			"not even the first step ends by then"},
	} {
		_, err := timed(t, test.fields, test.start)
		var refused *rollout.RequestError
		if !errors.As(err, &refused) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	timing, err := timed(t, `"freeze": [{"from": "2026-01-01T00:00:00Z", "to": "2027-03-24T22:00:00Z"}]`, "2026-03-25T00:00:00Z")
	if err != nil || timing.Ends.Sub(timing.Shifts[0]) != 2*time.Hour {
		t.Errorf("a plan that ends after exactly a year is refused: %v", err)
	}
}

// TestNoShiftOutside draws calendars and starts, follows the plan as the tasks do, and
// holds it to the calendar and to the time that was planned.
func TestNoShiftOutside(t *testing.T) {
	held := 0
	rapid.Check(t, func(t *rapid.T) {
		zone := rapid.SampledFrom([]string{"UTC", "Europe/Berlin", "Australia/Lord_Howe", "America/New_York"}).Draw(t, "zone")
		day := rapid.SampledFrom([]string{"mon-thu", "daily", "sat,sun", "wed", "fri-mon"}).Draw(t, "days")
		from, to := rapid.IntRange(0, 23).Draw(t, "from"), rapid.IntRange(0, 24).Draw(t, "to")
		if from == to {
			to = from + 1
		}
		at := start.Add(time.Duration(rapid.IntRange(0, 300*24*60).Draw(t, "start")) * time.Minute)
		frozen := at.Add(time.Duration(rapid.IntRange(-60, 3000).Draw(t, "freeze")) * time.Minute)
		input := fmt.Sprintf(`{"function-name": "f", "alias-name": "live", "new-version": "2", "steps": %d, "interval": %d, "check-interval": %d, "health-check": %v,
			"windows": [{"days": %q, "from": "%02d:00", "to": "%02d:00", "time-zone": %q}], "freeze": [{"from": %q, "to": %q}]}`,
			rapid.IntRange(1, 4).Draw(t, "steps"), rapid.IntRange(30, 20000).Draw(t, "interval"), rapid.SampledFrom([]int{60, 300, 1000}).Draw(t, "check-interval"), rapid.Bool().Draw(t, "health"),
			day, from, to, zone, frozen.Format(time.RFC3339), frozen.Add(time.Duration(rapid.IntRange(1, 3000).Draw(t, "for"))*time.Minute).Format(time.RFC3339))
		s := begin(t, input)
		timing, err := s.Timing(s.Plan.Steps, at)
		if err != nil {
			t.Fatal(err)
		}
		s.Plan.Zones, s.Plan.Ends, s.Plan.Started, s.Plan.Owner = timing.Zones, timing.End(), at, "x"
		var shifts []time.Time
		s.Begin = s.First()
		s = s.AwaitWindow(at)
		for decision := rollout.Advance; ; {
			if s.AwaitsFirstShift() {
				held++
				at = at.Add(time.Duration(s.Progress.Wait) * time.Second)
				s = s.CheckFirstShift(at, "", rollout.Instructions{})
				if s.Health.Decision != rollout.StartNow {
					continue
				}
			}
			switch decision {
			case rollout.Advance:
				shifts = append(shifts, at)
				s = shift(t, s)
			case rollout.HandOver, rollout.HandBack:
				s = s.Resume()
			}
			at = at.Add(time.Duration(s.Progress.Wait) * time.Second)
			s = check(t, s, at, undecided)
			if decision = s.Health.Decision; decision == rollout.Promote {
				break
			}
			if s.Progress.Held != nil {
				held++
			}
		}
		shifts = append(shifts, at)
		if diff := cmp.Diff(append(timing.Shifts, timing.Ends), shifts); diff != "" {
			t.Fatalf("%s\n%s", input, diff)
		}
	})
	if t.Logf("%d checks while held", held); held < 1000 {
		t.Error("the property is hardly tested")
	}
}
