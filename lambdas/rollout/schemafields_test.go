package rollout_test

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// startedBy is the one field of an input that a request does not keep.
const startedBy = "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID"

// fields are all fields that the schema has, by their paths. Lists have no part
// in a path, and "*" is the id of a metric.
func (s inputSchema) fields() map[string]map[string]any {
	fields := map[string]map[string]any{}
	var walk func(path string, at map[string]any)
	walk = func(path string, at map[string]any) {
		if ref, ok := at["$ref"].(string); ok {
			walk(path, s.resolve(ref))
		}
		properties, _ := at["properties"].(map[string]any)
		for name, property := range properties {
			fields[path+name] = property.(map[string]any)
			walk(path+name+".", fields[path+name])
		}
		for inner, below := range map[string]string{"items": path, "additionalProperties": path + "*."} {
			if next, ok := at[inner].(map[string]any); ok {
				walk(below, next)
			}
		}
		choices, _ := at["anyOf"].([]any)
		for _, choice := range choices {
			walk(path, choice.(map[string]any))
		}
	}
	walk("", s.document)
	return fields
}

// resolve finds what a reference in the schema is to.
func (s inputSchema) resolve(ref string) map[string]any {
	at := s.document
	for _, name := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
		at, _ = at[name].(map[string]any)
	}
	return at
}

// keyword is that of a field, or of what it refers to.
func (s inputSchema) keyword(field map[string]any, name string) (any, bool) {
	for field != nil {
		if value, ok := field[name]; ok {
			return value, true
		}
		ref, _ := field["$ref"].(string)
		field = s.resolve(ref)
	}
	return nil, false
}

// pathsOf are the fields of an input, as those of the schema are called.
func pathsOf(input any) map[string]bool {
	paths := map[string]bool{}
	var walk func(path string, at any)
	walk = func(path string, at any) {
		switch at := at.(type) {
		case map[string]any:
			for name, value := range at {
				if path == "health.metrics.metrics." {
					name = "*"
				}
				paths[path+name] = true
				walk(path+name+".", value)
			}
		case []any:
			for _, item := range at {
				walk(path, item)
			}
		}
	}
	walk("", input)
	return paths
}

// requestFields are the fields of the Go types, by the same paths: their
// values in a request. An element of each list is in it.
func requestFields(request rollout.Request) map[string]reflect.Value {
	fields := map[string]reflect.Value{}
	var walk func(path string, at reflect.Value)
	walk = func(path string, at reflect.Value) {
		switch at.Kind() {
		case reflect.Struct:
			for i := range at.NumField() {
				field, value := at.Type().Field(i), at.Field(i)
				name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
				switch {
				case field.Anonymous:
					walk(path, value)
					continue
				case field.Name == "Gates":
					name = "health"
				}
				fields[path+name] = value
				walk(path+name+".", value)
			}
		case reflect.Pointer:
			walk(path, at.Elem())
		case reflect.Slice:
			for i := range at.Len() {
				walk(path, at.Index(i))
			}
		case reflect.Map:
			if at.Type().Elem().Kind() == reflect.Struct {
				for _, key := range at.MapKeys() {
					walk(path+"*.", at.MapIndex(key))
				}
			}
		}
	}
	walk("", reflect.ValueOf(request))
	return fields
}

// barest has an element in each list and object, and in that what it can't be without.
const barest = `{"function-name": "f", "alias-name": "live", "new-version": "2", "steps": 2, "interval": 60,
	"health": {"errors": {}, "latency": {}, "metrics": [{"name": "x", "expression": "m", "metrics": {"m": {"namespace": "N", "metric": "M"}}, "max": 1}, {"name": "y", "namespace": "N", "metric": "M", "max": 1}],
		"probes": [{"name": "x"}], "endpoints": [{"name": "x", "url": "https://example.com"}], "checks": [{"function": "f", "name": "x"}]},
	"hooks": {"pre-traffic": [{"function": "f"}], "post-traffic": [{"function": "f"}]}, "approval": {"before-weights": [1]}, "release": {"execution": "arn:aws:states:eu-central-1:123456789012:execution:m:e", "member": "a"}, "notify": {},
	"windows": [{"from": "00:00", "to": "24:00"}], "freeze": [{"from": "2026-12-18T18:00:00+01:00", "to": "2027-01-04T06:00:00Z"}]}`

