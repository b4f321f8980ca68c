package rollout

import (
	"fmt"
	"slices"

	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
	"github.com/lambda-rollout/lambda-rollout/lambdas/lazyregexp"
)

// Year is the longest that a plan may take, in seconds: Step Functions ends an
// execution after a year.
const Year = 365 * 24 * 60 * 60

// Limits and defaults of a request's fields. Times are in seconds.
const (
	MaxInput             = 64 << 10 // bytes
	MaxSteps             = 1000
	MinCheckInterval     = 10
	DefaultCheckInterval = 60
)

// Request is an execution's input, validated and with its defaults filled in. The
// first six fields are those of the blog post that started this project. Durations are
// in seconds.
type Request struct {
	// FunctionName is the function's name, partial ARN or full ARN, as given.
	FunctionName string `json:"function-name"`
	// AliasName is the alias whose traffic is shifted.
	AliasName string `json:"alias-name"`
	// NewVersion is the number of the published version that gets the traffic.
	NewVersion string `json:"new-version"`
	// Steps is the number of steps, 1 to MaxSteps.
	Steps int `json:"steps,omitempty"`
	// Interval is how long each step lasts, including the one at full weight.
	Interval int64 `json:"interval"`
	// Type names the weight curve, or a CodeDeploy preset.
	Type string `json:"type"`
	// Weights are those of the Custom curve: strictly increasing, in (0, 1], the last
	// one 1.
	Weights []float64 `json:"weights,omitempty"`
	// FirstWeight is that of the Geometric and Canary curves, in (0, 1); 0 for others.
	FirstWeight float64 `json:"first-weight,omitempty"`
	// CheckInterval is the longest time between two health checks.
	CheckInterval int64 `json:"check-interval"`
	// Bake lengthens the last step, the one at full weight.
	Bake int64 `json:"bake,omitempty"`
	// Advance says when a step may end: OnSchedule or OnEvidence.
	Advance string `json:"advance"`
	// HealthCheck is false for a rollout that shifts without checking health.
	HealthCheck bool `json:"health-check"`
	// Gates are the request's health settings. In the execution's data they are in the
	// plan, because "health" there is what the last check found.
	Gates Gates `json:"-"`
	// Hooks are called once each.
	Hooks Hooks `json:"hooks,omitzero"`
	// Approval is nil if no step needs approval.
	Approval *Approval `json:"approval,omitempty"`
	// MaxPause is how long an order may hold the weight, in seconds, 60 to a Year. After
	// that the rollout is rolled back. The default is a day, or what the plan leaves of
	// a Year.
	MaxPause int64 `json:"max-pause"`
	// Windows are the times in which traffic may be shifted, at most MaxWindows; none
	// stands for all times. Freezes are times in which it may not, at most MaxFreezes.
	Windows []ShiftWindow `json:"windows,omitempty"`
	Freezes []Freeze      `json:"freeze,omitempty"`
	// Release is nil unless the rollout is a member of a release.
	Release *Membership `json:"release,omitempty"`
	// Notify says who else is notified.
	Notify Notify `json:"notify,omitzero"`
	// ProvisionedConcurrency says what to do about it: Refuse an alias that has some,
	// Ignore that the new version has none before its promotion, or Move that of the
	// baseline version to the new one.
	ProvisionedConcurrency string `json:"provisioned-concurrency"`
	// RedAlarmsAtStart says what to do about alarms that are already in ALARM: Ignore
	// them during the rollout, or Refuse the request.
	RedAlarmsAtStart string `json:"red-alarms-at-start"`
}

// When a step may end.
const (
	OnSchedule = "schedule" // when its time has passed
	// OnEvidence ends a step as soon as the new version is proven to be healthy, after
	// at least one full minute. The last step always lasts its time.
	OnEvidence = "evidence"
)

// What to do about a condition that would normally prevent a rollout.
const (
	Refuse = "refuse"
	Ignore = "ignore"
	// Move is for provisioned concurrency alone.
	Move = "move"
)

// fieldNames are the fields that a request may have.
var fieldNames = []string{
	"function-name", "alias-name", "new-version", "steps", "interval", "type",
	"weights", "first-weight", "check-interval", "bake", "advance", "health-check", "health", "hooks", "approval", "max-pause", "windows", "freeze", "notify",
	"provisioned-concurrency", "red-alarms-at-start", "release", startedBy,
}

// startedBy is a field that users of Step Functions add when one execution starts
// another, so that the console links them. It is ignored.
const startedBy = "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID"

