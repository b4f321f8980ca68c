package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestMetricsAreWhereThePageSays holds the namespace that docs/metrics.md tells, and its
// alarm, to what the functions are told, and the stack tells.
func TestMetricsAreWhereThePageSays(t *testing.T) {
	tmpl, _ := deployed(t)
	page, err := os.ReadFile("../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	if err := checkMetricsPage(tmpl, string(page)); err != nil {
		t.Error(err)
	}
	for name, broken := range map[string]string{
		"the alarm's namespace": strings.Replace(string(page), `--namespace "$namespace"`, "--namespace LambdaRollout", 1),
		"the output":            strings.Replace(string(page), "OutputKey==`MetricsNamespace`", "OutputKey==`Metrics`", 1),
		"the form":              strings.Replace(string(page), "`LambdaRollout/<the state machine's name>`", "`LambdaRollout`", 1),
	} {
		if checkMetricsPage(tmpl, broken) == nil {
			t.Errorf("it does not see that %s is wrong", name)
		}
	}
}

var (
	namespaceOfPage = regexp.MustCompile("in the namespace `([^`]*)`")
	outputOfPage    = regexp.MustCompile("namespace=.*\n.*OutputKey==`([A-Za-z]+)`")
	alarmOfPage     = regexp.MustCompile(`--namespace (\S+)`)
)

func checkMetricsPage(tmpl template, page string) error {
	one := func(pattern *regexp.Regexp) string {
		if found := pattern.FindAllStringSubmatch(page, -1); len(found) == 1 {
			return found[0][1]
		}
		return ""
	}
	name := render(tmpl.Resources["StateMachine"].Properties["StateMachineName"])
	namespace := strings.Replace(one(namespaceOfPage), "<the state machine's name>", name, 1)
	if told := render(tmpl.Outputs[one(outputOfPage)].Value); told != namespace {
		return fmt.Errorf("the page's namespace is %q, and that of the output which it reads %q", namespace, told)
	}
	if alarm := one(alarmOfPage); alarm != `"$namespace"` {
		return fmt.Errorf("the page's alarm is on the namespace %s", alarm)
	}
	for _, function := range tmpl.ofType("AWS::Lambda::Function") {
		variables := tmpl.Resources[function].Properties["Environment"].(map[string]any)["Variables"].(map[string]any)
		if variables["METRICS_NAMESPACE"] != namespace {
			return fmt.Errorf("%s writes to %v, and the page says %s", function, variables["METRICS_NAMESPACE"], namespace)
		}
	}
	return nil
}
