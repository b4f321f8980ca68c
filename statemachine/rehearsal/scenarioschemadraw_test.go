package rehearsal

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// drawn draws a value of a part of the schema. What the fields of one object have to do
// with each other is left to chance.
func (s scenarioSchema) drawn(t *rapid.T, at any) any {
	node := s.node(at)
	if words, ok := node["enum"].([]any); ok {
		return rapid.SampledFrom(words).Draw(t, "word")
	}
	switch node["type"] {
	case "object":
		return s.drawnObject(t, node)
	case "array":
		items := []any{}
		for range rapid.IntRange(0, 2).Draw(t, "items") {
			items = append(items, s.drawn(t, node["items"]))
		}
		return items
	case "boolean":
		return rapid.Bool().Draw(t, "flag")
	case "string":
		return s.drawnText(t, node)
	case "integer", "number":
		numbers := []json.Number{node["maximum"].(json.Number), node["minimum"].(json.Number), "0", "1", "6e1", "200.0"}
		if of, ok := node["default"].(json.Number); ok {
			numbers = append(numbers, of)
		}
		if node["type"] == "number" {
			numbers = append(numbers, "0.5", "0.25")
		}
		n := rapid.SampledFrom(numbers).Filter(func(n json.Number) bool { return between(n, node) }).Draw(t, "number")
		return n
	}
	return treeOf(rapid.SampledFrom([]string{`null`, `0`, `""`, `{"a": [1.50, {}]}`}).Draw(t, "any JSON"))
}

func between(n json.Number, node map[string]any) bool {
	value, _ := n.Float64()
	low, _ := node["minimum"].(json.Number).Float64()
	high, _ := node["maximum"].(json.Number).Float64()
	return value >= low && value <= high
}

func (s scenarioSchema) drawnText(t *rapid.T, node map[string]any) string {
	if examples, ok := node["examples"].([]any); ok {
		return rapid.SampledFrom(examples).Draw(t, "example").(string)
	}
	if pattern, ok := node["pattern"].(string); ok {
		return rapid.StringMatching(pattern).Draw(t, "text")
	}
	return rapid.SampledFrom([]string{"x", "ö <b>", "7"}).Draw(t, "text")
}

func (s scenarioSchema) drawnObject(t *rapid.T, node map[string]any) map[string]any {
	object := map[string]any{}
	properties, _ := node["properties"].(map[string]any)
	required, _ := node["required"].([]any)
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		if slices.Contains(required, any(name)) || rapid.IntRange(0, 2).Draw(t, name) == 0 {
			object[name] = s.drawn(t, properties[name])
		}
	}
	if values, ok := node["additionalProperties"].(map[string]any); ok {
		for range rapid.IntRange(0, 2).Draw(t, "entries") {
			name := "any name"
			if names, ok := node["propertyNames"]; ok {
				name = s.drawnText(t, s.node(names))
			}
			object[name] = s.drawn(t, values)
		}
	}
	return object
}

// drawnScenario draws a scenario that is good as a rule.
func (s scenarioSchema) drawnScenario(t *rapid.T) map[string]any {
	scenario := s.drawn(t, s.document).(map[string]any)
	if p, ok := scenario["provisioned-concurrency"].(map[string]any); ok {
		delete(p, "baseline")
	}
	metrics, _ := scenario["metrics"].(map[string]any)
	for _, metric := range metrics {
		metric.(map[string]any)["silent"] = true
	}
	list := func(name string) (objects []map[string]any) {
		items, _ := scenario[name].([]any)
		for _, item := range items {
			objects = append(objects, item.(map[string]any))
		}
		return objects
	}
	if b, ok := scenario["baseline"].(map[string]any); ok && b["inactive"] == true {
		scenario["history"] = json.Number("0")
	}
	for _, change := range list("changes") {
		delete(change, rapid.SampledFrom([]string{"after", "after-share"}).Draw(t, "not"))
		if change["after-share"] == nil {
			change["after"] = json.Number("60")
		} else {
			delete(change, "after")
			change["after-share"] = json.Number("1")
		}
		delete(change, "metrics")
		if len(metrics) > 0 {
			change["metrics"] = map[string]any{slices.Sorted(maps.Keys(metrics))[0]: map[string]any{"value": json.Number("1"), "new-version": json.Number("2"), "noise": json.Number("3"), "silent": false}}
		}
		delete(change, rapid.SampledFrom([]string{"order", "order-text"}).Draw(t, "not"))
		if change["order"] == nil && change["order-text"] == nil {
			delete(change, "by")
			change["stop"] = true
		}
	}
	for _, fault := range list("faults") {
		if rapid.Bool().Draw(t, "of a task") {
			delete(fault, "operation")
			fault["task"], fault["kind"] = "*", "inactive"
		} else {
			delete(fault, "task")
			fault["operation"] = "UpdateAlias"
			if fault["kind"] == "inactive" || fault["kind"] == "out-of-memory" {
				fault["kind"] = "slow"
			}
		}
		delete(fault, "delay")
		if fault["kind"] == "slow" {
			fault["delay"] = json.Number("1")
		}
		delete(fault, "until")
		if rapid.Bool().Draw(t, "until") {
			fault["from"], fault["until"] = json.Number("10"), json.Number("10.5")
		}
	}
	return scenario
}

