package main

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

func TestFunctionsContextIsChecked(t *testing.T) {
	for name, test := range map[string]struct {
		given any
		want  string // in the error
	}{
		"an empty name":         {"orders,", `[""]`},
		"nothing":               {"", `[""]`},
		"an empty list":         {[]any{}, `[]`},
		"illegal characters":    {"orders, my function,a/b", `["my function" "a/b"]`},
		"a long name":           {strings.Repeat("a", 65), strings.Repeat("a", 65)},
		"another service's ARN": {"arn:aws:s3:::bucket", `["arn:aws:s3:::bucket"]`},
		"an alias's ARN":        {"arn:aws:lambda:eu-west-1:123456789012:function:orders:live", `:live"]`},
		"a wildcard":            {"orders-*", `["orders-*"]`},
		"a number":              {7, "given: 7"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := newApp(t.TempDir(), map[string]any{functionsContext: test.given})
			if err == nil {
				t.Fatalf("%v was accepted", test.given)
			}
			for _, part := range []string{`context "functions"`, test.want, "name"} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q is not in the error: %v", part, err)
				}
			}
		})
	}
}

func TestOtherContextIsChecked(t *testing.T) {
	const knownGates = ". The gates to enable are checks, endpoints, hooks, probes, provisioned-concurrency; errors, latency, alarms and metrics are always enabled"
	for name, test := range map[string]struct {
		key   string
		given any
		want  []string // in the error
	}{
		"an unknown gate":        {gatesContext, "probe", []string{`: "probe" (did you mean "probes"?)` + knownGates}},
		"many":                   {gatesContext, "hooks,Check,endpoint,alarms,", []string{`: "Check" (did you mean "checks"?), "endpoint" (did you mean "endpoints"?), "alarms", ""` + knownGates}},
		"nothing":                {gatesContext, "", []string{`: ""` + knownGates}},
		"a number":               {gatesContext, 7, []string{"given: 7", "-c gates=probes,checks"}},
		"a number in a list":     {gatesContext, []any{7, "hooks"}, []string{`: "7"` + knownGates}},
		"no ARN":                 {topicsContext, "team, arn:aws:sns:eu-west-1:123456789012:ops", []string{`["team"]: give ARNs of standard SNS topics`}},
		"a FIFO topic":           {topicsContext, []any{"arn:aws:sns:eu-west-1:123456789012:ops.fifo"}, []string{`ops.fifo"]: give`}},
		"another service's ARN":  {topicsContext, "arn:aws:sqs:eu-west-1:123456789012:ops,*", []string{`["arn:aws:sqs:eu-west-1:123456789012:ops" "*"]: give`}},
		"a subscription":         {topicsContext, "arn:aws:sns:eu-west-1:123456789012:ops:6b0e71bd", []string{`6b0e71bd"]: give`}},
		"no list":                {topicsContext, true, []string{"given: true; give the topics' ARNs"}},
		"neither true nor false": {simpleContext, "yes", []string{`given: "yes"; give true or false`}},
		"a number for a flag":    {simpleContext, 1, []string{`given: "1"; give true or false`}},
		"perhaps stacks":         {stackContext, "yes", []string{`given: "yes"; give true or false`}},
		"no topic for alarms":    {alarmTopicContext, "ops", []string{`["ops"]: give ARNs of standard SNS topics`}},
		"other days":             {logRetentionContext, "100", []string{`given: "100"; give one of these numbers of days: 1, 3, 5, 7, 14,`, "3653, infinite"}},
		"a key's alias":          {keyContext, "alias/mine", []string{`given: "alias/mine"; give a KMS key's ARN, not an alias's`}},
		"a role for a boundary":  {boundaryContext, "arn:aws:iam::123456789012:role/a", []string{`role/a"; give a managed policy's ARN`}},
		"a fraction":             {reservedContext, 1.5, []string{"1.5: give a whole number, or 0 to reserve none"}},
		"a negative number":      {reservedContext, "-1", []string{"-1: give a whole number"}},
		"infinity":               {reservedContext, "Inf", []string{"+Inf: give a whole number"}},
		"not a number":           {reservedContext, "NaN", []string{"NaN: give a whole number"}},
		"a word for a number":    {reservedContext, "all", []string{`given: "all"; give a whole number`}},
		"standalone, perhaps":    {standaloneContext, "yes", []string{`given: "yes"; give true or false`}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := newApp(t.TempDir(), map[string]any{test.key: test.given})
			if err == nil {
				t.Fatalf("%v was accepted", test.given)
			}
			for _, part := range append(test.want, `context "`+test.key+`": `) {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q is not in the error: %v", part, err)
				}
			}
		})
	}
}

func TestTheErrorListsAllProblemsOfTheContext(t *testing.T) {
	keys := []string{
		functionsContext, gatesContext, topicsContext, simpleContext, stackContext, alarmTopicContext, logRetentionContext,
		keyContext, boundaryContext, reservedContext, standaloneContext,
	}
	wrong := map[string]any{}
	for _, key := range keys {
		wrong[key] = "a/b"
	}
	_, err := newApp(t.TempDir(), wrong)
	if err == nil {
		t.Fatal("the context was accepted")
	}
	lines := strings.Split(err.Error(), "\n")
	for i, key := range keys {
		if len(lines) != len(keys) || !strings.HasPrefix(lines[i], `context "`+key+`": `) {
			t.Fatalf("want one line for each context value: %v", err)
		}
	}
}

var (
	contextConstant = regexp.MustCompile(`(?m)^\t\w+Context\s+= "([a-z-]+)"$`)
	settingsRow     = regexp.MustCompile("(?m)^\\| `-c ([a-z-]+)=[^`]*`(.*) \\|$")
	furtherNames    = regexp.MustCompile("`([a-z-]+)`")
)

// documentedSettings returns the context values in a page's table, with the names of gates.
func documentedSettings(page string) (settings, gates []string) {
	for _, row := range settingsRow.FindAllStringSubmatch(page, -1) {
		settings = append(settings, row[1])
		if row[1] == gatesContext {
			named, _, _ := strings.Cut(row[0], "` |")
			_, first, _ := strings.Cut(named, gatesContext+"=")
			names, _, _ := strings.Cut(row[2], "|")
			first, _, _ = strings.Cut(first, "`")
			gates = append(gates, first)
			for _, name := range furtherNames.FindAllStringSubmatch(names, -1) {
				gates = append(gates, name[1])
			}
		}
	}
	slices.Sort(settings)
	slices.Sort(gates)
	return slices.Compact(settings), gates
}

// TestEverySettingIsDocumented in docs/operating.md, and every gate.
func TestEverySettingIsDocumented(t *testing.T) {
	var want []string
	for _, constant := range contextConstant.FindAllStringSubmatch(readFile(t, "context.go"), -1) {
		want = append(want, constant[1])
	}
	slices.Sort(want)
	page := readPage(t, "operating.md")
	settings, gates := documentedSettings(page)
	if diff := cmp.Diff(want, settings); diff != "" || len(want) < 10 {
		t.Errorf("settings (-context.go +docs/operating.md):\n%s", diff)
	}
	if diff := cmp.Diff(slices.Sorted(slices.Values(rollout.GateNames())), gates); diff != "" {
		t.Errorf("gates (-package rollout +docs/operating.md):\n%s", diff)
	}
	if settings, _ := documentedSettings(strings.Replace(page, "`-c kms-key=…`", "`kms-key`", 1)); slices.Equal(settings, want) {
		t.Error("a page without a setting passes")
	}
}
