package main

// lastMinute is the rule of the blog post that this project started from
// (aws-samples/aws-lambda-deploy, health_check): at a step's end it sums the
// new version's Errors over the last minute, and any error rolls back.
type lastMinute struct{}

func (lastMinute) name() string { return "any error in a step's last minute" }
func (lastMinute) begin(cell)   {}

func (lastMinute) check(v view) verdict {
	if v.stepOver && v.newest().newVersion.Errors > 0 {
		return rollBack
	}
	return goOn
}

// errorAlarm is CodeDeploy with the alarm of AWS SAM's and AWS's own examples
// for gradual deployments of Lambda functions: Errors of the new version, Sum ≥
// 1 in one period of a minute. CodeDeploy rolls back when the alarm goes off.
type errorAlarm struct{}

func (*errorAlarm) name() string { return "alarm: 1 error in a minute" }
func (*errorAlarm) begin(cell)   {}

func (*errorAlarm) check(v view) verdict {
	if v.newest().newVersion.Errors >= 1 {
		return rollBack
	}
	return goOn
}

// rateAlarm is CodeDeploy with an alarm on metric math: Errors / Invocations of
// the new version above 5% in three of three periods of a minute. A minute
// without data does not breach (TreatMissingData: notBreaching).
type rateAlarm struct{}

func (*rateAlarm) name() string { return "alarm: over 5%, 3 of 3 minutes" }
func (*rateAlarm) begin(cell)   {}

func (*rateAlarm) check(v view) verdict {
	const periods, threshold = 3, 0.05
	if len(v.minutes) < periods {
		return goOn
	}
	for _, m := range v.minutes[len(v.minutes)-periods:] {
		if float64(m.newVersion.Errors) <= threshold*float64(m.newVersion.Requests) {
			return goOn
		}
	}
	return rollBack
}

// failedChecks is Flagger's analysis with interval 1m, threshold 5 and the
// request-success-rate metric at min 99: a check fails if the new version's
// success rate over the newest minute is below 99% or has no value. A failed
// check keeps the weight where it is, so its minute does not count towards the
// step; the fifth, in a row or not, rolls back. (Flagger does so a check later.)
type failedChecks struct {
	failed int
}

func (*failedChecks) name() string { return "success rate below 99%, 5 fails" }
func (f *failedChecks) begin(cell) { f.failed = 0 }

func (f *failedChecks) check(v view) verdict {
	const threshold, minSuccess = 5, 0.99
	seen := v.newest().newVersion
	if seen.Requests > 0 && float64(seen.Requests-seen.Errors) >= minSuccess*float64(seen.Requests) {
		return goOn
	}
	f.failed++
	if f.failed == threshold {
		return rollBack
	}
	return hold
}