// spoiltBy changes one thing in a scenario.
func spoiltBy(t *rapid.T, root any) {
	type place struct {
		put   func(any)
		value any
		in    map[string]any
		name  string
	}
	var places []place
	var walk func(any)
	walk = func(at any) {
		switch at := at.(type) {
		case map[string]any:
			for _, name := range slices.Sorted(maps.Keys(at)) {
				places = append(places, place{func(v any) { at[name] = v }, at[name], at, name})
				walk(at[name])
			}
		case []any:
			for i := range at {
				places = append(places, place{func(v any) { at[i] = v }, at[i], nil, ""})
				walk(at[i])
			}
		}
	}
	walk(root)
	if len(places) == 0 {
		return
	}
	p := rapid.SampledFrom(places).Draw(t, "place")
	change := rapid.IntRange(0, 6).Draw(t, "change")
	switch {
	case change == 0 && p.in != nil:
		delete(p.in, p.name)
	case change == 1 && p.in != nil:
		p.in[rapid.SampledFrom([]string{"unknown", "", strings.ToUpper(p.name), strings.ToUpper(p.name[:min(1, len(p.name))]) + p.name[min(1, len(p.name)):], p.name + "s", ":a"}).Draw(t, "name")] = p.value
	case change <= 3:
		p.put(treeOf(rapid.SampledFrom([]string{`null`, `true`, `false`, `-1`, `0`, `0.5`, `2`, `25`, `199`, `600`, `901`, `1e16`, `1e400`, `-1e400`, `1e20`, `""`, `"x"`, `"7"`, `"ü"`, `"OK"`, `"*"`, `[]`, `{}`, `[1]`, `{"x": 1}`}).Draw(t, "value")))
	default:
		switch value := p.value.(type) {
		case json.Number:
			n, _ := value.Float64()
			text, _ := json.Marshal(rapid.SampledFrom([]float64{n + 1, n - 1, n * 1000, n / 1000, -n, n + 0.25}).Draw(t, "number"))
			p.put(json.Number(text))
		case string:
			p.put(value + rapid.SampledFrom([]string{"\n", "é", ":", strings.Repeat("y", 300), "s"}).Draw(t, "more"))
		case map[string]any:
			p.put(map[string]any{})
		}
	}
}

// beyondSchema are the problems that a JSON Schema can't state, each with the reason.
var beyondSchema = map[string]string{
	wantKnownMetric(Scenario{})[:20]: "one list's names are compared with another's",
	wantAfterFrom:                    "two fields are compared",
	wantAlarm:                        "the limit is in bytes",
	"must be one of *, ":             "the operations are the local AWS's, of which there are many",
	"can't be: ":                     "it is below the resolution of times",
}

// ordersAsRead puts the word that each order means in its place: the schema lists the
// words, and ParseScenario also takes other spellings of them.
func ordersAsRead(scenario any) any {
	root, _ := scenario.(map[string]any)
	changes, _ := root["changes"].([]any)
	for _, change := range changes {
		change, _ := change.(map[string]any)
		if text, ok := change["order"].(string); ok {
			if order, known := rollout.ReadCommand(text); known {
				change["order"] = string(order)
			}
		}
	}
	return scenario
}

