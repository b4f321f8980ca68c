package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestTheMetricsPageHasTheNamespace compares the namespace in docs/metrics.md, and its
// alarm, with the functions' environment variables and the stack's output.
func TestTheMetricsPageHasTheNamespace(t *testing.T) {
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
			t.Errorf("the check does not see that %s is wrong", name)
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
	if output := render(tmpl.Outputs[one(outputOfPage)].Value); output != namespace {
		return fmt.Errorf("the page's namespace is %q, and the output that it reads is %q", namespace, output)
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
