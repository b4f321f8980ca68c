package rollout_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

const (
	inputPage   = "../../docs/input.md"
	fieldsBegin = "<!-- from docs/rollout.schema.json: go test ./lambdas/rollout -run PageAboutInputs -update -->\n"
	fieldsEnd   = "<!-- until here -->"
)

// table is that of one object in the schema: its path in an input, and its node.
type table struct {
	path string
	node map[string]any
}

// resolved returns a node of the schema, with what it refers to and its own keys over that.
func (s inputSchema) resolved(node any) map[string]any {
	of, _ := node.(map[string]any)
	ref, is := of["$ref"].(string)
	if !is {
		return of
	}
	whole := maps.Clone(s.resolved(s.resolve(ref)))
	for name, value := range of {
		if name != "$ref" {
			whole[name] = value
		}
	}
	return whole
}

// alternatives are the nodes of which a value has to be one: the node itself, without
// an anyOf.
func (s inputSchema) alternatives(node map[string]any) []map[string]any {
	anyOf, is := node["anyOf"].([]any)
	if !is {
		return []map[string]any{node}
	}
	var all []map[string]any
	for _, one := range anyOf {
		all = append(all, s.resolved(one))
	}
	return all
}

// tables returns those of the objects below a node, in the order in which the page has them.
func (s inputSchema) tables(path string, node any) []table {
	var all []table
	for _, of := range s.alternatives(s.resolved(node)) {
		if of["items"] != nil {
			all = append(all, s.tables(path+"[]", of["items"])...)
		}
		properties, _ := of["properties"].(map[string]any)
		if values, is := of["additionalProperties"].(map[string]any); is && of["type"] == "object" {
			all = append(all, s.tables(path+".*", values)...)
		}
		if len(properties) == 0 {
			continue
		}
		all = append(all, table{path, of})
		for _, name := range slices.Sorted(maps.Keys(properties)) {
			all = append(all, s.tables(strings.TrimPrefix(path+"."+name, "."), properties[name])...)
		}
	}
	return all
}

// bounds says what a node's keywords low and high allow, such as "1 to 20".
func bounds(node map[string]any, low, high string) string {
	from, hasLow := node[low]
	to, hasHigh := node[high]
	if below, is := node["exclusiveMaximum"]; is && high == "maximum" {
		return fmt.Sprintf("%v to less than %v", from, below)
	}
	switch {
	case hasLow && hasHigh:
		return fmt.Sprintf("%v to %v", from, to)
	case hasLow:
		return fmt.Sprintf("at least %v", from)
	case hasHigh:
		return fmt.Sprintf("at most %v", to)
	}
	return ""
}

// values says which values a node accepts.
func (s inputSchema) values(node map[string]any, tables map[string]bool, path string) string {
	var kinds []string
	for _, of := range s.alternatives(node) {
		kinds = append(kinds, s.kind(of, tables, path))
	}
	return strings.Join(slices.Compact(kinds), ", or ")
}

// kind is values of one alternative.
func (s inputSchema) kind(of map[string]any, tables map[string]bool, path string) string {
	if words, is := of["enum"].([]any); is {
		var texts []string
		for _, word := range words {
			texts = append(texts, fmt.Sprintf("`%v`", word))
		}
		return strings.Join(texts, ", ")
	}
	if only, is := of["const"]; is {
		return fmt.Sprintf("`%v`", only)
	}
	with := func(kind, limits string) string {
		return strings.TrimSuffix(kind+": "+limits, ": ")
	}
	switch of["type"] {
	case "integer":
		return with("whole number", bounds(of, "minimum", "maximum"))
	case "number":
		return with("number", bounds(of, "minimum", "maximum"))
	case "boolean":
		return "`true`, `false`"
	case "string":
		limits := bounds(of, "minLength", "maxLength")
		if limits != "" {
			limits += " characters"
		}
		return with("text", limits)
	case "array":
		each := ""
		if of["uniqueItems"] == true {
			each = ", no two alike"
		}
		item := s.values(s.resolved(of["items"]), tables, path+"[]")
		return "list of " + bounds(of, "minItems", "maxItems") + each + "; each " + item
	case "object":
		if tables[path] {
			return "[`" + path + "`](#" + anchor(path) + ")"
		}
		entry := ""
		if values, is := of["additionalProperties"].(map[string]any); is {
			entry = "; each " + s.values(s.resolved(values), tables, path+".*")
		}
		return with("object", strings.TrimSuffix(bounds(of, "minProperties", "maxProperties")+" entries", " entries")) + entry
	}
	return "any JSON"
}

