package main

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"

	"github.com/lambda-rollout/lambda-rollout/infra/lambdarollout"
)

// A finding is an error or a warning of cdk-nag on a resource.
type finding struct{ resource, text string }

// findings returns what cdk-nag's AwsSolutions finds in a stack.
func findings(stack awscdk.Stack) []finding {
	awscdk.Aspects_Of(stack).Add(cdknag.NewAwsSolutionsChecks(&cdknag.NagPackProps{Reports: jsii.Bool(false)}), nil)
	annotations := assertions.Annotations_FromStack(stack)
	anything := assertions.Match_AnyValue()
	var found []finding
	for _, messages := range []any{annotations.FindError(jsii.String("*"), anything), annotations.FindWarning(jsii.String("*"), anything)} {
		// Through JSON, because the type of a message's data is unknown to Go.
		data, err := json.Marshal(messages)
		if err != nil {
			panic(err)
		}
		var read []struct {
			ID    string
			Entry struct{ Data string }
		}
		if err := json.Unmarshal(data, &read); err != nil {
			panic(err)
		}
		for _, message := range read {
			found = append(found, finding{message.ID, message.Entry.Data})
		}
	}
	return found
}

// bareStack returns an empty stack in its own app.
func bareStack(t *testing.T) awscdk.Stack {
	app := awscdk.NewApp(&awscdk.AppProps{Context: &map[string]any{withoutBuilding: []any{}}, Outdir: jsii.String(t.TempDir())})
	return awscdk.NewStack(app, jsii.String("LambdaRollout"), nil)
}

// fullStack returns a stack with all options of the construct that add anything.
func fullStack(t *testing.T) awscdk.Stack {
	stack := bareStack(t)
	named, err := lambdarollout.Named("orders", "arn:aws:lambda:eu-west-1:123456789012:function:billing")
	if err != nil {
		t.Fatal(err)
	}
	rollout := lambdarollout.NewLambdaRollout(stack, "Rollout", &lambdarollout.Props{
		OptIn:         named,
		Gates:         []string{lambdarollout.Probes, lambdarollout.Checks, lambdarollout.Hooks, lambdarollout.Endpoints},
		Topics:        []string{"arn:aws:sns:eu-west-1:123456789012:team"},
		SimpleDeploy:  true,
		StackRollouts: true,
		EncryptionKey: awskms.NewKey(stack, jsii.String("Key"), &awskms.KeyProps{EnableKeyRotation: jsii.Bool(true)}),
	})
	function, version := imported(stack, "orders")
	lambdarollout.NewRollout(stack, "Orders", &lambdarollout.RolloutProps{
		Function: function, AliasName: "live", Version: version, Provider: rollout, PreHook: function,
	})
	return stack
}

func TestAwsSolutionsFindsNothing(t *testing.T) {
	app, err := newApp(t.TempDir(), map[string]any{withoutBuilding: []any{}})
	if err != nil {
		t.Fatal(err)
	}
	for name, stack := range map[string]awscdk.Stack{
		"by default":       app.Node().FindChild(jsii.String(stackName)).(awscdk.Stack),
		"with all options": fullStack(t),
	} {
		t.Run(name, func(t *testing.T) {
			for _, found := range findings(stack) {
				t.Errorf("%s: %s", found.resource, found.text)
			}
		})
	}
}

// TestSuppressionsAreNeeded removes all suppressions: each then has a finding, and
// there are no other findings.
func TestSuppressionsAreNeeded(t *testing.T) {
	stack := fullStack(t)
	unneeded, unexplained := map[string]bool{}, map[string]bool{}
	patterns := map[string][]*regexp.Regexp{}
	for _, child := range *stack.Node().FindAll(constructs.ConstructOrder_PREORDER) {
		resource, ok := child.(awscdk.CfnResource)
		if !ok || resource.GetMetadata(jsii.String("cdk_nag")) == nil {
			continue
		}
		path := "/" + *resource.Node().Path()
		for _, rule := range resource.GetMetadata(jsii.String("cdk_nag")).(map[string]any)["rules_to_suppress"].([]any) {
			rule := rule.(map[string]any)
			only, _ := rule["applies_to"].([]any)
			if only == nil {
				only = []any{map[string]any{"regex": "/.*/"}}
			}
			for _, one := range only {
				text := strings.Trim(one.(map[string]any)["regex"].(string), "/^$")
				pattern := regexp.MustCompile("^" + rule["id"].(string) + `(\[` + text + `\])?:`)
				patterns[path] = append(patterns[path], pattern)
				unneeded[path+" "+pattern.String()] = true
			}
		}
		resource.AddMetadata(jsii.String("cdk_nag"), map[string]any{"rules_to_suppress": []any{}})
	}
	for _, found := range findings(stack) {
		unexplained[found.resource+" "+found.text] = true
		for _, pattern := range patterns[found.resource] {
			if pattern.MatchString(found.text) {
				delete(unneeded, found.resource+" "+pattern.String())
				delete(unexplained, found.resource+" "+found.text)
			}
		}
	}
	if len(patterns) == 0 || len(unneeded)+len(unexplained) > 0 {
		t.Errorf("of %d resources with suppressions, these find nothing: %q\nand these findings had none: %q", len(patterns),
			slices.Sorted(maps.Keys(unneeded)), slices.Sorted(maps.Keys(unexplained)))
	}
}

func TestFindingsAreSeen(t *testing.T) {
	stack := bareStack(t)
	awssns.NewTopic(stack, jsii.String("Topic"), nil)
	found := findings(stack)
	if !slices.ContainsFunc(found, func(f finding) bool { return strings.HasPrefix(f.text, "AwsSolutions-SNS3") }) {
		t.Errorf("findings for a topic without TLS: %q", found)
	}
}
