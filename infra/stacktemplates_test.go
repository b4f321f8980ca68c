package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/lambdas/stack"
)

// stackTemplates are the templates in docs/stack, with the execution's input that the
// provider reads from each.
var stackTemplates = map[string]string{
	"cloudformation.yaml": `"type": "Linear10PercentEvery1Minute", "health": {"alarms": ["my-Errors"]}`,
	"sam.yaml":            `"type": "Canary10Percent5Minutes", "health": {"alarms": ["my-Errors"]}, "hooks": {"pre-traffic": ["my-Check"]}`,
	"wait-condition.yaml": `"type": "linear", "steps": 10, "interval": 3600`,
}

// waitHandle is the kind of URL that CloudFormation fills in for a wait condition's handle.
const waitHandle = "https://cloudformation-waitcondition-eu-central-1.s3.eu-central-1.amazonaws.com/of-"

// built returns a template in docs/stack for a build, as CDK reads it: with references in
// their long form. The problem is what CDK finds wrong with it; nil if nothing.
func built(t *testing.T, text, build string) (tmpl template, problem any) {
	t.Helper()
	text, problem = checkedTemplate(t, strings.ReplaceAll(text, "BUILD", build))
	if problem != nil {
		return tmpl, problem
	}
	if err := json.Unmarshal([]byte(text), &tmpl); err != nil {
		t.Fatal(err)
	}
	for _, resource := range tmpl.Resources {
		splitAttributes(resource.Properties)
	}
	return tmpl, nil
}

// splitAttributes writes each Fn::GetAtt that is a text as a list.
func splitAttributes(value any) {
	switch value := value.(type) {
	case map[string]any:
		if text, ok := value["Fn::GetAtt"].(string); ok {
			id, attribute, _ := strings.Cut(text, ".")
			value["Fn::GetAtt"] = []any{id, attribute}
		}
		for _, inner := range value {
			splitAttributes(inner)
		}
	case []any:
		for _, inner := range value {
			splitAttributes(inner)
		}
	}
}

// sent returns a value as CloudFormation sends it to a custom resource: with what
// references stand for, and numbers and booleans as texts.
func sent(tmpl template, value any) (any, error) {
	switch value := value.(type) {
	case map[string]any:
		all := map[string]any{}
		for name, inner := range value {
			if name == "Ref" || strings.HasPrefix(name, "Fn::") {
				return reference(tmpl, name, inner)
			}
			var err error
			if all[name], err = sent(tmpl, inner); err != nil {
				return nil, err
			}
		}
		return all, nil
	case []any:
		var all []any
		for _, inner := range value {
			element, err := sent(tmpl, inner)
			if err != nil {
				return nil, err
			}
			all = append(all, element)
		}
		return all, nil
	}
	return fmt.Sprint(value), nil
}

// reference returns what one of CloudFormation's functions stands for.
func reference(tmpl template, function string, of any) (string, error) {
	text := render(of)
	switch {
	case function == "Fn::ImportValue":
		return "the export " + text, nil
	case function == "Ref" && tmpl.Resources[text].Type == "AWS::CloudFormation::WaitConditionHandle":
		return waitHandle + text, nil
	case function == "Ref" && tmpl.Resources[text].Type != "":
		return "my-" + text, nil
	case function == "Fn::GetAtt":
		parts := of.([]any)
		id, attribute := render(parts[0]), render(parts[1])
		kind := tmpl.Resources[id].Type
		if kind == "AWS::Lambda::Version" && attribute == "Version" || kind == "AWS::Serverless::Function" && attribute == "Version.Version" {
			return "7", nil
		}
	}
	return "", fmt.Errorf("%s of %s is not known here", function, text)
}

// declaredRollout returns the properties of the template's resource Rollout as the provider
// reads them.
func declaredRollout(tmpl template) (stack.Properties, error) {
	declared := tmpl.Resources["Rollout"]
	if declared.Type != "Custom::LambdaRollout" {
		return stack.Properties{}, fmt.Errorf("Rollout is a %s", declared.Type)
	}
	filled, err := sent(tmpl, declared.Properties)
	if err != nil {
		return stack.Properties{}, err
	}
	if token := filled.(map[string]any)["ServiceToken"]; token != "the export lambda-rollout-provider" {
		return stack.Properties{}, fmt.Errorf("the service token is %v", token)
	}
	document, err := json.Marshal(filled)
	if err != nil {
		return stack.Properties{}, err
	}
	return stack.ReadProperties(document)
}

