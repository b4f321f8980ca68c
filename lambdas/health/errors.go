package health

import (
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/sequential"
)

// Errors returns the reading of the errors gate: do more of the new version's
// requests fail than of the baseline's? While both have traffic, it compares them
// minute by minute; at full weight, it compares the new version with the baseline's
// record. An error means that the plan's settings are out of range.
func (a *Assessment) Errors() (rollout.Reading, error) {
	gates := &a.state.Plan.Gates
	verdict, decisive, limit, err := a.judgeErrors()
	if err != nil {
		return rollout.Reading{}, err
	}
	switch failed := a.Evidence.Errors.NewVersion.Errors + a.Evidence.Errors.Alone.Errors; {
	case failed == 0: // that requests are missing is no failure: see pending
		verdict = rollout.VerdictInconclusive
	case failed < leastFailures && verdict == rollout.VerdictRollBack:
		verdict = rollout.VerdictHold
	}
	reason := a.failures(limit)
	switch missing, hangs := a.missing(), a.pending(a.now.Add(time.Minute)); {
	case verdict == rollout.VerdictRollBack:
		reason += "; " + decisive.String()
	case gates.Latency != nil && a.pending(a.shown().Add(-pendingFor)).clear(pendingLog):
		verdict, reason = rollout.VerdictRollBack, a.hanging(hangs)+"; "+reason
	case hangs.clear(holdLog):
		verdict, reason = rollout.VerdictHold, a.hanging(hangs)+"; "+reason
	case verdict == rollout.VerdictHold:
		reason += "; " + decisive.String()
	case missing != "":
		reason = missing
	default:
		bound := a.known.by.tests.proof.Bound(a.Proof)
		reason += "; " + atMost(bound)
		if bound <= gates.Errors.ProofMargin && a.state.Plan.Timeout <= rollout.CountedWithin { // else some end uncounted
			verdict = rollout.VerdictProven
		}
	}
	return rollout.Judged(rollout.ErrorsGateName, verdict, reason+a.troubles()), nil
}

// judgeErrors returns the verdict on the evidence that more requests fail, the score that
// decides it, and at full weight the rate that the baseline's record allows.
func (a *Assessment) judgeErrors() (verdict rollout.Verdict, decisive score, limit float64, err error) {
	test := &a.known.by.tests.errors
	harm := score{logE: test.LogE(a.Evidence.Errors.Harm), threshold: test.Threshold()}
	now := harm
	if _, alone := a.state.AtFullWeight(); alone {
		b, err := a.known.controlsFor(&a.Evidence, &a.state.Plan.Gates)
		if err != nil {
			return "", score{}, 0, err
		}
		now, limit = score{logE: b.errors.LogE(a.Evidence.Errors.Control), threshold: b.errors.Threshold()}, b.errors.Limit()
	}
	verdict, decisive = judge(harm, now)
	return verdict, decisive, limit, nil
}

// leastFailures is how many requests of the new version must have failed for it to be
// rolled back because of errors.
const leastFailures = 2

// judge returns the verdict on the evidence of harm beside the baseline, and on
// that of now, with the one of them that decides.
func judge(harm, now score) (verdict rollout.Verdict, decisive score) {
	switch {
	case harm.reached():
		return rollout.VerdictRollBack, harm
	case now.reached():
		return rollout.VerdictRollBack, now
	case now.logE >= sequential.HoldLogE:
		return rollout.VerdictHold, now
	}
	return rollout.VerdictInconclusive, now
}

// score is the evidence of harm and its threshold, both as natural logarithms.
type score struct{ logE, threshold float64 }

func (s score) reached() bool { return s.logE >= s.threshold }

// Counts returns the requests of both versions since the rollout began.
func (a *Assessment) Counts() (baseline, newVersion rollout.Counts) {
	c := &a.Evidence.Errors
	return rollout.Counts(c.Baseline), rollout.Counts(plus(c.NewVersion, c.Alone))
}

// lastSeen returns the end of the last minute that is known to have had requests of
// the new version, or how far the minutes are folded.
func (a *Assessment) lastSeen() time.Time {
	for i := len(a.Minutes) - 1; i >= 0; i-- {
		if a.Minutes[i].NewVersion.Requests > 0 {
			return a.Minutes[i].end()
		}
	}
	return a.Until
}