// agree returns what the schema and ParseScenario differ in about a scenario, and
// whether both refuse it.
func (s scenarioSchema) agree(scenario any) (problem string, refused bool) {
	text, err := json.Marshal(scenario)
	if err != nil {
		panic(err)
	}
	bySchema := s.Validate(ordersAsRead(treeOf(string(text))))
	_, byGo := ParseScenario(text)
	var problems *ScenarioError
	switch {
	case byGo != nil && !errors.As(byGo, &problems):
		return "an error of another type: " + byGo.Error(), false
	case byGo == nil && bySchema != nil:
		return "the schema alone refuses " + string(text) + "\n" + bySchema.Error(), false
	case byGo != nil && bySchema == nil:
		for _, p := range problems.Problems {
			known := false
			for want := range beyondSchema {
				known = known || strings.HasPrefix(p.Want, want)
			}
			if !known {
				return "the schema takes " + string(text) + "\n" + byGo.Error(), false
			}
		}
	}
	return "", byGo != nil
}

// TestTheSchemaAndParseScenarioAgree about drawn scenarios, and about the same with one
// thing changed.
func TestTheSchemaAndParseScenarioAgree(t *testing.T) {
	schema := readScenarioSchema(t)
	drawn, good, spoilt, unseen := 0, 0, 0, schema.fields()
	see := func(scenario any) {
		text, _ := json.Marshal(scenario)
		world, _ := ParseScenario(text)
		for path := range valuesOf(world) {
			delete(unseen, path)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		for range 5 {
			scenario := schema.drawnScenario(t)
			problem, refused := schema.agree(scenario)
			if problem != "" {
				t.Fatal(problem)
			}
			drawn++
			if refused {
				continue
			}
			good++
			see(scenario)
			spoiltBy(t, scenario)
			if problem, refused = schema.agree(scenario); problem != "" {
				t.Fatal(problem)
			}
			if refused {
				spoilt++
			}
		}
	})
	t.Logf("%d scenarios, %d of them good; %d were refused when one thing was changed", drawn, good, spoilt)
	if good < drawn/2 || spoilt < good/4 {
		t.Errorf("of %d scenarios, %d were good, and %d were refused when one thing was changed: the property is hardly tested", drawn, good, spoilt)
	}
	// Fields that lie deep are drawn seldom. These draws are the same in each run.
	generator := rapid.Custom(schema.drawnScenario)
	for seed := 0; len(unseen) > 0 && seed < 2000; seed++ {
		see(generator.Example(seed))
	}
	for path := range unseen {
		t.Errorf("no scenario with %s was drawn", path)
	}
}

// TestTheAgreementOfTheSchemaCanFail breaks the schema, and gives it a scenario that
// it then judges in another way.
func TestTheAgreementOfTheSchemaCanFail(t *testing.T) {
	for _, test := range []struct{ old, new, scenario string }{
		{`"maximum": 900,`, `"maximum": 901,`, `{"timeout": 901}`},
		{`"maximum": 24,`, `"maximum": 23,`, `{"day": {"peak-hour": 24}}`},
		{`"share": {"type": "number", "minimum": 0`, `"share": {"type": "number", "minimum": -1`, `{"baseline": {"error-rate": -0.5}}`},
		{`"not": {"required": ["order", "order-text"]}`, `"$comment": ""`, `{"changes": [{"after": 1, "order": "pause", "order-text": "x"}]}`},
		{`"dependentSchemas": {"by"`, `"dependentSchemas": {"redrive"`, `{"changes": [{"after": 1, "stop": true, "by": "x"}]}`},
		{`"required": ["kind"],`, ``, `{"faults": [{"operation": "GetAlias", "delay": 1}]}`},
		{`"then": {"properties": {"history": {"const": 0}}}`, `"$comment": ""`, `{"history": 60, "baseline": {"inactive": true}}`},
		{`"enum": [false]`, `"enum": [false, true]`, `{"changes": [{"after": 1, "baseline": {"inactive": true}}]}`},
		{`{"required": ["alias-routing-lag"]}`, `{"required": ["latency"]}`, `{"changes": [{"after": 1, "alias-routing-lag": 0}]}`},
		{`"maximum": 100}`, `"maximum": 100.5}`, `{"new-version": {"environments": {"factor": 100.5}}}`},
		{`"required": ["silent"]}]`, `"maxProperties": 9}]`, `{"metrics": {"m": {"namespace": "N", "metric": "M"}}}`},
	} {
		if problem, _ := readScenarioSchema(t).agree(treeOf(test.scenario)); problem != "" {
			t.Error(problem)
		}
		if problem, _ := readScenarioSchema(t, test.old, test.new).agree(treeOf(test.scenario)); problem == "" {
			t.Errorf("with %s in place of %s, the schema agrees about %s", test.new, test.old, test.scenario)
		}
	}
}
