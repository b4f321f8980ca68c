package rehearsal

import (
	"regexp"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// Scenario has the conditions that a rollout is rehearsed under: its traffic, the
// profiles of both versions, and what goes wrong. Durations are in seconds.
type Scenario struct {
	Description string `json:"description,omitempty"`
	// Start is when the rollout starts, in RFC 3339 with an offset from UTC; empty for
	// noon on 1 January 2026 (UTC).
	Start string `json:"start,omitempty"`
	// RequestsPerSecond is the mean rate at which the alias is invoked. The number
	// of requests in a time is Poisson distributed, and each draws its version by the
	// alias's weights.
	RequestsPerSecond float64 `json:"requests-per-second"`
	// Day varies the rate over the day; nil for the same rate at all hours.
	Day *Day `json:"day,omitempty"`
	// Timeout is the function's timeout in whole seconds, in [1, 900], at which a request
	// that takes longer ends as an error. 0 stands for 3 s, or as many as the longest
	// request of any profile takes, at most 900.
	Timeout int `json:"timeout,omitempty"`
	// History is how long the baseline has served such traffic when the rollout
	// starts, in seconds, at most 14 days; nil for 73 hours, a little more than health
	// checks look back.
	History    *float64       `json:"history,omitempty"`
	Baseline   VersionProfile `json:"baseline"`
	NewVersion VersionProfile `json:"new-version"`
	// MetricDelay is the time from the end of a request until CloudWatch has it.
	MetricDelay float64 `json:"metric-delay"`
	AliasLag
	// Latency is how long each AWS call takes.
	Latency float64 `json:"latency"`
	Dependencies
	// Metrics are CloudWatch metrics of the user's own, by any name.
	Metrics map[string]Metric `json:"metrics,omitempty"`
	// Provisioned is nil if nothing has provisioned concurrency.
	Provisioned *Provisioned `json:"provisioned-concurrency,omitempty"`
	// Secrets are the values of secrets, by the references to them in headers:
	// "secretsmanager:<name>" or "ssm:<parameter>".
	Secrets map[string]string `json:"secrets,omitempty" given:"-"`
	// Untagged are functions, by name, and secrets, by reference, that are not opted
	// in to rollouts. It is only used with a template.
	Untagged []string `json:"untagged,omitempty"`
	// Members are how members of a release differ from the others, by their names in the
	// release. Only [RunRelease] accepts them.
	Members map[string]MemberScenario `json:"members,omitempty"`
	// Changes take place during the rollout. In a release, changes of the rate, of
	// versions and of metrics are those of each member since its start, and the others
	// are since the start of the release; shares are of the longest plan.
	Changes []Change `json:"changes,omitempty"`
	// Faults are AWS calls, and invocations of the workflow's functions, that fail.
	Faults []Fault `json:"faults,omitempty"`
}

// Change replaces the fields that it has, at a time since the rollout's start: after
// After seconds, or after AfterShare of the plan's duration, in (0, 1]. A temporary
// change takes two Changes, there and back.
type Change struct {
	After             float64         `json:"after,omitempty"`
	AfterShare        float64         `json:"after-share,omitempty"`
	RequestsPerSecond *float64        `json:"requests-per-second,omitempty"`
	Baseline          *VersionProfile `json:"baseline,omitempty"`
	NewVersion        *VersionProfile `json:"new-version,omitempty"`
	MetricDelay       *float64        `json:"metric-delay,omitempty"`
	AliasLag
	Dependencies
	// Metrics are changes of the scenario's metrics, by their names.
	Metrics map[string]MetricLevel `json:"metrics,omitempty"`
	// Stop means that a user stops the execution, Redrive that one redrives it after
	// it has ended, Alias that one changes the alias, and Order that the user By
	// ("operator" if empty) gives the rollout an order: a word that rollout.ReadCommand
	// knows. OrderText is in its place what the user writes, whatever it is, as a user
	// may mistype an order.
	Stop    bool            `json:"stop,omitempty"`
	Redrive bool            `json:"redrive,omitempty"`
	Alias   *AliasChange    `json:"alias,omitempty"`
	Order   rollout.Command `json:"order,omitempty"`
	// OrderText has at most 1000 characters.
	OrderText string `json:"order-text,omitempty"`
	By        string `json:"by,omitempty"`
}

// Fault makes calls of an AWS operation, or invocations of a task's function, fail:
// by their number (Count calls, 0 for all, from the First on, counted from 1), by
// the time since the rollout's start (From, Until; 0 for no bound), or both.
type Fault struct {
	Operation string             `json:"operation,omitempty"`
	Task      string             `json:"task,omitempty"`
	Kind      localaws.FaultKind `json:"kind"`
	First     int                `json:"first,omitempty"`
	Count     int                `json:"count,omitempty"`
	From      float64            `json:"from,omitempty"`
	Until     float64            `json:"until,omitempty"`
	// Delay is how long a slow call takes after its effect.
	Delay float64 `json:"delay,omitempty"`
}

// The upper bounds of a scenario's numbers.
const (
	maxRate = 1e6 // requests per second
	// MaxSeconds bounds the times of a scenario, in seconds: 366 days.
	MaxSeconds = 366 * 24 * 60 * 60
	maxCluster = 1e6
	maxHistory = 14 * 24 * 60 * 60 // CloudWatch keeps minutes for a day longer
	maxCalls   = 1e9
)

// started is when a rollout starts if its scenario does not say it.
var started = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// start returns when the rollout starts. Every scenario's Start has been checked.
func (s Scenario) start() time.Time {
	at := started
	if s.Start != "" && at.UnmarshalText([]byte(s.Start)) != nil {
		return started
	}
	return at.UTC()
}

var versionForm = regexp.MustCompile(`^[1-9][0-9]{0,17}$`)

// nothing reports whether a change changes nothing.
func (c Change) nothing() bool {
	return c.RequestsPerSecond == nil && c.Baseline == nil && c.NewVersion == nil && c.MetricDelay == nil && c.AliasLag == (AliasLag{}) && len(c.Metrics) == 0 &&
		c.Dependencies.nothing() && !c.intervenes()
}

// local converts the fault for the local AWS, for a rollout that starts at start.
func (f Fault) local(start time.Time) localaws.Fault {
	at := func(offset float64) time.Time {
		if offset == 0 {
			return time.Time{}
		}
		return start.Add(seconds(offset))
	}
	return localaws.Fault{
		Operation: f.Operation, Kind: f.Kind,
		First: f.First, Count: f.Count,
		From: at(f.From), Until: at(f.Until),
		After: seconds(f.Delay),
	}
}

// seconds converts a number of seconds to a duration.
func seconds(s float64) time.Duration {
	return time.Duration(s * float64(time.Second))
}
