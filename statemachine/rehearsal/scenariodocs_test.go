package rehearsal

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const scenariosPage = "../../docs/scenarios.md"

// rows are the table of fields that docs/scenarios.md has, by the schema.
func (s scenarioSchema) rows() string {
	var table strings.Builder
	table.WriteString("| field | meaning | values | default |\n| --- | --- | --- | --- |\n")
	fields := s.fields()
	var walk func(path string, at any)
	walk = func(path string, at any) {
		node := s.node(at)
		properties, _ := node["properties"].(map[string]any)
		for _, name := range inOrder(s.document, properties) {
			field := fields[path+name]
			byDefault := ""
			if value, ok := field["default"]; ok {
				text, _ := json.Marshal(value)
				byDefault = "`" + strings.Trim(string(text), `"`) + "`"
			}
			fmt.Fprintf(&table, "| `%s` | %s | %s | %s |\n", path+name, strings.NewReplacer("|", `\|`, "<", `\<`, "*", `\*`).Replace(field["description"].(string)), valuesIn(field), byDefault)
			if part := path + name + "."; !isRepeated(part) {
				walk(part, properties[name])
			}
		}
		if items, ok := node["items"].(map[string]any); ok {
			walk(path, items)
		}
		if values, ok := node["additionalProperties"].(map[string]any); ok {
			walk(path+"*.", values)
		}
	}
	walk("", s.document)
	return table.String()
}

// isRepeated reports whether the fields of a part are those of the scenario itself.
func isRepeated(part string) bool {
	inChange := strings.HasPrefix(part, "changes.") && part != "changes." || strings.HasPrefix(part, "members.*.changes.") && part != "members.*.changes."
	return inChange && part != "changes.alias." || part == "members.*.baseline." || part == "members.*.new-version."
}

// inOrder returns the names of properties in alphabetical order, but those of the
// scenario as a whole with its lists last.
func inOrder(document, properties map[string]any) []string {
	var names, last []string
	for name := range properties {
		if whole, _ := document["properties"].(map[string]any); len(properties) == len(whole) && slices.Contains([]string{"changes", "faults", "members"}, name) {
			last = append(last, name)
			continue
		}
		names = append(names, name)
	}
	slices.Sort(names)
	slices.Sort(last)
	return append(names, last...)
}

// valuesIn says which values a field has.
func valuesIn(field map[string]any) string {
	if words, ok := field["enum"].([]any); ok {
		var texts []string
		for _, word := range words {
			texts = append(texts, fmt.Sprintf("`%s`", word))
		}
		return strings.Join(texts, ", ")
	}
	switch field["type"] {
	case "integer", "number":
		low, _ := field["minimum"].(json.Number).Float64()
		high, _ := field["maximum"].(json.Number).Float64()
		return fmt.Sprintf("%s, %s to %s", field["type"], number(low), number(high))
	case "boolean":
		return "true, false"
	case nil:
		return "any JSON"
	case "array":
		return "list"
	}
	return fmt.Sprint(field["type"])
}

var (
	fieldTable = regexp.MustCompile(`(?m)(^\| field .*\n(\|.*\n)+|^FIELDS\n)`)
	example    = regexp.MustCompile("(?s)\n### ([^\n]+)\n.*?```json\n(.*?)```.*?```json\n(.*?)```\n\n```\n(.*?)\n```\n")
)

// TestThePageAboutScenarios has all fields, and says how its examples end.
func TestThePageAboutScenarios(t *testing.T) {
	text, err := os.ReadFile(scenariosPage)
	if err != nil {
		t.Fatal(err)
	}
	page, schema := string(text), readScenarioSchema(t)
	wanted := fieldTable.ReplaceAllLiteralString(page, schema.rows())
	examples := example.FindAllStringSubmatch(page, -1)
	if len(examples) != 3 || !fieldTable.MatchString(page) {
		t.Fatalf("the page has %d examples that can be read, or no table", len(examples))
	}
	for _, e := range examples {
		world, err := ParseScenario([]byte(e[3]))
		if err != nil || !schema.takes(e[3]) {
			t.Fatalf("%s: taken by the schema: %v; %v", e[1], schema.takes(e[3]), err)
		}
		result, err := Run(Options{Input: []byte(e[2]), Scenario: world, Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		ends := fmt.Sprintf("%s after %s: %s", result.Outcome, seconds(result.Lines[len(result.Lines)-1].At), result.Reason)
		wanted = strings.Replace(wanted, e[0], strings.TrimSuffix(e[0], e[4]+"\n```\n")+ends+"\n```\n", 1)
	}
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(scenariosPage, []byte(wanted), 0o600); err != nil {
			t.Fatal(err)
		}
	} else if wanted != page {
		t.Errorf("docs/scenarios.md differs from the schema or from what its examples do: go test -run PageAboutScenarios -update writes what is wanted, which is\n%s", wanted)
	}
}
