package rollout

import (
	"math"
	"slices"

	"github.com/lambda-rollout/lambda-rollout/lambdas/lazyregexp"
)

// Gates are the sources of health that a request asks for, and how each is
// judged.
type Gates struct {
	// Errors compares the failed requests of both versions.
	Errors ErrorsGate `json:"errors"`
	// Latency compares their slow requests; nil if that is not checked.
	Latency *LatencyGate `json:"latency,omitempty"`
	// Alarms are CloudWatch alarms of any type, by name or ARN. One that is in the
	// state ALARM, or was since the last check, fails.
	Alarms []string `json:"alarms,omitempty"`
	// AlarmsMustHaveData rolls back instead of promoting if the alarms together never
	// had a conclusive reading.
	AlarmsMustHaveData bool `json:"alarms-must-have-data,omitempty"`
	// Metrics, Probes, Endpoints and Checks are evaluated in addition.
	Metrics   []MetricGate    `json:"metrics,omitempty"`
	Probes    []Probe         `json:"probes,omitempty"`
	Endpoints []Endpoint      `json:"endpoints,omitempty"`
	Checks    []CheckFunction `json:"checks,omitempty"`
	// MinRequests is how many requests of the new version a step takes to
	// have shown anything, at least 1. OnNoTraffic says what follows from fewer
	// at its end: OnNoTrafficProceed, OnNoTrafficWait or
	// OnNoTrafficRollBack.
	MinRequests int64  `json:"min-invocations"`
	OnNoTraffic string `json:"on-no-traffic"`
}

// ErrorsGateName is the Gate of the errors gate's readings.
const ErrorsGateName = "errors"

// AlarmsGateName is the Gate of the readings of all alarms together.
const AlarmsGateName = "alarms"

// ErrorsGate defines what counts as harm, and how certain the gate must be. Package
// sequential has the formulas and their sources.
type ErrorsGate struct {
	// Alpha, in (0, 0.5], is the highest tolerated probability of ever rolling back a
	// harmless new version beside the baseline, and again at full weight.
	Alpha float64 `json:"alpha"`
	// Ratio (ρ0, 1 to 100) and Margin (δ, 0 to 1) define what is harmless: an error
	// rate of at most Ratio times the baseline's, plus Margin.
	Ratio  float64 `json:"ratio"`
	Margin float64 `json:"margin"`
	// ProofMargin (δ_m, in (0, 1]) is how much higher the new version's error rate may
	// be when it counts as proven.
	ProofMargin float64 `json:"proof-margin"`
	// Tolerance (1 to 100) applies at full weight, where the baseline serves no
	// requests: an error rate of up to Tolerance times the baseline's historical rate
	// is harmless.
	Tolerance float64 `json:"tolerance"`
	// Dispersion (φ, 1 to 1000) is how many errors typically occur together: each is
	// weaker evidence accordingly.
	Dispersion float64 `json:"dispersion"`
	// Strict counts at most one effective error a minute.
	Strict bool `json:"strict"`
	// Throttles counts throttled requests as errors.
	Throttles bool `json:"throttles"`
	// MaxHold is the longest time that a step is prolonged because of doubt or to wait
	// for traffic, in seconds.
	MaxHold int64 `json:"max-hold"`
}

// LatencyGate is for slow requests what ErrorsGate is for errors. Slow requests are
// those above the baseline's 95th percentile, and those above its 99th, in the hour
// before the rollout.
type LatencyGate struct {
	Alpha     float64 `json:"alpha"`
	Ratio     float64 `json:"ratio"`
	Tolerance float64 `json:"tolerance"`
	Strict    bool    `json:"strict"`
	// WarmUp is how many seconds after each shift don't count: environments may
	// be slow at first.
	WarmUp int64 `json:"warm-up"`
	// MinPerMinute is how many requests of the new version a minute must be expected to
	// have, by the weight and the requests of both versions, to count.
	MinPerMinute int64 `json:"min-requests-per-minute"`
	// P50 to P99 are the highest percentiles of the new version's durations that are
	// tolerated whatever the baseline's are, in milliseconds; 0 where there is no bound.
	P50 float64 `json:"p50,omitempty"`
	P90 float64 `json:"p90,omitempty"`
	P95 float64 `json:"p95,omitempty"`
	P99 float64 `json:"p99,omitempty"`
}

