package rehearsal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// namespace is that of the metrics in these tests.
const namespace = "Rehearsed"

// contract is what docs/metrics.md promises of each metric: its unit, the names
// of its dimensions, and the words that Result may be.
var contract = map[string]struct {
	unit       string
	dimensions []string
	results    []string
}{
	"Outcome":        {"Count", []string{"Result"}, []string{"promoted", "unchanged", "rolled-back", "rollback-failed", "alias-changed", "refused", "not-started", "stopped", "timed-out"}},
	"Decision":       {"Count", []string{"Result"}, []string{"watch", "advance", "promote", "roll-back", "post-traffic", "hand-over", "hand-back"}},
	"TimeToRollback": {"Seconds", nil, nil},
	"BadInvocations": {"Count", nil, nil},
	"Weight":         {"Percent", []string{"FunctionName", "AliasName"}, nil},
}

// datum is one value of a metric that CloudWatch reads in a line.
type datum struct {
	name       string
	dimensions string // their values
	at         time.Time
	value      float64
}

// emfSchema is AWS's own.
func emfSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := os.ReadFile("testdata/emf.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("emf.schema.json", document); err != nil {
		t.Fatal(err)
	}
	return compiler.MustCompile("emf.schema.json")
}

// readLine reads the metrics of a log line as CloudWatch does, and refuses what
// the specification or the contract does not allow.
func readLine(schema *jsonschema.Schema, text string) ([]datum, error) {
	root, err := members(text)
	if err != nil {
		return nil, err
	}
	referred := map[string]bool{}
	var data []datum
	if root["_aws"] != nil {
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			return nil, err
		}
		if err := schema.Validate(value); err != nil {
			return nil, err
		}
		var about struct {
			Timestamp         int64
			CloudWatchMetrics []struct {
				Namespace  string
				Dimensions [][]string
				Metrics    []struct{ Name, Unit string }
			}
		}
		if err := json.Unmarshal(root["_aws"], &about); err != nil {
			return nil, err
		}
		if len(about.CloudWatchMetrics) == 0 {
			return nil, errors.New("no metrics")
		}
		for _, d := range about.CloudWatchMetrics {
			if d.Namespace != namespace || len(d.Dimensions) != 1 || len(d.Metrics) != 1 {
				return nil, fmt.Errorf("%+v: not one metric of the namespace with one set of dimensions", d)
			}
			one := datum{name: d.Metrics[0].Name, at: time.UnixMilli(about.Timestamp)}
			promise, ok := contract[one.name]
			if !ok || promise.unit != d.Metrics[0].Unit || !slices.Equal(promise.dimensions, d.Dimensions[0]) {
				return nil, fmt.Errorf("%+v: not in the contract", d)
			}
			if referred[one.name] {
				return nil, fmt.Errorf("%s twice in a line", one.name)
			}
			referred[one.name] = true
			if err := json.Unmarshal(root[one.name], &one.value); err != nil || one.value < 0 {
				return nil, fmt.Errorf("%s is %s", one.name, root[one.name])
			}
			switch {
			case promise.results != nil && one.value != 1, promise.unit == "Count" && one.value != math.Trunc(one.value), promise.unit == "Percent" && one.value > 100:
				return nil, fmt.Errorf("%s is %v", one.name, one.value)
			}
			var values []string
			for _, name := range promise.dimensions {
				var word string
				if err := json.Unmarshal(root[name], &word); err != nil || word == "" || len(word) > 140 {
					return nil, fmt.Errorf("%s is %s", name, root[name])
				}
				referred[name] = true
				values = append(values, word)
			}
			one.dimensions = strings.Join(values, " ")
			if promise.results != nil && !slices.Contains(promise.results, one.dimensions) {
				return nil, fmt.Errorf("%s %s: not in the contract", one.name, one.dimensions)
			}
			data = append(data, one)
		}
	}
	// Only what is counted looks like it: the log's own attributes are in lower case.
	for name := range root {
		if unicode.IsUpper([]rune(name)[0]) && !referred[name] {
			return nil, fmt.Errorf("%s: nothing refers to it", name)
		}
	}
	return data, nil
}

// members are a JSON object's, each of another name.
func members(text string) (map[string]json.RawMessage, error) {
	found := map[string]json.RawMessage{}
	decoder := json.NewDecoder(strings.NewReader(text))
	if brace, err := decoder.Token(); err != nil || brace != json.Delim('{') {
		return nil, fmt.Errorf("no object: %s", text)
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, err
		}
		if found[name.(string)] != nil {
			return nil, fmt.Errorf("two members are called %s", name)
		}
		found[name.(string)] = value
	}
	return found, nil
}

// TestBadLinesAreSeen: each change makes a good line a bad one.
func TestBadLinesAreSeen(t *testing.T) {
	const good = `{"msg":"m","weight":0.5,"FunctionName":"f","AliasName":"a","Weight":50,"_aws":{"Timestamp":1,"CloudWatchMetrics":[{"Namespace":"Rehearsed","Dimensions":[["FunctionName","AliasName"]],"Metrics":[{"Name":"Weight","Unit":"Percent"}]}]}}`
	schema := emfSchema(t)
	if data, err := readLine(schema, good); err != nil || len(data) != 1 || data[0].value != 50 || data[0].dimensions != "f a" {
		t.Errorf("%+v, %v", data, err)
	}
	for _, change := range [][2]string{
		{`"Timestamp":1,`, ``},
		{`"Timestamp":1,`, `"Timestamp":1.5,`},
		{`"Namespace":"Rehearsed",`, ``},
		{`"Rehearsed"`, `"Other"`},
		{`[["FunctionName","AliasName"]]`, `["FunctionName","AliasName"]`},
		{`[["FunctionName","AliasName"]]`, `[]`},
		{`[["FunctionName","AliasName"]]`, `[["FunctionName"]]`},
		{`"Percent"`, `"Parsec"`},
		{`"Percent"`, `"Count"`},
		{`"Name":"Weight"`, `"Name":"Height"`},
		{`"Weight":50`, `"Weight":"50"`},
		{`"Weight":50`, `"Weight":-1`},
		{`"Weight":50`, `"Weight":101`},
		{`"Weight":50,`, ``},
		{`"AliasName":"a"`, `"AliasName":""`},
		{`"AliasName":"a",`, ``},
		{`"weight":0.5`, `"Weight":0.5`},
		{`"weight":0.5`, `"Execution":"x"`},
		{`"_aws"`, `"_AWS"`},
		{`{"msg"`, `["msg"`},
	} {
		bad := strings.Replace(good, change[0], change[1], 1)
		if _, err := readLine(schema, bad); err == nil || bad == good {
			t.Errorf("good: %s", bad)
		}
	}
	word := `{"Result":"promote","Outcome":1,"_aws":{"Timestamp":1,"CloudWatchMetrics":[{"Namespace":"Rehearsed","Dimensions":[["Result"]],"Metrics":[{"Name":"Outcome","Unit":"Count"}]}]}}`
	if _, err := readLine(schema, word); err == nil {
		t.Error("a decision's word is an outcome's")
	}
}
