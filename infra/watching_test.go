package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDashboardGraphsTheirMetrics compares the graphs with their metrics.
func TestDashboardGraphsTheirMetrics(t *testing.T) {
	tmpl, _ := deployed(t)
	if err := checkDashboard(tmpl); err != nil {
		t.Error(err)
	}
	tmpl = synthesize(t, map[string]any{functionsContext: "orders, arn:aws:lambda:eu-west-1:123456789012:function:billing", withoutBuilding: []any{}})
	if err := checkDashboard(tmpl, ` FunctionName=("orders" OR "billing")`); err != nil {
		t.Errorf("with functions by name: %v", err)
	}
	// More than one search can have, with the longest names.
	var many []any
	narrowed := []string{` FunctionName=(`, ` FunctionName=(`, ` FunctionName=(`}
	for i := range 25 {
		name := fmt.Sprintf("%064d", i)
		many = append(many, name)
		if i%12 > 0 {
			narrowed[i/12] += " OR "
		}
		narrowed[i/12] += strconv.Quote(name)
	}
	for i := range narrowed {
		narrowed[i] += ")"
	}
	tmpl = synthesize(t, map[string]any{functionsContext: many, withoutBuilding: []any{}})
	if err := checkDashboard(tmpl, narrowed...); err != nil {
		t.Errorf("with many functions by name: %v", err)
	}
}

// longestSearch is the number of characters that CloudWatch accepts for a search.
const longestSearch = 1024

