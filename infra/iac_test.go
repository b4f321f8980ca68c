package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/cloudformationinclude"
	"github.com/aws/jsii-runtime-go"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// publishing opts the function in to rollouts, and adds an alias that only rollouts
// move, and an output with the number of the latest version: the next rollout's new
// version. The function keeps its old versions, because a rollout needs the baseline.
func publishing(stack awscdk.Stack, fn awslambda.Function) {
	awscdk.Tags_Of(fn).Add(jsii.String("lambda-rollout"), jsii.String("enabled"), nil)
	version := fn.CurrentVersion()
	version.ApplyRemovalPolicy(awscdk.RemovalPolicy_RETAIN)
	live := awslambda.NewCfnAlias(stack, jsii.String("Live"), &awslambda.CfnAliasProps{
		FunctionName:    fn.FunctionName(),
		FunctionVersion: jsii.String("1"), // where the alias begins; never change this
		Name:            jsii.String("live"),
	})
	live.Node().AddDependency(version)
	awscdk.NewCfnOutput(stack, jsii.String("NewVersion"), &awscdk.CfnOutputProps{Value: version.Version()})
}

// included synthesizes a stack to which add has added constructs, with CDK's template
// checks, and returns the template, or what CDK finds wrong.
func included(t *testing.T, add func(awscdk.Stack)) (text string, problem any) {
	t.Helper()
	outdir := t.TempDir()
	app := awscdk.NewApp(&awscdk.AppProps{
		Outdir: jsii.String(outdir), AnalyticsReporting: jsii.Bool(false),
		Context: &map[string]any{"@aws-cdk/core:validateAgainstDefaultRules": true},
	})
	defer func() {
		if failed := recover(); failed != nil {
			problem = failed
		}
	}()
	add(awscdk.NewStack(app, jsii.String("Example"), nil))
	app.Synth(nil)
	// W3030, a value that is not allowed, is only a warning in a report.
	if report, err := os.ReadFile(filepath.Join(outdir, "validation-report.json")); err == nil && strings.Contains(string(report), "W3030") {
		return "", string(report)
	}
	return readFile(t, filepath.Join(outdir, "Example.template.json")), nil
}

// withCode returns the template, parsed and as text, of a stack to which add has added
// constructs for a function with that code.
func withCode(t *testing.T, code string, add func(awscdk.Stack, awslambda.Function)) (tmpl template, text string) {
	t.Helper()
	text, problem := included(t, func(stack awscdk.Stack) {
		add(stack, awslambda.NewFunction(stack, jsii.String("Mine"), &awslambda.FunctionProps{
			Runtime: awslambda.Runtime_NODEJS_22_X(), Handler: jsii.String("index.handler"), Code: awslambda.Code_FromInline(&code),
		}))
	})
	if err := json.Unmarshal([]byte(text), &tmpl); err != nil || problem != nil {
		t.Fatal(err, problem)
	}
	return tmpl, text
}

