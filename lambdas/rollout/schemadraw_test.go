package rollout_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// draws draws JSON, as jsonschema.UnmarshalJSON reads it.
type draws func(*rapid.T) any

// oneOf draws one of these texts of JSON.
func oneOf(texts ...string) draws {
	return func(t *rapid.T) any { return tree(rapid.SampledFrom(texts).Draw(t, "value")) }
}

// list draws each of these.
func list(of ...draws) draws {
	return func(t *rapid.T) any {
		items := []any{}
		for _, draw := range of {
			items = append(items, draw(t))
		}
		return items
	}
}

// with draws one of these texts of objects, and most of the fields.
func with(fields map[string]draws, objects ...string) draws {
	return func(t *rapid.T) any {
		object := oneOf(objects...)(t).(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(fields)) {
			if rapid.IntRange(0, 3).Draw(t, name) > 0 {
				object[name] = fields[name](t)
			}
		}
		return object
	}
}

var (
	aFlag   = oneOf(`true`, `false`)
	aCall   = oneOf(`"f"`, `"f:live"`, `"123456789012:function:f:$LATEST"`, `"f:$LATEST.PUBLISHED"`, `"arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:f:3"`)
	anyJSON = oneOf(`null`, `0`, `""`, `[]`, `{"a": [1.50, {}]}`, `"`+strings.Repeat("x", 16382)+`"`)
	aFactor = oneOf(`1`, `1.5`, `100`)
	aChance = oneOf(`1e-9`, `0.01`, `0.5`)
	aHook   = list(oneOf(`"first"`), with(map[string]draws{"timeout": oneOf(`1`, `600`), "payload": anyJSON, "function": aCall}, `{"function": "g"}`))

	dimensions = oneOf(`{}`, `{"A": "${function}-$x$", "B": "${version}${alias}", "C": "$${baseline}{}", " a:": ": ~", "`+strings.Repeat("d", 255)+`": "`+strings.Repeat("v", 1024)+`"}`)
	statistic  = oneOf(`"Sum"`, `"p99.9"`, `"TM(10%:90%)"`, `"PR(100:2e3)"`)
	gateFields = map[string]draws{"period": oneOf(`60`, `900`, `43200`), "window": oneOf(`43200`), "missing": oneOf(`"pass"`, `"inconclusive"`), "must-have-data": oneOf(`false`)}
	both       = func(a, b map[string]draws) map[string]draws { c := maps.Clone(a); maps.Copy(c, b); return c }

	aHealth = with(map[string]draws{
		"errors": with(map[string]draws{"alpha": aChance, "ratio": aFactor, "margin": oneOf(`0`, `1`), "proof-margin": oneOf(`0.0001`, `1`), "tolerance": aFactor,
			"dispersion": oneOf(`1`, `1000`), "strict": aFlag, "throttles": aFlag, "max-hold": oneOf(`0`, `31536000`)}, `{}`),
		"latency": func(t *rapid.T) any {
			if rapid.IntRange(0, 3).Draw(t, "no latency") == 0 {
				return false
			}
			return with(map[string]draws{"alpha": aChance, "ratio": aFactor, "tolerance": aFactor, "strict": aFlag, "warm-up": oneOf(`0`, `31536000`),
				"min-requests-per-minute": oneOf(`0`, `1000000000`), "p50": oneOf(`1`), "p90": oneOf(`80.5`), "p95": oneOf(`300`), "p99": oneOf(`5400000`)}, `{}`)(t)
		},
		"alarms": oneOf(`["a b", "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:ä"]`, `["`+strings.Repeat("a", 255)+`"]`),
		"metrics": list(
			with(both(gateFields, map[string]draws{"dimensions": dimensions, "statistic": statistic, "relative-to-baseline": oneOf(`false`)}),
				`{"name": "a", "namespace": "AWS/SQS", "metric": "M m", "max": -1}`, `{"name": "a", "namespace": " #:~", "metric": ":", "min": 1, "max": 1}`),
			with(both(gateFields, map[string]draws{"metrics": func(t *rapid.T) any {
				return map[string]any{"m": with(map[string]draws{"dimensions": dimensions, "statistic": statistic}, `{"namespace": "N", "metric": "M"}`)(t)}
			}}), `{"name": "b", "expression": "100 * m / FILL(m, 'METRICS')", "metrics": {"m": {"namespace": "N", "metric": "M"}}, "min": 0}`,
				`{"name": "b", "expression": "NO_METRICS + m", "metrics": {"m": {"namespace": "N", "metric": "M"}}, "min": 0}`),
			with(both(gateFields, map[string]draws{"margin": oneOf(`0`, `1e15`), "min": oneOf(`0`, `0.5`)}),
				`{"name": "c", "namespace": "N", "metric": "M", "statistic": "Average", "dimensions": {"V": "x${version}"}, "relative-to-baseline": true, "max": 1.5}`,
				`{"name": "c", "expression": "m", "metrics": {"m": {"namespace": "N", "metric": "M", "dimensions": {"V": "${version}"}}}, "relative-to-baseline": true, "max": 1.5}`)),
		"probes": list(with(map[string]draws{"payload": anyJSON, "expect": anyJSON, "equals": oneOf(`{"$": null, "$.a_ü-1[0]['b c']": 1}`), "max-duration": oneOf(`1`, `1000`), "count": oneOf(`5`, `20`),
			"timeout": oneOf(`1`, `30`), "when": oneOf(`"each-check"`, `"before-traffic"`, `"both"`), "secret": aFlag, "must-have-data": aFlag},
			`{"name": "p"}`, `{"name": "p", "count": 5, "concurrency": 5}`, `{"name": "p", "count": 2, "concurrency": 2}`, `{"name": "p", "concurrency": 1}`)),
		"endpoints": list(with(map[string]draws{"headers": oneOf(`{"Accept": "text/plain", "X-1": " "}`), "secret-headers": oneOf(`{"Authorization": "ssm:/a", "X-Api-Key": "secretsmanager:a/b#c d"}`),
			"status": oneOf(`200`, `599`, `[200]`, `[200, 301, 200]`), "expect": anyJSON, "timeout": oneOf(`1`, `30`), "must-have-data": aFlag},
			`{"name": "e", "url": "https://API.example.com:443/v1/o?dry=1&x=%20"}`, `{"name": "e", "url": "HTTPS://_x.a-b?@", "method": "POST", "body": null}`,
			`{"name": "e", "url": "https://x.localhosts:065535", "method": "GET"}`, `{"name": "e", "url": "https://localhost.x/a b", "method": "POST"}`)),
		"checks": list(oneOf(`"f"`), with(map[string]draws{"name": oneOf(`"n"`), "timeout": oneOf(`1`, `30`), "payload": anyJSON, "must-have-data": aFlag}, `{"function": "g:$LATEST"}`, `{"function": "h"}`)),

		"alarms-must-have-data": oneOf(`false`), "min-invocations": oneOf(`1`, `1000000000`), "on-no-traffic": oneOf(`"proceed"`, `"wait"`, `"roll-back"`),
	}, `{}`)

	anInput = with(map[string]draws{
		"function-name": oneOf(`"f"`, `"123456789012:function:f"`, `"arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:f"`), "alias-name": oneOf(`"live"`, `"7a"`),
		"new-version": oneOf(`"2"`, `2`, `1e1`, `"999999999999999999"`), "check-interval": oneOf(`10`, `6e1`, `31536000`), "bake": oneOf(`0`, `86400`),
		"advance": oneOf(`"schedule"`, `"evidence"`), "health": aHealth, "health-check": oneOf(`true`, `true`, `true`, `false`),
		"hooks": with(map[string]draws{"pre-traffic": aHook, "post-traffic": aHook}, `{}`), "max-pause": oneOf(`60`, `86400`), "release": with(map[string]draws{"together": oneOf(`true`, `false`), "max-wait": oneOf(`60`, `86400`)}, `{"execution": "arn:aws:states:eu-central-1:123456789012:execution:m:e", "member": "a-b_1"}`), "approval": with(map[string]draws{"timeout": oneOf(`60`, `31536000`)}, `{"before-weights": [1, 1]}`),
		"windows":             list(with(map[string]draws{"days": oneOf(`"daily"`, `"mon-thu"`, `"Sat, sun"`, `"FRIDAY-tue"`), "time-zone": oneOf(`"UTC"`, `"Europe/Berlin"`, `"Etc/GMT+12"`)}, `{"from": "00:00", "to": "24:00"}`, `{"from": "22:30", "to": "04:00"}`)),
		"freeze":              oneOf(`[{"from": "2026-12-18T18:00:00+01:00", "to": "2027-01-04T06:00:00.5Z"}]`),
		"notify":              with(map[string]draws{"shifted": aFlag, "chat": aFlag}, `{"topics": ["arn:aws-cn:sns:cn-north-1:210987654321:x_Y-1", "arn:aws:sns:eu-west-1:123456789012:x"]}`),
		"red-alarms-at-start": oneOf(`"ignore"`, `"refuse"`), "provisioned-concurrency": oneOf(`"refuse"`, `"ignore"`, `"move"`), "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID": anyJSON,
	}, shaped(`"steps": 10, "interval": 120`, `"type": "linear", "steps": 1000, "interval": 1`, `"type": "exponential", "steps": 14, "interval": 2e1`,
		`"type": "geometric", "steps": 2, "interval": 60, "first-weight": 0.9999`, `"type": "geometric", "steps": 400, "interval": 60`,
		`"type": "canary", "interval": 1, "first-weight": 0.00005`, `"type": "canary", "interval": 1, "steps": 2, "first-weight": 0.5`,
		`"type": "custom", "interval": 1, "weights": [0.00005, 0.5, 1]`, `"type": "custom", "interval": 31000000, "weights": [1], "steps": 1`,
		`"type": "all-at-once", "steps": 1, "interval": 60`, `"type": "AllAtOnce"`, `"type": "Canary10Percent5Minutes", "steps": 2, "interval": 300`,
		`"type": "CodeDeployDefault.LambdaLinear10PercentEvery3Minutes", "interval": 180`, `"type": "Linear30PercentEvery7Minutes", "steps": 4`)...)
)

