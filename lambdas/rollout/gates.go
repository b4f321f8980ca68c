package rollout

import (
	"math"
	"regexp"
)

// Gates are the sources of health that a request asks for, and how each is
// judged.
type Gates struct {
	// Errors compares the failed requests of both versions.
	Errors ErrorsGate `json:"errors"`
	// Latency compares their slow requests; nil if that is not checked.
	Latency *LatencyGate `json:"latency,omitempty"`
	// Alarms are CloudWatch alarms, metric or composite, by name or ARN. One
	// in the state ALARM fails.
	Alarms []string `json:"alarms,omitempty"`
	// Metrics, Probes, Endpoints and Checks are asked beside them.
	Metrics   []MetricGate    `json:"metrics,omitempty"`
	Probes    []Probe         `json:"probes,omitempty"`
	Endpoints []Endpoint      `json:"endpoints,omitempty"`
	Checks    []CheckFunction `json:"checks,omitempty"`
	// MinInvocations is how many requests of the new version a step takes to
	// have shown anything, at least 1. OnNoTraffic says what follows from fewer
	// at its end: Proceed, Wait or RollBackThen.
	MinInvocations int64  `json:"min-invocations"`
	OnNoTraffic    string `json:"on-no-traffic"`
}

// ErrorsGateName is the Gate of the errors gate's readings.
const ErrorsGateName = "errors"

// ErrorsGate says what counts as harm, and how certain the gate must be. Package
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

// The fields of a request's health, and of its parts.
var (
	healthNames  = []string{"errors", "latency", "alarms", "metrics", "probes", "endpoints", "checks", "min-invocations", "on-no-traffic"}
	errorsNames  = []string{"alpha", "ratio", "margin", "proof-margin", "tolerance", "dispersion", "strict", "throttles", "max-hold"}
	latencyNames = []string{"alpha", "ratio", "tolerance", "strict"}
)

// alarmForm is a name (1 to 255 characters, none a control character) or an ARN with one.
var alarmForm = regexp.MustCompile(`^(?:arn:aws[a-z-]*:cloudwatch:[a-z0-9-]+:[0-9]{12}:alarm:)?[^\x00-\x1f\x7f]{1,255}$`)

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
		Metrics:        settings.metricGates("metrics"),
		Probes:         settings.probes("probes"),
		Endpoints:      settings.endpoints("endpoints"),
		Checks:         settings.checkFunctions("checks"),
		Alarms:         settings.list("alarms", MaxAlarms, alarmForm, wantAlarm),
		MinInvocations: settings.integer("min-invocations", 1, 1e9, 1),
		OnNoTraffic:    settings.enum("on-no-traffic", OnNoTrafficProceed, OnNoTrafficWait, OnNoTrafficRollBack),
	}
	failures.refuseUnknown(errorsNames)
	if string(settings.fields["latency"]) != "false" {
		slow := settings.object("latency")
		g.Latency = &LatencyGate{
			Alpha:     slow.chance("alpha", 0.01),
			Ratio:     slow.number("ratio", 1, 100, 1.25),
			Tolerance: slow.number("tolerance", 1, 100, 2),
			Strict:    slow.boolean("strict", false),
		}
		slow.refuseUnknown(latencyNames)
	}
	settings.refuseUnknown(healthNames)
	return g
}

// chance reads the probability of an error of the test.
func (r *reader) chance(path string, absent float64) float64 {
	if !r.has(path) {
		return absent
	}
	chance, ok := asNumber(r.fields[path])
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
	number, ok := asNumber(r.fields[path])
	if !ok || math.IsNaN(number) || number < low || number > high {
		r.refuse(path, wantBetween(low, high))
		return absent
	}
	return number
}
