package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/statemachine"
)

// HealthCheck's permissions for each gate.
const (
	mayProbe = "Allow lambda:InvokeFunction on " + everyFunction + ifTagged
	mayAsk   = "Allow lambda:InvokeFunction on " + everyFunction + ` if {"StringEquals":{"aws:ResourceTag/lambda-rollout-check":"enabled"}}`
	mayOpen  = "Allow secretsmanager:GetSecretValue on arn:${AWS::Partition}:secretsmanager:" + local + "secret:*" + ifTagged
	mayRead  = "Allow ssm:GetParameter on arn:${AWS::Partition}:ssm:" + local + "parameter/*" + ifTagged
)

// mayMove has the permissions of the tasks that move provisioned concurrency.
var mayMove = map[string][]string{
	"UpdateAlias": {
		"Allow lambda:GetProvisionedConcurrencyConfig on " + everyFunction + ifTagged,
		"Allow lambda:PutProvisionedConcurrencyConfig, lambda:DeleteProvisionedConcurrencyConfig on " + everyFunction + ifTagged,
	},
	"Rollback": {
		"Allow lambda:GetProvisionedConcurrencyConfig on " + everyFunction + ifTagged,
		"Allow lambda:DeleteProvisionedConcurrencyConfig on " + everyFunction + ifTagged,
	},
	"Finalize": {"Allow lambda:DeleteProvisionedConcurrencyConfig on " + everyFunction + ifTagged},
}

// TestEachGateAddsOnlyItsPermissions compares all permissions, and the functions'
// environment variables, with the gates that are enabled.
func TestEachGateAddsOnlyItsPermissions(t *testing.T) {
	for name, test := range map[string]struct {
		given any
		gates string // in CalculateWeights' environment
		need  []string
		more  map[string][]string // of other functions than HealthCheck
	}{
		"probes":                   {"probes", "probes", []string{mayProbe}, nil},
		"checks":                   {"checks", "checks", []string{mayAsk}, nil},
		"hooks":                    {"hooks", "hooks", []string{mayAsk}, nil},
		"endpoints":                {"endpoints", "endpoints", []string{mayOpen, mayRead}, nil},
		"provisioned concurrency":  {"provisioned-concurrency", "provisioned-concurrency", nil, mayMove},
		"all, in any order, twice": {"probes, hooks,endpoints,provisioned-concurrency,checks,hooks", "checks,endpoints,hooks,probes,provisioned-concurrency", []string{mayProbe, mayAsk, mayOpen, mayRead}, mayMove},
		"two, as a list":           {[]any{"probes", "endpoints"}, "endpoints,probes", []string{mayProbe, mayOpen, mayRead}, nil},
		"none, as a list":          {[]any{}, "", nil, nil},
		"the default":              {nil, "", nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			context := map[string]any{withoutBuilding: []any{}}
			if test.given != nil {
				context[gatesContext] = test.given
			}
			tmpl := synthesize(t, context)
			want := mayDoByDefault()
			want["HealthCheck"] = slices.Insert(want["HealthCheck"], slices.Index(want["HealthCheck"], mayBeInstructed), test.need...)
			for function, more := range test.more {
				last := map[string]string{"Finalize": mayTrace}[function]
				if last == "" {
					last = mayPublish
				}
				want[function] = slices.Insert(want[function], slices.Index(want[function], last), more...)
			}
			if diff := cmp.Diff(want, permissions(tmpl)); diff != "" {
				t.Errorf("permissions (-want +got):\n%s", diff)
			}
			for _, function := range []string{"CalculateWeights", "PlanRelease"} {
				if got := gatesOf(tmpl, function); got != test.gates {
					t.Errorf("%s has the gates %q in its environment, want %q", function, got, test.gates)
				}
				delete(tmpl.Resources[function].Properties["Environment"].(map[string]any)["Variables"].(map[string]any), "GATES")
			}
			if err := checkFunctions(tmpl); err != nil { // no other function has them
				t.Error(err)
			}
		})
	}
}

// gatesOf returns the gates in a function's environment, "" if it has no such
// variable, and "?" if it has an empty one.
func gatesOf(tmpl template, function string) string {
	environment, _ := tmpl.Resources[function].Properties["Environment"].(map[string]any)
	variables, _ := environment["Variables"].(map[string]any)
	switch gates := variables["GATES"]; gates {
	case nil:
		return ""
	case "":
		return "?"
	default:
		return render(gates)
	}
}

