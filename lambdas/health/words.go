package health

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/sequential"
)

// What the readings say, in the words that people read. Numbers come before
// what they are compared with, and times are in UTC.

// String returns how rarely evidence this strong arises by chance when the new version
// does no harm: "by chance in at most 1 of 79,000 rollouts", and for evidence that only
// holds, "by chance in at most 1 of 25 rollouts; rolls back at 1 of 100". An e-value of E is
// reached with a probability of at most 1/E (Ville's inequality).
func (s score) String() string {
	text := "by chance in at most 1 of " + oneOf(s.logE) + " rollouts"
	if !s.reached() {
		text += "; rolls back at 1 of " + oneOf(s.threshold)
	}
	return text
}

// oneOf writes e to the power of a natural logarithm, rounded down to two digits, as a
// whole number: "79,000". Beyond a billion it is "a billion".
func oneOf(natural float64) string {
	n := max(1, math.Exp(natural)*(1+1e-9))
	if n >= 1e9 {
		return "a billion"
	}
	unit := math.Pow(10, max(0, math.Floor(math.Log10(n))-1))
	return rollout.Thousands(int64(math.Floor(n/unit) * unit))
}

// atMost says by how much the new version's rate can be higher: "at most 0.14
// percentage points worse (95% confidence)".
func atMost(bound float64) string {
	if bound >= 1 {
		return "nothing proven yet"
	}
	return "at most " + percentagePoints(bound) + " percentage points worse (95% confidence)"
}

// percentagePoints writes a share in percentage points, rounded up to two digits.
func percentagePoints(share float64) string {
	percent := share * 100
	if percent <= 0 {
		return "0"
	}
	unit := math.Pow(10, math.Floor(math.Log10(percent))-1)
	text := strconv.FormatFloat(math.Ceil(percent/unit-1e-9)*unit, 'g', 3, 64)
	number, _ := strconv.ParseFloat(text, 64)
	return strconv.FormatFloat(number, 'f', -1, 64)
}

// failed formats a count of failed requests: "failed 31 of 1,204 requests (2.6%)",
// "failed none of 12 requests", "has no data".
func failed(c sequential.Count) string { return string(appendFailed(nil, c)) }

func appendFailed(text []byte, c sequential.Count) []byte {
	if c.Requests == 0 && c.Errors == 0 {
		return append(text, "has no data"...)
	}
	noun := " requests"
	if c.Requests == 1 {
		noun = " request"
	}
	return appendOutOf(append(text, "failed "...), c, noun)
}

func appendOutOf(text []byte, c sequential.Count, noun string) []byte {
	if c.Errors > 0 {
		text = rollout.AppendThousands(text, c.Errors)
	} else {
		text = append(text, "none"...)
	}
	text = append(rollout.AppendThousands(append(text, " of "...), c.Requests), noun...)
	if c.Errors > 0 && c.Requests > 0 {
		text = append(appendShare(append(text, " ("...), c), ')')
	}
	return text
}

// share formats the share of failed or slow requests: "2.6%"; "none" if there are no
// requests.
func share(c sequential.Count) string { return string(appendShare(nil, c)) }

func appendShare(text []byte, c sequential.Count) []byte {
	if c.Requests == 0 {
		return append(text, "none"...)
	}
	return rollout.AppendPercent(text, float64(c.Errors)/float64(c.Requests))
}

// sideBySide says how many requests of both versions failed while both had
// traffic: "version 8 failed 30 of 1,204 requests (2.5%), version 7 none of
// 10,812".
func (a *Assessment) sideBySide() string {
	newVersion, baseline := a.Evidence.Errors.NewVersion, a.Evidence.Errors.Baseline
	if newVersion.Requests == 0 && baseline.Requests == 0 {
		return "no data of version " + a.state.NewVersion + " or version " + a.state.Plan.Baseline
	}
	text := append(make([]byte, 0, 120), "version "...)
	text = appendFailed(append(append(text, a.state.NewVersion...), ' '), newVersion)
	text = append(append(append(text, ", version "...), a.state.Plan.Baseline...), ' ')
	switch {
	case newVersion.Requests > 0 && baseline.Errors > 0:
		text = appendOutOf(append(text, "failed "...), baseline, "")
	case newVersion.Requests > 0 && baseline.Requests > 0:
		text = appendOutOf(text, baseline, "")
	default:
		text = appendFailed(text, baseline)
	}
	return string(text)
}

