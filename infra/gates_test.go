package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/statemachine"
)

// What HealthCheck may do for each gate, and for no other.
const (
	mayProbe = "Allow lambda:InvokeFunction on " + everyFunction + ifTagged
	mayAsk   = "Allow lambda:InvokeFunction on " + everyFunction + ` if {"StringEquals":{"aws:ResourceTag/lambda-rollout-check":"enabled"}}`
	mayOpen  = "Allow secretsmanager:GetSecretValue on arn:${AWS::Partition}:secretsmanager:" + local + "secret:*" + ifTagged
	mayRead  = "Allow ssm:GetParameter on arn:${AWS::Partition}:ssm:" + local + "parameter/*" + ifTagged
)

// mayMove is what the tasks that move provisioned concurrency may do for that.
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

// TestGatesGrantWhatTheyNeedAlone holds everything that each may do, and what
// the functions are told, to the gates that are allowed.
func TestGatesGrantWhatTheyNeedAlone(t *testing.T) {
	for name, test := range map[string]struct {
		given any
		told  string
		need  []string
		more  map[string][]string // of other functions than HealthCheck
	}{
		"probes":                    {"probes", "probes", []string{mayProbe}, nil},
		"checks":                    {"checks", "checks", []string{mayAsk}, nil},
		"hooks":                     {"hooks", "hooks", []string{mayAsk}, nil},
		"endpoints":                 {"endpoints", "endpoints", []string{mayOpen, mayRead}, nil},
		"provisioned concurrency":   {"provisioned-concurrency", "provisioned-concurrency", nil, mayMove},
		"all, in any order, twice":  {"probes, hooks,endpoints,provisioned-concurrency,checks,hooks", "checks,endpoints,hooks,probes,provisioned-concurrency", []string{mayProbe, mayAsk, mayOpen, mayRead}, mayMove},
		"two, as a list":            {[]any{"probes", "endpoints"}, "endpoints,probes", []string{mayProbe, mayOpen, mayRead}, nil},
		"none, as a list":           {[]any{}, "", nil, nil},
		"not said, and so as usual": {nil, "", nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			context := map[string]any{withoutBuilding: []any{}}
			if test.given != nil {
				context[gatesContext] = test.given
			}
			tmpl := synthesize(t, context)
			want := mayDoByDefault()
			want["HealthCheck"] = slices.Insert(want["HealthCheck"], slices.Index(want["HealthCheck"], mayPublish), test.need...)
			for function, more := range test.more {
				last := map[string]string{"Finalize": mayTrace}[function]
				if last == "" {
					last = mayPublish
				}
				want[function] = slices.Insert(want[function], slices.Index(want[function], last), more...)
			}
			if diff := cmp.Diff(want, permissions(tmpl)); diff != "" {
				t.Errorf("what each may do (-want +got):\n%s", diff)
			}
			if got := told(tmpl, "CalculateWeights"); got != test.told {
				t.Errorf("CalculateWeights is told of the gates %q, want %q", got, test.told)
			}
			delete(tmpl.Resources["CalculateWeights"].Properties["Environment"].(map[string]any)["Variables"].(map[string]any), "GATES")
			if err := checkFunctions(tmpl); err != nil { // nobody else is
				t.Error(err)
			}
		})
	}
}

// told returns the gates that a function is told of, "" if it has no such
// variable, and "?" if it has an empty one.
func told(tmpl template, function string) string {
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

func TestProbesAreOfTheNamedFunctions(t *testing.T) {
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

// TestHooksHaveTheirTime holds the workflow's patience with HealthCheck and the
// function's own time to each other: neither may cut off the other's hook.
func TestHooksHaveTheirTime(t *testing.T) {
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
		t.Errorf("HealthCheck has %v s, and the workflow waits for %v s at most", got, longest)
	}
}

// TestSimpleDeployIsThereIfAskedFor holds the one-function deployer to all that
// the tasks which it does may do, and to nothing else.
func TestSimpleDeployIsThereIfAskedFor(t *testing.T) {
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
			want["HealthCheck"] = slices.Insert(want["HealthCheck"], slices.Index(want["HealthCheck"], mayPublish), mayProbe)
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
				t.Errorf("what each may do (-want +got):\n%s", diff)
			}
			_, told := tmpl.Outputs["SimpleDeployArn"]
			if told != test.there {
				t.Errorf("output SimpleDeployArn is there: %t, want %t", told, test.there)
			}
			if !test.there {
				return
			}
			got := renderAll(tmpl.Resources["SimpleDeploy"].Properties)
			delete(got, "Code")
			properties := map[string]string{
				"Architectures": "arm64",
				"Description":   "lambda-rollout: a whole rollout in one function, of a quarter of an hour at most",
				"Environment":   `{"Variables":{"GATES":"probes",` + metricsNamespace + `,"TOPIC_ARN":{"Ref":"Topic"}}}`,
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

// TestTheOneFunctionDeployerMovesProvisionedConcurrencyOfTheNamed allows it on
// the versions of the functions that opted in by name, and on nothing else.
func TestTheOneFunctionDeployerMovesProvisionedConcurrencyOfTheNamed(t *testing.T) {
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