// MaxLatencyBounds is the largest number of LatencyBounds of a gate.
const MaxLatencyBounds = 4

// LatencyBound is a percentile that the new version's durations must keep.
type LatencyBound struct {
	Name         string  // "p99"
	Share        float64 // of the requests that may be slower, in (0, 1)
	Milliseconds float64
}

// Bounds returns the gate's absolute bounds, those of high percentiles first; none of
// a gate that is nil.
func (g *LatencyGate) Bounds() []LatencyBound {
	var bounds []LatencyBound
	if g == nil {
		return nil
	}
	for _, b := range [MaxLatencyBounds]LatencyBound{{"p99", 0.01, g.P99}, {"p95", 0.05, g.P95}, {"p90", 0.1, g.P90}, {"p50", 0.5, g.P50}} {
		if b.Milliseconds > 0 {
			bounds = append(bounds, b)
		}
	}
	return bounds
}

// MaxAlarms is the largest number of alarms in a request: one call of DescribeAlarms
// returns as many.
const MaxAlarms = 100

// What happens at the end of a step without enough traffic.
const (
	OnNoTrafficProceed  = "proceed"   // the plan continues, and the outcome is unverified
	OnNoTrafficWait     = "wait"      // the step is prolonged by at most MaxHold, then as OnNoTrafficProceed
	OnNoTrafficRollBack = "roll-back" // the rollout is rolled back
)

// gateKind is one kind of the gates that a request lists in its health settings.
// Which fields health has, how they are read, which of them a stack must allow
// and how much room they take all follow from [gateKinds].
type gateKind struct {
	// name is the field in health, and how a stack names the kind that it allows.
	name string
	// restricted kinds use more than CloudWatch: each needs permissions, which a
	// stack has only if it was deployed with them.
	restricted bool
	// read reads the field into the gates.
	read func(*reader, *Gates)
	// of returns the gates of this kind, and how many there are.
	of func(Gates) (list any, count int)
}

// listed returns the kind whose gates are a list, at a field of Gates.
func listed[T any](name string, restricted bool, at func(*Gates) *[]T, read func(r *reader, path string) []T) gateKind {
	return gateKind{
		name: name, restricted: restricted,
		read: func(r *reader, g *Gates) { *at(g) = read(r, name) },
		of:   func(g Gates) (any, int) { return *at(&g), len(*at(&g)) },
	}
}

// gateKinds returns all kinds, in the order in which they are read.
func gateKinds() []gateKind {
	return []gateKind{
		listed("metrics", false, func(g *Gates) *[]MetricGate { return &g.Metrics }, (*reader).metricGates),
		listed("probes", true, func(g *Gates) *[]Probe { return &g.Probes }, (*reader).probes),
		listed("endpoints", true, func(g *Gates) *[]Endpoint { return &g.Endpoints }, (*reader).endpoints),
		listed("checks", true, func(g *Gates) *[]CheckFunction { return &g.Checks }, (*reader).checkFunctions),
		listed("alarms", false, func(g *Gates) *[]string { return &g.Alarms }, (*reader).alarms),
	}
}

// What else a stack must allow, beside the restricted kinds of gates.
const (
	allowHooks = "hooks"
	// allowProvisioned moves provisioned concurrency from version to version.
	allowProvisioned = "provisioned-concurrency"
)

// GateNames returns all that a stack can allow, in order: the restricted gates,
// hooks, and the moving of provisioned concurrency. Everything else every request
// may use.
func GateNames() []string {
	names := []string{allowHooks, allowProvisioned}
	for _, kind := range gateKinds() {
		if kind.restricted {
			names = append(names, kind.name)
		}
	}
	slices.Sort(names)
	return names
}

// Permissions returns those of the GateNames that the request uses, in order.
func (req Request) Permissions() []string {
	var needed []string
	for _, kind := range gateKinds() {
		if _, count := kind.of(req.Gates); kind.restricted && count > 0 {
			needed = append(needed, kind.name)
		}
	}
	if len(req.Hooks.PreTraffic)+len(req.Hooks.PostTraffic) > 0 {
		needed = append(needed, allowHooks)
	}
	if req.ProvisionedConcurrency == Move {
		needed = append(needed, allowProvisioned)
	}
	slices.Sort(needed)
	return needed
}

