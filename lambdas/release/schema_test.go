package release_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/lambda-rollout/lambda-rollout/lambdas/release"
)

// readDocument reads a JSON file of docs.
func readDocument(t *testing.T, name string) map[string]any {
	t.Helper()
	text, err := os.ReadFile("../../docs/" + name)
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return document.(map[string]any)
}

// releaseSchema compiles docs/release.schema.json, which refers to that of rollouts.
func releaseSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	compiler := jsonschema.NewCompiler()
	for _, name := range []string{"rollout.schema.json", "release.schema.json"} {
		if err := compiler.AddResource(name, readDocument(t, name)); err != nil {
			t.Fatal(err)
		}
	}
	schema, err := compiler.Compile("release.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// examples are the inputs of releases in docs/releases.md.
func examples(t *testing.T) []string {
	t.Helper()
	page, err := os.ReadFile("../../docs/releases.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?s)<!-- (release|accounts) -->\n```json\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	if len(found) != 2 {
		t.Fatalf("the page has %d examples", len(found))
	}
	var accounts struct {
		Accounts []struct{ Release json.RawMessage }
	}
	if err := json.Unmarshal([]byte(found[1][2]), &accounts); err != nil || len(accounts.Accounts) == 0 {
		t.Fatal(err)
	}
	return []string{found[0][2], string(accounts.Accounts[0].Release)}
}

func agree(t *testing.T, schema *jsonschema.Schema, input string) (decodes, fits bool) {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(input))
	if err != nil {
		t.Fatalf("%s: %v", input, err)
	}
	_, err = release.Decode([]byte(input))
	return err == nil, schema.Validate(value) == nil
}

// TestTheDocumentedReleasesAreAccepted by Decode and by the schema.
func TestTheDocumentedReleasesAreAccepted(t *testing.T) {
	schema := releaseSchema(t)
	for _, input := range examples(t) {
		if decodes, fits := agree(t, schema, input); !decodes || !fits {
			_, err := release.Decode([]byte(input))
			t.Errorf("decodes: %t (%v), fits the schema: %t: %s", decodes, err, fits, input)
		}
	}
}

// TestTheSchemaAndDecodeAgree changes the example in one field, and compares what both say.
func TestTheSchemaAndDecodeAgree(t *testing.T) {
	schema := releaseSchema(t)
	for field, values := range map[string]map[string]bool{
		"release":        {`"x"`: true, `""`: false, `" "`: false, `7`: false, `"` + strings.Repeat("x", 80) + `"`: true, `"` + strings.Repeat("x", 81) + `"`: false},
		"together":       {`true`: true, `false`: true, `"true"`: false, `null`: false},
		"next-wave-at":   {`0.5`: true, `1`: true, `0.0001`: true, `0`: false, `1.1`: false, `"0.5"`: false},
		"check-interval": {`10`: true, `3600`: true, `9`: false, `3601`: false, `10.5`: false, `"60"`: false},
		"max-wait":       {`60`: true, `59`: false, `31536001`: false},
		"waves":          {`[]`: false, `[[]]`: false, `"cart"`: false, `[["cart", "payment", "orders"]]`: false /* the approval is of wave 2 */, `[["cart"], ["orders", "payment"]]`: true},
		"approval":       {`{"before-waves": [2]}`: true, `{"before-promotion": true}`: true, `{"before-promotion": false}`: false, `{}`: false, `{"timeout": 60}`: false, `{"before-waves": [1]}`: false, `{"before-waves": [2, 2]}`: false, `{"before-waves": [2], "more": 1}`: false, `{"before-waves": [2], "timeout": 59}`: false},
		"rollouts":       {`{}`: false, `[]`: false, `{"a b": {"function-name": "x", "new-version": "1"}}`: false},
		"defaults":       {`{"alias-name": "live", "type": "linear", "steps": 10, "interval": 120, "notify": {}}`: false, `[]`: false},
		"max-pause":      {`600`: true, `59`: false},
		"notify":         {`{"topics": ["arn:aws:sns:eu-central-1:123456789012:team"]}`: true, `{"topics": "team"}`: false},
		"rollout":        {`{}`: false}, // not a field
	} {
		for value, want := range values {
			var input map[string]json.RawMessage
			if err := json.Unmarshal([]byte(examples(t)[0]), &input); err != nil {
				t.Fatal(err)
			}
			input[field] = json.RawMessage(value)
			text, err := json.Marshal(input)
			if err != nil {
				t.Fatal(err)
			}
			decodes, fits := agree(t, schema, string(text))
			// What depends on other fields only Decode sees.
			if decodes != want || want && !fits || !want && fits && !(field == "waves" && strings.Contains(value, "cart")) {
				t.Errorf("%s: %s: decodes: %t, fits the schema: %t", field, value, decodes, fits)
			}
		}
	}
}

// TestTheSchemaHasEachField of a release, and of its rollouts all fields of a rollout's
// schema but those of the release.
func TestTheSchemaHasEachField(t *testing.T) {
	document := readDocument(t, "release.schema.json")
	properties := document["properties"].(map[string]any)
	page, err := os.ReadFile("../../docs/releases.md")
	if err != nil {
		t.Fatal(err)
	}
	for name := range properties {
		if strings.HasPrefix(name, "AWS_") {
			continue
		}
		if !strings.Contains(string(page), "| `"+name+"`") && !strings.Contains(string(page), ", `"+name+"`") {
			t.Errorf("the page has no field %s", name)
		}
		// An unknown field is refused by its name, a known one by its value, or accepted.
		_, err := release.Decode([]byte(`{"` + name + `": null}`))
		if err != nil && strings.Contains(err.Error(), name+" = null is not a field here") {
			t.Errorf("Decode does not know %s", name)
		}
	}
	rollouts := readDocument(t, "rollout.schema.json")["properties"].(map[string]any)
	var want, got []string
	for _, name := range slices.Sorted(maps.Keys(rollouts)) {
		if !slices.Contains([]string{"approval", "release", "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID", "max-pause", "windows", "freeze", "notify"}, name) {
			want = append(want, name)
		}
	}
	names := document["$defs"].(map[string]any)["rollout"].(map[string]any)["propertyNames"].(map[string]any)["enum"].([]any)
	for _, name := range names {
		got = append(got, name.(string))
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("fields of rollouts (-rollout.schema.json +release.schema.json):\n%s", diff)
	}
}
