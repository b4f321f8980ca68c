package rollout_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// notInSchema are the refused inputs that the schema takes, each with the
// reason why a JSON Schema can't say what is wrong with it.
var notInSchema = map[string]string{
	"longer-than-a-year":               "the year is a product of two fields",
	"bake-makes-it-longer-than-a-year": "the year is a sum of fields",
	"custom-with-other-steps":          "steps is compared with the length of a list",
	"max-pause-longer-than-a-year":     "the year is a sum of fields",
	"type-preset-longer-than-two-days": "the two days are a product of numbers in a name",
	"weights-same-at-four-decimals":    "each weight is compared with the one before it, rounded",
	"geometric-with-too-many-steps":    "how many weights can be kept apart is a formula of the first",
	"approval-that-makes-no-sense":     "the plan's weights are a formula of the other fields",
	"names-twice":                      "what must differ is one field, not the whole gate",
	"TestBadChecksAreRefused 3":        "what must differ is a name, which may be a part of an ARN",
	"TestBadWindowsAreRefused 6":       "which of two local times is later is a comparison",
	"TestBadWindowsAreRefused 13":      "which of two moments is later is a comparison",
	"TestBadEndpointsAreRefused 23":    "the names of headers are compared without their case",
}

func TestTheSchemaRefusesWhatDecodeRefuses(t *testing.T) {
	for _, problem := range readSchema(t).refusalProblems(refusals(t), notInSchema) {
		t.Error(problem)
	}
}

// refusalProblems are the inputs that are taken and should not be, and the
// exceptions that are none.
func (s inputSchema) refusalProblems(inputs, exceptions map[string]string) (problems []string) {
	for _, name := range slices.Sorted(maps.Keys(inputs)) {
		if decodes(inputs[name]) {
			problems = append(problems, name+" is taken by Decode")
		}
		if taken := s.takes(inputs[name]); taken != (exceptions[name] != "") {
			problems = append(problems, fmt.Sprintf("%s: taken by the schema: %v; given: %.300s", name, taken, inputs[name]))
		}
	}
	for name := range exceptions {
		if inputs[name] == "" {
			problems = append(problems, name+" is no input that is refused")
		}
	}
	return problems
}

// refusals are the inputs that other tests hold Decode to refuse, by the names
// of their files, or of their tests with the number of the row.
func refusals(t *testing.T) map[string]string {
	inputs := map[string]string{}
	for path, whole := range map[string]func(string) string{
		"testdata/refused.txtar": func(input string) string { return input },
		"testdata/metrics.txtar": func(gates string) string { return string(withMetrics(gates)) },
	} {
		for _, file := range readArchive(t, path).Files {
			if name, ok := strings.CutSuffix(file.Name, ".json"); ok {
				inputs[name] = whole(string(file.Data))
			}
		}
	}
	in := func(field string) func(string) string {
		return func(value string) string { return called(`"health": {"` + field + `": ` + value + `}`) }
	}
	for _, table := range []struct {
		file, test string
		number     int
		whole      func(string) string
	}{
		{"probegate_test.go", "TestBadProbesAreRefused", 0, in("probes")},
		{"checkgate_test.go", "TestBadChecksAreRefused", 0, in("checks")},
		{"endpointgate_test.go", "TestBadEndpointsAreRefused", 0, in("endpoints")},
		{"hooks_test.go", "TestBadHooksAreRefused", 0, func(hooks string) string { return called(`"hooks": ` + hooks) }},
		{"windows_test.go", "TestBadWindowsAreRefused", 0, called},
		{"notify_test.go", "TestNotifyAsItIsRefused", 0, func(notify string) string {
			return called(`"notify": ` + strings.ReplaceAll(notify, "ARN", "arn:aws:sns:eu-central-1:123456789012:rollouts"))
		}},
		{"metricgate_test.go", "TestStatistics", 1, withStatistic},
		{"probegate_test.go", "TestPathsOfOtherKindsAreRefused", 0, func(path string) string {
			quoted, _ := json.Marshal(path)
			return called(`"health": {"probes": [{"name": "a", "equals": {` + string(quoted) + `: 1}}]}`)
		}},
	} {
		for i, row := range rows(t, table.file, table.test, table.number) {
			inputs[fmt.Sprintf("%s %d", table.test, i+1)] = table.whole(row)
		}
	}
	return inputs
}