func shaped(shapes ...string) []string {
	for i, shape := range shapes {
		shapes[i] = `{"function-name": "f", "alias-name": "live", "new-version": "2", ` + shape + `}`
	}
	return shapes
}

// drawTree draws an input that is good as a rule.
func drawTree(t *rapid.T) map[string]any {
	input := anInput(t).(map[string]any)
	if input["health-check"] == false {
		delete(input, "health")
		delete(input, "advance")
	}
	return input
}

// fieldOf is a field of an object.
type fieldOf struct {
	object map[string]any
	name   string
}

// placesIn are all places in a tree, as functions that put a value there, with
// the values that are there; and those of them that are fields.
func placesIn(root any) (places []func(any), values []any, fields []fieldOf) {
	var walk func(any)
	place := func(put func(any), value any) {
		places, values = append(places, put), append(values, value)
		walk(value)
	}
	walk = func(at any) {
		switch at := at.(type) {
		case map[string]any:
			for _, name := range slices.Sorted(maps.Keys(at)) {
				fields = append(fields, fieldOf{at, name})
				place(func(v any) { at[name] = v }, at[name])
			}
		case []any:
			for i := range at {
				place(func(v any) { at[i] = v }, at[i])
			}
		}
	}
	walk(root)
	return places, values, fields
}