// failures says how many requests failed, and at full weight also how many have
// since. limit is the rate that the baseline's record allows there.
func (a *Assessment) failures(limit float64) string {
	if _, alone := a.state.AtFullWeight(); !alone {
		return a.sideBySide()
	}
	text := ""
	if c := a.Evidence.Errors; c.Baseline.Requests+c.NewVersion.Requests > 0 {
		text = a.sideBySide() + "; "
	}
	text += fmt.Sprintf("at full weight, version %s %s", a.state.NewVersion, failed(a.Evidence.Errors.Alone))
	if !a.recorded() {
		return text + ", with no record of version " + a.state.Plan.Baseline + " to compare with"
	}
	return text + fmt.Sprintf(", with up to %s allowed by version %s's record", rollout.Percent(limit), a.state.Plan.Baseline)
}

// missing says which data are missing to compare the versions; "" if none are.
func (a *Assessment) missing() string {
	baseline, newVersion := a.Counts()
	_, alone := a.state.AtFullWeight()
	switch last := a.lastSeen(); {
	case newVersion.Requests == 0 && baseline.Requests == 0 && a.Snapshot.Requests > 0:
		return fmt.Sprintf("CloudWatch has %s requests of the alias, but none by version", rollout.Thousands(a.Snapshot.Requests))
	case newVersion.Requests == 0:
		return a.sideBySide()
	case baseline.Requests == 0 && !alone:
		return a.sideBySide() + " to compare with"
	case a.now.Sub(last) > finalAfter(a.state)+2*time.Minute:
		return fmt.Sprintf("no requests of version %s since %s: no traffic, or late metrics", a.state.NewVersion, clock(last))
	}
	return ""
}

// hanging says how many requests have not ended: "about 55 requests a minute of
// version 8 have not ended".
func (a *Assessment) hanging(p pending) string {
	return fmt.Sprintf("about %s requests a minute of version %s have not ended", rollout.Thousands(int64(math.Round(p.perMinute))), a.state.NewVersion)
}

// troubles says what else a person should know: that requests were throttled, or
// that some reach the function's timeout. Those are among the failed ones.
func (a *Assessment) troubles() string {
	text := ""
	if n := a.Snapshot.Throttles; n > 0 {
		text += fmt.Sprintf("; %s requests throttled recently", rollout.Thousands(n))
	}
	if timeout := a.state.Plan.Timeout; timeout > 0 && a.Snapshot.Slowest >= float64(timeout)*1000 {
		text += fmt.Sprintf("; requests of version %s time out after %d s", a.state.NewVersion, timeout)
	}
	return text
}

// missingDurations says why durations can't be compared; "" if they can.
func (a *Assessment) missingDurations() string {
	baseline := "version " + a.state.Plan.Baseline
	switch {
	case a.History == nil || a.History.Timed == 0:
		return "no durations of " + baseline + " in the hour before the rollout"
	case a.History.Over[0] <= 0:
		return "CloudWatch has no percentiles of " + baseline + "'s durations"
	case !a.History.timed():
		return fmt.Sprintf("%s had %s requests in the hour before the rollout; %d are needed to know which requests are slow", baseline, rollout.Thousands(a.History.Timed), minTimed)
	case a.Slow[0].NewVersion.Requests+a.Slow[0].Alone.Requests == 0:
		return a.uncounted()
	}
	return ""
}

