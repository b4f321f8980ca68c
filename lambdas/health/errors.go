package health

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/sequential"
)

// Errors is the reading of the errors gate: does the new version err more than
// the baseline? While both have traffic it compares them, minute by minute;
// then it compares the new version with the baseline's record.
func (a Assessment) Errors() (rollout.Reading, error) {
	reading, _, err := a.errors()
	return reading, err
}

// errors is the reading with the score that decided it.
func (a Assessment) errors() (rollout.Reading, score, error) {
	gates := a.state.Plan.Gates
	t, err := newTests(gates)
	if err != nil {
		return rollout.Reading{}, score{}, err
	}
	harm := score{logE: a.Evidence.Errors.Harm.LogE(), threshold: t.errors.Threshold()}
	now, seen := harm, a.sideBySide()
	if _, alone := a.state.AtFullWeight(); alone {
		b, err := a.newHistoricalControls(gates)
		if err != nil {
			return rollout.Reading{}, score{}, err
		}
		now = score{logE: a.Evidence.Errors.HistoricalControl.LogE(), threshold: b.errors.Threshold()}
		if c := a.Evidence.Errors; c.Baseline.Requests+c.NewVersion.Requests == 0 {
			seen = "version " + a.state.NewVersion + " "
		} else {
			seen += "; "
		}
		seen += "alone: " + said(a.Evidence.Errors.Alone, true)
		if a.recorded() {
			seen += fmt.Sprintf(", tolerated up to %s by version %s's record", rollout.Percent(b.errors.Limit()), a.state.Plan.Baseline)
		} else {
			seen += ", and no record of version " + a.state.Plan.Baseline + " to judge them by"
		}
	}
	bound := t.proof.Bound(a.Proof)
	verdict, decisive, evidence := judge(harm, now)
	switch missing := a.missing(); {
	case verdict != rollout.VerdictInconclusive:
		seen += evidence
	case missing != "":
		seen = missing
	case bound <= gates.Errors.ProofMargin:
		verdict, seen = rollout.VerdictProven, seen+"; "+atMost(bound)
	default:
		seen += "; " + atMost(bound)
	}
	return rollout.Judged(rollout.ErrorsGateName, verdict, seen+a.beside()), decisive, nil
}

// judge is the verdict by the evidence of harm, beside the baseline and now, with
// the one of them that decides, and what there is to say of it.
func judge(harm, now score) (verdict rollout.Verdict, decisive score, evidence string) {
	switch {
	case harm.reached():
		return rollout.VerdictRollBack, harm, "; " + harm.String()
	case now.reached():
		return rollout.VerdictRollBack, now, "; " + now.String()
	case now.logE >= sequential.HoldLogE:
		return rollout.VerdictHold, now, "; " + now.String()
	}
	return rollout.VerdictInconclusive, now, ""
}

// score is evidence of harm, as a natural logarithm, and where it is enough.
type score struct{ logE, threshold float64 }

func (s score) reached() bool { return s.logE >= s.threshold }

// String is the evidence in powers of ten: "evidence 10^4.1, rolls back at 10^2".
func (s score) String() string {
	return "evidence 10^" + tenths(s.logE) + ", rolls back at 10^" + tenths(s.threshold)
}

func tenths(natural float64) string {
	return strconv.FormatFloat(math.Round(natural/math.Ln10*10)/10+0, 'f', -1, 64)
}

// atMost says the bound of how much higher the new version's rate is.
func atMost(bound float64) string {
	if bound >= 1 {
		return "nothing is proven yet"
	}
	return "at most " + percentagePoints(bound) + " points worse (95%)"
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

// said says a count in few words: "31 errors in 1,204 (2.6%)".
func said(c sequential.Count, errors bool) string {
	if c.Requests == 0 && c.Errors == 0 {
		return "no data"
	}
	text := rollout.Thousands(c.Errors)
	switch {
	case errors && c.Errors == 1:
		text += " error"
	case errors:
		text += " errors"
	}
	text += " in " + rollout.Thousands(c.Requests)
	if c.Errors > 0 && c.Requests > 0 {
		text += " (" + share(c) + ")"
	}
	return text
}

// sideBySide says the counts of both versions while both had traffic.
func (a Assessment) sideBySide() string {
	c := a.Evidence.Errors
	return fmt.Sprintf("version %s: %s, version %s: %s", a.state.NewVersion, said(c.NewVersion, true), a.state.Plan.Baseline, said(c.Baseline, false))
}

// Counts are the requests of both versions in all of the rollout.
func (a Assessment) Counts() (baseline, newVersion rollout.Counts) {
	c := a.Evidence.Errors
	return rollout.Counts(c.Baseline), rollout.Counts(plus(c.NewVersion, c.Alone))
}

// missing says which data there would have to be to say anything, and are
// missing; empty if there are enough.
func (a Assessment) missing() string {
	baseline, newVersion := a.Counts()
	_, alone := a.state.AtFullWeight()
	switch last := a.lastSeen(); {
	case newVersion.Requests == 0 && baseline.Requests == 0 && a.Snapshot.Requests > 0:
		return fmt.Sprintf("CloudWatch has %s invocations of the alias lately, but none by version", rollout.Thousands(a.Snapshot.Requests))
	case newVersion.Requests == 0:
		return a.sideBySide()
	case baseline.Requests == 0 && !alone:
		return a.sideBySide() + " to compare with"
	case a.now.Sub(last) > finalAfter(a.state)+2*time.Minute:
		return fmt.Sprintf("nothing of version %s since %s: no traffic, or metrics that are late", a.state.NewVersion, last.UTC().Format("15:04"))
	}
	return ""
}

// lastSeen is the end of the last minute that is known to have had requests of
// the new version, or how far the minutes are folded.
func (a Assessment) lastSeen() time.Time {
	for i := len(a.Minutes) - 1; i >= 0; i-- {
		if a.Minutes[i].NewVersion.Requests > 0 {
			return a.Minutes[i].end()
		}
	}
	return a.Until
}

// beside says what else there is to know: requests that were throttled, and
// those that ran into the function's timeout, which are among the errors.
func (a Assessment) beside() string {
	text := ""
	if n := a.Snapshot.Throttles; n > 0 {
		text += fmt.Sprintf("; %s throttled lately", rollout.Thousands(n))
	}
	if timeout := a.state.Plan.Timeout; timeout > 0 && a.Snapshot.Slowest >= float64(timeout)*1000 {
		text += fmt.Sprintf("; requests of version %s run into its timeout of %d s", a.state.NewVersion, timeout)
	}
	return text
}
