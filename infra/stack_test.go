package main

import (
	"debug/buildinfo"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/infra/lambdarollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine"
)

func TestDefinitionIsTheEmbeddedFile(t *testing.T) {
	tmpl, _ := deployed(t)
	if err := checkDefinition(tmpl); err != nil {
		t.Error(err)
	}
}

func checkDefinition(tmpl template) error {
	for _, w := range workflows {
		if diff := cmp.Diff(any(w.definition), tmpl.Resources[w.resource].Properties["DefinitionString"]); diff != "" {
			return fmt.Errorf("definition of %s (-embedded +deployed):\n%s", w.resource, diff)
		}
	}
	return nil
}

func TestEverySubstitutionIsItsFunction(t *testing.T) {
	tmpl, outdir := deployed(t)
	if err := checkSubstitutions(tmpl); err != nil {
		t.Error(err)
	}
	for _, task := range tasks() {
		binary := filepath.Join(outdir, "asset."+assetHash(tmpl, task.Name), "bootstrap")
		info, err := buildinfo.ReadFile(binary)
		if err != nil {
			t.Fatal(err)
		}
		if want := info.Main.Path + "/" + task.Package; info.Path != want {
			t.Errorf("%s runs %s, want %s", task.Name, info.Path, want)
		}
		for _, setting := range info.Settings {
			if strings.HasPrefix(setting.Key, "vcs") {
				t.Errorf("the executable of %s has %s=%s, which changes with every commit", task.Name, setting.Key, setting.Value)
			}
			if setting.Key == "GOARCH" && setting.Value != "arm64" {
				t.Errorf("%s is built for %s", task.Name, setting.Value)
			}
		}
	}
}

// checkSubstitutions compares the definition's placeholders, the listed functions, the
// template's substitutions and its functions with one another.
func checkSubstitutions(tmpl template) error {
	var functions []string
	for _, task := range tasks() {
		functions = append(functions, task.Name)
	}
	for _, w := range workflows {
		want := statemachine.SubstitutionsOf(w.functions, "${AWS::Partition}", func(f statemachine.Function) string { return "${" + f.Name + ".Arn}" })
		got, _ := tmpl.Resources[w.resource].Properties["DefinitionSubstitutions"].(map[string]any)
		if diff := cmp.Diff(want, renderAll(got)); diff != "" {
			return fmt.Errorf("substitutions of %s (-listed +deployed):\n%s", w.resource, diff)
		}
		placeholders := map[string]bool{}
		for _, match := range regexp.MustCompile(`\$\{([^}]*)\}`).FindAllStringSubmatch(w.definition, -1) {
			placeholders[match[1]] = true
		}
		if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(placeholders))); diff != "" {
			return fmt.Errorf("placeholders of %s (-listed +in the definition):\n%s", w.resource, diff)
		}
	}
	slices.Sort(functions)
	if diff := cmp.Diff(functions, tmpl.ofType("AWS::Lambda::Function")); diff != "" {
		return fmt.Errorf("functions (-listed +deployed):\n%s", diff)
	}
	return nil
}

// assetHash returns the hash of a function's code.
func assetHash(tmpl template, function string) string {
	code := tmpl.Resources[function].Properties["Code"].(map[string]any)
	return strings.TrimSuffix(code["S3Key"].(string), ".zip")
}

func TestFunctionsHaveTheirProperties(t *testing.T) {
	tmpl, _ := deployed(t)
	if err := checkFunctions(tmpl); err != nil {
		t.Error(err)
	}
}

// What every function has: settings of Go's runtime, the machine's metrics namespace, and tracing.
const (
	everyVariable = `"GOGC":"150","GOMAXPROCS":"1","GOMEMLIMIT":"96MiB","METRICS_NAMESPACE":"LambdaRollout/` + machine + `"`
	tracing       = `{"Mode":"Active"}`
)