// Decode reads an execution's input. The error is a [*RequestError] that lists every
// problem, in the order of Request's fields. Decode also checks the steps that the
// request leads to, so Schedule can't fail for a request that Decode accepted.
func Decode(input []byte) (Request, error) {
	if len(input) > MaxInput {
		return Request{}, &RequestError{Problems: []Problem{{Path: "$", Given: fmt.Sprintf("%d bytes", len(input)), Want: wantBytes(MaxInput)}}}
	}
	fields, problem := readObject(input)
	if problem != nil {
		return Request{}, &RequestError{Problems: []Problem{*problem}}
	}
	var problems []Problem
	r := &reader{fields: fields, problems: &problems}
	req := Request{
		FunctionName:  r.function("function-name"),
		AliasName:     r.alias("alias-name"),
		NewVersion:    r.version("new-version"),
		Steps:         int(r.integer("steps", 1, MaxSteps, 0)),
		Interval:      r.integer("interval", 1, Year, 0),
		Type:          r.text("type", wantType, string(Linear)),
		Weights:       r.weights("weights"),
		FirstWeight:   r.weight("first-weight"),
		CheckInterval: r.integer("check-interval", MinCheckInterval, Year, DefaultCheckInterval),
		Bake:          r.integer("bake", 0, Year, 0),
		HealthCheck:   r.boolean("health-check", true),
		Advance:       r.enum("advance", OnSchedule, OnEvidence),
		Gates:         r.gates("health"),
		Hooks:         r.hooks("hooks"),
		Approval:      r.approval("approval"),
		MaxPause:      r.integer("max-pause", minMaxPause, Year, DefaultMaxPause),
		Windows:       r.windows("windows"),
		Freezes:       r.freezes("freeze"),
		Notify:        r.notify("notify"),
		Release:       r.membership("release"),

		ProvisionedConcurrency: r.enum("provisioned-concurrency", Refuse, Ignore, Move),
		RedAlarmsAtStart:       r.enum("red-alarms-at-start", Ignore, Refuse),
	}
	req.validateCurve(r)
	if !req.HealthCheck {
		for _, path := range []string{"health", "advance"} {
			if r.has(path) {
				r.add(Problem{Path: path, Want: wantHealthCheck})
			}
		}
		req.Gates = Gates{}
	}
	r.refuseUnknown(fieldNames)
	if len(problems) == 0 {
		req.checkExpanded(r)
		req.checkSchedule(r)
	}
	if len(problems) > 0 {
		return Request{}, &RequestError{Problems: problems}
	}
	return req, nil
}

// Function returns the function's plain name, without the rest of its ARN.
func (req Request) Function() string {
	return arn.Name(req.FunctionName)
}

var (
	// functionForm matches a name, a partial ARN (123456789012:function:name) or a full
	// ARN, and captures the plain name and the qualifier, if there is one.
	functionForm = lazyregexp.New(`^(?:(?:arn:aws[a-z-]*:lambda:[a-z0-9-]+:)?[0-9]{12}:function:)?([A-Za-z0-9_-]{1,64})(?::(\$LATEST\.PUBLISHED|[A-Za-z0-9$_-]+))?$`)
	aliasForm    = lazyregexp.New(`^[A-Za-z0-9_-]{1,128}$`)
	versionForm  = lazyregexp.New(`^[1-9][0-9]{0,17}$`)
	onlyDigits   = lazyregexp.New(`^[0-9]+$`)
)

// unpublished are the versions without a number. The second exists for functions on
// managed instances.
var unpublished = []string{"$LATEST", "$LATEST.PUBLISHED"}

// IsPublished reports whether a version, as an alias names it, has a number. Only such
// versions can share an alias's traffic.
func IsPublished(version string) bool { return !slices.Contains(unpublished, version) }

func (r *reader) function(path string) string {
	name, ok := r.required(path, wantFunction)
	if !ok {
		return ""
	}
	switch parts := functionForm.FindStringSubmatch(name); {
	case parts == nil:
		r.refuse(path, wantFunction)
	case parts[2] != "":
		r.refuse(path, wantUnqualified(parts[2]))
	}
	return name
}

func (r *reader) alias(path string) string {
	name, ok := r.required(path, wantAlias)
	switch {
	case !ok:
	case onlyDigits.MatchString(name):
		r.refuse(path, wantNoVersion)
	case !aliasForm.MatchString(name):
		r.refuse(path, wantAlias)
	}
	return name
}

func (r *reader) version(path string) string {
	version, ok := "", true
	if n, whole := asWhole(r.fields[path]); whole {
		version = fmt.Sprint(n)
	} else {
		version, ok = r.required(path, wantVersion)
	}
	switch {
	case !ok:
	case !IsPublished(version):
		r.refuse(path, wantPublished(version))
	case !versionForm.MatchString(version):
		r.refuse(path, wantVersion)
	}
	return version
}
