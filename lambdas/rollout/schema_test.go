package rollout_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// inputSchema is docs/rollout.schema.json: compiled, and as it is written.
type inputSchema struct {
	*jsonschema.Schema
	document map[string]any
}

// readSchema compiles the schema, with some of its text replaced.
func readSchema(t *testing.T, replaced ...string) inputSchema {
	t.Helper()
	text, err := os.ReadFile("../../docs/rollout.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(replaced); i += 2 {
		if !bytes.Contains(text, []byte(replaced[i])) {
			t.Fatalf("the schema has no %s", replaced[i])
		}
		text = bytes.ReplaceAll(text, []byte(replaced[i]), []byte(replaced[i+1]))
	}
	compiler := jsonschema.NewCompiler()
	document := tree(string(text)).(map[string]any)
	if err := compiler.AddResource("rollout.schema.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("rollout.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return inputSchema{schema, document}
}

// tree reads JSON; nil if it is none.
func tree(text string) any {
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return nil
	}
	return value
}

// takes reports whether the schema accepts an input.
func (s inputSchema) takes(input string) bool { return s.Validate(tree(input)) == nil }

func decodes(input string) bool {
	_, err := rollout.Decode([]byte(input))
	return err == nil
}

// properties are those of an object in the schema, by their names.
func (s inputSchema) properties(names ...string) map[string]any {
	at := s.document
	for _, name := range names {
		at, _ = at[name].(map[string]any)
	}
	properties, _ := at["properties"].(map[string]any)
	return properties
}

var documented = regexp.MustCompile("(?ms)^```json\n(.*?)^```|--input '(\\{.*?\\})'")

// examplesIn are the inputs in a page: what its command lines start executions
// with, and its blocks of JSON. A block is about an input if more than half of
// its fields are an input's, or of health's. What is missing in it is added: the
// names alone, or all of the blog's input, whichever Decode takes first.
func (s inputSchema) examplesIn(page string) (inputs, problems []string) {
	for _, found := range documented.FindAllStringSubmatch(page, -1) {
		block, _ := tree(found[1] + found[2]).(map[string]any)
		known := func(of map[string]any) (n int) {
			for name := range block {
				if of[name] != nil {
					n++
				}
			}
			return 2 * n
		}
		if top := known(s.properties()); known(s.properties("$defs", "health")) > max(top, len(block)) {
			block = map[string]any{"health": block}
		} else if top <= len(block) {
			continue // about something else
		}
		var tried []string
		for _, base := range []string{`{}`, `{"function-name": "f", "alias-name": "live", "new-version": "2"}`, blogInput} {
			whole := tree(base).(map[string]any)
			for name, value := range block {
				whole[name] = value
			}
			text, _ := json.Marshal(whole)
			tried = append(tried, string(text))
		}
		if i := slices.IndexFunc(tried, decodes); i < 0 {
			problems = append(problems, "Decode refuses "+found[0])
		} else if inputs = append(inputs, tried[i]); !s.takes(tried[i]) {
			problems = append(problems, "the schema refuses "+found[0])
		}
	}
	return inputs, problems
}

func TestTheSchemaTakesWhatIsDocumented(t *testing.T) {
	schema := readSchema(t)
	if err := schema.Validate(tree(blogInput)); err != nil {
		t.Errorf("the blog's input: %v", err)
	}
	pages, _ := filepath.Glob("../../docs/*.md")
	deeper, _ := filepath.Glob("../../docs/*/*.md")
	inputs := 0
	for _, page := range append(append(pages, deeper...), "../../README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		found, problems := schema.examplesIn(string(text))
		inputs += len(found)
		for _, problem := range problems {
			t.Errorf("%s: %s", page, problem)
		}
	}
	if inputs < 2 {
		t.Errorf("only %d inputs are documented: they were not found", inputs)
	}
	for _, statistic := range rows(t, "metricgate_test.go", "TestStatistics", 0) {
		if !schema.takes(withStatistic(statistic)) {
			t.Errorf("the statistic %s is refused", statistic)
		}
	}
	for _, bad := range []string{`{"approval": {"before-weigths": [0.5]}}`, `{"probes": [{"nam": "a"}]}`} {
		if _, problems := schema.examplesIn("```json\n" + bad + "\n```\n"); len(problems) == 0 {
			t.Errorf("%s in a page is no problem", bad)
		}
	}
}

func withStatistic(statistic string) string {
	return string(withMetrics(`[{"name": "g", "namespace": "N", "metric": "M", "max": 1, "statistic": "` + statistic + `"}]`))
}