// The field of a gate without whose data there is no promotion, and that of all
// alarms. Kayenta, which judges canaries of metrics, has the same for a metric.
const (
	mustHaveData       = "must-have-data"
	alarmsMustHaveData = "alarms-must-have-data"
)

// The fields of the parts of health.
var (
	errorsNames  = []string{"alpha", "ratio", "margin", "proof-margin", "tolerance", "dispersion", "strict", "throttles", "max-hold"}
	latencyNames = []string{"alpha", "ratio", "tolerance", "strict", "warm-up", "min-requests-per-minute", "p50", "p90", "p95", "p99"}
)

// maxDuration is the longest duration of a request, in milliseconds: a function's
// longest timeout.
const maxDuration = 5400e3

// alarmForm is a name (1 to 255 characters, none a control character) or an ARN with one.
var alarmForm = lazyregexp.New(`^(?:arn:aws[a-z-]*:cloudwatch:[a-z0-9-]+:[0-9]{12}:alarm:)?[^\x00-\x1f\x7f]{1,255}$`)

// gates reads the request's health settings. The defaults of alpha, ratio and
// margin are those that the benchmark is published for.
func (r *reader) gates(path string) Gates {
	settings := r.object(path)
	failures := settings.object("errors")
	g := Gates{
		Errors: ErrorsGate{
			Alpha:       failures.chance("alpha", 0.01),
			Ratio:       failures.number("ratio", 1, 100, 1.1),
			Margin:      failures.number("margin", 0, 1, 0),
			ProofMargin: failures.number("proof-margin", 0.0001, 1, 0.01),
			Tolerance:   failures.number("tolerance", 1, 100, 2),
			Dispersion:  failures.number("dispersion", 1, 1000, 1),
			Strict:      failures.boolean("strict", false),
			Throttles:   failures.boolean("throttles", false),
			MaxHold:     failures.integer("max-hold", 0, Year, 600),
		},
	}
	known := []string{"errors", "latency", "min-invocations", "on-no-traffic", alarmsMustHaveData}
	for _, kind := range gateKinds() {
		kind.read(settings, &g)
		known = append(known, kind.name)
	}
	g.AlarmsMustHaveData = settings.boolean(alarmsMustHaveData, false)
	if g.AlarmsMustHaveData && !settings.has("alarms") {
		settings.refuse(alarmsMustHaveData, wantAlarms)
	}
	g.MinRequests = settings.integer("min-invocations", 1, 1e9, 1)
	g.OnNoTraffic = settings.enum("on-no-traffic", OnNoTrafficProceed, OnNoTrafficWait, OnNoTrafficRollBack)
	failures.refuseUnknown(errorsNames)
	if string(settings.fields["latency"]) != "false" {
		slow := settings.objectOr("latency", wantLatency)
		g.Latency = &LatencyGate{
			Alpha:     slow.chance("alpha", 0.01),
			Ratio:     slow.number("ratio", 1, 100, 1.25),
			Tolerance: slow.number("tolerance", 1, 100, 2),
			Strict:    slow.boolean("strict", false),

			WarmUp:       slow.integer("warm-up", 0, Year, 180),
			MinPerMinute: slow.integer("min-requests-per-minute", 0, 1e9, 10),
			P50:          slow.number("p50", 1, maxDuration, 0),
			P90:          slow.number("p90", 1, maxDuration, 0),
			P95:          slow.number("p95", 1, maxDuration, 0),
			P99:          slow.number("p99", 1, maxDuration, 0),
		}
		slow.refuseUnknown(latencyNames)
	}
	settings.refuseUnknown(known)
	return g
}

func (r *reader) alarms(path string) []string {
	return r.list(path, MaxAlarms, alarmForm, wantAlarm)
}

// chance reads the probability of an error of the test.
func (r *reader) chance(path string, absent float64) float64 {
	if !r.has(path) {
		return absent
	}
	chance, ok := AsNumber(r.fields[path])
	if !ok || !(chance >= 1e-9 && chance <= 0.5) {
		r.refuse(path, wantChance)
		return absent
	}
	return chance
}

func (r *reader) number(path string, low, high, absent float64) float64 {
	if !r.has(path) {
		return absent
	}
	number, ok := AsNumber(r.fields[path])
	if !ok || math.IsNaN(number) || number < low || number > high {
		r.refuse(path, wantBetween(low, high))
		return absent
	}
	return number
}