// checkDashboard compares the graphs with their metrics. The errors of versions are
// those of all functions, or narrowed by what each search adds.
func checkDashboard(tmpl template, narrowed ...string) error {
	dashboard := tmpl.Resources["Dashboard"].Properties
	if dashboard["DashboardName"] != machine {
		return fmt.Errorf("the dashboard is named %v", dashboard["DashboardName"])
	}
	var body struct {
		Widgets []struct {
			Properties struct {
				Title   string
				Alarms  []string
				Metrics [][]any
			}
		}
	}
	if err := json.Unmarshal([]byte(render(dashboard["DashboardBody"])), &body); err != nil {
		return err
	}
	const own = "LambdaRollout/" + machine
	want := map[string][]string{
		"Alarms":              nil, // below
		"Rollouts by outcome": {`SEARCH('{"` + own + `",Result} MetricName="Outcome"', 'Sum', 3600)`},
		"Time to rollback (seconds)": {
			own + " TimeToRollback", own + " TimeToRollback"},
		"Executions": {
			"AWS/States ExecutionsStarted StateMachineArn ${StateMachine}", "AWS/States ExecutionsSucceeded StateMachineArn ${StateMachine}",
			"AWS/States ExecutionsFailed StateMachineArn ${StateMachine}", "AWS/States ExecutionsAborted StateMachineArn ${StateMachine}",
			"AWS/States ExecutionsTimedOut StateMachineArn ${StateMachine}",
		},
		"Releases": {
			"AWS/States ExecutionsStarted StateMachineArn ${ReleaseStateMachine}", "AWS/States ExecutionsSucceeded StateMachineArn ${ReleaseStateMachine}",
			"AWS/States ExecutionsFailed StateMachineArn ${ReleaseStateMachine}", "AWS/States ExecutionsAborted StateMachineArn ${ReleaseStateMachine}",
			"AWS/States ExecutionsTimedOut StateMachineArn ${ReleaseStateMachine}",
		},
		"Time of a release's check (milliseconds)": {"AWS/Lambda Duration FunctionName ${CheckRelease}", "AWS/Lambda Duration FunctionName ${CheckRelease}"},
		"Ends of stopped releases": {
			"AWS/Events Invocations RuleName ${ReleaseSweep}", "AWS/Lambda AsyncEventsDropped FunctionName ${CheckRelease}",
			"AWS/Lambda Throttles FunctionName ${CheckRelease}",
		},
		"Weights of new versions (percent)":   {`SEARCH('{"` + own + `",FunctionName,AliasName} MetricName="Weight"', 'Maximum', 60)`},
		"Decisions":                           {`SEARCH('{"` + own + `",Result} MetricName="Decision"', 'Sum', 300)`},
		"Bad requests served by new versions": {own + " BadInvocations"},
		"Cleanup": {
			"AWS/Events Invocations RuleName ${Sweep}", "AWS/Lambda AsyncEventsDropped FunctionName ${Rollback}",
			"AWS/Lambda Throttles FunctionName ${Rollback}", "AWS/SQS ApproximateNumberOfMessagesVisible QueueName ${UndeliveredCleanups.QueueName}",
		},
		"Errors of the tasks": {
			"AWS/Lambda Errors FunctionName ${CalculateWeights}", "AWS/Lambda Errors FunctionName ${CheckRelease}", "AWS/Lambda Errors FunctionName ${Finalize}",
			"AWS/Lambda Errors FunctionName ${HealthCheck}", "AWS/Lambda Errors FunctionName ${PlanRelease}", "AWS/Lambda Errors FunctionName ${RevertRelease}",
			"AWS/Lambda Errors FunctionName ${Rollback}", "AWS/Lambda Errors FunctionName ${UpdateAlias}",
		},
	}
	const ofVersions, all = "Errors of both versions", `SEARCH('{AWS/Lambda,FunctionName,Resource,ExecutedVersion} MetricName="Errors"%s', 'Sum', 60)`
	if narrowed == nil {
		want[ofVersions+" (of every function with an alias)"] = []string{fmt.Sprintf(all, "")}
	}
	for _, functions := range narrowed {
		want[ofVersions] = append(want[ofVersions], fmt.Sprintf(all, functions))
	}
	got := map[string][]string{}
	for _, widget := range body.Widgets {
		p := widget.Properties
		got[p.Title] = nil
		for _, metric := range p.Metrics {
			var words []string
			for _, word := range metric {
				switch word := word.(type) {
				case string:
					words = append(words, word)
				case map[string]any:
					if expression, ok := word["expression"].(string); ok {
						if len(expression) > longestSearch {
							return fmt.Errorf("%s: a search has %d characters", p.Title, len(expression))
						}
						words = append(words, expression)
					}
				}
			}
			got[p.Title] = append(got[p.Title], strings.Join(words, " "))
		}
		if alarms := len(tmpl.ofType("AWS::CloudWatch::Alarm")); p.Title == "Alarms" && len(p.Alarms) != alarms {
			return fmt.Errorf("it shows %d of %d alarms", len(p.Alarms), alarms)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		return fmt.Errorf("graphs (-want +got):\n%s", diff)
	}
	return nil
}

// TestQueriesMatchTheLogs compares the saved queries with the log lines in the tasks'
// source.
func TestQueriesMatchTheLogs(t *testing.T) {
	tmpl, _ := deployed(t)
	if err := checkQueries(tmpl); err != nil {
		t.Error(err)
	}
}

var (
	inQuotes = regexp.MustCompile(`"([^"]*)"`)
	ofFilter = regexp.MustCompile(`msg (?:= "[^"]*"|in \[[^]]*\])`)
)

func checkQueries(tmpl template) error {
	logged, err := logCalls()
	if err != nil {
		return err
	}
	names := tmpl.ofType("AWS::Logs::QueryDefinition")
	if want := []string{"Cleanups", "Decisions", "Releases", "TaskErrors", "WhyRolledBack"}; !slices.Equal(names, want) {
		return fmt.Errorf("the queries are %q, want %q", names, want)
	}
	for _, name := range names {
		query := tmpl.Resources[name].Properties
		if groups, _ := query["LogGroupNames"].([]any); len(groups) == 0 || !strings.HasPrefix(query["Name"].(string), machine+"/") {
			return fmt.Errorf("%s is named %v, of the logs %v", name, query["Name"], groups)
		}
		text := query["QueryString"].(string)
		known := map[string]bool{"level": true, "msg": true} // slog's own
		if of := ofFilter.FindString(text); of != "" {
			for _, message := range inQuotes.FindAllStringSubmatch(of, -1) {
				if logged[message[1]] == nil {
					return fmt.Errorf("%s asks for the message %q, which no task logs", name, message[1])
				}
				maps.Copy(known, logged[message[1]])
			}
		} else {
			for _, fields := range logged {
				maps.Copy(known, fields)
			}
		}
		fields, _, _ := strings.Cut(strings.TrimPrefix(text, "fields "), "\n")
		for _, field := range strings.Split(fields, ", ") {
			if !known[field] && !strings.HasPrefix(field, "@") {
				return fmt.Errorf("%s asks for the field %s, which is not in the lines: %s", name, field, text)
			}
		}
	}
	return nil
}

// logCalls returns the messages that the tasks' source logs, with their fields.
func logCalls() (map[string]map[string]bool, error) {
	logged := map[string]map[string]bool{}
	files, err := fs.Glob(os.DirFS("../lambdas"), "task/*.go")
	more, err2 := fs.Glob(os.DirFS("../lambdas"), "releasing/*.go")
	if err := errors.Join(err, err2); err != nil {
		return nil, err
	}
	for _, name := range append(files, more...) {
		file, err := parser.ParseFile(token.NewFileSet(), path.Join("../lambdas", name), nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		ast.Inspect(file, func(node ast.Node) bool {
			call, ok := node.(*ast.CallExpr)
			if !ok || len(call.Args) < 2 {
				return true
			}
			method, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || !slices.Contains([]string{"InfoContext", "WarnContext", "ErrorContext"}, method.Sel.Name) {
				return true
			}
			message := literal(call.Args[1])
			if logged[message] == nil {
				logged[message] = map[string]bool{}
			}
			for i := 2; i < len(call.Args); i += 2 {
				logged[message][literal(call.Args[i])] = true
			}
			return true
		})
	}
	return logged, nil
}

// literal returns a string literal's value, or "".
func literal(expression ast.Expr) string {
	basic, ok := expression.(*ast.BasicLit)
	if !ok {
		return ""
	}
	text, _ := strconv.Unquote(basic.Value)
	return text
}
