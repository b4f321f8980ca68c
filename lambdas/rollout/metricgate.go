package rollout

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lambda-rollout/lambda-rollout/lambdas/lazyregexp"
)

// MetricGate watches a CloudWatch metric, or an expression over metrics. Its value in
// each period must stay within bounds.
type MetricGate struct {
	// Name is unique among the metric gates of the rollout.
	Name string `json:"name"`
	// Metric is empty if there is an Expression.
	Metric
	// Expression is metric math over Metrics, whose keys are their IDs.
	Expression string            `json:"expression,omitempty"`
	Metrics    map[string]Metric `json:"metrics,omitempty"`
	// Period is the length of the time that each value covers: whole minutes that
	// divide MaxMetricWindow. Window is how far back values count, from Period to
	// MaxMetricWindow. Both are in seconds.
	Period int64 `json:"period"`
	Window int64 `json:"window"`
	// Max and Min are the bounds, inclusive; at least one is not nil.
	Max *float64 `json:"max,omitempty"`
	Min *float64 `json:"min,omitempty"`
	// RelativeToBaseline makes the bounds multiples of the baseline's value of the
	// same query: at most Max times that plus Margin, at least Min times that minus
	// Margin.
	RelativeToBaseline bool    `json:"relative-to-baseline,omitempty"`
	Margin             float64 `json:"margin,omitempty"`
	// Missing is the status without data: Inconclusive or Pass.
	Missing Status `json:"missing"`
	// MustHaveData rolls back instead of promoting if the gate never had a conclusive
	// reading.
	MustHaveData bool `json:"must-have-data,omitempty"`
}

