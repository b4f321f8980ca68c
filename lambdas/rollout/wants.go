package rollout

import (
	"fmt"
	"strings"
)

// What a request's fields must be. Each is a Problem's Want: it continues a
// sentence that begins with the field's path.
const (
	wantObject     = "must be an object"
	wantLatency    = "must be false or an object"
	wantMissing    = "is missing"
	wantBoolean    = "must be true or false, without quotes"
	wantNumber     = "must be a number"
	wantShare      = "must be a share of the traffic from 0.0001 to 1"
	wantOuterShare = "must be a share of the traffic between 0.0001 and 0.9999, such as 0.05"
	wantChance     = "must be a probability from 1e-9 to 0.5, such as 0.01"
	wantNoRepeat   = "is already in the list"
	wantRequest    = "must be one JSON object, such as " +
		`{"function-name": "MyFunction", "alias-name": "MyAlias", "new-version": "2", "steps": 10, "interval": 120, "type": "linear"}`

	wantFunction  = "must be a function's name (at most 64 letters, digits, - and _), its partial ARN or its full ARN"
	wantAlias     = "must be an alias's name: at most 128 letters, digits, - and _"
	wantNoVersion = "must be an alias: a name of digits alone is a version's"
	wantVersion   = `must be a published version's number, such as "2"`
	wantType      = "must be one of linear, exponential, geometric, canary, all-at-once, custom, or a name as CodeDeploy's, such as Linear10PercentEvery1Minute or Canary25Percent45Minutes"
	// wantOwnConfiguration continues wantType.
	wantOwnConfiguration = `. The plan of a configuration of your own is not known here: write it as "type": "canary" with first-weight and interval, ` +
		`as "linear" with steps and interval, or as "custom" with weights and interval`

	wantWeights      = "is missing: the type custom needs it"
	wantTwoSteps     = "must be at least 2: the type geometric starts at its first weight and ends at 1"
	wantInterval     = "is missing: the duration of each step, in seconds"
	wantLastWeight   = "must be 1: the last weight sends all traffic to the new version"
	wantHealthCheck  = "does not apply with health-check false: omit one of them"
	wantContinuation = "must be the data of a running rollout: only the workflow itself starts such an execution"

	wantApprovalWeights = "must be a list of the plan's weights, such as [0.5]"
	wantPlanWeight      = "must be the weight of one of the plan's steps"
	wantNotFirst        = "must not be the first step's weight: to withhold approval of that, don't start the rollout"

	wantExecution = "must be the ARN of an execution: only a release starts a rollout with this field"

	wantTopic      = "the ARN of a standard SNS topic, such as arn:aws:sns:eu-central-1:123456789012:rollouts (FIFO topics deliver to queues only)"
	wantChatTopics = "does not apply without topics: it sets the format of what they receive"

	wantCalled    = "must be a function's name, its partial ARN or its full ARN, with or without a version or an alias"
	wantCall      = "a function's name, or an object with a function"
	wantNewCall   = "is already in the list with the same payload"
	wantGateName  = "must be a name: at most 64 letters, digits, - and _"
	wantAlarm     = "an alarm's name or ARN"
	wantAlarms    = "applies only with alarms"
	wantProbe     = "an object with a name"
	wantProbePath = "must be a path made of $, .name, ['name'] and [0], such as $.items[0]['first name']"
)