// anchor is that of a table's heading.
func anchor(path string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("`.[]*", r) {
			return -1
		}
		return r
	}, path)
}

// tablesOfFields returns the page's tables, from the schema.
func (s inputSchema) tablesOfFields() string {
	all := s.tables("", s.document)
	known := map[string]bool{}
	for _, t := range all {
		known[t.path] = true
	}
	var page strings.Builder
	for _, t := range all {
		if t.path != "" {
			fmt.Fprintf(&page, "\n### `%s`\n\n", t.path)
		}
		page.WriteString("| field | meaning | values | default |\n| --- | --- | --- | --- |\n")
		required, _ := t.node["required"].([]any)
		properties, _ := t.node["properties"].(map[string]any)
		for _, name := range inOrderOf(required, properties) {
			field := s.resolved(properties[name])
			byDefault := ""
			if value, is := field["default"]; is {
				text, _ := json.Marshal(value)
				byDefault = "`" + strings.Trim(string(text), `"`) + "`"
			}
			if slices.Contains(required, any(name)) {
				byDefault = "required"
			}
			path := strings.TrimPrefix(t.path+"."+name, ".")
			meaning, _ := field["description"].(string)
			fmt.Fprintf(&page, "| `%s` | %s | %s | %s |\n", name, inCell(meaning), s.values(field, known, path), byDefault)
		}
	}
	return page.String()
}

// inCell writes a text for a cell of a table.
func inCell(text string) string {
	return strings.NewReplacer("|", `\|`, "<", `\<`, "*", `\*`).Replace(text)
}

// inOrderOf returns the names of properties: the required ones first.
func inOrderOf(required []any, properties map[string]any) []string {
	names := slices.Sorted(maps.Keys(properties))
	slices.SortStableFunc(names, func(a, b string) int {
		if slices.Contains(required, any(a)) == slices.Contains(required, any(b)) {
			return 0
		} else if slices.Contains(required, any(a)) {
			return -1
		}
		return 1
	})
	return names
}

// TestThePageAboutInputs has every field of the schema, with its default and its limits.
func TestThePageAboutInputs(t *testing.T) {
	text, err := os.ReadFile(inputPage)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begins := strings.Cut(string(text), fieldsBegin)
	shown, after, ends := strings.Cut(rest, fieldsEnd)
	if !begins || !ends {
		t.Fatalf("%s has no tables of fields", inputPage)
	}
	wanted := readSchema(t).tablesOfFields()
	if *update {
		if err := os.WriteFile(inputPage, []byte(before+fieldsBegin+wanted+fieldsEnd+after), 0o600); err != nil {
			t.Fatal(err)
		}
	} else if shown != wanted {
		t.Errorf("docs/input.md differs from the schema: go test ./lambdas/rollout -run PageAboutInputs -update writes what is wanted, which is\n%s", wanted)
	}
	for _, change := range [][2]string{
		{`"default": 1.1`, `"default": 1.2`}, {`"maxItems": 50`, `"maxItems": 51`}, {`"margin"`, `"margins"`}, {`"maximum": 5400000`, `"maximum": 5400001`},
	} {
		if readSchema(t, change[0], change[1]).tablesOfFields() == wanted {
			t.Errorf("the page does not depend on %s", change[0])
		}
	}
}

// TestThePageShowsTheProblemsOfAnInput as Decode lists them.
func TestThePageShowsTheProblemsOfAnInput(t *testing.T) {
	page, err := os.ReadFile(inputPage)
	if err != nil {
		t.Fatal(err)
	}
	_, err = rollout.Decode([]byte(`{"function-name": "f", "alias-name": "live", "new-version": "2", "type": "linear", "steps": 0, "intervall": 120}`))
	if err == nil || !strings.Contains(string(page), "```\n"+err.Error()+"\n```") {
		t.Errorf("docs/input.md does not show\n%v", err)
	}
}
