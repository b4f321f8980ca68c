package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/statemachine/iam"
)

// TestOnlyStackRolloutReadsTheRecords evaluates every role's policies, with everything
// enabled: the records of stacks' requests contain pre-signed URLs.
func TestOnlyStackRolloutReadsTheRecords(t *testing.T) {
	outdir := t.TempDir()
	app, err := newApp(outdir, map[string]any{
		stackContext: "true", simpleContext: "true", gatesContext: "probes,checks,hooks,endpoints,provisioned-concurrency", withoutBuilding: []any{},
	})
	if err != nil {
		t.Fatal(err)
	}
	app.Synth(nil)
	data, err := os.ReadFile(filepath.Join(outdir, stackName+".template.json"))
	if err != nil {
		t.Fatal(err)
	}
	tmpl, err := iam.ParseTemplate(data, iam.Place{Region: "eu-west-1", Account: "123456789012", Stack: stackName})
	if err != nil {
		t.Fatal(err)
	}
	parameters := "arn:aws:ssm:eu-west-1:123456789012:parameter"
	may := map[string][]string{}
	for resource, name := range map[string]string{
		parameters + "/lambda-rollout-stacks/" + machine + "/0123456789abcdef/fedcba9876543210": "a record",
		parameters + "/lambda-rollout-stacks/" + machine:                                        "the records",
		parameters + "/lambda-rollout-stacks/another/0123456789abcdef/fedcba9876543210":         "another machine's record",
		parameters + "/lambda-rollout/execution":                                                "an order",
	} {
		for _, id := range slices.Concat(tmpl.OfType("AWS::Lambda::Function"), tmpl.OfType("AWS::StepFunctions::StateMachine")) {
			property := "Role"
			if strings.Contains(id, "StateMachine") {
				property = "RoleArn"
			}
			role, err := tmpl.RoleOf(id, property)
			if err != nil {
				t.Fatal(err)
			}
			for _, action := range []string{
				"GetParameter", "GetParameters", "GetParametersByPath", "GetParameterHistory", "PutParameter", "DeleteParameter", "DescribeParameters", "AddTagsToResource",
			} {
				// Nothing tags records, so that no gate can read them as a secret.
				decision, err := role.Policies.Evaluate(iam.Request{Action: "ssm:" + action, Resource: resource, Context: map[string][]string{"aws:ResourceTag/*": nil}})
				if err != nil {
					t.Fatal(err)
				}
				if decision.Effect == iam.Allowed {
					function := logicalID.ReplaceAllString(id, "$1")
					may[name] = append(may[name], function+" "+action)
				}
			}
		}
	}
	want := map[string][]string{
		"a record":    {"StackRollout GetParameter", "StackRollout GetParametersByPath", "StackRollout PutParameter", "StackRollout DeleteParameter"},
		"the records": {"StackRollout GetParametersByPath"},
		"an order":    {"HealthCheck GetParameterHistory", "SimpleDeploy GetParameterHistory"},
	}
	if diff := cmp.Diff(want, may); diff != "" {
		t.Errorf("who may do what (-want +got):\n%s", diff)
	}
}