// uncounted says why no durations count yet.
func (a *Assessment) uncounted() string {
	g := a.state.Plan.Gates.Latency
	if g.WarmUp > 0 && a.now.Before(a.state.Progress.Since.Add(warmUp(*g)+time.Minute)) {
		return fmt.Sprintf("no durations yet (those of the first %d s after a shift don't count)", g.WarmUp)
	}
	for i := range a.Minutes {
		if m := &a.Minutes[i]; m.NewVersion.Requests > 0 && tooFew(m, g) {
			return fmt.Sprintf("too few requests to compare durations: version %s has under %d a minute", a.state.NewVersion, g.MinPerMinute)
		}
	}
	return "no durations yet (those just after a shift don't count)"
}

// maybeCold says that requests are slow which don't count.
func (a *Assessment) maybeCold() string {
	return fmt.Sprintf("requests since the shift at %s are slow; the step is held until it is known whether they stay slow or environments had to warm up", clock(a.Slowdowns.Shift))
}

const noSlowdown = "no harmful slowdown seen"

// slowness says how many requests of both versions took longer than the
// baseline's percentiles: "12% of version 8's requests took over 230 ms (version
// 7: 5%), 4% over 411 ms (version 7: 1%)".
func (a *Assessment) slowness() string {
	text := make([]byte, 0, 160)
	for i := range a.Slow {
		c := &a.Slow[i]
		if i > 0 {
			text = append(text, ", "...)
		}
		text = appendShare(text, plus(c.NewVersion, c.Alone))
		if i == 0 {
			text = append(append(append(text, " of version "...), a.state.NewVersion...), "'s requests took"...)
		}
		text = append(rollout.AppendThousands(append(text, " over "...), int64(a.History.Over[i]+0.5)), " ms"...)
		if c.Baseline.Requests > 0 {
			text = append(append(append(text, " (version "...), a.state.Plan.Baseline...), ": "...)
			text = append(appendShare(text, c.Baseline), ')')
		}
	}
	return string(text)
}

// overBounds says how many of the new version's requests took longer than the
// absolute bounds, and how many may: "0.4% over 300 ms (p99: at most 1%)".
func (a *Assessment) overBounds(bounds []rollout.LatencyBound) string {
	text := ""
	for i, b := range bounds {
		if i > 0 {
			text += ", "
		}
		found := "no durations"
		if c := a.Bounds[i].Count; c.Requests > 0 {
			found = share(c)
		}
		text += fmt.Sprintf("%s over %s ms (%s: at most %s)", found, strconv.FormatFloat(b.Milliseconds, 'f', -1, 64), b.Name, rollout.Percent(b.Share))
	}
	return text
}

// clock writes the time of day: "12:03".
func clock(at time.Time) string { return at.UTC().Format("15:04") }

// What is said of an alarm, after its name.
const (
	insufficientData = " has insufficient data"
	doesNotExist     = " does not exist"
)

// What is said of other alarms; the first verb is for the name.
const (
	returnedFromAlarm  = "%s was in ALARM between two checks, until %s"
	configuredBetween  = "%s was created or changed during the rollout, at %s, and its state with it"
	returnedFromEither = "%s was in ALARM or lacked data between two checks, until %s"
	notEvaluated       = "%s can't be evaluated fully (%s)"
	inUnknownState     = "%s is in the unknown state %s"
)

// alarmsReason says which of so many alarms failed, or else are unknown, and which
// were red when the rollout started.
func alarmsReason(failed failedAlarms, unknown, red []string, all int) string {
	var text string
	switch {
	case failed.any():
		said := failed.between
		if len(failed.now) > 0 {
			said = slices.Insert(slices.Clone(said), 0, strings.Join(failed.now, ", ")+" in ALARM")
		}
		text = strings.Join(said, ", ")
	case len(unknown) > 0:
		text = strings.Join(unknown, ", ")
	default:
		text = fmt.Sprintf("none of %d in ALARM", all-len(red))
	}
	if len(red) > 0 {
		text += fmt.Sprintf(" (ignored, as already in ALARM at the start: %s)", strings.Join(red, ", "))
	}
	return text
}