// rows are the first texts of the rows of a table that a test goes through, by
// the test's source.
func rows(t *testing.T, path, test string, number int) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]ast.Expr{"functionARN": &ast.BasicLit{Kind: token.STRING, Value: strconv.Quote(functionARN)}}
	var tables []ast.Expr
	ast.Inspect(file.Scope.Lookup(test).Decl.(ast.Node), func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ValueSpec:
			known[n.Names[0].Name] = n.Values[0]
		case *ast.AssignStmt:
			if name, ok := n.Lhs[0].(*ast.Ident); ok {
				known[name.Name] = n.Rhs[0]
			}
		case *ast.RangeStmt:
			tables = append(tables, n.X)
		}
		return true
	})
	var value func(ast.Expr) any
	value = func(e ast.Expr) any {
		switch e := e.(type) {
		case *ast.BasicLit:
			if e.Kind == token.INT {
				n, _ := strconv.Atoi(e.Value)
				return n
			}
			text, _ := strconv.Unquote(e.Value)
			return text
		case *ast.Ident:
			return value(known[e.Name])
		case *ast.SelectorExpr:
			return map[string]any{"MaxPayload": rollout.MaxPayload}[e.Sel.Name]
		case *ast.BinaryExpr:
			return value(e.X).(string) + value(e.Y).(string)
		case *ast.CallExpr:
			return strings.Repeat(value(e.Args[0]).(string), value(e.Args[1]).(int))
		}
		t.Fatalf("%s: %s has a row that can't be read: %T", path, test, e)
		return nil
	}
	var texts []string
	switch table := tables[number].(type) {
	case *ast.CallExpr: // strings.Fields
		texts = strings.Fields(value(table.Args[0]).(string))
	case *ast.CompositeLit:
		for _, row := range table.Elts {
			switch inner := row.(type) {
			case *ast.CompositeLit:
				row = inner.Elts[0]
			case *ast.KeyValueExpr:
				row = inner.Key
			}
			texts = append(texts, value(row).(string))
		}
	}
	return texts
}

// TestTheTestsOfTheSchemaCanFail breaks the schema.
func TestTheTestsOfTheSchemaCanFail(t *testing.T) {
	inputs := refusals(t)
	refused := func(s inputSchema) []string { return s.refusalProblems(inputs, notInSchema) }
	strict := func(s inputSchema) (problems []string) {
		for seed := range 400 {
			if problem := rapid.Custom(func(t *rapid.T) string { problem, _, _ := s.strictness(t); return problem }).Example(seed); problem != "" {
				return []string{problem}
			}
		}
		return nil
	}
	documented := func(s inputSchema) []string {
		_, problems := s.examplesIn("```json\n" + blogInput + "```\n```json\n{\"approval\": {\"before-weights\": [0.5]}}\n```\n")
		return problems
	}
	for _, broken := range []struct {
		from, to string
		by       func(inputSchema) []string
	}{
		{`"maximum": 1000`, `"maximum": 9`, documented},
		{`"before-weights"`, `"before-weight"`, documented},
		{`"pattern": "^[0-9]+$"`, `"pattern": "^x$"`, refused},
		{`"uniqueItems": true`, `"uniqueItems": false`, refused},
		{`"additionalProperties": false`, `"additionalProperties": true`, refused},
		{`"minProperties": 1`, `"minProperties": 0`, refused},
		{`"type": "boolean"`, `"type": ["boolean", "string"]`, (inputSchema).kindProblems},
		{`{"const": false}`, `{"type": "boolean"}`, (inputSchema).kindProblems},
		{`"minimum": 0.00005`, `"minimum": 0.0001`, strict},
		{`"pattern": "^[0-9]+$"`, `"pattern": "^[0-9]"`, strict},
		{`"maximum": 43200`, `"maximum": 43199`, strict},
		{`"const": "POST"`, `"const": "PUT"`, strict},
		{`"bake":`, `"bakes":`, (inputSchema).fieldProblems},
		{`"default": 600`, `"default": 601`, (inputSchema).fieldProblems},
		{`"first-weight": {"default": 0.1}`, `"first-weight": {"default": 0.2}`, (inputSchema).fieldProblems},
		{`"interval": {"const": 180}`, `"interval": {"const": 181}`, (inputSchema).fieldProblems},
		{`^(?:CodeDeployDefault[.])?`, `^(?:CodeDeployDefault[.])`, (inputSchema).fieldProblems},
		{`Canary[1-9][0-9]?`, `Canary[0-9]+`, refused},
		{`|2880)`, `)`, (inputSchema).fieldProblems},
		{`"title": "Bake"`, `"title": ""`, (inputSchema).fieldProblems},
	} {
		if problems := broken.by(readSchema(t, broken.from, broken.to)); len(problems) == 0 {
			t.Errorf("no one notices %s in the place of %s", broken.to, broken.from)
		}
	}
	if problems := readSchema(t).refusalProblems(inputs, map[string]string{"nothing-given": "it is expressible"}); len(problems) <= len(notInSchema) {
		t.Errorf("no one notices an exception that is none: %q", problems)
	}
	for _, holds := range []func(inputSchema) []string{documented, refused, (inputSchema).fieldProblems} {
		if problems := holds(readSchema(t)); len(problems) > 0 {
			t.Errorf("with the schema as it is: %q", problems)
		}
	}
}