// Metric is a CloudWatch metric and a statistic of it.
type Metric struct {
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"metric,omitempty"`
	// Dimensions are all dimensions of the metric. Values may contain placeholders;
	// see Expand.
	Dimensions map[string]string `json:"dimensions,omitempty"`
	// Statistic is as CloudWatch names it: "Sum", "p99", "TC(250:)".
	Statistic string `json:"statistic,omitempty"`
}

// Limits and defaults of metric gates. Times are in seconds.
const (
	MaxMetricGates    = 20
	MaxMetrics        = 10 // of an expression
	MaxDimensions     = 30
	MaxExpression     = 600       // characters; with ids that are no longer than needed there is room for CloudWatch's 2,048
	MaxMetricSettings = 32 * 1024 // bytes of JSON of all gates: they travel in the execution's data

	DefaultMetricPeriod = 60
	DefaultMetricWindow = 300
	// MaxMetricWindow fits all values of a check into one page of GetMetricData, and
	// is a multiple of every period.
	MaxMetricWindow = 12 * 60 * 60
)

var (
	metricGateNames = []string{"name", "namespace", "metric", "dimensions", "statistic", "expression", "metrics",
		"period", "window", "max", "min", "relative-to-baseline", "margin", "missing", mustHaveData}
	metricNames  = []string{"namespace", "metric", "dimensions", "statistic"}
	placeholders = []string{"version", "baseline", "alias", "function"}
	statistics   = []string{"Sum", "Average", "Minimum", "Maximum", "SampleCount", "IQM"}

	metricIDForm = lazyregexp.New(`^[a-z][A-Za-z0-9_]{0,63}$`)
	// statisticForm matches CloudWatch's statistics: the plain ones, percentiles and
	// those trimmed at one, those between two percentiles, and between two values.
	statisticForm = lazyregexp.New(`^(?:SampleCount|Average|Sum|Minimum|Maximum|IQM` +
		`|(?:p|tc|tm|ts|wm)` + percentForm +
		`|(?:TM|TC|TS|WM)\((?:(?:` + percentForm + `%)?:` + percentForm + `%|` + percentForm + `%:)\)` +
		`|(?:TM|TC|TS|WM|PR)\((?:(?:` + numberForm + `)?:` + numberForm + `|` + numberForm + `:)\))$`)
	// countForm matches statistics that grow with the number of requests.
	countForm = lazyregexp.New(`^(?:Sum|SampleCount|TC.*|TS.*|tc.*|ts.*)$`)
)

const (
	percentForm = `(?:\d{1,2}(?:\.\d{0,10})?|100(?:\.0{0,10})?)`
	numberForm  = `\d+(?:\.\d{0,10})?(?:[Ee][+-]?\d+)?`
)

// metricGates reads a list of metric gates.
func (r *reader) metricGates(path string) []MetricGate {
	if !r.has(path) {
		return nil
	}
	if n := len(r.fields[path]); n > MaxMetricSettings {
		r.refuse(path, wantShorter(MaxMetricSettings, n))
		return nil
	}
	var items []json.RawMessage
	if json.Unmarshal(r.fields[path], &items) != nil || len(items) == 0 || len(items) > MaxMetricGates {
		r.refuse(path, wantMetricGates())
		return nil
	}
	gates := make([]MetricGate, len(items))
	names := map[string]bool{}
	for i, item := range items {
		at := fmt.Sprintf("%s[%d]", path, i)
		fields := &reader{prefix: r.prefix + at + ".", problems: r.problems}
		if json.Unmarshal(item, &fields.fields) != nil || fields.fields == nil {
			r.add(Problem{Path: at, Given: Given(item), Want: wantMetricGate})
			continue
		}
		gates[i] = fields.metricGate()
		if name := gates[i].Name; name != "" && names[name] {
			fields.refuse("name", wantNewMetric)
		}
		names[gates[i].Name] = true
	}
	return gates
}

// metricGate reads the gate whose fields the reader has.
func (r *reader) metricGate() MetricGate {
	g := MetricGate{
		Name:               r.form("name", gateNameForm, wantGateName),
		Period:             r.period("period"),
		Max:                r.bound("max"),
		Min:                r.bound("min"),
		RelativeToBaseline: r.boolean("relative-to-baseline", false),
		Missing:            Status(r.enum("missing", string(Inconclusive), string(Pass))),
		MustHaveData:       r.boolean(mustHaveData, false),
	}
	g.Window = r.integer("window", g.Period, MaxMetricWindow, max(DefaultMetricWindow, g.Period))
	if r.has("expression") || r.has("metrics") {
		g.Expression, g.Metrics = r.expression()
	} else {
		g.Metric = r.metric()
	}
	switch {
	case !r.has("max") && !r.has("min"):
		r.add(Problem{Path: "max", Want: wantBound})
	case g.Max != nil && g.Min != nil && *g.Min > *g.Max:
		r.refuse("min", wantMinBelowMax)
	}
	if g.MustHaveData && g.Missing == Pass {
		r.refuse(mustHaveData, wantNotMissing)
	}
	r.comparison(&g)
	r.refuseUnknown(metricGateNames)
	return g
}

// comparison reads and checks the fields of a comparison with the baseline.
func (r *reader) comparison(g *MetricGate) {
	if !g.RelativeToBaseline {
		if r.has("margin") {
			r.refuse("margin", wantRelative)
		}
		return
	}
	g.Margin = r.number("margin", 0, 1e15, 0)
	for _, path := range []string{"max", "min"} {
		if bound, ok := AsNumber(r.fields[path]); ok && bound < 0 {
			r.refuse(path, wantMultiple)
		}
	}
	if g.Expression == "" && countForm.MatchString(g.Statistic) {
		r.add(Problem{Path: "statistic", Given: Given(r.fields["statistic"]), Want: wantComparable})
	}
	if !g.perVersion() {
		r.refuse("relative-to-baseline", wantPerVersion)
	}
}

// perVersion reports whether the gate's query differs between versions.
func (g MetricGate) perVersion() bool {
	for _, m := range append(slices.Collect(maps.Values(g.Metrics)), g.Metric) {
		for _, value := range m.Dimensions {
			if strings.Contains(value, "${version}") {
				return true
			}
		}
	}
	return false
}

// form reads a required string that must match a form.
func (r *reader) form(path string, form *lazyregexp.Regexp, want string) string {
	text, ok := r.required(path, want)
	if ok && !form.MatchString(text) {
		r.refuse(path, want)
	}
	return text
}

// named reads a required string that CloudWatch must accept as a name; problem
// returns what is wrong with it, and want says what is right.
func (r *reader) named(path string, problem func(string) string, want string) string {
	text, ok := r.required(path, want)
	if found := problem(text); ok && found != "" {
		r.refuse(path, found)
	}
	return text
}

func (r *reader) bound(path string) *float64 {
	if !r.has(path) {
		return nil
	}
	bound, ok := AsNumber(r.fields[path])
	if !ok {
		r.refuse(path, wantNumber)
		return nil
	}
	return &bound
}

func (r *reader) period(path string) int64 {
	period := r.integer(path, 60, MaxMetricWindow, DefaultMetricPeriod)
	if period%60 != 0 || MaxMetricWindow%period != 0 {
		r.refuse(path, wantPeriod)
		return DefaultMetricPeriod
	}
	return period
}

// metric reads the metric whose fields the reader has, among others.
func (r *reader) metric() Metric {
	m := Metric{
		Namespace:  r.named("namespace", NamespaceProblem, wantNamespace),
		Name:       r.named("metric", MetricNameProblem, wantMetricName),
		Statistic:  r.text("statistic", wantStatistic, "Sum"),
		Dimensions: r.dimensions("dimensions"),
	}
	for _, path := range []string{"namespace", "metric"} {
		var text string
		if json.Unmarshal(r.fields[path], &text) == nil && placeholderForm.MatchString(text) {
			r.refuse(path, wantPlainName)
		}
	}
	if m.Statistic != "" && !statisticForm.MatchString(m.Statistic) {
		r.refuse("statistic", wantStatistic+DidYouMean(m.Statistic, statistics))
	}
	return m
}

func (r *reader) dimensions(path string) map[string]string {
	if !r.has(path) {
		return nil
	}
	values := r.object(path)
	if len(values.fields) > MaxDimensions {
		r.refuse(path, wantDimensions)
		return nil
	}
	dimensions := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(values.fields)) {
		if problem := DimensionNameProblem(name); problem != "" {
			values.add(Problem{Path: fieldPath(name), Given: Given(values.fields[name]), Want: problem})
			continue
		}
		value, ok := values.required(name, wantDimensionValue)
		switch {
		case !ok:
		case badPlaceholder(value) != "":
			values.refuse(name, badPlaceholder(value))
		case DimensionValueProblem(value) != "":
			values.refuse(name, DimensionValueProblem(value))
		}
		dimensions[name] = value
	}
	if len(dimensions) == 0 {
		return nil
	}
	return dimensions
}
