package rollout

import (
	"maps"
	"slices"
	"strings"

	"github.com/lambda-rollout/lambda-rollout/lambdas/lazyregexp"
)

// placeholderForm matches a placeholder, closed or not.
var placeholderForm = lazyregexp.New(`\$\{[^}]*\}?`)

// badPlaceholder returns what is wrong with a value's placeholders; "" if nothing
// is.
func badPlaceholder(value string) string {
	for _, found := range placeholderForm.FindAllString(value, -1) {
		name := strings.TrimPrefix(found, "${")
		name, closed := strings.CutSuffix(name, "}")
		if !closed || !slices.Contains(placeholders, name) {
			return wantPlaceholders(name)
		}
	}
	return ""
}

// Expand returns text with the placeholders ${version}, ${baseline}, ${alias} and
// ${function} replaced.
func Expand(text, version, baseline, alias, function string) string {
	return strings.NewReplacer("${version}", version, "${baseline}", baseline, "${alias}", alias, "${function}", function).Replace(text)
}

// expressionToken splits an expression as far as needed here: a quoted string, a
// number with its suffix, a name, and any other character.
var expressionToken = lazyregexp.New(`'[^']*'?|"[^"]*"?|[0-9.][0-9A-Za-z_.]*|[A-Za-z_][A-Za-z0-9_]*|(?s:.)`)

// RenameIDs returns the metric math expression with each query's ID replaced by
// what renamed returns for it. IDs begin with a lower-case letter; the names of
// functions don't.
func RenameIDs(expression string, renamed func(id string) string) string {
	return expressionToken.ReplaceAllStringFunc(expression, func(token string) string {
		if token[0] >= 'a' && token[0] <= 'z' {
			return renamed(token)
		}
		return token
	})
}

// expression reads an expression and its metrics by ID.
func (r *reader) expression() (string, map[string]Metric) {
	for _, path := range metricNames {
		if r.has(path) {
			r.refuse(path, wantInMetrics)
		}
	}
	expression, ok := r.required("expression", wantExpression)
	metrics := map[string]Metric{}
	ids := r.object("metrics")
	if !r.has("metrics") {
		r.refuse("metrics", wantMetrics)
		return expression, metrics
	}
	if ids.fields != nil && (len(ids.fields) == 0 || len(ids.fields) > MaxMetrics) {
		r.refuse("metrics", wantMetricIDs())
		return expression, metrics
	}
	for _, id := range slices.Sorted(maps.Keys(ids.fields)) {
		if !metricIDForm.MatchString(id) {
			ids.add(Problem{Path: fieldPath(id), Want: wantMetricID})
			continue
		}
		if fields := ids.object(id); fields.fields != nil {
			metrics[id] = fields.metric()
			fields.refuseUnknown(metricNames)
		}
	}
	if ok {
		r.namesIn(expression, slices.Sorted(maps.Keys(ids.fields)))
	}
	return expression, metrics
}

// namesIn checks that an expression uses the queries with these IDs and no others:
// the request to CloudWatch has those of other gates too.
func (r *reader) namesIn(expression string, ids []string) {
	switch {
	case len(expression) > MaxExpression:
		r.refuse("expression", wantCharacters(MaxExpression))
		return
	case strings.Contains(expression, "${"):
		r.refuse("expression", wantPlainMath)
		return
	case slices.Contains(expressionToken.FindAllString(expression, -1), "METRICS"):
		r.refuse("expression", wantNamedMetrics)
		return
	}
	used := map[string]bool{}
	RenameIDs(expression, func(id string) string {
		if !used[id] && !slices.Contains(ids, id) {
			r.refuse("expression", wantKnownMetric(id, ids))
		}
		used[id] = true
		return id
	})
	for _, id := range ids {
		if !used[id] && metricIDForm.MatchString(id) {
			r.add(Problem{Path: "metrics." + id, Want: wantUsed})
		}
	}
}