func TestTheDocumentedAliasIsLeftAloneByDeployments(t *testing.T) {
	differences := func(add func(awscdk.Stack, awslambda.Function)) (alias, version, text string) {
		before, text := withCode(t, "exports.handler = 1", add)
		after, _ := withCode(t, "exports.handler = 2", add)
		aliases, versions := map[string]any{}, map[string]any{}
		for _, tmpl := range []template{before, after} {
			for name, r := range tmpl.Resources {
				switch r.Type {
				case "AWS::Lambda::Alias":
					if old := aliases[name]; old != nil {
						alias = cmp.Diff(old, any(r.Properties))
					}
					aliases[name] = r.Properties
				case "AWS::Lambda::Version":
					versions[name] = r
				}
			}
		}
		if len(versions) == 2 {
			version = "another is published"
		}
		return alias, version, text
	}
	if alias, version, text := differences(publishing); alias != "" || version == "" || !strings.Contains(text, `"DeletionPolicy": "Retain"`) {
		t.Errorf("new code: %q, and the alias changes:\n%s\nin %s", version, alias, text)
	}
	usual := func(_ awscdk.Stack, fn awslambda.Function) { fn.AddAlias(jsii.String("live"), nil) }
	if alias, _, _ := differences(usual); !strings.Contains(alias, "FunctionVersion") {
		t.Errorf("CDK's usual alias is not seen to move: %q", alias)
	}
	if page, source := readPage(t, "iac.md"), readFile(t, "iac_test.go"); !strings.Contains(source, codeBlocks(page, "go")[0]) {
		t.Error("the code in docs/iac.md is not the one that is tested here")
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func readPage(t *testing.T, name ...string) string {
	t.Helper()
	return readFile(t, filepath.Join(append([]string{"..", "docs"}, name...)...))
}

func codeBlocks(page, language string) []string {
	var all []string
	for _, found := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```").FindAllStringSubmatch(page, -1) {
		all = append(all, found[1])
	}
	return all
}

// checkedTemplate returns a CloudFormation template as CDK synthesizes it, and what CDK
// finds wrong with it; nil if nothing.
func checkedTemplate(t *testing.T, text string) (string, any) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "template.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return included(t, func(stack awscdk.Stack) {
		cloudformationinclude.NewCfnInclude(stack, jsii.String("Included"), &cloudformationinclude.CfnIncludeProps{TemplateFile: &file})
	})
}

func TestDocumentedTemplatesPassCloudFormationsRules(t *testing.T) {
	pipeline := readPage(t, "ci", "codepipeline.yaml")
	examples := append(codeBlocks(readPage(t, "iac.md"), "yaml"), pipeline)
	if len(examples) != 3 {
		t.Errorf("%d templates are documented", len(examples))
	}
	for _, example := range examples {
		if _, problem := checkedTemplate(t, example); problem != nil {
			t.Errorf("%v in\n%s", problem, example)
		}
	}
	for _, change := range [][2]string{
		{"Category: Invoke", "Kategory: Invoke"},
		{"BuildRole.Arn", "BuildRole.Name"},
		{"ExecutionMode: QUEUED", "ExecutionMode: QUEUD"},
	} {
		bad := strings.Replace(pipeline, change[0], change[1], 1)
		if _, problem := checkedTemplate(t, bad); problem == nil || bad == pipeline {
			t.Errorf("with %s the template passes", change[1])
		}
	}
}

// untagged returns the number of functions in a template, and the names of those that
// are not opted in.
func untagged(t *testing.T, text string) (functions int, names []string) {
	t.Helper()
	var tmpl template
	if err := json.Unmarshal([]byte(text), &tmpl); err != nil {
		t.Fatal(err)
	}
	for name, r := range tmpl.Resources {
		if r.Type != "AWS::Lambda::Function" && r.Type != "AWS::Serverless::Function" {
			continue
		}
		functions++
		if tags := fmt.Sprint(r.Properties["Tags"]); tags != "[map[Key:lambda-rollout Value:enabled]]" && tags != "map[lambda-rollout:enabled]" {
			names = append(names, name)
		}
	}
	return functions, names
}

func TestDocumentedFunctionsAreOptedIn(t *testing.T) {
	page := readPage(t, "iac.md")
	_, cdk := withCode(t, "exports.handler = 1", publishing)
	examples := []string{cdk}
	for _, example := range codeBlocks(page, "yaml") {
		text, problem := checkedTemplate(t, example)
		if problem != nil {
			t.Fatal(problem)
		}
		examples = append(examples, text)
	}
	for _, example := range examples {
		if functions, names := untagged(t, example); functions != 1 || names != nil {
			t.Errorf("of %d functions %q have no tag in\n%s", functions, names, example)
		}
		if _, names := untagged(t, strings.ReplaceAll(example, "lambda-rollout", "lambda-rollouts")); len(names) != 1 {
			t.Errorf("without the tag this passes:\n%s", example)
		}
	}
	for _, example := range codeBlocks(page, "hcl") {
		if function := regexp.MustCompile(`(?ms)^resource "aws_lambda_function".*?^}`).FindString(example); !strings.Contains(function, `"lambda-rollout" = "enabled"`) {
			t.Errorf("there is no tag in\n%s", function)
		}
	}
}

// TestTheDocumentedCleanupOfVersionsKeepsTheNewest runs the script with a head that,
// like those of macOS and POSIX, can't count from the end.
func TestTheDocumentedCleanupOfVersionsKeepsTheNewest(t *testing.T) {
	folder := t.TempDir()
	for name, script := range map[string]string{
		"head": "echo 'head: illegal line count' >&2; exit 1",
		"aws":  `if [ "$2" = delete-function ]; then echo "$6" >>"$DELETED"; [ "$6" != 2 ]; else printf '1\t2\t3\t8\t9\t10\t11\t12\n'; fi`,
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	page := readPage(t, "iac.md")
	_, section, _ := strings.Cut(page, "## Old versions")
	cleaning := exec.Command("bash", "-c", codeBlocks(section, "sh")[0])
	deleted := filepath.Join(folder, "deleted")
	cleaning.Env = append(os.Environ(), "DELETED="+deleted, "PATH="+folder+":"+os.Getenv("PATH"))
	if out, err := cleaning.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if got := strings.Fields(readFile(t, deleted)); !cmp.Equal(got, []string{"3", "2", "1"}) {
		t.Errorf("the script deletes the versions %q", got)
	}
}

// TestPipelinesStartRollouts validates the inputs in docs/ci. The script completes two
// of them.
func TestPipelinesStartRollouts(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile(filepath.Join("..", "docs", "rollout.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	const names = `"function-name": "MyFunction", "alias-name": "live", "new-version": "7", `
	for _, test := range []struct{ file, input, before, after string }{
		{"codepipeline.yaml", `Input: !Sub \|\n\s*(\{.*\})\n`, "", ""},
		{"github-actions.yml", `PLAN: '(.*)'`, "{" + names, "}"},
		{"rollout.sh", `\$\{PLAN:-(.*?)\}\}`, "{" + names, "}"},
	} {
		valid := func(text string) bool {
			input := regexp.MustCompile(test.input).FindStringSubmatch(text)
			if input == nil {
				return false
			}
			filled := strings.NewReplacer("${FunctionName}", "MyFunction", "${AliasName}", "live", "#{Build.VERSION}", "7", `\"`, `"`).Replace(input[1])
			value, err := jsonschema.UnmarshalJSON(strings.NewReader(test.before + filled + test.after))
			return err == nil && schema.Validate(value) == nil
		}
		text := readPage(t, "ci", test.file)
		if !valid(text) {
			t.Errorf("the input in %s is not valid", test.file)
		}
		if bad := regexp.MustCompile(`"steps|"interval`).ReplaceAllString(text, `"stepps`); valid(bad) {
			t.Errorf("%s: an input with an unknown field passes", test.file)
		}
	}
}