// checkFunctions checks the properties of the functions in a stack without gates.
func checkFunctions(tmpl template) error {
	const (
		alone = `{"Variables":{` + everyVariable + `}}`
		topic = `{"Variables":{` + everyVariable + `,"TOPIC_ARN":{"Ref":"Topic"}}}`
	)
	timeouts := map[string]string{
		"CalculateWeights": "30", "UpdateAlias": "30", "HealthCheck": "720", "Rollback": "300", "Finalize": "30",
		"PlanRelease": "140", "CheckRelease": "340", "RevertRelease": "140",
	}
	environments := map[string]string{
		"CalculateWeights": withReleases(""), "Finalize": alone, "Rollback": topic, "UpdateAlias": topic, "HealthCheck": topic,
		"PlanRelease": alone, "CheckRelease": withMachine(`,"TOPIC_ARN":{"Ref":"Topic"}`), "RevertRelease": withMachine(""),
	}
	for _, name := range tmpl.ofType("AWS::Lambda::Function") {
		got := renderAll(tmpl.Resources[name].Properties)
		delete(got, "Code")
		want := map[string]string{
			"Architectures": "arm64",
			"Description":   "lambda-rollout: the task " + name,
			"Handler":       "bootstrap",
			"LoggingConfig": `{"LogGroup":{"Ref":"` + name + `Logs"}}`,
			"MemorySize":    "128",
			"Role":          "${" + name + "Role.Arn}",
			"Runtime":       "provided.al2023",
			"Timeout":       timeouts[name],
			"TracingConfig": tracing,
			"Environment":   environments[name],
		}
		if name == "Rollback" {
			want["ReservedConcurrentExecutions"] = "10"
		}
		if diff := cmp.Diff(want, got); diff != "" {
			return fmt.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	return nil
}

func TestEveryLogIsKeptForAYear(t *testing.T) {
	tmpl, _ := deployed(t)
	if err := checkLogs(tmpl); err != nil {
		t.Error(err)
	}
}

func checkLogs(tmpl template) error {
	want := []string{"StateMachineLogs", "ReleaseStateMachineLogs"}
	for _, task := range tasks() {
		want = append(want, task.Name+"Logs")
	}
	slices.Sort(want)
	groups := tmpl.ofType("AWS::Logs::LogGroup")
	if diff := cmp.Diff(want, groups); diff != "" {
		return fmt.Errorf("log groups (-want +got):\n%s", diff)
	}
	for _, name := range groups {
		if days := tmpl.Resources[name].Properties["RetentionInDays"]; days != 365.0 {
			return fmt.Errorf("%s is kept for %v days", name, days)
		}
		if group := tmpl.Resources[name]; group.DeletionPolicy != "RetainExceptOnCreate" || group.UpdateReplacePolicy != "Retain" {
			return fmt.Errorf("%s is deleted with the stack: %s, %s", name, group.DeletionPolicy, group.UpdateReplacePolicy)
		}
	}
	for _, w := range workflows {
		if got := render(tmpl.Resources[w.resource].Properties["TracingConfiguration"]); got != `{"Enabled":true}` {
			return fmt.Errorf("the tracing of %s is %s", w.resource, got)
		}
		const logging = `{"Destinations":[{"CloudWatchLogsLogGroup":{"LogGroupArn":{"Fn::GetAtt":["%sLogs","Arn"]}}}],"IncludeExecutionData":true,"Level":"ALL"}`
		if got, want := render(tmpl.Resources[w.resource].Properties["LoggingConfiguration"]), fmt.Sprintf(logging, w.resource); got != want {
			return fmt.Errorf("%s logs %s, want %s", w.resource, got, want)
		}
		// Without this prefix, AWS would add a statement to a resource policy.
		name := render(tmpl.Resources[w.resource].Properties["StateMachineName"])
		if got := render(tmpl.Resources[w.resource+"Logs"].Properties["LogGroupName"]); got != "/aws/vendedlogs/states/"+name {
			return fmt.Errorf("the logs of %s are named %s", w.resource, got)
		}
	}
	return nil
}

func TestOutputs(t *testing.T) {
	tmpl, _ := deployed(t)
	got := map[string]string{}
	for name, output := range tmpl.Outputs {
		got[name] = render(output.Value)
	}
	want := map[string]string{
		"StateMachineArn":        "${StateMachine}",
		"ReleaseStateMachineArn": "${ReleaseStateMachine}",
		"TopicArn":               "${Topic}",
		"OptIn":                  "functions with the tag lambda-rollout=enabled",
		"MetricsNamespace":       "LambdaRollout/" + machine,
		"Version":                lambdarollout.Version,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("outputs (-want +got):\n%s", diff)
	}
}

// TestTheVersion is the newest of the changelog, and later versions are tested with what its
// rollouts look like.
func TestTheVersion(t *testing.T) {
	changelog, err := os.ReadFile(filepath.Join("..", "docs", "CHANGELOG.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, newest, _ := strings.Cut(string(changelog), "\n## ")
	if newest, _, _ = strings.Cut(newest, " "); newest != lambdarollout.Version {
		t.Errorf("docs/CHANGELOG.md begins with %s; the version is %s", newest, lambdarollout.Version)
	}
	if _, err := os.Stat(filepath.Join("..", "statemachine", "rehearsal", "testdata", "versions", lambdarollout.Version, "rollout.asl.json")); err != nil {
		t.Errorf("record the version, as docs/compatibility.md says: %v", err)
	}
}

// TestAssetsAreReproducible synthesizes a copy of the project in another folder: the
// same sources give the same assets, wherever and whenever they are built.
func TestAssetsAreReproducible(t *testing.T) {
	tmpl, _ := deployed(t)
	project := t.TempDir()
	for _, name := range []string{"go.mod", "go.sum"} {
		data, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(project, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.CopyFS(filepath.Join(project, "lambdas"), os.DirFS(filepath.Join("..", "lambdas"))); err != nil {
		t.Fatal(err)
	}
	t.Chdir(project)
	again := synthesize(t, nil)
	for _, task := range tasks() {
		if first, second := assetHash(tmpl, task.Name), assetHash(again, task.Name); first != second {
			t.Errorf("the asset of %s is %s, and %s when it is built in another folder", task.Name, first, second)
		}
	}
}

// TestBuildFailuresAreReported synthesizes projects in which a function does not compile.
func TestBuildFailuresAreReported(t *testing.T) {
	const good, bad = "package main\n\nfunc main() {}\n", "package main\n\nfunc main() { missing() }\n"
	for _, test := range []struct {
		bad     string // the function's package
		context map[string]any
	}{
		{"lambdas/calculateweights", nil},
		{"lambdas/checkrelease", nil},
		{"lambdas/simpledeploy", map[string]any{simpleContext: "true"}},
		{"lambdas/stackrollout", map[string]any{stackContext: "true"}},
	} {
		t.Run(test.bad, func(t *testing.T) {
			files := map[string]string{"go.mod": "module github.com/lambda-rollout/lambda-rollout\n\ngo 1.26\n"}
			for _, task := range tasks() {
				files[task.Package+"/main.go"] = good
			}
			files[test.bad+"/main.go"] = bad
			project := t.TempDir()
			for name, content := range files {
				file := filepath.Join(project, name)
				if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, []byte(content), 0o600)); err != nil {
					t.Fatal(err)
				}
			}
			t.Chdir(project)
			defer func() {
				if problem := fmt.Sprint(recover()); !strings.Contains(problem, "build the function in "+test.bad) || !strings.Contains(problem, "undefined: missing") {
					t.Errorf("the failure is reported as %q", problem)
				}
			}()
			synthesize(t, test.context)
		})
	}
}

func TestAFindingFailsTheSynth(t *testing.T) {
	synth := func(properties map[string]any) (refusal string) {
		app, err := newApp(t.TempDir(), map[string]any{withoutBuilding: []any{}})
		if err != nil {
			t.Fatal(err)
		}
		stack := awscdk.NewStack(app, jsii.String("Other"), nil)
		awscdk.NewCfnResource(stack, jsii.String("Group"), &awscdk.CfnResourceProps{
			Type:       jsii.String("AWS::Logs::LogGroup"),
			Properties: &properties,
		})
		defer func() {
			if p := recover(); p != nil {
				refusal = fmt.Sprint(p)
			}
		}()
		app.Synth(nil)
		return ""
	}
	if refusal := synth(map[string]any{"RetentionInDays": 7}); refusal != "" {
		t.Errorf("a good template was refused: %s", refusal)
	}
	if refusal := synth(map[string]any{"RetentionInDays": "long"}); !strings.Contains(refusal, "validation") {
		t.Errorf("a template with a finding was not refused: %q", refusal)
	}
}