// What the fields of a metric gate must be.
const (
	wantMetricGate  = "must be an object with a name, a metric or an expression, and a bound"
	wantNewMetric   = "is already used by another metric gate"
	wantBound       = "is missing: a gate needs a max, a min, or both"
	wantMinBelowMax = "must not be more than max"
	wantRelative    = "applies only with relative-to-baseline"
	wantMultiple    = "must not be negative: with relative-to-baseline it is a multiple of the baseline's value"
	wantComparable  = "is a count, which grows with a version's share of the traffic, so versions can't be compared by it: " +
		"use a statistic such as Average or p99, or an expression that divides by the number of requests"
	wantPerVersion = "needs ${version} in a dimension: without it, the baseline has no value to compare with"
	wantNotMissing = "does not apply with missing pass, which takes missing data for a reading"
	wantPeriod     = "must be a whole number of minutes that divides twelve hours, such as 60, 300 or 3600 seconds"

	wantNamespace      = `must be a CloudWatch namespace, such as "AWS/SQS"`
	wantMetricName     = "must be a metric's name in CloudWatch"
	wantStatistic      = "must be a CloudWatch statistic, such as Sum, Average, p99, tm95 or TC(250:)"
	wantPlainName      = "must not contain placeholders: use them in the dimensions' values"
	wantDimensions     = `must be an object of at most 30 dimensions, such as {"FunctionName": "${function}"}`
	wantDimensionName  = "must be a dimension's name in CloudWatch"
	wantDimensionValue = "must be a dimension's value in CloudWatch, a string"

	wantInMetrics    = "belongs in the expression's metrics"
	wantExpression   = `must be a CloudWatch metric math expression, such as "100 * errors / requests"`
	wantMetrics      = `is missing: the expression's metrics by ID, such as {"errors": {"namespace": …, "metric": …}}`
	wantMetricID     = "must be an ID: a lower-case letter, then letters, digits and _, at most 64 characters"
	wantPlainMath    = "must not contain placeholders: use them in the metrics' dimensions"
	wantNamedMetrics = "must name its metrics: METRICS() would include those of the other gates"
	wantUsed         = "is not used in the expression"
)

// What the fields of an endpoint must be.
const (
	wantEndpoint    = "must be an object with a name and a url"
	wantNewEndpoint = "is already used by another endpoint"
	wantPost        = "applies only to the method POST"

	wantURL      = "must be an HTTPS URL, such as https://api.example.com/health"
	wantNoUser   = "must not contain a user or a password: use a reference in secret-headers"
	wantFragment = "must not have a fragment, the part after #"
	wantHost     = "must name a public host, not an IP address or localhost"
	wantPort     = "must have port 443 or none: endpoints are called at no other port"

	wantHeaderName     = "is not a valid header name"
	wantFreeHeader     = "must not be set: the connection determines it"
	wantHeaderText     = "must be a string that is not empty"
	wantOneHeader      = "is given twice: header names are case-insensitive"
	wantPublicHeader   = "must not be in the request, where others can read it: use a reference in secret-headers"
	wantSecret         = `must refer to a secret, as "secretsmanager:<name or ARN>", "secretsmanager:<name or ARN>#<key>" or "ssm:<parameter>"; the secret itself must not be in the request`
	wantEndpointStatus = "must be a status from 200 to 599, such as 200, or a list of 1 to 20 of them"
)

func wantUnknown(name string, known []string) string {
	return "is not a known field" + DidYouMean(name, known)
}

func wantWhole(low, high int64) string {
	return fmt.Sprintf("must be a whole number from %d to %d", low, high)
}

func wantBetween(low, high float64) string {
	return "must be a number from " + plainNumber(low) + " to " + plainNumber(high)
}

func wantOneOf(words []string) string { return "must be one of " + strings.Join(words, ", ") }

// wantList is for a list of 1 to most of what is called each.
func wantList(most int, each string) string {
	return fmt.Sprintf("must be a list of 1 to %d, each %s", most, each)
}

func wantBytes(most int) string {
	return fmt.Sprintf("must be at most %d bytes: the execution's data, which carries it, is limited", most)
}

func wantCharacters(most int) string { return fmt.Sprintf("must have at most %d characters", most) }

func wantJSON(most, given int) string {
	return fmt.Sprintf("must be JSON of at most %d bytes; it has %d", most, given)
}

func wantUnqualified(qualifier string) string {
	return fmt.Sprintf("must not include a version or an alias, here %q: the alias belongs in alias-name, the version in new-version", qualifier)
}

func wantPublished(version string) string {
	return "must be a published version: an alias can't split traffic with " + version
}

func wantSteps(c Curve) string {
	return fmt.Sprintf("is missing: the type %s needs a number of steps", c)
}

func wantFewerSteps(most int, c Curve) string {
	return fmt.Sprintf("must be at most %d: with more, the %s curve has weights that are equal, or 0, at four decimals", most, c)
}