// missingParts returns what a template lacks so that its rollouts can be carried out.
func missingParts(tmpl template) []string {
	var missing []string
	want := func(ok bool, what string) {
		if !ok {
			missing = append(missing, what)
		}
	}
	rollout := tmpl.Resources["Rollout"]
	for _, id := range tmpl.ofType("AWS::Lambda::Version") {
		version := tmpl.Resources[id]
		want(strings.HasPrefix(version.DeletionPolicy, "Retain") && version.UpdateReplacePolicy == "Retain", id+" is not kept")
	}
	for id, resource := range tmpl.Resources {
		properties := resource.Properties
		switch resource.Type {
		case "AWS::Lambda::Alias":
			want(false, id+" is an alias in the template")
		case "AWS::Lambda::Function", "AWS::Serverless::Function":
			tag := "lambda-rollout"
			if strings.Contains(render(rollout.Properties["Hooks"]), `{"Ref":"`+id+`"}`) {
				tag = "lambda-rollout-check"
			}
			tags := render(properties["Tags"])
			want(tags == `{"`+tag+`":"enabled"}` || tags == `{"Key":"`+tag+`","Value":"enabled"}`, id+" is not opted in")
			want(properties["AutoPublishAlias"] != rollout.Properties["AliasName"], id+" moves the alias")
		case "AWS::Lambda::Permission":
			want(render(properties["FunctionName"]) == "${Rollout.AliasArn}", id+" is not on the alias")
		case "AWS::Events::Rule":
			want(strings.Contains(render(properties["Targets"]), `{"Fn::GetAtt":["Rollout","AliasArn"]}`), id+" does not call the alias")
		case "AWS::CloudFormation::WaitCondition":
			want(render(resource.DependsOn) == "Rollout" && render(properties["Timeout"]) == "43200", id+" does not wait for 12 hours of the rollout")
			want(render(properties["Handle"]) == render(rollout.Properties["WaitHandle"]), id+" has another handle than Rollout")
		}
	}
	return missing
}

// problemOf returns what is wrong with a template in docs/stack; "" for nothing.
func problemOf(t *testing.T, text string) string {
	t.Helper()
	tmpl, problem := built(t, text, "1a2b")
	if problem != nil {
		return fmt.Sprint(problem)
	}
	if _, err := declaredRollout(tmpl); err != nil {
		return err.Error()
	}
	return strings.Join(missingParts(tmpl), "; ")
}