// fieldProblems are the differences between the schema's fields and the Go
// types', and between its defaults and what Decode fills in.
func (s inputSchema) fieldProblems() (problems []string) {
	request, err := rollout.Decode([]byte(barest))
	if err != nil || !s.takes(barest) {
		return []string{fmt.Sprintf("the barest input: Decode: %v; the schema takes it: %v", err, s.takes(barest))}
	}
	inSchema, inGo, given := s.fields(), requestFields(request), pathsOf(tree(barest))
	for path, field := range inSchema {
		value, ok := inGo[path]
		if !ok && path != startedBy {
			problems = append(problems, path+" is in the schema, and not in a Go type")
		}
		for _, word := range []string{"title", "description"} {
			if said, _ := s.keyword(field, word); said == nil || said == "" {
				problems = append(problems, path+" has no "+word)
			}
		}
		if strict, object := s.closed(field); object && !strict {
			problems = append(problems, path+" takes any field")
		}
		if !ok || given[path] {
			continue
		}
		filled := text(value.Interface())
		switch wanted, has := s.keyword(field, "default"); {
		case has && text(wanted) != filled:
			problems = append(problems, fmt.Sprintf("%s is %s by default, and %s in the schema", path, filled, text(wanted)))
		case !has && !value.IsZero():
			problems = append(problems, fmt.Sprintf("%s is %s by default, and has no default in the schema", path, filled))
		}
	}
	for path := range inGo {
		if inSchema[path] == nil {
			problems = append(problems, path+" is in a Go type, and not in the schema")
		}
	}
	slices.Sort(problems)
	return append(problems, s.typeProblems()...)
}

// closed reports whether a field that is an object takes known fields only, or
// says what all fields must be like.
func (s inputSchema) closed(field map[string]any) (strict, object bool) {
	of, _ := s.keyword(field, "type")
	others, has := s.keyword(field, "additionalProperties")
	return has && others != true, of == "object"
}

var typeName = regexp.MustCompile(`Curve = "([a-z-]+)"`)

// typeProblems are the differences between the types in the schema and those
// in the source, and what the schema says against what each of them leads to.
func (s inputSchema) typeProblems() (problems []string) {
	var inGo, inSchema []string
	source, _ := os.ReadFile("curve.go")
	for _, found := range typeName.FindAllStringSubmatch(string(source), -1) {
		inGo = append(inGo, found[1])
	}
	choices, _ := s.properties()["type"].(map[string]any)["anyOf"].([]any)
	words, _ := choices[0].(map[string]any)["enum"].([]any)
	for _, percent := range []int{1, 7, 50, 99} {
		for _, minutes := range []int{1, 3, 29, 2880} {
			words = append(words, fmt.Sprintf("Canary%dPercent%dMinutes", percent, minutes))
		}
		words = append(words, fmt.Sprintf("Linear%dPercentEvery29Minutes", percent), fmt.Sprintf("CodeDeployDefault.Lambda%v", words[len(words)-1]))
	}
	for _, word := range words {
		name := word.(string)
		if strings.ToLower(name) == name {
			inSchema = append(inSchema, name)
		}
		more := map[string]string{"linear": `"steps": 3, `, "exponential": `"steps": 3, `, "geometric": `"steps": 3, `, "custom": `"weights": [0.5, 1], `}[name]
		if strings.ToLower(name) == name {
			more += `"interval": 60, `
		}
		input := `{"function-name": "f", "alias-name": "live", "new-version": "2", ` + more + `"type": "` + name + `"}`
		request, err := rollout.Decode([]byte(input))
		whole, _ := tree(input).(map[string]any)
		whole["steps"], whole["interval"] = json.Number(fmt.Sprint(request.Steps)), json.Number(fmt.Sprint(request.Interval))
		if err != nil || !s.takes(input) || !s.takes(text(whole)) {
			problems = append(problems, fmt.Sprintf("%s: %v; or the schema refuses it, or the same with its %d steps of %d s", name, err, request.Steps, request.Interval))
		}
		if first := s.firstWeight(name); strings.ToLower(name) == name && request.FirstWeight != first {
			problems = append(problems, fmt.Sprintf("%s begins at %v, and in the schema at %v", name, request.FirstWeight, first))
		}
	}
	slices.Sort(inGo)
	slices.Sort(inSchema)
	if !slices.Equal(inGo, inSchema) {
		problems = append(problems, fmt.Sprintf("types %q, in the schema %q", inGo, inSchema))
	}
	return problems
}

// firstWeight is the default of first-weight with a type; 0 if there is none.
func (s inputSchema) firstWeight(name string) float64 {
	rules, _ := s.document["allOf"].([]any)
	for _, rule := range rules {
		at := inputSchema{document: rule.(map[string]any)}
		if of, _ := at.properties("if")["type"].(map[string]any); of["const"] != name {
			continue
		}
		if field, ok := at.properties("then")["first-weight"].(map[string]any); ok {
			first, _ := field["default"].(json.Number).Float64()
			return first
		}
	}
	return 0
}

func TestTheSchemaHasTheFieldsAndDefaultsOfTheRequest(t *testing.T) {
	for _, problem := range readSchema(t).fieldProblems() {
		t.Error(problem)
	}
}