// spoil changes one thing in a tree.
func spoil(t *rapid.T, root any) {
	places, values, fields := placesIn(root)
	i, j := rapid.IntRange(0, len(places)-1).Draw(t, "place"), rapid.IntRange(0, len(places)-1).Draw(t, "other place")
	field := fields[rapid.IntRange(0, len(fields)-1).Draw(t, "field")]
	switch rapid.IntRange(0, 6).Draw(t, "change") {
	case 0:
		delete(field.object, field.name)
	case 1:
		field.object[rapid.SampledFrom([]string{"unknown", "", strings.ToUpper(field.name), field.name + "\n", "Host", "x-Token", "${x", ":a"}).Draw(t, "name")] = copied(values[i])
	case 2:
		other := fields[rapid.IntRange(0, len(fields)-1).Draw(t, "other field")]
		field.object[other.name] = copied(other.object[other.name])
	case 3:
		places[i](oneOf(`null`, `true`, `false`, `-1`, `0`, `1`, `0.5`, `1.5`, `2`, `14`, `3e7`, `1e16`, `""`, `"x"`, `"a b"`, `"7"`, `"Sun"`, `"${version}"`, `"$LATEST"`, `"$LATEST.PUBLISHED"`, `"ü"`,
			`[]`, `{}`, `[1]`, `["x"]`, `{"x": 1}`, `"`+strings.Repeat("y", 300)+`"`)(t))
	case 4:
		places[i](copied(values[j]))
	default:
		switch value := values[i].(type) {
		case json.Number:
			n, _ := value.Float64()
			places[i](rapid.SampledFrom([]float64{n + 1, n - 1, n * 1000, n / 1000, -n, n + 0.00004}).Draw(t, "number"))
		case string:
			more := rapid.SampledFrom([]string{"\n", "$", "${", "${x}", "%", "#", ":", "/", ".", "é", "METRICS", ".localhost", ":99999", "\x7f"}).Draw(t, "more")
			places[i](rapid.SampledFrom([]string{value + more, more + value}).Draw(t, "text"))
		case []any:
			places[i](append(value, copied(value).([]any)...))
		}
	}
}