// TestTheProviderReadsTheDocumentedTemplates hands the provider what CloudFormation would
// send for each template.
func TestTheProviderReadsTheDocumentedTemplates(t *testing.T) {
	for file, input := range stackTemplates {
		t.Run(file, func(t *testing.T) {
			tmpl, problem := built(t, readPage(t, "stack", file), "1a2b")
			if problem != nil {
				t.Fatal(problem)
			}
			got, err := declaredRollout(tmpl)
			if err != nil {
				t.Fatal(err)
			}
			var read, want any
			full := `{"function-name": "my-Orders", "alias-name": "live", "new-version": "7", ` + input + `}`
			for text, to := range map[string]*any{string(got.Input): &read, full: &want} {
				if err := json.Unmarshal([]byte(text), to); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(want, read); diff != "" {
				t.Errorf("input (-want +got):\n%s", diff)
			}
			waits, handle := true, ""
			if file == "wait-condition.yaml" {
				waits, handle = false, waitHandle+"Handle1a2b"
			}
			if got.Wait != waits || got.WaitHandle != handle || got.DeleteAlias {
				t.Errorf("it waits: %t, %q; it deletes the alias: %t", got.Wait, got.WaitHandle, got.DeleteAlias)
			}
		})
	}
}

func TestTheDocumentedTemplatesLackNothing(t *testing.T) {
	files, err := os.ReadDir(filepath.Join("..", "docs", "stack"))
	if err != nil || len(files) != len(stackTemplates) {
		t.Errorf("docs/stack has %d files, of which %d are tested: %v", len(files), len(stackTemplates), err)
	}
	for file := range stackTemplates {
		if problem := problemOf(t, readPage(t, "stack", file)); problem != "" {
			t.Errorf("%s: %s", file, problem)
		}
	}
	for _, bad := range []struct{ file, part, instead, problem string }{
		{"cloudformation.yaml", "!GetAtt VersionBUILD.Version", "!GetAtt VersionBUILD.FunctionArn", "is not known here"},
		{"cloudformation.yaml", "!GetAtt VersionBUILD.Version", "!GetAtt Version.Version", "Version"},
		{"cloudformation.yaml", "lambda-rollout-provider", "lambda-rollout", "the service token"},
		{"cloudformation.yaml", "Minute\n", "Hour\n", "type"},
		{"cloudformation.yaml", "DeletionPolicy: RetainExceptOnCreate", "DeletionPolicy: Delete", "Version1a2b is not kept"},
		{"cloudformation.yaml", "UpdateReplacePolicy: Retain", "UpdateReplacePolicy: Delete", "Version1a2b is not kept"},
		{"cloudformation.yaml", "Value: enabled", "Value: no", "Orders is not opted in"},
		{"cloudformation.yaml", "FunctionName: !GetAtt Rollout.AliasArn", "FunctionName: !Ref Orders", "MayCall is not on the alias"},
		{"cloudformation.yaml", "Arn: !GetAtt Rollout.AliasArn", "Arn: !GetAtt Orders.Arn", "Nightly does not call the alias"},
		{"cloudformation.yaml", "Value: !Sub \"${Orders}:live\"", "Value: !GetAtt Rollout.AliasArn", "cycle between resources"},
		{"sam.yaml", "!GetAtt Orders.Version.Version", "!GetAtt Orders.Version", "is not known here"},
		{"sam.yaml", "pre-traffic:", "before-traffic:", "before-traffic"},
		{"sam.yaml", "AutoPublishAlias: published", "AutoPublishAlias: live", "Orders moves the alias"},
		{"sam.yaml", "lambda-rollout-check:", "lambda-rollout:", "Check is not opted in"},
		{"wait-condition.yaml", "WaitHandle: !Ref HandleBUILD", "Wait: true", "needs a plan of at most 50 minutes"},
		{"wait-condition.yaml", "DependsOn: Rollout", "DependsOn: Orders", "does not wait for 12 hours"},
		{"wait-condition.yaml", "43200", "3600", "does not wait for 12 hours"},
		{"wait-condition.yaml", "WaitHandle: !Ref HandleBUILD", "Wait: false", "has another handle"},
	} {
		text := readPage(t, "stack", bad.file)
		changed := strings.Replace(text, bad.part, bad.instead, 1)
		if problem := problemOf(t, changed); changed == text || !strings.Contains(problem, bad.problem) {
			t.Errorf("%s with %s: %q, want %q in it", bad.file, bad.instead, problem, bad.problem)
		}
	}
}

// TestEachBuildHasItsOwnVersion compares the logical IDs of two builds.
func TestEachBuildHasItsOwnVersion(t *testing.T) {
	for file, want := range map[string][]string{
		"cloudformation.yaml": {"Version1a2b"},
		"wait-condition.yaml": {"Handle1a2b", "Promoted1a2b", "Version1a2b"},
	} {
		text := readPage(t, "stack", file)
		before, _ := built(t, text, "1a2b")
		after, _ := built(t, text, "3c4d")
		var gone []string
		for id := range before.Resources {
			if after.Resources[id].Type == "" {
				gone = append(gone, id)
			}
		}
		if slices.Sort(gone); !slices.Equal(gone, want) {
			t.Errorf("%s: another build has other resources than %q, want than %q", file, gone, want)
		}
	}
}

// TestThePresetsThatAnUpdateCanWaitFor reads CodeDeploy's presets, and compares the rest
// with those that docs/stack.md says are too long.
func TestThePresetsThatAnUpdateCanWaitFor(t *testing.T) {
	var refused []string
	for _, preset := range []string{
		"AllAtOnce", "Canary10Percent5Minutes", "Canary10Percent10Minutes", "Canary10Percent15Minutes", "Canary10Percent30Minutes",
		"Linear10PercentEvery1Minute", "Linear10PercentEvery2Minutes", "Linear10PercentEvery3Minutes", "Linear10PercentEvery10Minutes",
	} {
		properties := fmt.Sprintf(`{"FunctionName": "orders", "AliasName": "live", "NewVersion": "7", "Type": %q}`, preset)
		_, err := stack.ReadProperties([]byte(properties))
		if err != nil && strings.Contains(err.Error(), "needs a plan of at most 50 minutes") {
			refused = append(refused, "`"+preset+"`")
		} else if err != nil {
			t.Error(err)
		}
	}
	if want := strings.Join(refused, " and "); len(refused) != 2 || !strings.Contains(readPage(t, "stack.md"), want) {
		t.Errorf("docs/stack.md does not say that %s are too long", want)
	}
}