func TestProbesInvokeOnlyTheNamedFunctions(t *testing.T) {
	tmpl := synthesize(t, map[string]any{functionsContext: "orders", gatesContext: "probes,checks", simpleContext: "true", withoutBuilding: []any{}})
	want := []string{"Allow lambda:InvokeFunction on arn:${AWS::Partition}:lambda:" + local + "function:orders:*", mayAsk}
	for _, name := range []string{"HealthCheck", "SimpleDeploy"} {
		var got []string
		for _, statement := range permissions(tmpl)[name] {
			if strings.Contains(statement, "lambda:InvokeFunction") {
				got = append(got, statement)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("what %s may invoke (-want +got):\n%s", name, diff)
		}
	}
}

// TestHealthCheckAndItsStatesHaveTheSameTimeout compares the function's timeout with
// the longest of the workflow's states that call it: neither may cut off a hook.
func TestHealthCheckAndItsStatesHaveTheSameTimeout(t *testing.T) {
	tmpl, _ := deployed(t)
	var workflow struct {
		States map[string]struct {
			Resource       string
			TimeoutSeconds float64
		}
	}
	if err := json.Unmarshal([]byte(statemachine.Definition), &workflow); err != nil {
		t.Fatal(err)
	}
	longest := 0.0
	for _, state := range workflow.States {
		if state.Resource == "${HealthCheckArn}" {
			longest = max(longest, state.TimeoutSeconds)
		}
	}
	if got := tmpl.Resources["HealthCheck"].Properties["Timeout"]; got != longest {
		t.Errorf("HealthCheck has a timeout of %v s, and the workflow waits for %v s", got, longest)
	}
}

// TestSimpleDeployIsOptional checks that the one-function deployer is there if it is
// enabled, with the permissions of the tasks that it performs and no others.
func TestSimpleDeployIsOptional(t *testing.T) {
	for name, test := range map[string]struct {
		given any
		there bool
	}{
		"as the command line gives it": {"true", true},
		"in cdk.json":                  {true, true},
		"off":                          {"false", false},
	} {
		t.Run(name, func(t *testing.T) {
			tmpl := synthesize(t, map[string]any{simpleContext: test.given, gatesContext: "probes", withoutBuilding: []any{}})
			want := mayDoByDefault()
			want["HealthCheck"] = slices.Insert(want["HealthCheck"], slices.Index(want["HealthCheck"], mayBeInstructed), mayProbe)
			if test.there {
				want["SimpleDeploy"] = []string{
					trustsLambda,
					"Allow logs:CreateLogStream, logs:PutLogEvents on ${SimpleDeployLogs.Arn}",
					want["UpdateAlias"][2],
					want["CalculateWeights"][3],
					want["HealthCheck"][2],
					orders,
					mayProbe,
					mayPublish,
					mayPut,
					mayTrace,
				}
			}
			if diff := cmp.Diff(want, permissions(tmpl)); diff != "" {
				t.Errorf("permissions (-want +got):\n%s", diff)
			}
			_, output := tmpl.Outputs["SimpleDeployArn"]
			if output != test.there {
				t.Errorf("output SimpleDeployArn is there: %t, want %t", output, test.there)
			}
			if !test.there {
				return
			}
			got := renderAll(tmpl.Resources["SimpleDeploy"].Properties)
			delete(got, "Code")
			properties := map[string]string{
				"Architectures": "arm64",
				"Description":   "lambda-rollout: a whole rollout in one function, in at most 15 minutes",
				"Environment":   `{"Variables":{"GATES":"probes",` + everyVariable + `,"TOPIC_ARN":{"Ref":"Topic"}}}`,
				"Handler":       "bootstrap",
				"LoggingConfig": `{"LogGroup":{"Ref":"SimpleDeployLogs"}}`,
				"MemorySize":    "128",
				"Role":          "${SimpleDeployRole.Arn}",
				"Runtime":       "provided.al2023",
				"Timeout":       "900",
				"TracingConfig": tracing,
			}
			if diff := cmp.Diff(properties, got); diff != "" {
				t.Errorf("SimpleDeploy (-want +got):\n%s", diff)
			}
		})
	}
}

// TestProvisionedConcurrencyIsMovedOnlyForTheNamedFunctions checks that it may be
// changed on versions of functions that are opted in by name, and on nothing else.
func TestProvisionedConcurrencyIsMovedOnlyForTheNamedFunctions(t *testing.T) {
	tmpl := synthesize(t, map[string]any{functionsContext: "orders", gatesContext: "provisioned-concurrency", simpleContext: "true", withoutBuilding: []any{}})
	const versions = "arn:${AWS::Partition}:lambda:" + local + "function:orders:*"
	want := map[string]string{
		"UpdateAlias":  "Allow lambda:PutProvisionedConcurrencyConfig, lambda:DeleteProvisionedConcurrencyConfig on " + versions,
		"Rollback":     "Allow lambda:DeleteProvisionedConcurrencyConfig on " + versions,
		"Finalize":     "Allow lambda:DeleteProvisionedConcurrencyConfig on " + versions,
		"SimpleDeploy": "Allow lambda:PutProvisionedConcurrencyConfig, lambda:DeleteProvisionedConcurrencyConfig on " + versions,
	}
	got := map[string]string{}
	for name, statements := range permissions(tmpl) {
		for _, statement := range statements {
			if strings.Contains(statement, "lambda:DeleteProvisionedConcurrencyConfig") || strings.Contains(statement, "lambda:PutProvisionedConcurrencyConfig") {
				got[name] += statement
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("who may change provisioned concurrency (-want +got):\n%s", diff)
	}
}