func wantFixed(value int64, typeName string) string {
	return fmt.Sprintf("must be %d, or be omitted, with the type %s", value, typeName)
}

// wantPercent and wantMinutes are for the numbers in a preset's name.
func wantPercent(given string) string {
	return fmt.Sprintf("must have a percentage from 1 to 99, not %s", cutDigits(given))
}

func wantMinutes(given string, most int) string {
	return fmt.Sprintf("must have from 1 to %s minutes, not %s: with this percentage, CodeDeploy shifts all traffic within two days", Thousands(int64(most)), cutDigits(given))
}

func cutDigits(digits string) string {
	if len(digits) > 20 {
		return digits[:20] + "…"
	}
	return digits
}

func wantOtherType(typeName string) string {
	return fmt.Sprintf("does not apply to the type %s: omit it", typeName)
}

func wantWeightList() string {
	return fmt.Sprintf("must be a list of 1 to %d weights, such as [0.05, 0.25, 1]", MaxSteps)
}

func wantMore(before float64) string {
	return fmt.Sprintf("must be more than the weight before it, %v, at four decimals", before)
}

// wantYear is for a plan of total seconds.
func wantYear(req *Request, total int64) string {
	return fmt.Sprintf("must end within a year (%d s): %d steps of %d s and %d s of bake take %d s", Year, req.Steps, req.Interval, req.Bake, total)
}

// wantShorterPause is for a plan that leaves left seconds of a year.
func wantShorterPause(left int64) string {
	return fmt.Sprintf("must be at most %d: with the steps, a pause must end within a year", left)
}

// wantRoom is for a request as a whole that is too large; wantLess for its part
// that is. They name sizes in bytes.
func wantRoom(most int, largest, second string) string {
	return fmt.Sprintf("must take at most %s of the execution's data, which is limited to %s and must hold all that a rollout adds; its largest parts are %s and %s",
		inBytes(most), inBytes(MaxState), largest, second)
}

func wantLess(most int) string {
	return fmt.Sprintf("must take at most %s of the execution's data beside the rest of this request: that is limited to %s and must hold all that a rollout adds",
		inBytes(most), inBytes(MaxState))
}

func inBytes(n int) string { return Thousands(int64(n)) + " bytes" }

func wantNoTenant(version, function string) string {
	return fmt.Sprintf("must be left out: version %s of %s has tenant isolation, so each invocation must name a tenant, and probes can't. A function in health.checks can invoke it with a tenant", version, function)
}

func wantUnique(name string) string {
	return fmt.Sprintf("must be unique: there is already a %q", name)
}

func wantWithinTimeout(seconds int64) string {
	return fmt.Sprintf("must be at most %d milliseconds: the timeout is %d s", seconds*1000, seconds)
}

func wantUpToCount(count int) string {
	return fmt.Sprintf("must be at most the count of invocations, %d", count)
}

func wantEquals() string {
	return fmt.Sprintf(`must be an object of 1 to %d paths and values, such as {"$.items[0].ok": true}`, MaxEquals)
}

func wantMetricGates() string {
	return fmt.Sprintf("must be a list of 1 to %d gates, each with a name, a metric or an expression, and a bound", MaxMetricGates)
}

func wantShorter(most, given int) string {
	return fmt.Sprintf("must be at most %d characters long; it has %d", most, given)
}

func wantMetricIDs() string {
	return fmt.Sprintf("must be an object of 1 to %d metrics by ID", MaxMetrics)
}

func wantPlaceholders(given string) string {
	return "may contain only the placeholders ${" + strings.Join(placeholders, "}, ${") + "}" + DidYouMean(given, placeholders)
}

func wantKnownMetric(id string, known []string) string {
	return fmt.Sprintf("uses %q, which is not one of its metrics", id) + DidYouMean(id, known)
}

func wantEndpoints() string {
	return fmt.Sprintf("must be a list of 1 to %d endpoints, each with a name and a url", MaxEndpoints)
}

func wantHeaders() string {
	return fmt.Sprintf("must be an object of 1 to %d header names and strings", MaxEndpointHeaders)
}

func wantHeaderValue() string {
	return fmt.Sprintf("must be at most %d printable ASCII characters", MaxHeaderValue)
}