func copied(value any) any { return tree(text(value)) }

func text(value any) string {
	data, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(data)
}

// strictness draws an input and spoils it. It says what Decode takes and the
// schema refuses, and whether both refuse the spoilt one.
func (s inputSchema) strictness(t *rapid.T) (problem string, input map[string]any, refused bool) {
	input = drawTree(t)
	good := text(input)
	if decodes(good) && !s.takes(good) {
		return "the schema refuses " + good + "\n" + fmt.Sprint(s.Validate(tree(good))), nil, false
	}
	spoilt := tree(good)
	spoil(t, spoilt)
	bad := text(spoilt)
	if refused = !s.takes(bad); refused && decodes(bad) {
		return "the schema refuses " + bad + "\n" + fmt.Sprint(s.Validate(tree(bad))), nil, false
	}
	if !decodes(good) {
		input = nil
	}
	return "", input, refused
}

// TestTheSchemaIsNeverStricterThanDecode draws inputs with all fields, and
// spoils each in one place.
func TestTheSchemaIsNeverStricterThanDecode(t *testing.T) {
	schema, seen, drawn, good, refused := readSchema(t), map[string]bool{}, 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		problem, input, spoilt := schema.strictness(t)
		if problem != "" {
			t.Fatal(problem)
		}
		drawn++
		if input != nil {
			good++
			maps.Copy(seen, pathsOf(input))
		}
		if spoilt {
			refused++
		}
	})
	t.Logf("%d inputs, %d of them good; %d were refused when they were spoilt", drawn, good, refused)
	if good < drawn/2 || refused < drawn/5 {
		t.Errorf("of %d inputs, %d were good, and %d were refused when they were spoilt: the property is hardly tested", drawn, good, refused)
	}
	for path := range schema.fields() {
		if !seen[path] {
			t.Errorf("no input with %s was drawn", path)
		}
	}
}

// kindProblems puts a value of each kind into each place of a few good inputs.
// There the schema and Decode agree: what is of the wrong kind needs no arithmetic.
func (s inputSchema) kindProblems() (problems []string) {
	good := 0
	for seed := range 3 {
		input := rapid.Custom(drawTree).Example(seed)
		if !decodes(text(input)) {
			continue
		}
		good++
		places, values, _ := placesIn(input)
		for i, put := range places {
			for _, other := range []any{nil, true, "", []any{}, map[string]any{}} {
				put(other)
				changed := text(input)
				if decoded := decodes(changed); decoded != s.takes(changed) {
					problems = append(problems, fmt.Sprintf("%s in the place of %s: taken by Decode: %v, but not alike by the schema", text(other), text(values[i]), decoded))
				}
			}
			put(values[i])
		}
	}
	if good < 2 {
		problems = append(problems, "hardly any input is good")
	}
	return problems
}

func TestTheSchemaKnowsWhatKindEachFieldIsOf(t *testing.T) {
	for _, problem := range readSchema(t).kindProblems() {
		t.Error(problem)
	}
}
