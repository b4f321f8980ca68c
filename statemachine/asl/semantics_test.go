package asl_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/localstepfunctions"
)

// The table of what the language means: testdata/semantics has state machines,
// what they are given and what must come of it, both here and in an engine by
// other people, aws-local-stepfunctions. Where that one differs, the row says what
// it does instead, and why ours is right.

// row is a state machine of the table. It begins with the state A.
type row struct {
	Name   string
	States json.RawMessage // a function's ARN is written fn:Name
	Runs   []expectation
}

// expectation is an execution, with what must come of it.
type expectation struct {
	Input json.RawMessage
	Tasks script
	outcome
	Other *difference
}

// difference is what the other engine makes of an execution.
type difference struct {
	outcome
	Why string
}

// semantics reads the table.
func semantics(t testing.TB) []row {
	t.Helper()
	var rows []row
	for _, name := range []string{"data", "functions", "errors", "waits"} {
		var some []row
		readTable(t, name, &some)
		rows = append(rows, some...)
	}
	var rules []choiceRow
	readTable(t, "choice", &rules)
	for _, rule := range rules {
		rows = append(rows, rule.rows(t)...)
	}
	return rows
}

func readTable(t testing.TB, name string, rows any) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "semantics", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(rows); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

func differences(want, got outcome) string {
	return cmp.Diff(want, got, cmp.AllowUnexported(value{}))
}

// TestSemantics runs the table on both engines. A difference that is listed has
// to be one.
func TestSemantics(t *testing.T) {
	engine := localstepfunctions.ForTest(t)
	equal, different := 0, 0
	for _, row := range semantics(t) {
		ours, theirs := ourRunner(t, row.definition()), otherRunner(t, engine, row.definition())
		for _, run := range row.Runs {
			where := fmt.Sprintf("%s, given %s", row.Name, run.Input)
			if diff := differences(run.outcome, ours(t, run)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", where, diff)
			}
			want := run.outcome
			if run.Other == nil {
				equal++
			} else {
				different++
				want = run.Other.outcome
				if reflect.DeepEqual(want, run.outcome) || run.Other.Why == "" {
					t.Errorf("%s: the difference that is listed is none, or has no reason", where)
				}
			}
			if diff := differences(want, theirs(t, run)); diff != "" {
				t.Errorf("%s: on the other engine (-want +got):\n%s", where, diff)
			}
		}
	}
	t.Logf("%d executions are equal on both engines, and %d differ as listed", equal, different)
}

// TestSemanticDifferencesAreSeen gives the other engine state machines that mean
// something else than the table's, and wants each to be seen.
func TestSemanticDifferencesAreSeen(t *testing.T) {
	engine := localstepfunctions.ForTest(t)
	rows := semantics(t)
	for _, change := range []struct{ row, old, new string }{
		{`{"Variable": "$.v", "StringLessThan": "b"}`, `StringLessThan`, `StringLessThanEquals`},
		{`{"Variable": "$.v", "NumericEquals": 2}`, `"Default": "No"}, "Yes"`, `"Default": "Nay"}, "Nay": {"Type": "Succeed"}, "Yes"`},
		{"ResultPath nested", `$.a.b.c`, `$.a.b`},
		{"ResultPath null", `"ResultPath": null`, `"OutputPath": null`},
		{"States.TaskFailed is any error of the task but its timeout", `States.TaskFailed`, `States.ALL`},
		{"several retriers count each for itself", `["X", "Y"]`, `["X"]`},
		{"Retry's defaults", `{"ErrorEquals": ["X"]}`, `{"ErrorEquals": ["X"], "MaxAttempts": 4}`},
		{"Catch takes the first that fits, after Retry", `["Y", "Z"]`, `["X", "Y"]`},
		{"Seconds", `86400`, `86401`},
		{"the context object", `$$.State.EnteredTime`, `$$.Execution.StartTime`},
	} {
		at := slices.IndexFunc(rows, func(r row) bool { return r.Name == change.row })
		if at < 0 {
			t.Fatalf("there is no row %s", change.row)
		}
		definition := rows[at].definition()
		changed := strings.Replace(definition, change.old, change.new, 1)
		if changed == definition {
			t.Fatalf("%s has no %s", change.row, change.old)
		}
		theirs := otherRunner(t, engine, changed)
		seen := slices.ContainsFunc(rows[at].Runs, func(x expectation) bool {
			return x.Other == nil && differences(x.outcome, theirs(t, x)) != ""
		})
		if !seen {
			t.Errorf("%s: no test notices %s instead of %s", change.row, change.new, change.old)
		}
	}
}
